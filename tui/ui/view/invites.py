"""The invites: each with its state, what happens next, what can be done, and the reset that it earned."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tui.domain.invite_rewards import ReminderReason, reminder_reason
from tui.domain.invites import InviteRecord, ResendStage, SendStage
from tui.domain.referral import RESET_CREDIT, InviteStatus, OfferStatus
from tui.ui.commands import BY_ID, INVITES, commands_of, shown_key
from tui.ui.view.chrome import fitting_keys, note_line
from tui.ui.view.offer import read_text, reward_text, service_text, shown_address
from tui.ui.view.text import Level, Line, Span, cells, clean, clip, dimmed, fit, left, named, wrap
from tui.ui.view.times import age, brief, countdown, full, last_moment, until
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import counted

_STATES: Final = {
    InviteStatus.SENT: ("○", Level.PLAIN, "sent"),
    InviteStatus.OPENED: ("◔", Level.PLAIN, "opened"),
    InviteStatus.JOINED: ("◑", Level.ACCENT, "joined"),
    InviteStatus.FIRST_MESSAGE: ("◕", Level.ACCENT, "first message"),
    InviteStatus.REWARDED: ("✓", Level.OK, "rewarded"),
    InviteStatus.EXPIRED: ("–", Level.DIM, "expired"),
    InviteStatus.INELIGIBLE: ("✗", Level.NEAR, "ineligible"),
    InviteStatus.REVERSED: ("!", Level.NEAR, "taken back"),
}

_STAGES: Final = {
    SendStage.SENDING: ("?", Level.UNKNOWN, "unconfirmed"),
    SendStage.UNKNOWN: ("?", Level.UNKNOWN, "unconfirmed"),
    SendStage.SENT: ("○", Level.PLAIN, "sent"),
    SendStage.LOST: ("✗", Level.NEAR, "not sent"),
    SendStage.NOTED: ("✎", Level.DIM, "noted"),
    SendStage.REFUSED: ("✗", Level.NEAR, "refused"),
    SendStage.FOUND: ("?", Level.UNKNOWN, "unknown"),
}

_WORD_CELLS: Final = 15
_WIDE: Final = 56
"""Columns from which on a row tells when its invite was sent."""


def state_of(record: InviteRecord) -> tuple[str, Level, str]:
    """Sign, level and word of an invite's state; a word that is not known is the service's own."""
    if record.state is None:
        return _STAGES[record.stage]
    if record.state is InviteStatus.UNKNOWN:
        return "?", Level.UNKNOWN, fit(clean(record.word), _WORD_CELLS - 2)
    return _STATES[record.state]


def invite_rows(view: ViewState, width: int) -> tuple[Line, ...]:
    """One line an invite, none of them selected yet."""
    records = view.state.invites.shown
    if not records:
        nothing = "no invite yet" if view.state.invites.is_loaded else "which invites there are is not known yet"
        return ((Span(nothing, Level.DIM),),)
    names = [shown_address(view, record.address) for record in records]
    ends = [_row_end(view, record, brief=width < _WIDE) for record in records]
    room = width - _WORD_CELLS - 6 - max(map(cells, ends))
    column = min(max(map(cells, names)), max(12, room))
    lines = []
    for number, (record, name, end) in enumerate(zip(records, names, ends, strict=True)):
        sign, level, word = state_of(record)
        action = f"screen.pick({number})"
        row: Line = (
            Span("  ", Level.ACCENT),
            Span(left(name, column), Level.PLAIN, action),
            Span("  "),
            Span(left(f"{sign} {word}", _WORD_CELLS), level),
            Span("  "),
            Span(end, Level.NEAR if _reminder_of(view, record) else Level.DIM),
        )
        lines.append(clip(row, width))
    return _as_known(view, lines)


def selected(view: ViewState, rows: tuple[Line, ...], number: int) -> tuple[Line, ...]:
    """The rows with one of them selected; the others are not made anew, however many there are."""
    name = tuple(replace(span, level=Level.STRONG) for span in rows[number][1:2])
    row = (Span("▸ ", Level.ACCENT), *name, *rows[number][2:])
    return (*rows[:number], *_as_known(view, (row,)), *rows[number + 1 :])


def _as_known(view: ViewState, lines: Iterable[Line]) -> tuple[Line, ...]:
    """Dimmed while nothing can be read: it was so when it was read last."""
    return dimmed(lines) if view.state.invites.status is OfferStatus.UNREACHABLE else tuple(lines)


def _row_end(view: ViewState, record: InviteRecord, *, brief: bool) -> str:
    """When it was sent, and what is remarkable; the chosen one's details tell more."""
    if brief:
        return "!" if _reminder_of(view, record) else ""
    when = f"{'noted' if record.stage is SendStage.NOTED else 'sent'} {age(view.now - record.sent_at)}"
    if _reminder_of(view, record):
        return f"{when}, waiting !"
    if record.credit_id is not None:
        return "reset came" if record.credit_is_certain else "reset came, probably"
    return when


