# ruff: noqa: E501 (a table is read in rows)
"""Every verdict in a table that a reader can check by hand: Monday noon, a 5-hour window and a week."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.advice import DAY, HOUR, Advice, Facts, Matter, Took, Verdict, arithmetic, decide

NOON = 1772409600.0 + 12 * HOUR
"""Monday, 2 March 2026, 12:00 UTC."""

PLAIN = Facts(
    now=NOON,
    known=True,
    available=1,
    credit_id="c0",
    expires_at=NOON + 10 * DAY,
    used=((300, 40.0), (10080, 30.0)),
    week_resets_at=NOON + 4 * DAY,
    week_used=30.0,
    days_known=40.0,
)

BLOCK = {"blocked_minutes": 300, "blocked_until": NOON + 3 * HOUR, "used": ((300, 100.0), (10080, 50.0))}
WEEK_BLOCK = {"blocked_minutes": 10080, "blocked_until": NOON + 3 * DAY, "used": ((300, 20.0), (10080, 100.0))}
HIT = {
    "saved_hours": 2.0,
    "hit_minutes": 300,
    "hit_at": NOON + HOUR,
    "hit_until": NOON + 4 * HOUR,
    "hit_chance": 0.7,
    "hit_credit_id": "c0",
}
WEEK_HIT = {
    "saved_hours": 9.0,
    "hit_minutes": 10080,
    "hit_at": NOON + HOUR,
    "hit_until": NOON + 4 * DAY,
    "hit_chance": 0.7,
    "hit_credit_id": "c0",
}
LAPSE = {"last_chance": True, "expires_at": NOON + 2 * HOUR}

SITUATIONS: list[tuple[str, dict[str, Any], Verdict, str]] = [
    ("nothing known", {"known": False}, Verdict.CANNOT_TELL, "The limits are not known now."),
    ("nothing known, blocked", {"known": False, **BLOCK}, Verdict.CANNOT_TELL, "The limits are not known now."),
    ("number unknown", {"available": None}, Verdict.CANNOT_TELL, "How many resets you have is not known now."),
    (
        "number unknown, blocked",
        {"available": None, **BLOCK},
        Verdict.CANNOT_TELL,
        "How many resets you have is not known now.",
    ),
    ("none left", {"available": 0}, Verdict.NOTHING_TO_GAIN, "No reset available."),
    (
        "none left, blocked",
        {"available": 0, **BLOCK},
        Verdict.NOTHING_TO_GAIN,
        "No reset available; work goes on by itself at 15:00.",
    ),
    (
        "none left, blocked by the week",
        {"available": 0, **WEEK_BLOCK},
        Verdict.NOTHING_TO_GAIN,
        "No reset available; work goes on by itself on Thu 12:00.",
    ),
    (
        "none left, blocked without an end",
        {"available": 0, "blocked_minutes": 0},
        Verdict.NOTHING_TO_GAIN,
        "No reset available; when work goes on by itself is not known.",
    ),
    (
        "none left, a hit ahead",
        {"available": 0, **HIT, "dearer_blocks": 0.5},
        Verdict.NOTHING_TO_GAIN,
        "No reset available.",
    ),
    (
        "blocked, worth it",
        {**BLOCK, "saved_hours": 2.4, "dearer_blocks": 0.5},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 15:00; that costs about 2.4 h of your working time.",
    ),
    (
        "blocked, hardly worth it",
        {**BLOCK, "saved_hours": 2.4, "dearer_blocks": 0.5},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 15:00; that costs about 2.4 h of your working time.",
    ),
    (
        "blocked, not worth it",
        {**BLOCK, "saved_hours": 0.5, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: work goes on by itself at 15:00; the reset is worth more later.",
    ),
    (
        "blocked, as good later",
        {**BLOCK, "saved_hours": 2.4, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: work goes on by itself at 15:00; the reset is worth more later.",
    ),
    (
        "blocked, four minutes left",
        {**BLOCK, "blocked_until": NOON + 240, "dearer_blocks": 0.5},
        Verdict.WAIT,
        "Wait: work goes on by itself at 12:04.",
    ),
    (
        "blocked, five minutes left",
        {**BLOCK, "blocked_until": NOON + 300, "dearer_blocks": 0.5},
        Verdict.WAIT,
        "Wait: work goes on by itself at 12:05.",
    ),
    (
        "blocked, six minutes left",
        {**BLOCK, "blocked_until": NOON + 360, "dearer_blocks": 0.5, "saved_hours": 0.1},
        Verdict.WAIT,
        "Wait: work goes on by itself at 12:06; a reset would save no more than about 6 min of your working time.",
    ),
    (
        "blocked, the week's date costs more",
        {**BLOCK, "saved_hours": 2.0, "date_hours": -3.0, "dearer_blocks": 0.0},
        Verdict.WAIT,
        "Wait: work goes on by itself at 15:00; the week that would begin anew costs more than the reset saves.",
    ),
    (
        "blocked, the week's date gains",
        {**BLOCK, "saved_hours": 0.5, "date_hours": 3.0, "dearer_blocks": 0.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 15:00; that costs about 30 min of your working time.",
    ),
    (
        "blocked, as many dearer ones as resets",
        {**BLOCK, "saved_hours": 2.0, "dearer_blocks": 2.0, "resets_for_them": 3.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 15:00; that costs about 2.0 h of your working time.",
    ),
    (
        "blocked by the week, worth it",
        {**WEEK_BLOCK, "saved_hours": 16.0, "dearer_blocks": 0.5},
        Verdict.SPEND_NOW,
        "Spend one: you are at the weekly limit until Thu 12:00; that costs about 16 h of your working time.",
    ),
    (
        "blocked by the week, not worth it",
        {**WEEK_BLOCK, "saved_hours": 1.0, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: work goes on by itself on Thu 12:00; the reset is worth more later.",
    ),
    (
        "blocked by the week, far",
        {**WEEK_BLOCK, "blocked_until": NOON + 6.4 * DAY, "dearer_blocks": 0.5, "saved_hours": 42.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the weekly limit until 8 Mar 21:36; that costs about 42 h of your working time.",
    ),
    (
        "blocked, little known",
        BLOCK,
        Verdict.CANNOT_TELL,
        "The 5-hour limit is reached; too little is known to say whether a reset is worth it.",
    ),
    (
        "blocked by the service's word alone",
        {"blocked_minutes": 0},
        Verdict.CANNOT_TELL,
        "The limit is reached; too little is known to say whether a reset is worth it.",
    ),
    (
        "blocked by a day",
        {"blocked_minutes": 1440, "blocked_until": NOON + 6 * HOUR, "dearer_blocks": 0.5, "saved_hours": 5.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the daily limit until 18:00; that costs about 5.0 h of your working time.",
    ),
    (
        "blocked by a month",
        {"blocked_minutes": 43200, "blocked_until": NOON + 9 * DAY, "dearer_blocks": 0.5, "saved_hours": 60.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the monthly limit until 11 Mar 12:00; that costs about 60 h of your working time.",
    ),
    (
        "blocked by three days",
        {"blocked_minutes": 4320, "blocked_until": NOON + DAY, "dearer_blocks": 0.5, "saved_hours": 6.0},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 3-day limit until Tue 12:00; that costs about 6.0 h of your working time.",
    ),
    (
        "blocked, end unknown",
        {**BLOCK, "blocked_until": None, "saved_hours": 2.0, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: when work goes on by itself is not known; the reset is worth more later.",
    ),
    (
        "blocked and about to lapse",
        {**BLOCK, **LAPSE, "saved_hours": 2.0, "dearer_blocks": 0.5},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 15:00; that costs about 2.0 h of your working time.",
    ),
    (
        "a hit ahead, worth it",
        {**HIT, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you likely reach the 5-hour limit at about 13:00, which resets at 16:00.",
    ),
    (
        "a hit ahead, not worth it",
        {**HIT, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: you likely reach the 5-hour limit at about 13:00, which resets at 16:00; the reset is worth more later.",
    ),
    (
        "a hit possible, worth it",
        {**HIT, "hit_chance": 0.3, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you possibly reach the 5-hour limit at about 13:00, which resets at 16:00.",
    ),
    (
        "a hit at even odds",
        {**HIT, "hit_chance": 0.5, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you likely reach the 5-hour limit at about 13:00, which resets at 16:00.",
    ),
    (
        "a hit hardly possible",
        {**HIT, "hit_chance": 0.19, "dearer_blocks": 0.5},
        Verdict.WAIT,
        "No limit in sight: keep the reset.",
    ),
    (
        "a hit ahead, its worth unknown",
        HIT,
        Verdict.CANNOT_TELL,
        "You likely reach the 5-hour limit at about 13:00; too little is known to say whether a reset is worth it.",
    ),
    (
        "a hit ahead, every reset lapsed by then",
        {**HIT, "hit_credit_id": None, "lapsed_by_then": True, "dearer_blocks": 0.5},
        Verdict.WAIT,
        "Wait: you likely reach the 5-hour limit at about 13:00, when every reset will have lapsed.",
    ),
    (
        "the week ahead, worth it",
        {**WEEK_HIT, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you likely reach the weekly limit at about 13:00, which resets on Fri 12:00.",
    ),
    (
        "the week ahead, not worth it",
        {**WEEK_HIT, "dearer_blocks": 2.0},
        Verdict.WAIT,
        "Wait: you likely reach the weekly limit at about 13:00, which resets on Fri 12:00; the reset is worth more later.",
    ),
    (
        "a hit in the night",
        {**HIT, "hit_at": NOON + 14 * HOUR, "hit_until": NOON + 17 * HOUR, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you likely reach the 5-hour limit on Tue at about 02:00, which resets on Tue 05:00.",
    ),
    (
        "about to lapse, saves much",
        {**LAPSE, "lapse_gain_hours": 3.2},
        Verdict.USE_BEFORE_IT_LAPSES,
        "Use one before it lapses at 14:00: it saves about 3.2 h of waiting.",
    ),
    (
        "about to lapse, saves little",
        {**LAPSE, "lapse_gain_hours": 0.3},
        Verdict.USE_BEFORE_IT_LAPSES,
        "Use one before it lapses at 14:00: it saves about 18 min of waiting.",
    ),
    (
        "lapses at night",
        {"last_chance": True, "expires_at": NOON + 16 * HOUR, "lapse_gain_hours": 1.0},
        Verdict.USE_BEFORE_IT_LAPSES,
        "Use one before it lapses on Tue 04:00: it saves about 1.0 h of waiting.",
    ),
    (
        "about to lapse, saves nothing",
        {**LAPSE, "lapse_gain_hours": 0.0},
        Verdict.NOTHING_TO_GAIN,
        "One reset lapses at 14:00; using it now would save no waiting.",
    ),
    (
        "about to lapse, costs",
        {**LAPSE, "lapse_gain_hours": -2.0},
        Verdict.NOTHING_TO_GAIN,
        "One reset lapses at 14:00; using it now would save no waiting.",
    ),
    (
        "about to lapse, nothing used",
        {**LAPSE, "lapse_gain_hours": 0.0, "used": ((300, 0.0), (10080, 0.0))},
        Verdict.NOTHING_TO_GAIN,
        "Nothing is used: a reset would change nothing.",
    ),
    (
        "about to lapse, and a hit before",
        {**LAPSE, **HIT, "lapse_gain_hours": 0.0, "dearer_blocks": 0.5},
        Verdict.QUEUE,
        "Queue one: you likely reach the 5-hour limit at about 13:00, which resets at 16:00.",
    ),
    (
        "about to lapse, its worth unknown",
        LAPSE,
        Verdict.CANNOT_TELL,
        "One reset lapses at 14:00; too little is known to say whether a reset is worth it.",
    ),
    (
        "nothing used",
        {"used": ((300, 0.0), (10080, 0.0))},
        Verdict.NOTHING_TO_GAIN,
        "Nothing is used: a reset would change nothing.",
    ),
    (
        "a trace used",
        {"used": ((300, 0.9), (10080, 0.2))},
        Verdict.NOTHING_TO_GAIN,
        "Nothing is used: a reset would change nothing.",
    ),
    (
        "the short one fresh, the week used",
        {"used": ((300, 0.0), (10080, 60.0))},
        Verdict.WAIT,
        "No limit in sight: keep the reset.",
    ),
    ("calm", {}, Verdict.WAIT, "No limit in sight: keep the reset."),
    ("calm, no window known", {"used": ()}, Verdict.WAIT, "No limit in sight: keep the reset."),
    ("calm, many resets", {"available": 4}, Verdict.WAIT, "No limit in sight: keep the reset."),
    (
        "east of Greenwich",
        {**BLOCK, "saved_hours": 2.0, "dearer_blocks": 0.5, "utc_offset": 2 * HOUR},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until 17:00; that costs about 2.0 h of your working time.",
    ),
    (
        "east, past midnight",
        {**BLOCK, "saved_hours": 2.0, "dearer_blocks": 0.5, "utc_offset": 10 * HOUR},
        Verdict.SPEND_NOW,
        "Spend one: you are at the 5-hour limit until Tue 01:00; that costs about 2.0 h of your working time.",
    ),
]


@pytest.mark.parametrize(("changes", "verdict", "headline"), [pytest.param(*s[1:], id=s[0]) for s in SITUATIONS])
def test_the_table(changes: dict[str, Any], verdict: Verdict, headline: str) -> None:
    advice = decide(msgspec.structs.replace(PLAIN, **changes))
    assert (advice.verdict, advice.headline) == (verdict, headline)
    acts = verdict in (Verdict.SPEND_NOW, Verdict.QUEUE, Verdict.USE_BEFORE_IT_LAPSES)
    assert advice.credit_id == ("c0" if acts else None)


def test_the_table_is_large_and_knows_every_verdict() -> None:
    assert len(SITUATIONS) >= 40
    assert {verdict for _, _, verdict, _ in SITUATIONS} == set(Verdict)


def test_the_arithmetic_can_be_checked_by_hand() -> None:
    facts = msgspec.structs.replace(
        PLAIN,
        **WEEK_BLOCK,
        saved_hours=16.0,
        dearer_blocks=0.3,
        week_resets_at=NOON + 3.5 * DAY,
        hits_lately=3,
        free_within_day=0.24,
    )
    facts = msgspec.structs.replace(facts, week_used=90.0)
    assert decide(facts).arithmetic == (
        "5-hour limit: 20 % used, so a reset gives back 20 points",
        "weekly limit: 100 % used, so a reset gives back 100 points",
        "this block costs about 16 h of your working time",
        "costlier blocks expected before the resets lapse: about 0.3; resets for them: 1.0",
        "if the week's date moves, a reset now gains about 0.40 of a week",
        "limits reached in the last four weeks: 3",
        "chance of a free reset for everybody within a day: 24 %",
        "the reset that lapses first lapses on 12 Mar 12:00",
        "days of your use that are known: 40",
    )


def test_a_week_that_has_just_begun_neither_gains_nor_loses() -> None:
    for used, said in ((0.0, False), (20.0, True)):
        facts = msgspec.structs.replace(PLAIN, week_used=used, week_resets_at=NOON + 7 * DAY - 60)
        assert any("date moves" in line for line in arithmetic(facts)) is said


@given(
    st.builds(
        Facts,
        now=st.just(NOON),
        known=st.booleans(),
        available=st.none() | st.integers(0, 3),
        credit_id=st.none() | st.just("c0"),
        expires_at=st.none() | st.floats(NOON + 60, NOON + 30 * DAY),
        blocked_minutes=st.none() | st.sampled_from((0, 300, 10080)),
        blocked_until=st.none() | st.floats(NOON, NOON + 7 * DAY),
        saved_hours=st.none() | st.floats(0, 100),
        dearer_blocks=st.none() | st.floats(0, 50),
        lapse_gain_hours=st.none() | st.floats(-50, 50),
        used=st.just(((300, 50.0),)),
        utc_offset=st.floats(-43200, 43200),
    )
)
def test_any_facts_have_one_verdict_and_one_sentence(facts: Facts) -> None:
    advice: Advice = decide(facts)
    assert advice.headline.endswith(".")
    assert advice.headline.count("\n") == 0
    if not facts.known or not facts.available:
        assert advice.credit_id is None
    if facts.blocked_minutes is None:
        assert advice.verdict is not Verdict.SPEND_NOW
    about = {
        Verdict.SPEND_NOW: Matter.REACHED,
        Verdict.QUEUE: Matter.EXPECTED,
        Verdict.USE_BEFORE_IT_LAPSES: Matter.LAPSING,
    }
    assert advice.about is about.get(advice.verdict, advice.about)
    assert (advice.about is Matter.REACHED) is (
        facts.blocked_minutes is not None and facts.known and facts.available is not None
    )


def test_a_plan_with_a_month_counts_in_months() -> None:
    month = {"week_minutes": 43200, "week_resets_at": NOON + 15 * DAY, "week_used": 80.0}
    said = decide(msgspec.structs.replace(PLAIN, **month)).arithmetic
    assert "if the month's date moves, a reset now gains about 0.30 of a month" in said


def test_an_hour_of_one_session_is_a_line_of_the_arithmetic() -> None:
    said = decide(msgspec.structs.replace(PLAIN, session_hour=12.4)).arithmetic
    assert "an hour of one session at work takes about 12 points of the 5-hour limit" in said
    said = decide(msgspec.structs.replace(PLAIN, work_hour=30.0)).arithmetic
    assert "an hour of your work takes about 30 points of the 5-hour limit" in said
    said = decide(msgspec.structs.replace(PLAIN, session_hour=0.42, work_hour=30.0)).arithmetic
    assert "an hour of one session at work takes about 0.4 points of the 5-hour limit" in said


@pytest.mark.parametrize(
    ("took", "line"),
    [
        (
            Took("api-server", ((300, 12.4), (10080, 0.5)), NOON - HOUR),
            "api-server took 12 points of the 5-hour limit and 0.5 points of the weekly limit, as the service said at 11:00",
        ),
        (
            Took("docs", ((10080, 0.02),), NOON - DAY),
            "docs took less than 0.1 points of the weekly limit, as the service said on Sun 12:00",
        ),
        (
            Took("api-server", ((300, 14.0),), NOON, NOON - HOUR),
            "from 11:00 to 12:00, with api-server at work, your readings rose by 14 points of the 5-hour limit",
        ),
    ],
)
def test_what_sessions_took_is_said_with_whose_word_it_is_and_of_when(took: Took, line: str) -> None:
    assert line in decide(msgspec.structs.replace(PLAIN, took=(took,))).arithmetic


def test_what_nobody_knows_of_sessions_has_no_line() -> None:
    said = " ".join(decide(PLAIN).arithmetic)
    assert "took" not in said
    assert "at work" not in said
