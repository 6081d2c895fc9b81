"""Words and signs that the screens share, so that one thing has one name."""

from typing import Final

from tui.domain.windows import Limit, Window, WindowState
from tui.ui.view.text import Level
from tui.ui.view.view_state import ViewState

WORD_CELLS: Final = 9
"""Columns of the longest sign and word."""

LEGEND: Final = (
    ("✓ on pace", "used no faster than time goes by", Level.OK),
    ("~ fast", "used faster than time goes by", Level.PLAIN),
    ("! NEAR", "nearly used up", Level.NEAR),
    ("✗ REACHED", "used up: work stands still", Level.REACHED),
    ("– blocked", "something is left, but another limit is reached", Level.DIM),
    ("? UNKNOWN", "not reported; never counted as 0 or as all right", Level.UNKNOWN),
    ("│", "in a bar: where an even pace would be", Level.ACCENT),
    ("▸", "in the bank: the reset that is spent first", Level.ACCENT),
    ("!", "in the bank: lapses within three days", Level.NEAR),
    ("◷", "in the bank: queued for the limit", Level.ACCENT),
    ("● ◍ ○", "a session: running · needs approval · idle", Level.PLAIN),
    ("✗ !", "a session: stopped by the limit · by an error", Level.PLAIN),
    ("≈", "expected from the last quarter of an hour, not observed", Level.PLAIN),
    ("○ ◔ ◑ ◕", "an invite: sent · opened · joined · first message sent", Level.PLAIN),
    ("✓ – ✗ ✎", "an invite: rewarded · its time is over · came to nothing · made elsewhere", Level.PLAIN),
    ("● ○", "above: the source answers · does not answer, numbers dimmed", Level.PLAIN),
)
"""Every sign with its meaning, for the help."""


def percent(value: float | None) -> str:
    """A share as text: whole points, never rounded to 0 or to 100 where it is neither."""
    if value is None:
        return "?"
    if 0 < value < 1:
        return "<1 %"
    return f"{int(value) if 99 <= value < 100 else round(value)} %"


def resets(count: int | None) -> str:
    """A number of resets: `3 resets`, `1 reset`, `no reset`."""
    if count is None:
        return "unknown number of resets"
    return {0: "no reset", 1: "1 reset"}.get(count, f"{count} resets")


def counted(count: int, noun: str) -> str:
    """A number of things: `3 invites`, `1 invite`, `no invites`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def window_word(view: ViewState, limit: Limit, window: Window) -> tuple[str, Level]:
    """Sign, word and level of one window; reached too where the service says so, whatever the percentages say."""
    snapshot, now = view.state.snapshot, view.now
    allowed = snapshot.ordinary_usage_allowed if snapshot and limit is snapshot.main_limit else None
    stopped = limit.allowed is False or allowed is False
    state = window.state(now, view.state.near_percent)
    if state is WindowState.REACHED or (stopped and window.used_percent is not None and window.used_percent >= 100):
        return "✗ REACHED", Level.REACHED
    if state is WindowState.UNKNOWN:
        return "? UNKNOWN", Level.UNKNOWN
    if limit.blocker_of(window, now) is not None:
        return "– blocked", Level.DIM
    if state is WindowState.NEAR:
        return "! NEAR", Level.NEAR
    if window.used_percent == 0:
        return "✓ unused", Level.OK
    even = window.elapsed_fraction(now)
    if even is None:
        return "✓ ok", Level.OK
    return ("✓ on pace", Level.OK) if (window.used_percent or 0) <= even * 100 else ("~ fast", Level.PLAIN)
