"""resetbank: a terminal companion for banked Codex rate-limit resets."""

__version__ = "0.1.0"