def _reminder_of(view: ViewState, record: InviteRecord) -> ReminderReason | None:
    return reminder_reason(record, view.now, view.remind_after)


def detail_lines(view: ViewState, record: InviteRecord, width: int, *, short: bool = False) -> tuple[Line, ...]:
    """Everything about one invite: how it stands, what happens next, and what can be done.

    Where the room is short, what happens next alone.
    """
    sign, level, word = state_of(record)
    name = Span(fit(shown_address(view, record.address), max(4, width - cells(word) - 4)), Level.STRONG)
    lines: list[Line] = [] if short else [(name, Span(f"  {sign} {word}", level))]
    reason = _reminder_of(view, record)
    if reason is not None:
        lines += wrap((Span("! ", Level.NEAR), Span(_reminder(view, record, reason), Level.NEAR)), width, indent=2)
    else:
        lines += _named("Next" if record.is_pending else "Outcome", next_step(view, record), width)
    if short:
        return _as_known(view, lines)
    sent = "Sent" if record.stage is not SendStage.NOTED else "Noted"
    lines += _named(sent, _since(view, record.sent_at), width)
    if record.changed_at is not None and record.state is not InviteStatus.SENT:
        lines += _named("Seen", f"{state_of(record)[2]} since {brief(record.changed_at, view.now, view.zone)}", width)
    if record.expires_at is not None and record.is_pending:
        lines += _named("Until", f"{full(record.expires_at, view.now, view.zone)}{_over(view, record)}", width)
    if record.is_pending and record.tracked is not None:
        lines += _named("E-mail", email_text(view, record), width)
    if record.is_pending:
        lines += _named(
            "Link",
            "copy it, show it as a QR code, or compose a message" if record.shareable_link else "none is known here",
            width,
        )
    return _as_known(view, lines)


def _named(name: str, text: str, width: int) -> tuple[Line, ...]:
    return named(name, Span(text), width=width, name_cells=8)


def _since(view: ViewState, moment: datetime) -> str:
    return f"{full(moment, view.now, view.zone)}, {age(view.now - moment)}"


def _over(view: ViewState, record: InviteRecord) -> str:
    ends = record.expires_at
    if ends is None:
        return ""
    return f" ({countdown(ends - view.now)})" if ends > view.now else ", over by its date; the service has not said so"


def next_step(view: ViewState, record: InviteRecord) -> str:
    """What happens next with an invite, or what came of it."""
    reason = service_text(view, record.tracked.reason if record.tracked else None)
    because = f": {reason}" if reason else ""
    if record.state is None:
        return _UNLISTED.get(record.stage, "the service has not listed it yet")
    return {
        InviteStatus.SENT: "your friend opens the link",
        InviteStatus.OPENED: "your friend, who has opened the link, joins",
        InviteStatus.JOINED: "your friend's first message to Codex earns the reward",
        InviteStatus.FIRST_MESSAGE: f"the first message was sent, and no reward has come for it{because}",
        InviteStatus.REWARDED: _earned(view, record),
        InviteStatus.EXPIRED: f"its time is over{because}",
        InviteStatus.INELIGIBLE: f"it earns nothing{because or ': the service does not say why'}",
        InviteStatus.REVERSED: f"its reward was taken back{because}",
        InviteStatus.UNKNOWN: f"the service says {clean(record.word)!r}, which is not known here{because}",
    }[record.state]


_NO_ANSWER: Final = "its answer never came: the list of invites will show whether it arrived; it is never sent twice"
_UNLISTED: Final = {
    SendStage.SENDING: _NO_ANSWER,
    SendStage.UNKNOWN: _NO_ANSWER,
    SendStage.LOST: "it did not arrive: the service does not list it; it can be sent again",
    SendStage.NOTED: "made elsewhere; a reset that it earns is recognised when it arrives",
}


def _earned(view: ViewState, record: InviteRecord) -> str:
    own = record.tracked.own_reward if record.tracked else None
    if own is not None and own.kind != RESET_CREDIT:
        return f"it earned {reward_text(own)}"
    if record.credit_id is None:
        return "it was rewarded; which reset came for it is unknown"
    bank = view.state.snapshot.bank if view.state.snapshot else None
    credit = bank.find(record.credit_id) if bank else None
    sure = "this reset came from it" if record.credit_is_certain else "this reset came from it, probably"
    if credit is None:
        return f"{sure}: no longer in the bank"
    if credit.expires_at is None:
        return f"{sure}: in the bank"
    lapses = last_moment(credit.expires_at, view.now, view.zone)
    return f"{sure}: in the bank, lapses {lapses} ({countdown(credit.expires_at - view.now)})"


def _reminder(view: ViewState, record: InviteRecord, reason: ReminderReason) -> str:
    sent = age(view.now - record.sent_at)
    nudge = view.does("invite_message", "composes a message") if record.shareable_link and view.keys else ""
    match reason:
        case ReminderReason.ANSWER:
            what = f"it was sent {sent}, and your friend has not taken it up"
        case ReminderReason.FIRST_MESSAGE:
            what = f"your friend has joined and sent no message yet, which earns the reward; it was sent {sent}"
        case ReminderReason.END:
            ends = record.expires_at or view.now
            what = f"its time is over in {countdown(ends - view.now)}"
    return f"{what}; {nudge}" if nudge else what


