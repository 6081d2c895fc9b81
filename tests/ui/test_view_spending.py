"""The texts around a spend: the question, the steps, the result."""

from datetime import timedelta

from msgspec.structs import replace

from tests.ui import states
from tui.companion.state import State
from tui.domain.credits import Bank
from tui.domain.spend import Outcome, propose, reject, send
from tui.ui.view.outcome import progress_lines, result_lines
from tui.ui.view.spending import changed_since, proposal_lines, warnings
from tui.ui.view.text import Line, plain

NOW, ZONE = states.NOW, states.ZONE


def says(lines: tuple[Line, ...]) -> str:
    return " ".join(plain(lines).split())


def question(state: State) -> str:
    assert state.snapshot is not None
    proposal = propose(state.snapshot, NOW, next(iter(state.snapshot.bank.spendable(NOW)), None))
    return says(proposal_lines(proposal, NOW, ZONE, 90))


def test_the_question_states_what_moves_and_what_is_lost() -> None:
    text = question(states.at_limit())
    for expected in (
        "saves waiting until 17:20, 3 h 12 min",
        "Full reset, lapses Thu 26 Nov 09:39 (2 d 19 h)",
        "5 hours 100 % → 0 % expected",
        "Week 43 % → 0 % expected, reset may move Fri 27 Nov 08:00 → Mon 30 Nov 14:07",
        "2 resets left",
        "you give up the 57 % you have left this week",
    ):
        assert expected in text


def test_the_question_warns() -> None:
    unused = states.state(states.snapshot(states.main_limit(states.five_hours(0), states.week(0))))
    assert "nothing is used" in question(unused)
    assert "only 41 % used" in question(states.calm())
    soon = states.state(states.snapshot(states.main_limit(states.five_hours(97, NOW + timedelta(minutes=11)))))
    assert "5 hours resets by itself in 11 min" in question(soon)
    assert "not every window is known" in question(states.unknown())


def test_a_week_that_has_just_begun_is_not_given_up() -> None:
    for begun, gives_up in ((timedelta(minutes=4), False), (timedelta(days=2), True)):
        week = states.week(10, NOW + timedelta(days=7) - begun)
        state = states.state(states.snapshot(states.main_limit(states.five_hours(100), week)))
        assert ("you give up the 90 %" in question(state)) is gives_up


def test_other_limits_are_not_promised() -> None:
    assert "GPT-5.3-Codex-Spark: not stated to be reset" in question(states.monthly())


def test_a_question_without_rows_leaves_the_choice_to_the_service() -> None:
    counted = states.snapshot(states.main_limit(states.week(93)), banked=Bank(2, None))
    assert "which one the service chooses" in question(states.state(counted))


def test_a_question_is_asked_again_when_the_world_moved_on() -> None:
    state = states.busy()
    assert state.snapshot is not None
    chosen = states.THREE[0]
    proposal = propose(state.snapshot, NOW, chosen)

    def seen(*windows: float, rows: Bank | None = None) -> State:
        fresh = states.snapshot(states.main_limit(states.five_hours(windows[0]), states.week(windows[1])), banked=rows)
        observed = replace(fresh.provenance, observed_at=NOW + timedelta(seconds=5))
        return states.state(replace(fresh, provenance=observed))

    later = NOW + timedelta(seconds=6)
    assert changed_since(proposal, seen(95, 42), later) is None
    assert changed_since(proposal, seen(2, 42), later) == "5 hours fell to 2 %"
    assert changed_since(proposal, seen(95, 42, rows=states.bank(*states.THREE[1:])), later) == "the bank changed"
    assert changed_since(proposal, state, NOW + timedelta(minutes=6)) == "the question was too old"
    assert (
        changed_since(
            replace(proposal, proposed_at=states.AFTERNOON - timedelta(minutes=1)),
            state,
            states.AFTERNOON + timedelta(minutes=2),
        )
        == "a window has reset by itself"
    )


def test_a_result_is_told_as_observed() -> None:
    text = says(result_lines(states.spent(states.reset_snapshot(five=3)), NOW, ZONE, 88))
    assert "✓ One reset was spent." in text
    assert "5 hours 100 % → 3 % ✓" in text
    assert "Week 43 % → 0 % ✓ reset Fri 27 Nov 08:00 → Mon 30 Nov 14:07" in text
    assert "2 resets left" in text
    assert "Mismatch" not in text


def test_a_mismatch_is_said_plainly() -> None:
    odd = states.reset_snapshot(five=100, weekly=0, moved=False, left=3)
    text = says(result_lines(states.spent(odd), NOW, ZONE, 88))
    assert "5 hours 100 % → 100 % ! not cleared" in text
    assert "! Mismatch spent, but 5 hours still 100 %" in text
    assert "reset date as before" in text
    assert text.count("Mismatch") == 2


def test_an_unknown_outcome_says_what_happens_next() -> None:
    text = says(result_lines(states.lost(), NOW, ZONE, 88, finish="f finishes it"))
    for expected in ("may or may not", "the connection broke", "no second spend", "f finishes it", "Thu 26 Nov 09:39"):
        assert expected in text


def test_a_refused_spend_says_that_nothing_was_spent() -> None:
    refused = reject(send(states.spend_of(states.at_limit())), "the account changed")
    closed = replace(refused, stage=states.spent().stage)
    assert closed.outcome is Outcome.REFUSED
    assert says(result_lines(closed, NOW, ZONE, 88)) == (
        "✗ Refused: nothing was spent by this request. Because the account changed"
    )


def test_the_steps_follow_the_spend() -> None:
    assert says(progress_lines(None, 60)).startswith("▸ written down")
    lost = says(progress_lines(states.lost(), 80))
    assert "✓ sent" in lost
    assert "? answered the connection broke" in lost


def test_plain_question() -> None:
    state = states.busy()
    assert state.snapshot is not None
    text = plain(proposal_lines(propose(state.snapshot, NOW, states.THREE[1]), NOW, ZONE, 80))
    assert "lapses Thu 10 Dec 00:00 (16 d)" in text


def test_warnings_are_none_where_a_reset_is_worth_it() -> None:
    shown = states.snapshot(states.main_limit(states.five_hours(100), allowed=False), allowed=False)
    assert warnings(propose(shown, NOW, states.THREE[0]), NOW) == ()
