"""The screen in sentences, for whoever has them read aloud: what stands, and what changed since it was said."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from tui.domain.hooks import HookState
from tui.domain.lapses import lapses
from tui.domain.ledger import Event, EventKind
from tui.domain.question import Cause, Question
from tui.domain.resumes import ResumeStage
from tui.domain.sessions import SessionState, live
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsentKind, Proposal, Spend
from tui.domain.windows import Limit, Window, label, limit_label
from tui.ui.view.asking import answer_keys, asking_title, question_lines, spend_offers
from tui.ui.view.chrome import demo_line
from tui.ui.view.headline import headline
from tui.ui.view.ledger import event_text
from tui.ui.view.limits import window_text
from tui.ui.view.outlook import advice_lines
from tui.ui.view.queueing import night_lines, night_title, queued_words
from tui.ui.view.selection import Selection
from tui.ui.view.sessions import carry_of, hook_words, names_of, resume_text, state_words
from tui.ui.view.since import matter_text
from tui.ui.view.spending import credit_spans
from tui.ui.view.text import NAME_CELLS, Line, clean
from tui.ui.view.times import age
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets, window_word

WIDE: Final = 10_000
"""Columns in which nothing is wrapped or cut: one thing is one line."""

_LAPSE: Final = "lapse "

_READ_AS: Final = (
    (re.compile(r"[\u2500-\u259f\u2581-\u2588]+"), " "),  # frames and bars
    (re.compile(r"^\s*[!?~–✓✗●○◍◼◷▸…]+\s+"), ""),
    (re.compile(r"%\s+(?:[✓✗]\s+)?reset "), "%, reset "),
    (re.compile(r"[✓✗●○◍◼◷▸]"), " "),
    (re.compile(r"\s*→\s*"), " to "),
    (re.compile(r"≈\s*"), "about "),
    (re.compile(r"<\s*1 min"), "less than 1 min"),
    (re.compile(r"\s*·\s*"), ", "),
    (re.compile(r"\s+"), " "),
    (re.compile(r"\s+([,;:.)])"), r"\1"),
)
"""Signs that a screen reader would spell out or leave out, and what is said instead."""


class Topic(msgspec.Struct, frozen=True):
    """One matter as it stands."""

    mark: object
    """What it is compared by; a percentage or a countdown that moves is not worth another sentence."""
    text: str


def spoken(text: str) -> str:
    """A text of the screen as a sentence."""
    for sign, words in _READ_AS:
        text = sign.sub(words, text)
    text = text.strip(" ,")
    return text if not text or text[-1] in ".!?:" else f"{text}."


def spoken_lines(lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Lines of the screen as sentences; empty ones are left out."""
    said = (spoken(_labelled(line)) for line in lines)
    return tuple(text[0].upper() + text[1:] for text in said if text)


def _labelled(line: Line) -> str:
    """A line's text, with a colon behind the name that stands on its left."""
    texts = [span.text for span in line]
    if len(texts) > 1 and len(texts[0]) >= NAME_CELLS and texts[0].strip() and texts[0].endswith(" "):
        texts[0] = texts[0].rstrip() + ": "
    return "".join(texts)


def topics(view: ViewState) -> dict[str, Topic]:
    """Everything that is said of one account, each under a name that stays."""
    return {name: Topic(mark, spoken(text)) for name, mark, text in _topics(view) if spoken(text)}


def changes(before: Mapping[str, Topic], now: Mapping[str, Topic]) -> tuple[str, ...]:
    """What is to be said now: what is new, and what is another than it was."""
    return tuple(topic.text for name, topic in now.items() if name not in before or before[name].mark != topic.mark)