def email_text(view: ViewState, record: InviteRecord) -> str:
    """Whether and when its e-mail can be sent again."""
    resend, before = record.resend, ""
    if resend is not None:
        when = brief(resend.at, view.now, view.zone)
        reason = service_text(view, resend.reason)
        before = {
            ResendStage.SENT: f"sent again at {when}; ",
            ResendStage.REFUSED: f"not sent again at {when}: {reason or 'no reason was given'}; ",
        }.get(resend.stage, f"asked at {when} to send it again, and no answer came; ")
    if hint := resend_hint(view, record):
        return f"{before}{hint}"
    why = record.resend_refusal(view.now)
    return f"{before}can be sent again now" if why is None else f"{before}cannot be sent again: {why}"


def resend_hint(view: ViewState, record: InviteRecord) -> str:
    """From when on its e-mail can be sent again; empty where that is now, or unknown."""
    at = record.tracked.resend_at if record.tracked else None
    return f"can be sent again from {until(at, view.now, view.zone)}" if at is not None and at > view.now else ""


def earned_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """The banked resets that a friend is named for, whether or not the service lists their invites."""
    bank = view.state.snapshot.bank if view.state.snapshot else None
    matched = {record.credit_id for record in view.state.invites.records}
    earned = [credit for credit in (bank.credits if bank else None) or () if credit.is_earned]
    lines: list[Line] = []
    for credit in earned:
        if credit.id not in matched:
            lapses = last_moment(credit.expires_at, view.now, view.zone) if credit.expires_at else "never"
            text = f"earned by an invite ({service_text(view, credit.granted_by)}): in the bank, lapses {lapses}"
            lines += wrap((Span("◆ ", Level.OK), Span(text)), width, indent=2)
    return tuple(lines)


def invites_line(view: ViewState, width: int) -> tuple[Line, ...]:
    """One line for the bank's panel, without any address; none where there is nothing to tell."""
    records = view.state.invites.shown
    pending = sum(record.is_pending for record in records)
    waiting = sum(_reminder_of(view, record) is not None for record in records)
    if not pending:
        return ()
    text = f"{counted(pending, 'invite')} under way"
    mark = (Span(f", {waiting} waiting !", Level.NEAR),) if waiting else ()
    key = view.keys.get("invite")
    shows = (Span(f" ({key} shows)" if pending == 1 else f" ({key} shows them)", Level.DIM),) if key else ()
    return wrap((Span(text, Level.DIM), *mark, *shows), width, indent=2)


def listed_lines(view: ViewState, width: int) -> tuple[Line, ...]:
    """Every invite with what happens next, for a terminal without a screen."""
    records = view.state.invites.shown
    if not records:
        return ((Span("No invite is known here."),),)
    column = max(cells(shown_address(view, record.address)) for record in records) + 2
    indent = column + _WORD_CELLS + 2
    lines: list[Line] = []
    for record in records:
        sign, level, word = state_of(record)
        start = (
            Span(left(shown_address(view, record.address), column)),
            Span(left(f"{sign} {word}", _WORD_CELLS), level),
        )
        lines += wrap(
            (*start, Span(f"  sent {age(view.now - record.sent_at)}; {next_step(view, record)}")), width, indent
        )
    return tuple(lines)


def panel_status(view: ViewState, width: int) -> Line:
    """What was just done; or how fresh the panel is."""
    if (note := note_line(view, width, INVITES)) is not None:
        return note
    if view.alarm:
        return clip((Span("! ", Level.NEAR), Span(clean(view.alarm))), width)
    return (Span(fit(read_text(view), width) or " ", Level.DIM),)


def panel_keys(view: ViewState, record: InviteRecord | None, width: int) -> Line:
    """The keys that do something for the selected invite; what does not fit is in the help."""
    book = view.state.invites
    useless = {"invite_app"} if book.status is OfferStatus.OFFERED else {"invite_send"}
    if book.offer is not None and book.offer.sends_left == 0:
        useless.add("invite_send")
    if record is None or record.shareable_link is None:
        useless |= {"invite_copy", "invite_qr", "invite_message"}
    if record is None or record.resend_refusal(view.now) is not None:
        useless.add("invite_resend")
    if record is None or not record.can_be_forgotten(view.now):
        useless.add("invite_forget")
    if book.status is OfferStatus.OFFERED:
        useless.add("invite_note")
    shown = [command for command in commands_of(INVITES) if command.place == INVITES and command.id not in useless]
    ways = (*shown, BY_ID["help"], BY_ID["back"])
    items = {command.id: (view.keys.get(command.id, shown_key(command.key)), command.title) for command in ways}
    return fitting_keys(items, width, [command.id for command in reversed(shown[1:])])
