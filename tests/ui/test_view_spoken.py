"""What is said instead of shown: no frame and no sign is left, and what has not changed is not said again."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ui import live_states, states
from tests.ui.states import NOW, ZONE
from tui.companion.state import State
from tui.ui.view.spoken import answers, changes, question_sentences, spoken, standing, topics
from tui.ui.view.view_state import ViewState

SIGNS = re.compile("[\u2500-\u259f▸●○◍◼◷✓✗→≈]")
STATES: list[Callable[[], State]] = [
    *(states.calm, states.busy, states.at_limit, states.weekly_wall, states.weekly_only, states.monthly, states.many),
    *(states.empty_bank, states.unknown, states.failing, states.open_spend, states.demo),
    *(live_states.working, live_states.held_question, live_states.hostile_question, live_states.lapsing_question),
    *(live_states.queued, live_states.queued_before_restart, live_states.waiting, live_states.evening_question),
]
WORDS = {name: name for name in ("spend", "spend_only", "queue_it", "wait", "let_fail", "later_5", "later_15", "mute")}
WORDS["close"] = "no"


def view_of(state: State) -> ViewState:
    return ViewState(NOW, ZONE, state, keys={"spend": "'spend'"})


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
def test_all_that_stands_is_said_once_without_signs(make: Callable[[], State]) -> None:
    said = standing(view_of(make()))
    assert len(said) >= 3
    rows = [line for line in said if "lapses" not in line]
    assert len(rows) == len(set(rows))
    assert not [line for line in said if SIGNS.search(line) or "  " in line or line != line.strip()]
    assert all(line[-1] in ".!?:" for line in said)


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
def test_time_alone_says_nothing_new(make: Callable[[], State]) -> None:
    view = view_of(make())
    later = replace(view, now=view.now.replace(second=(view.now.second + 1) % 60))
    assert changes(topics(view), topics(view)) == ()
    assert changes(topics(view), topics(later)) == ()


def test_a_limit_that_is_reached_is_one_sentence_for_each_window_it_concerns() -> None:
    before, after = topics(view_of(states.busy())), topics(view_of(states.at_limit()))
    said = [line for line in changes(before, after) if line.startswith("5 hours")]
    assert len(said) == 1
    assert "reached" in said[0]


@pytest.mark.parametrize(
    "make",
    [live_states.stopped_question, live_states.held_question, live_states.about_question, live_states.lapsing_question],
)
def test_the_question_names_what_can_be_typed(make: Callable[[], State]) -> None:
    view = view_of(make())
    question = view.state.question
    assert question is not None
    found = answers(view, question, WORDS)
    assert next(iter(found)) == "spend"
    assert "no" in found
    assert set(found) <= set(WORDS.values())
    assert question_sentences(view, question, None)[0].startswith("Question: ")


def test_the_evening_offers_no_spend() -> None:
    view = view_of(live_states.evening_question())
    assert view.state.question is not None
    assert set(answers(view, view.state.question, WORDS)) == {"queue_it", "no"}


def test_a_date_behind_a_share_is_set_off() -> None:
    assert spoken("  Week  46 % → 0 %   ✓  reset Mon → Thu") == "Week 46 % to 0 %, reset Mon to Thu."
    assert spoken("  Week  46 % → 0 %     reset Mon → Thu") == "Week 46 % to 0 %, reset Mon to Thu."


@given(st.text(max_size=60))
def test_whatever_is_said_is_one_line_of_words(text: str) -> None:
    said = spoken(text)
    assert not SIGNS.search(said)
    assert "\n" not in said
    assert spoken(said) == said or len(spoken(said)) <= len(said)
