"""The pure texts around sessions: questions, advice, forecasts, quiet lines, commands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.asking import expecting
from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.live_states import API, DOCS
from tests.ui.test_view import says
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.advice import Advice, Matter, Verdict
from tui.domain.outlook import Outlook
from tui.domain.question import NoQuestionReason
from tui.domain.resumes import LimitStop, ResumeLog
from tui.domain.resuming import claimed, ended
from tui.domain.sessions import SessionState
from tui.domain.spend import Proposal, propose
from tui.domain.waiting import ResumeReason
from tui.domain.windows import MAIN_LIMIT, WindowKey
from tui.ui.dialogs.question import QuestionDialog
from tui.ui.terminal import title_sequence
from tui.ui.view.asking import advice, asking_title, question_lines, terminal_title
from tui.ui.view.chrome import key_line, quiet_text, status_line
from tui.ui.view.headline import headline
from tui.ui.view.limits import limits_lines
from tui.ui.view.prompts import dialog_prompt
from tui.ui.view.resuming import carry_lines, commands, to_carry
from tui.ui.view.selection import Selection
from tui.ui.view.sessions import SHOWN, command_lines, sessions_lines
from tui.ui.view.status import status_text
from tui.ui.view.text import Line, line_width, plain
from tui.ui.view.view_state import ViewState

NOW, ZONE = states.NOW, states.ZONE
KEYS = {"spend": "r", "queue": "u", "continue": "c", "dismiss": "x", "quit": "q"}


def view(state: State, **changes: object) -> ViewState:
    return replace(ViewState(NOW, ZONE, state, keys=KEYS), **changes)


def proposal_of(state: State) -> Proposal:
    assert state.snapshot is not None
    return propose(state.snapshot, NOW, next(iter(state.snapshot.bank.spendable(NOW)), None))


def advised(state: State) -> str:
    assert state.question is not None
    return says((advice(state.question, proposal_of(state), NOW),))


def with_bank(state: State, *rows: str) -> State:
    """The same moment with other resets in the bank."""
    assert state.snapshot is not None
    kept = tuple(credit for credit in states.THREE if credit.id in rows)
    return live_states.asked(replace(state, snapshot=replace(state.snapshot, bank=states.bank(*kept)), question=None))


def test_the_advice_names_what_is_won_and_what_is_lost() -> None:
    assert advised(live_states.stopped_question()) == "Spend: saves 3 h 12 min; this one lapses in 2 d 19 h anyway"
    later = with_bank(live_states.one_stopped(), "c2")
    assert advised(later) == "Spend: saves 3 h 12 min, but you may give up the 57 % you have left this week"
    assert advised(live_states.about_question()).startswith("Queue: spent only if the limit is really hit; saves")


def test_little_waiting_is_advised_to_be_waited() -> None:
    soon = states.snapshot(
        states.main_limit(states.five_hours(100, NOW + timedelta(minutes=20)), states.week(43), allowed=False),
        banked=states.bank(states.THREE[1]),
        allowed=False,
    )
    assert advised(live_states.asked(states.state(soon, sessions=live_states.ONE))).startswith(
        "Wait: a spend only saves 20"
    )


def test_a_weekly_limit_gives_no_week_away() -> None:
    wall = replace(states.weekly_wall(), sessions=live_states.ONE)
    assert "give up" not in advised(with_bank(wall, "c2"))
    assert "of this week" not in advised(with_bank(wall, "c2"))


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (live_states.stopped_question(), "api-server stopped: 5-hour limit reached"),
        (live_states.several_question(), "3 sessions stopped: 5-hour limit reached"),
        (live_states.about_question(), "about to stop: 5-hour limit in about 8 min"),
        (live_states.hostile_question(), "b]]0;x stopped: 5-hour limit reached"),
    ],
)
def test_titles(state: State, title: str) -> None:
    assert state.question is not None
    question, threads = state.question, state.question.threads
    assert asking_title(question, threads, view(state), NOW, 80) == title
    assert len(asking_title(question, threads, view(state), NOW, 30)) <= 30
    shown = terminal_title(question, threads, view(state))
    assert shown.startswith("resetbank: ")
    assert shown.isprintable()


def test_who_was_about_to_stop_and_did_is_told_as_stopped() -> None:
    state = live_states.about_question()
    assert state.question is not None
    down = replace(state, sessions=live_states.of(live_states.stopped(API, "/home/me/api-server", 0)))
    title = asking_title(state.question, state.question.threads, view(down), NOW, 80)
    assert title == "api-server stopped: 5-hour limit reached"


def is_harmless(character: str) -> bool:
    """Whether it moves no cursor and turns no text: the joiners are hidden, but scripts and emoji need them."""
    return character.isprintable() or character in "\u200c\u200d"


@given(st.text(max_size=60))
def test_no_name_gets_a_control_character_to_the_terminal(text: str) -> None:
    sequence = title_sequence(text)
    inner = sequence.removeprefix("\x1b[22;2t\x1b]2;").removesuffix("\x07")
    assert all(map(is_harmless, inner))


@given(st.text(max_size=40), st.sampled_from(sorted(set(SessionState) - {SessionState.GONE})), st.integers(20, 120))
def test_no_session_breaks_the_panel(name: str, state: SessionState, width: int) -> None:
    one = live_states.session(API, f"/home/{name}", state, 5, model=name)
    for row in sessions_lines(view(replace(states.busy(), sessions=live_states.of(one))), width):
        assert line_width(row) <= width
        assert all(is_harmless(character) for span in row for character in span.text)


VERDICTS = [
    (live_states.stopped_question, Verdict.WAIT, Matter.REACHED, "Wait: it is worth more later", True),
    (live_states.held_question, Verdict.SPEND_NOW, Matter.REACHED, "Spend one: you are at the limit", True),
    (live_states.about_question, Verdict.QUEUE, Matter.EXPECTED, "Queue one: it is likely", True),
    (live_states.lapsing_question, Verdict.NOTHING_TO_GAIN, Matter.LAPSING, "It would save no waiting", True),
    (live_states.stopped_question, Verdict.QUEUE, Matter.EXPECTED, "Queue one: it is likely", False),
    (live_states.stopped_question, Verdict.WAIT, None, "No limit in sight: keep the reset", False),
    (live_states.stopped_question, Verdict.CANNOT_TELL, Matter.REACHED, "Too little is known", False),
]


@pytest.mark.parametrize(("of", "verdict", "about", "headline", "is_said"), VERDICTS)
def test_a_question_gives_the_advice_from_the_past_where_that_is_of_the_same_limit_and_fresh(
    of: Callable[[], State], verdict: Verdict, about: Matter | None, headline: str, is_said: bool
) -> None:
    state = of()
    question = state.question
    assert question is not None
    for later, before, counts in ((0, 0, True), (299, 0, True), (301, 0, False), (0, 1, False)):
        at = question.window_seen_at.timestamp() - before
        outlook = Outlook(at, (), Advice(at, verdict, None, f"{headline}.", (), about))
        shown = replace(view(state), now=question.window_seen_at + timedelta(seconds=later))
        shown = replace(shown, state=replace(state, outlook=outlook))
        lines = question_lines(question, proposal_of(state), Selection(question.threads), shown, 200)
        facts = "".join(span.text for span in advice(question, proposal_of(state), shown.now))
        row = next(line for line in plain(lines).splitlines() if line.startswith("Advice"))
        assert row.removeprefix("Advice").strip() == (headline if is_said and counts else facts)


@pytest.mark.parametrize("is_its_own", [True, False])
def test_a_lapse_is_asked_about_with_the_limit_that_the_same_reset_should_be_queued_for(is_its_own: bool) -> None:
    state = live_states.lapsing_question()
    question, proposal = state.question, proposal_of(state)
    assert question is not None
    assert proposal.credit is not None
    at = question.window_seen_at.timestamp()
    credit_id = proposal.credit.id if is_its_own else "another"
    past = Advice(at, Verdict.QUEUE, credit_id, "Queue one: a limit comes at 17:20.", (), Matter.EXPECTED)
    shown = replace(view(state), now=question.window_seen_at)
    shown = replace(shown, state=replace(state, outlook=Outlook(at, (), past)))
    drawn = plain(question_lines(question, proposal, Selection(question.threads), shown, 160))
    assert ("Queue one: a limit comes at 17:20" in drawn) is is_its_own
    assert ("Spend: it is lost unless it is spent before" in drawn) is not is_its_own


def test_a_question_says_what_the_sessions_took_with_whose_word_it_is() -> None:
    state = live_states.stopped_question()
    question = state.question
    assert question is not None
    lines = ("docs [red] took 9 points, as the service said at 14:07", "api\x1b[2J took 3 points, as it said")
    past = Advice(0.0, Verdict.WAIT, None, "Wait: it is worth more later.", lines, Matter.REACHED, lines)
    outlook = Outlook(question.window_seen_at.timestamp(), (), past)
    for kept, now in ((True, question.window_seen_at), (False, question.window_seen_at + timedelta(minutes=6))):
        shown = replace(view(state), now=now, state=replace(state, outlook=outlook))
        drawn = question_lines(question, proposal_of(state), Selection(question.threads), shown, 160)
        row = "docs [red] took 9 points, as the service said at 14:07; api[2J took 3 points, as it said"
        assert (row in plain(drawn)) is kept
        assert "\x1b" not in plain(drawn)


@pytest.mark.parametrize("width", [36, 58, 86])
def test_a_question_stays_within_its_columns(width: int) -> None:
    for state in (live_states.about_question(), live_states.several_question(), live_states.hostile_question()):
        assert state.question is not None
        selection = Selection(state.question.threads)
        lines: tuple[Line, ...] = question_lines(state.question, proposal_of(state), selection, view(state), width)
        dialog = QuestionDialog(cast("Companion", None), ManualClock(), state.question)
        dialog.phase = "asking"
        lines += dialog_prompt(dialog, view(state), ("A", "B"), "two keys came close together", width)
        assert max(map(line_width, lines)) <= width


def test_two_sessions_of_one_name_are_told_apart() -> None:
    same = live_states.of(live_states.stopped(API, "/a/api", 3), live_states.stopped(DOCS, "/b/api", 2))
    text = says(sessions_lines(view(replace(states.at_limit(), sessions=same)), 80))
    assert "api (…5a53)" in text
    assert "api (…5a54)" in text
    named = {thread: replace(one, first_message=f"mend {thread[-2:]} " + "x" * 40) for thread, one in same.items()}
    text = says(sessions_lines(view(replace(states.at_limit(), sessions=named)), 80))
    assert 'api "mend 53' in text
    assert 'api "mend 54' in text
    assert "…5a5" not in text


@pytest.mark.parametrize("width", [76, 47, 38])
def test_what_a_session_is_about_stands_once_and_its_state_is_whole(width: int) -> None:
    same = live_states.of(live_states.stopped(API, "/w/workspace", 3), live_states.stopped(DOCS, "/w/workspace", 2))
    named = {thread: replace(one, first_message=f"{thread[-2:]} say hello again") for thread, one in same.items()}
    lines = sessions_lines(view(replace(states.at_limit(), sessions=named)), width)
    for line in map(says, ((line,) for line in lines)):
        assert line.endswith(("stopped at limit 3 min", "stopped at limit 2 min"))
        assert line.count("say h") <= 1
    assert max(map(line_width, lines)) <= width


def test_the_printed_status_cuts_nothing_and_promises_no_reading() -> None:
    state = states.busy()
    state = replace(state, link=replace(state.link, interval=timedelta(minutes=1), next_poll_at=NOW))
    assert "read every" in says((status_line(view(state), 80),))
    text = status_text(view(replace(state, store_failure="a long reason, " * 10 + "and what to do")))
    assert "read every" not in status_text(view(state))
    assert "…" not in text
    assert " ".join(text.split()).endswith("and what to do")
    assert max(map(len, text.split("\n"))) <= 80


@pytest.mark.parametrize("width", range(20, 60))
def test_help_and_quit_are_always_named(width: int) -> None:
    line = key_line(view(live_states.one_stopped()), width)
    assert says((line,)).endswith("Help q Quit"), says((line,))


def test_many_sessions_are_counted() -> None:
    many = live_states.of(
        *(live_states.running(f"{API[:-2]}{number}", f"/w/{number}", number) for number in range(10, 30))
    )
    lines = sessions_lines(view(replace(states.busy(), sessions=many)), 80)
    assert len(lines) == SHOWN + 1
    assert plain(lines[-1:]).strip() == f"+{20 - SHOWN} more"


def carried(stage: str) -> State:
    state = live_states.one_stopped()
    stop = LimitStop(API, state.sessions[API].since)
    log = claimed(ResumeLog(), stop, NOW)
    if stage == "sent":
        log = ended(log, stop, None)
    if stage == "command":
        log = ended(log, stop, "no daemon")
    return replace(state, resumes=log)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("claimed", "telling it to go on"),
        ("sent", "sent, waiting for it to run"),
        ("command", f"to be resumed by hand codex resume {API}"),
    ],
)
def test_carrying_on_is_shown_as_far_as_it_came(stage: str, words: str) -> None:
    state = carried(stage)
    assert words in says(sessions_lines(view(state), 80))
    assert words.split(" codex")[0] in says(carry_lines(view(state), (API,), None, 80))
    assert to_carry(view(state)) == ()


def test_an_older_attempt_says_nothing_of_this_one() -> None:
    text = says(carry_lines(view(carried("sent")), (API,), NOW + timedelta(seconds=1), 80))
    assert text == "– api-server not told to go on"


@pytest.mark.parametrize("width", [20, 35, 36, 49, 80])
def test_a_command_is_whole_on_every_screen(width: int) -> None:
    lines = command_lines(API, "codex", width)
    assert "".join(plain(lines).split()) == f"codexresume{API}"
    assert max(map(line_width, lines)) <= width


def test_a_command_names_the_executable_of_the_settings() -> None:
    assert plain(command_lines(API, "/opt/codex", 80)) == f"/opt/codex resume {API}"
    assert "resume" not in plain(command_lines("$(rm -rf ~)", "codex", 80))


def test_a_command_names_the_folder_of_an_account_of_its_own() -> None:
    state = replace(carried("command"), codex_home="/home/ada/.codex-work")
    typed = f"CODEX_HOME=/home/ada/.codex-work codex resume {API}"
    assert commands(view(state), (API,), None) == (typed,)
    assert typed in says(carry_lines(view(state), (API,), None, 120))
    assert typed in says(sessions_lines(view(state), 120))


def forecast_text(full_at: datetime | None) -> str:
    state = states.busy()
    assert state.snapshot is not None
    outlook = expecting(state.snapshot, {(MAIN_LIMIT, 300): full_at})
    return says(limits_lines(view(replace(state, outlook=outlook)), 70))


def test_forecasts_are_expected_and_never_invented() -> None:
    assert "full ≈ 14:15 (14:12 to 14:22) · resets 17:20" in forecast_text(live_states.EMPTY_SOON)
    assert "lands ≈ 78 % (70 to 90) · resets 17:20" in forecast_text(None)
    assert "full ≈ 14:07" in forecast_text(NOW - timedelta(minutes=5))
    assert "≈" not in says(limits_lines(view(states.busy()), 70))


def test_a_full_or_finished_window_has_no_forecast() -> None:
    for state, now in ((states.at_limit(), NOW), (states.busy(), states.FRIDAY + timedelta(hours=1))):
        assert state.snapshot is not None
        soon: dict[WindowKey, datetime | None] = {}
        soon |= {(MAIN_LIMIT, minutes): live_states.EMPTY_SOON for minutes in (300, 10080)}
        shown = view(replace(state, outlook=expecting(state.snapshot, soon)), now=now)
        assert "≈" not in says(limits_lines(shown, 70))


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (NoQuestionReason.BANK_EMPTY, "no question: no reset banked; 5 hours resets 17:20"),
        (
            NoQuestionReason.WAITING,
            "no question: waiting; work goes on by itself when the 5-hour limit is reset, by 17:20",
        ),
        (NoQuestionReason.QUEUED, "no question: a reset is queued for the limit; 5 hours resets 17:20"),
        (NoQuestionReason.MUTED, "no question until the 5-hour limit is reset, by 17:20: you said so"),
        (
            NoQuestionReason.DAILY_CAP,
            "no question: as many were asked today as the settings allow; 5 hours resets 17:20",
        ),
    ],
)
def test_quiet_lines(reason: NoQuestionReason, text: str) -> None:
    assert says((status_line(view(live_states.silent(reason)), 100),)) == text


@pytest.mark.parametrize(
    "reason",
    [
        NoQuestionReason.ALREADY_ASKED,
        NoQuestionReason.NO_LIMIT_NEAR,
        NoQuestionReason.SNOOZED,
        NoQuestionReason.SPENT,
        NoQuestionReason.STALE,
    ],
)
def test_what_is_of_no_interest_is_not_said(reason: NoQuestionReason) -> None:
    assert quiet_text(view(live_states.silent(reason))) is None
    assert quiet_text(view(live_states.silent(NoQuestionReason.BANK_EMPTY, None))) is None


def test_the_announcement_says_what_was_observed() -> None:
    state = live_states.announced()
    assert state.announcement is not None
    allowed = replace(state, announcement=replace(state.announcement, reason=ResumeReason.ALLOWED_AGAIN))
    assert says((headline(view(allowed)),)).startswith("work is allowed again at 14:06 (observed)")
    one = replace(
        state, sessions=live_states.of(state.sessions[API]), announcement=replace(state.announcement, stops=())
    )
    assert "c carries on 1 session, x" in says((headline(view(one)),))
    nobody = replace(state, sessions={}, announcement=replace(state.announcement, stops=()))
    assert says((headline(view(nobody)),)) == "the 5-hour limit was reset at 14:06 (observed): x dismisses"


def test_keys_that_would_do_nothing_are_not_offered() -> None:
    assert "Continue" not in says((key_line(view(live_states.working()), 100),))
    assert "Queue" in says((key_line(view(live_states.working()), 100),))
    assert "Continue" in says((key_line(view(live_states.one_stopped()), 100),))
    assert "Queue" not in says((key_line(view(live_states.one_stopped()), 100),))


def test_without_a_screen_no_key_is_named() -> None:
    for state in (live_states.queued(), live_states.queued_before_restart(), live_states.announced()):
        text = status_text(ViewState(NOW, ZONE, state))
        assert " u " not in text
        assert "`resetbank queue`" not in text
    assert "1 queued for the limit" in status_text(ViewState(NOW, ZONE, live_states.queued()))


def test_the_choice_goes_round_and_follows_the_threads() -> None:
    selection = Selection(("a", "b", "c")).moved(-1).toggled()
    assert (selection.cursor, selection.chosen) == (2, ("a", "b"))
    assert selection.moved(1).cursor == 0
    fewer = selection.among(("b",))
    assert (fewer.cursor, fewer.chosen) == (0, ("b",))
    assert Selection(()).moved(1).toggled() == Selection(())


def test_a_session_that_was_held_and_needs_no_message_is_told_as_what_it_does() -> None:
    state = live_states.held_three()
    (held, *_) = [session for session in state.sessions.values() if session.held_since is not None]

    def told(**changes: object) -> str:
        sessions = {held.thread_id: replace(held, **changes)}
        return says(carry_lines(view(replace(state, sessions=sessions)), (held.thread_id,), NOW, 78))

    assert "◼" in told()
    assert "is still held" in told()
    assert "is let go" in told(released_at=NOW)
    running = told(held_since=None, state=SessionState.RUNNING)
    assert running.startswith("✓")
    assert "is at work" in running
    assert "not told to go on" in told(held_since=None, state=SessionState.STOPPED_AT_LIMIT)
    assert "has ended its turn" in told(held_since=None, state=SessionState.IDLE)
    assert "waits for your approval" in told(held_since=None, state=SessionState.WAITING_APPROVAL)
    assert "stopped by an error" in told(held_since=None, state=SessionState.STOPPED_BY_ERROR)
    assert "is gone" in told(held_since=None, state=SessionState.GONE)
    assert "is not seen any more" in says(carry_lines(view(replace(state, sessions={})), (held.thread_id,), NOW, 78))