def standing(view: ViewState) -> tuple[str, ...]:
    """All that stands, in the order of the screen."""
    snapshot = view.state.snapshot
    account = snapshot.account if snapshot else None
    who = ", ".join(
        clean(part) for part in (view.state.account_name, account and account.plan, account and account.email) if part
    )
    said = [
        spoken("".join(span.text for span in demo_line(view, WIDE))),
        spoken(f"resetbank, {who}" if who else "resetbank"),
    ]
    said.append(spoken("".join(span.text for span in headline(view))))
    for name, topic in topics(view).items():
        if not name.startswith(_LAPSE):  # each reset is said with its own moment
            said.append(topic.text)
        if name == "bank" and snapshot is not None:
            said += [
                spoken("".join(s.text for s in credit_spans(c, view.now, view.zone)))
                for c in snapshot.bank.spendable(view.now)
            ]
    return tuple(text for text in said if text)


def _topics(view: ViewState) -> Iterator[tuple[str, object, str]]:
    state = view.state
    if state.link.failure is not None:
        since = f"; the numbers are from {age(state.snapshot.provenance.age(view.now))}" if state.snapshot else ""
        yield "source", "fails", f"The source fails: {clean(state.link.failure)}{since}"
    elif state.snapshot is not None:
        yield (
            "source",
            "answers",
            f"The limits are read from the source {state.link.source or state.snapshot.provenance.source}",
        )
    if state.store_failure is not None:
        yield "store", True, f"Nothing can be written down, so nothing can be spent: {clean(state.store_failure)}"
    for problem in state.problems:
        yield f"problem {problem.text}", True, clean(problem.text)
    if state.snapshot is not None:
        yield from _limits(view, state.snapshot)
        yield "bank", state.snapshot.bank.available, f"{resets(state.snapshot.bank.available)} banked"
        for lapse in lapses(state.snapshot.bank, view.now):
            yield f"{_LAPSE}{lapse.key}", True, f"One reset lapses in {lapse.left_text(view.now)}"
    if state.open_spend is not None and not state.spending:
        todo = view.does("finish", "finishes it with the same key")
        yield "open spend", state.open_spend.key, f"1 spend is open, its outcome is unknown: {todo}"
    if (queued := state.queued) is not None:
        mark = queued.left, queued.credit_id, queued.needs_fresh_yes, queued.elsewhere
        yield "queued", mark, "".join(span.text for span in queued_words(view, queued))
    if state.waiting is not None:
        window = state.waiting.window
        limit = limit_label(Window(window.limit_id, None, window.minutes, None, None))
        yield "waiting", state.waiting.since, f"Waiting: work goes on by itself when the {limit} is reset"
    yield from _sessions(view)
    for hook in state.hooks:
        if not hook.protects and hook.state is not HookState.NOT_INSTALLED:
            yield f"hook {hook.name}", hook.state, hook_words(hook)
    if state.outlook is not None and (lines := advice_lines(view, WIDE)):
        yield "advice", state.outlook.advice.verdict, "Advice: " + "".join(span.text for span in lines[0])


def _limits(view: ViewState, snapshot: Snapshot) -> Iterator[tuple[str, object, str]]:
    if not any(limit.windows for limit in snapshot.limits):
        why = snapshot.unknowns[0] if snapshot.unknowns else "the service reported no limits"
        text = "Unlimited: nothing is metered" if snapshot.is_unlimited else f"The limits are unknown: {clean(why)}"
        yield "limits", text, text
    for limit in snapshot.limits:
        for window in limit.windows:
            yield _window(view, snapshot, limit, window)
    if (cap := snapshot.spend_control) is not None and cap.is_meter:
        state = cap.state(view.state.near_percent)
        yield "cap", state, f"The workspace's cap on you: {percent(cap.used_percent)} used, {state}"


_WORDS: Final = {"unused": "", "blocked": "", "fast": "faster than an even pace, "}


def _window(view: ViewState, snapshot: Snapshot, limit: Limit, window: Window) -> tuple[str, object, str]:
    is_main = limit is snapshot.main_limit
    sign, _, word = window_word(view, limit, window)[0].partition(" ")
    name = label(window) if is_main else f"{clean(limit.name or limit.limit_id)}, {label(window)}"
    state = _WORDS.get(word, f"{word.lower()}, ")
    text = f"{name}: {percent(window.used_percent)} used, {state}{window_text(view, limit, window)}"
    return f"window {limit.limit_id} {window.minutes}", "fine" if sign in "✓~" else sign, text


