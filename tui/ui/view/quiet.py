"""Why nothing is asked though a limit is hit or near, as one quiet line."""

from tui.domain.question import Quiet
from tui.domain.windows import label
from tui.ui.view.scene import Scene
from tui.ui.view.times import brief


def quiet_text(scene: Scene) -> str | None:
    """The line; None where the reason is of no interest."""
    silence = scene.state.silence
    if silence is None or silence.cause is None or silence.window is None:
        return None
    name = label(silence.window)
    resets_at = silence.natural_reset
    when = brief(resets_at, scene.now, scene.zone) if resets_at and resets_at > scene.now else None
    resets = f"; {name} resets {when}" if when else ""
    told = f"{name} starts afresh" + (f", by {when}" if when else "")
    return {
        Quiet.BANK_EMPTY: f"no question: no reset banked{resets}",
        Quiet.WAITING: f"no question: waiting; you are told when {told}",
        Quiet.QUEUED: f"no question: a reset is queued for the limit{resets}",
        Quiet.MUTED: f"no question until {told}: you said so",
        Quiet.DAILY_CAP: f"no question: as many were asked today as the settings allow{resets}",
    }.get(silence.reason)
