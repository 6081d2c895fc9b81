"""What is expected, in words: when a window is full, where it lands, the advice, and how it came so far."""

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final

from tui.domain.windows import MAIN_LIMIT, Window
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.times import brief, countdown, local
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent

if TYPE_CHECKING:
    from tui.domain.forecast import Forecast
    from tui.domain.outlook import Outlook

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_TREND_CELLS: Final = 10
_SAME_RESET: Final = 600.0
"""Seconds by which a reset's moment may differ between two readings of one window."""


def moment(at: float) -> datetime:
    """Unix seconds as a moment."""
    return datetime.fromtimestamp(at, UTC)


def expected_text(view: ViewState, window: Window, narrow: bool) -> str | None:
    """What is expected of a window beside its reset; None where too little is known to say anything.

    Where it is narrow, the reset's date is left out.
    """
    outlook = view.state.outlook
    if outlook is None or window.limit_id != MAIN_LIMIT or window.resets_at is None or window.resets_at <= view.now:
        return None
    forecast = outlook.forecast_of(window.minutes)
    if forecast is None or forecast.limit_at is None or (window.used_percent or 0) >= 100:
        return None
    if forecast.resets_at is not None and abs(forecast.resets_at - window.resets_at.timestamp()) > _SAME_RESET:
        return None  # it was expected of the window before, which a spend or a reset has ended
    text = _limit_text(view, forecast, narrow) or _landing_text(forecast, narrow)
    if text is None or narrow:
        return text
    return f"{text} · resets {brief(window.resets_at, view.now, view.zone)}"


def _limit_text(view: ViewState, forecast: "Forecast", narrow: bool) -> str | None:
    limit = forecast.limit_at
    if limit is None or limit.p50 is None:
        return None
    at = max(view.now, moment(limit.p50))
    text = f"full ≈ {brief(at, view.now, view.zone)}"
    if narrow or limit.p10 is None or limit.p90 is None:
        return f"{text} ({countdown(at - view.now)})" if at > view.now else text
    first, last = (max(view.now, moment(end)) for end in (limit.p10, limit.p90))
    if (local(first, view.zone).date(), local(last, view.zone).date()) == (local(at, view.zone).date(),) * 2:
        return f"{text} ({local(first, view.zone):%H:%M} to {local(last, view.zone):%H:%M})"
    return f"{text} ({brief(first, view.now, view.zone)} to {brief(last, view.now, view.zone)})"


def _landing_text(forecast: "Forecast", narrow: bool) -> str | None:
    share = forecast.at_reset_percent
    if share is None or share.p10 is None or share.p50 is None or share.p90 is None:
        return None
    text = f"lands ≈ {percent(share.p50)}"
    return text if narrow else f"{text} ({share.p10:.0f} to {share.p90:.0f})"


def trend_text(view: ViewState, window: Window) -> str:
    """How a window filled since it began, one block a step; empty where unknown."""
    outlook = view.state.outlook
    if outlook is None or window.limit_id != MAIN_LIMIT:
        return ""
    shares = outlook.trend_of(window.minutes)
    if len(shares) < 2:
        return ""
    step = max(1, -(-len(shares) // _TREND_CELLS))
    picked = shares[len(shares) - 1 :: -step][::-1]
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int(share / 100 * len(_BLOCKS)))] for share in picked)


def advice_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """The advice in one or two lines; none where nothing is to be gained or nothing can be said."""
    outlook = view.state.outlook
    if outlook is None or view.state.open_spend is not None or view.is_old:
        return ()
    from tui.domain.advice import Verdict

    advice = outlook.advice
    if advice.verdict in (Verdict.CANNOT_TELL, Verdict.NOTHING_TO_GAIN):
        return ()
    level = Level.DIM if advice.verdict is Verdict.WAIT else Level.NEAR
    return wrap((Span(advice.headline, level),), width)


def plan_texts(outlook: "Outlook", now: datetime, zone: tzinfo) -> list[str]:
    """By when each reset in the bank is to be used, the soonest to lapse first, and which probably lapses unused."""
    texts = []
    for number, planned in enumerate(outlook.plan, 1):
        if planned.expires_at is None or planned.use_by is None:
            texts.append(f"reset {number} never lapses")
            continue
        lapses, use_by = (brief(moment(at), now, zone) for at in (planned.expires_at, planned.use_by))
        best = f"use it by {use_by}" if moment(planned.use_by) > now else "its last sensible moment is now"
        unused = "; it probably lapses unused" if planned.lapses_unused else ""
        texts.append(f"reset {number} lapses {lapses}; {best}{unused}")
    return texts