_NOTABLE: Final = {state for state in SessionState if state not in (SessionState.RUNNING, SessionState.IDLE)}
"""A session that works and rests in turn is not spoken of each time."""


def _sessions(view: ViewState) -> Iterator[tuple[str, object, str]]:
    state = view.state
    shown = live(state.sessions, view.now)
    names = names_of(state.sessions, [session.thread_id for session in shown])
    for session in shown:
        carry = carry_of(view, session)
        mark = session.state if session.state in _NOTABLE else "works"
        words = state_words(view, session)[2]
        if carry is not None and carry.stage is ResumeStage.COMMAND:
            typed = resume_text(session.thread_id, view.codex, state.codex_home)
            words += f": {typed or 'pick it in Codex'}"
        yield f"session {session.thread_id}", (mark, carry and carry.stage), f"{names[session.thread_id]}: {words}"


_SAID: Final = frozenset(
    {
        EventKind.CREDIT_GRANTED,
        EventKind.CREDIT_EXPIRED,
        EventKind.CREDIT_REDEEMED,
        EventKind.CREDIT_VANISHED,
        EventKind.EXPIRY_CHANGED,
        EventKind.GRANT_MISSING,
        EventKind.SPENT_ELSEWHERE,
        EventKind.SPEND_REFUSED,
        EventKind.SPEND_CLOSED,
        EventKind.UNQUEUED,
        EventKind.WAIT_OVER,
        EventKind.WINDOW_RESET_EARLY,
        EventKind.PLAN_CHANGED,
        EventKind.INVITE_REWARDED,
    }
)
"""Lines of the ledger that no topic says."""


def event_sentence(view: ViewState, event: Event, spend: Spend | None) -> str | None:
    """A line of the ledger, with the spend that it closes, where it is worth a sentence; None where it is not."""
    friend = event.kind is EventKind.INVITE_CHANGED and event.after in ("joined", "first_message")
    moved = event.kind is EventKind.RESET_MOVED and event.window != "five_hour"
    if not (event.kind in _SAID or friend or moved):
        return None
    as_queued = spend is not None and spend.consent.kind is ConsentKind.QUEUED
    is_plain = event.kind is EventKind.SPEND_CLOSED and not as_queued
    text = spoken(event_text(view, event) if is_plain else matter_text(view, event))
    return text[:1].upper() + text[1:]


def question_sentences(view: ViewState, question: Question, proposal: Proposal | None) -> tuple[str, ...]:
    """The question with its facts, without the answers; without a proposal where the fresh reading failed."""
    nobody = Selection(())
    if question.cause is Cause.EVENING:
        return (spoken(f"Question: {night_title(question, view)}"), *spoken_lines(night_lines(question, WIDE)))
    title = f"Question: {asking_title(question, question.threads, view, view.now, WIDE)}"
    names = list(names_of(view.state.sessions, question.threads).values())
    who = (spoken(f"Sessions: {', '.join(names)}"),) if len(names) > 1 else ()
    facts = question_lines(question, proposal, nobody, view, WIDE) if proposal is not None else ()
    return (spoken(title), *who, *spoken_lines(facts))


def answers(view: ViewState, question: Question, words: Mapping[str, str]) -> dict[str, str]:
    """What can be typed as an answer, with what it does; the first ones spend, after a code.

    `words` has the word to type for each command.
    """
    selection = Selection(question.threads[:1])  # all of them go on: nobody is chosen here
    if question.cause is Cause.EVENING:
        return {words["queue_it"]: "queue one for the night", words["close"]: "closes"}
    found = dict(zip((words["spend"], words["spend_only"]), spend_offers(question, selection), strict=False))
    for names, what in answer_keys(question, selection, view):
        if names in words:
            found[words[names]] = what.partition("|")[0]
    return found
