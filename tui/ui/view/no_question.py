"""Why nothing is asked though a limit is hit or near, as one quiet line."""

from tui.domain.question import NoQuestionReason
from tui.domain.windows import label, limit_label
from tui.ui.view.times import brief
from tui.ui.view.view_state import ViewState

_CLOSED = (
    NoQuestionReason.ALREADY_ASKED,
    NoQuestionReason.SNOOZED,
    NoQuestionReason.MUTED,
    NoQuestionReason.WAITING,
    NoQuestionReason.DAILY_CAP,
)
"""Why nothing is asked though there is something to ask."""


def quiet_text(view: ViewState) -> str | None:
    """The line; None where the reason is of no interest."""
    no_question = view.state.no_question
    if no_question is None or no_question.cause is None or no_question.window is None:
        return None
    name = label(no_question.window)
    resets_at = no_question.natural_reset
    when = brief(resets_at, view.now, view.zone) if resets_at and resets_at > view.now else None
    resets = f"; {name} resets {when}" if when else ""
    is_reset = f"the {limit_label(no_question.window)} is reset" + (f", by {when}" if when else "")
    return {
        NoQuestionReason.BANK_EMPTY: f"no question: no reset banked{resets}",
        NoQuestionReason.WAITING: f"no question: waiting; work goes on by itself when {is_reset}",
        NoQuestionReason.QUEUED: f"no question: a reset is queued for the limit{resets}",
        NoQuestionReason.MUTED: f"no question until {is_reset}: you said so",
        NoQuestionReason.DAILY_CAP: f"no question: as many were asked today as the settings allow{resets}",
    }.get(no_question.reason)


def can_reopen(view: ViewState) -> bool:
    """Whether a question was closed that is still true."""
    no_question = view.state.no_question
    return no_question is not None and no_question.cause is not None and no_question.reason in _CLOSED
