"""One look at an account, as history, forecast and replay take it: seconds and per cent, nothing else."""

import msgspec


class WindowReading(msgspec.Struct, frozen=True):
    """One window in one reading."""

    minutes: int
    used_percent: float | None
    """None where it is unknown."""
    resets_at: float | None
    """Unix seconds."""


class CreditReading(msgspec.Struct, frozen=True):
    """One banked reset that can be spent."""

    id: str
    granted_at: float | None
    expires_at: float | None
    """Unix seconds; None: it never lapses."""


class Reading(msgspec.Struct, frozen=True):
    """One look at an account."""

    at: float
    """Unix seconds."""
    windows: tuple[WindowReading, ...]
    allowed: bool | None = None
    """The service's own word on ordinary use; None where it did not say."""
    available: int | None = None
    """How many resets can be spent; None where unknown."""
    credits: tuple[CreditReading, ...] | None = None
    """None where only the number is known."""
    running: int | None = None
    """Sessions at work; None where unknown."""
    stopped: int = 0
    """Sessions stopped at the limit."""
