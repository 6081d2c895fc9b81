"""resetbank: a terminal companion for banked Codex rate-limit resets."""

__version__ = "0.1.0"

DEFAULT_SCENARIO = "busy"
"""Where the embedded service starts if nobody says otherwise."""

STORY = "afternoon"
"""What the demo on the screen plays if nobody says otherwise."""
