"""The pure texts."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ui import states
from tui.companion.state import Link, State
from tui.domain.credits import Bank, Price
from tui.domain.ledger import EventKind
from tui.domain.snapshot import PaidCredits, SpendControl
from tui.domain.windows import Limit
from tui.errors import ResetbankError
from tui.ui.view.bank import bank_lines
from tui.ui.view.chrome import demo_line, header_line, key_line, status_line
from tui.ui.view.headline import headline
from tui.ui.view.help import help_lines
from tui.ui.view.ledger import ledger_lines, recent_lines
from tui.ui.view.limits import limits_lines
from tui.ui.view.status import status_text
from tui.ui.view.text import Level, Line, Span, cells, clean, fit, left, line_width, plain, right, spread, wrap
from tui.ui.view.times import age, brief, calm_age, countdown, full, in_zone, last_moment
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent

NOW, ZONE = states.NOW, states.ZONE
KEYS = {"spend": "r", "finish": "f", "refresh": "F5", "quit": "q"}


def view(state: State, now: datetime = NOW) -> ViewState:
    return ViewState(now, ZONE, state, keys=KEYS)


def says(lines: tuple[Line, ...]) -> str:
    return " ".join(plain(lines).split())


def levels(lines: tuple[Line, ...]) -> set[Level]:
    return {span.level for line in lines for span in line if span.text.strip()}


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (states.calm(), "Free to work: Week 41 % used, resets Fri 27 Nov 08:00 (3 d 17 h); 2 resets banked"),
        (
            states.busy(),
            "5 hours 93 % used, near: resets 17:20 (3 h 12 min); 3 resets banked, one lapses in 2 d 19 h; r spends one",
        ),
        (
            states.at_limit(),
            "Stopped: 5-hour limit reached. r spends one reset, or wait until 17:20 (3 h 12 min)",
        ),
        (
            states.weekly_wall(),
            "Stopped: weekly limit reached. r spends one reset, or wait until Fri 27 Nov 08:00 (3 d 17 h)",
        ),
        (states.unknown(), "Unknown how much is left: the five-hour window came without a percentage"),
        (
            states.open_spend(),
            "1 spend open, its outcome is unknown: f looks at the bank and finishes it with the same key",
        ),
        (State(), "No reading yet: waiting for the first one"),
        (State(link=Link(failure="the socket is gone")), "No reading yet: the socket is gone"),
    ],
)
def test_headline(state: State, sentence: str) -> None:
    assert says((headline(view(state)),)) == sentence


def test_a_stop_with_an_empty_bank_offers_nothing() -> None:
    shown = states.at_limit().snapshot
    assert shown is not None
    empty = replace(states.at_limit(), snapshot=replace(shown, bank=states.bank()))
    assert says((headline(view(empty)),)).endswith("No reset in the bank; wait until 17:20 (3 h 12 min)")


def test_a_stop_that_ends_in_minutes_offers_no_reset() -> None:
    sentence = says((headline(view(states.at_limit(), states.AFTERNOON - timedelta(minutes=4))),))
    assert sentence.endswith("It resets by itself at 17:20 (4 min)")


def test_stopped_without_a_full_window_is_said_as_such() -> None:
    shown = states.snapshot(states.main_limit(states.five_hours(40), allowed=False), allowed=False)
    assert "the service allows no ordinary use now" in says((headline(view(states.state(shown))),))


def test_what_is_stale_is_marked_and_dimmed() -> None:
    stale = view(states.failing())
    assert says((headline(stale),)).startswith("Last known: 5 hours 93 % used")
    assert levels(limits_lines(stale, 70)) == {Level.DIM}
    assert levels(bank_lines(stale, 70)) == {Level.DIM}
    assert "http fails since 14:02: the service answered 503; last reading 7 min ago" in says((status_line(stale, 90),))


def test_an_old_reading_without_a_failure_is_stale_too() -> None:
    old = view(states.busy(), NOW + timedelta(minutes=10))
    assert "stale: last reading 10 min ago" in says((status_line(old, 80),))
    assert says((header_line(old, 80),)).count("○") == 1


def test_an_unknown_share_is_never_a_number() -> None:
    text = says(limits_lines(view(states.unknown()), 70))
    assert "? UNKNOWN" in text
    assert "0 %" not in text
    assert "how much is used is unknown" in text


def test_a_window_that_is_over_is_unknown() -> None:
    text = says(limits_lines(view(states.unknown()), 70))
    assert "was 41 %; its reset at 13:00 has passed, not read since" in text


def test_no_windows_at_all_is_said() -> None:
    empty = states.state(states.snapshot(Limit("codex", None, None, ())))
    assert "? UNKNOWN the service reported no limits" in says(limits_lines(view(empty), 70))


def test_a_blocked_window_is_grey_and_says_why() -> None:
    lines = limits_lines(view(states.weekly_wall()), 70)
    assert "– blocked" in plain(lines[:1])
    assert levels(lines[:2]) == {Level.DIM}
    assert "blocked by the week" in plain(lines[1:2])


def test_the_mark_of_an_even_pace_stands_where_the_time_is() -> None:
    half = states.five_hours(93, NOW + timedelta(hours=2, minutes=30))
    (line, *_) = limits_lines(view(states.state(states.snapshot(states.main_limit(half)))), 70)
    bar = "".join(span.text for span in line)[9:]
    assert abs(bar.index("│") - len(bar[: bar.rindex("░") + 1]) // 2) <= 1


def test_a_full_bar_is_not_reversed_away() -> None:
    (line, *_) = limits_lines(view(states.at_limit()), 70)
    assert {span.level for span in line if "█" in span.text} == {Level.FULL}


def test_the_bank_tells_every_kind_of_credit() -> None:
    text = says(bank_lines(view(states.many()), 60))
    for expected in (
        "10 resets",
        "▸ 完全重置（每周 + 5 小时） 24 Nov 09:09:42 19 h 02 min !",
        "redeeming now",
        "never lapses",
        "? unknown status",
        "lapsed Fri 20 Nov 09:00",
        "+5 more, not listed by the service",
    ):
        assert expected in text


def test_a_bank_without_rows_says_so() -> None:
    counted = states.snapshot(states.main_limit(states.week(3)), banked=Bank(2, None))
    assert "2 resets single resets not loaded yet" in says(bank_lines(view(states.state(counted)), 60))
    silent = states.snapshot(states.main_limit(states.week(3)), banked=Bank(None, None))
    assert "how many is unknown" in says(bank_lines(view(states.state(silent)), 60))


def test_an_open_spend_is_in_the_bank() -> None:
    text = says(bank_lines(view(states.open_spend()), 70))
    assert text.endswith("1 spend open: outcome unknown, f finishes it with the same key")


def test_without_a_screen_commands_stand_for_keys() -> None:
    text = says((headline(replace(view(states.at_limit()), keys={})),))
    assert "`resetbank spend` spends one reset" in text


def test_other_limits_have_their_names() -> None:
    text = says(limits_lines(view(states.monthly()), 70))
    assert "GPT-5.3-Codex-Spark own limit 5 hours" in text
    assert "Paid credits balance 25" in text
    assert "Workspace cap 80 % used" in text


def test_a_ledger_date_is_local() -> None:
    moved = states.EVENTS[2]
    there = replace(view(states.busy()), zone=timezone(timedelta(hours=9)))
    assert "Fri 27 Nov 05:00 → Fri 27 Nov 17:00" in says(ledger_lines(there, (moved,), 100))


def test_recent_events_are_newest_first() -> None:
    lines = recent_lines(view(states.busy()), 80)
    assert "spent one reset" in plain(lines[:1])


def test_a_failure_to_write_locks_spending_in_words() -> None:
    broken = replace(states.busy(), store_failure="the disk is full")
    assert "nothing can be spent: the disk is full" in says((status_line(view(broken), 90),))


def test_an_alarm_comes_before_all_else() -> None:
    alarmed = replace(view(states.failing()), alarm="unexpected KeyError in poll")
    assert says((status_line(alarmed, 80),)) == "! unexpected KeyError in poll"


def test_a_problem_names_the_ways_on() -> None:
    text = says(limits_lines(replace(view(State()), problem=ResetbankError("no source", "do this")), 76))
    assert "do this" in text
    for way in ("resetbank doctor", "resetbank login", "codex login", "F5 tries to connect again"):
        assert way in text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_the_demo_band_always_says_demo(width: int) -> None:
    line = demo_line(view(states.demo()), width)
    assert plain((line,)).startswith("DEMO")
    assert line_width(line) <= width


def test_finish_is_offered_only_with_an_open_spend() -> None:
    assert "Finish" not in plain((key_line(view(states.busy()), 80),))
    assert "f Finish" in plain((key_line(view(states.open_spend()), 80),))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "now"),
        (0, "now"),
        (45, "45 s"),
        (660, "11 min"),
        (3 * 3600 + 120, "3 h 02 min"),
        (2 * 86400 + 19 * 3600, "2 d 19 h"),
        (16 * 86400 + 5, "16 d"),
    ],
)
def test_countdown(seconds: int, text: str) -> None:
    assert countdown(timedelta(seconds=seconds)) == text


def test_dates() -> None:
    tomorrow = datetime(2026, 11, 24, 9, 39, 12, tzinfo=UTC)
    assert brief(NOW + timedelta(hours=1), NOW, ZONE) == "15:07"
    assert brief(tomorrow, NOW, ZONE) == "Tue 24 Nov 09:39"
    assert last_moment(tomorrow, NOW, ZONE) == "24 Nov 09:39:12"
    assert full(tomorrow.replace(year=2029), NOW, ZONE) == "Sat 24 Nov 2029 09:39"
    assert age(timedelta(seconds=0.4)) == "0 s ago"
    seconds = (0.4, 9.9, 10, 19, 59, 61)
    shown = ["just now", "just now", "10 s ago", "10 s ago", "50 s ago", "1 min ago"]
    assert [calm_age(timedelta(seconds=passed)) for passed in seconds] == shown
    edge = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert full(edge, NOW, timezone(timedelta(hours=14))).startswith("Fri 31 Dec 9999")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "?"), (0, "0 %"), (0.2, "<1 %"), (93.4, "93 %"), (99.9, "99 %"), (100, "100 %"), (112.4, "112 %")],
)
def test_percent_never_rounds_to_an_edge(value: float | None, text: str) -> None:
    assert percent(value) == text


hostile = st.text(max_size=60)


@pytest.mark.parametrize(
    ("text", "shown", "width"),
    [
        ("अनुवाद-हिन्दी", "अनुवाद-हिन्दी", 8),
        ("โปรเจกต์ที่หนึ่ง", "โปรเจกต์ที่หนึ่ง", 11),
        ("U\u0308bung-cafe\u0301", "Übung-café", 10),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글", 4),
        ("👩\u200d💻 ok", "👩\u200d💻 ok", 5),
        ("👍🏽", "👍🏽", 2),
        ("می\u200cخواهم", "می\u200cخواهم", 7),
        ("\u0301a", "a", 1),
        ("a" + "\u0300" * 40, "\u00e0" + "\u0300" * 6, 1),
        ("a\x1b[31m\u202eb\u2066c\u200bd\x00", "a[31mbcd", 8),
    ],
)
def test_marks_stay_and_controls_go(text: str, shown: str, width: int) -> None:
    assert clean(text) == shown
    assert cells(shown) == width
    assert fit(shown, width) == shown
    assert left(shown, width + 3) == shown + "   "


def test_a_text_that_is_measured_by_its_length_is_as_wide_as_its_letters_measured_one_by_one() -> None:
    for number in range(0x3000):
        character = chr(number)
        assert cells(f"─{character}─") == cells(f"‰{character}‰"), hex(number)  # a per mille has no short way


def test_a_cut_never_parts_a_letter_from_its_marks() -> None:
    assert fit("नमस्ते दुनिया", 3) == "नम…"
    assert fit("👩\u200d💻👩\u200d💻", 3) == "👩\u200d💻…"


@given(hostile)
def test_cleaned_text_stays_on_its_line(text: str) -> None:
    cleaned = clean(text)
    assert "\n" not in cleaned
    assert "\x1b" not in cleaned
    assert "\u202e" not in cleaned
    assert clean(cleaned) == cleaned


@given(hostile, st.integers(0, 40))
@example("\U0001f3fb", 3)  # a skin without an emoji stands for itself, also behind the space that fills
def test_fitted_text_has_its_width(text: str, width: int) -> None:
    cleaned = clean(text)
    assert cells(fit(cleaned, width)) <= width
    assert cells(left(cleaned, width)) == width
    assert cells(right(cleaned, width)) == width
    assert line_width(spread((Span(cleaned),), (Span("end"),), width)) <= width


def test_a_moment_in_a_text_of_the_ledger_is_told_in_the_readers_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    text = "one reset spent; the week now resets 2026-11-30 18:07 UTC"
    assert in_zone(text, NOW, tokyo) == "one reset spent; the week now resets Tue 01 Dec 03:07"
    assert in_zone("2026-13-41 09:00 UTC", NOW, tokyo) == "2026-13-41 09:00 UTC"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("wait until 17:20 (3 h 12 min)", 24, ["wait until 17:20", "(3 h 12 min)"]),
        ("resets Fri 27 Nov 08:00 (3 d 17 h)", 29, ["resets Fri 27 Nov 08:00", "(3 d 17 h)"]),
        ("it is at 90 % 2 hours on", 12, ["it is at", "90 % 2 hours", "on"]),
        ("lapses Sat 28 Nov 20:26", 8, ["lapses", "Sat 28", "Nov", "20:26"]),
    ],
)
def test_a_line_is_not_broken_inside_a_duration_or_a_date_that_fits(text: str, width: int, shown: list[str]) -> None:
    assert plain(wrap([Span(text)], width)).split("\n") == shown


@given(st.lists(hostile, max_size=4), st.integers(5, 60), st.integers(0, 4))
def test_wrapping_keeps_every_line_within(texts: list[str], width: int, indent: int) -> None:
    lines = wrap([Span(clean(text)) for text in texts], width, indent)
    assert all(line_width(line) <= max(width, indent + 4) for line in lines)


@given(
    st.sampled_from(["busy", "many", "monthly", "unknown", "failing", "open_spend", "at_limit"]), st.integers(24, 160)
)
def test_no_panel_is_wider_than_its_room(name: str, width: int) -> None:
    shown = view(getattr(states, name)())
    for lines in (
        limits_lines(shown, width),
        limits_lines(shown, width, short=True),
        bank_lines(shown, width),
        bank_lines(shown, width, short=True),
        recent_lines(shown, width),
        (header_line(shown, width), status_line(shown, width), key_line(shown, width)),
        wrap(headline(shown), width),
        help_lines({}, "main", width),
    ):
        assert max(line_width(line) for line in lines) <= width


def test_hostile_titles_are_shown_literally_and_cleanly() -> None:
    evil = states.credit("c1", states.at(26, 9), title="[/bold]\x1b[31m [link]\n\u202eoops")
    shown = states.state(states.snapshot(states.main_limit(states.week(1)), banked=states.bank(evil)))
    assert "[/bold][31m [link] oops" in says(bank_lines(view(shown), 90))


def test_plain_status() -> None:
    text = status_text(replace(view(states.busy()), keys={}))
    assert text.startswith("resetbank   plus · me@example.com")
    assert "`resetbank spend` spends one" in text
    assert all(len(row) <= 80 for row in text.split("\n"))
    assert text == "\n".join(row.rstrip() for row in text.split("\n"))


def test_every_event_kind_has_a_line() -> None:
    events = tuple(states.event(kind, f"text of {kind}", NOW) for kind in EventKind)
    text = plain(ledger_lines(view(State()), events, 100))
    assert all(f"text of {kind}" in text for kind in EventKind)


def test_the_view_needs_no_screen_library() -> None:
    code = (
        "import sys, tui.ui.view.status, tui.ui.view.help, tui.ui.view.outcome, tui.ui.keymap, tui.ui.commands;"
        "sys.exit(any(name.partition('.')[0] in ('textual', 'rich') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_one_more_reset_costs_stands_beside_the_banked_ones() -> None:
    shown = states.busy()
    assert shown.snapshot is not None
    priced = replace(shown.snapshot, bank=replace(shown.snapshot.bank, price=Price("4.00", "USD")))
    assert "one more can be bought for 4.00 USD, not from here" in says(
        bank_lines(view(replace(shown, snapshot=priced)), 60)
    )
    assert "bought" not in says(bank_lines(view(shown), 60))


def test_accounts_without_windows_and_a_clock_that_is_wrong() -> None:
    busy = states.busy().snapshot
    assert busy is not None
    bare = replace(busy, limits=(), unknowns=("the service reports no usage windows",))
    cap = SpendControl(False, 92.0, NOW + timedelta(days=3))
    for changes, head, panel in (
        ({"paid": PaidCredits(None, True, None)}, "Free to work: this account is unlimited", "unlimited"),
        ({"spend_control": cap}, "Near the workspace's cap: 92 %", "! NEAR"),
        ({"spend_control": replace(cap, reached=True)}, "the workspace's cap on you is reached", "✗ REACHED"),
        ({}, "Unknown how much is left", "? UNKNOWN"),
    ):
        seen = view(replace(states.busy(), snapshot=replace(bare, **changes)))
        assert head in says((headline(seen),))
        assert panel in says(limits_lines(seen, 90))
    wrong = view(replace(states.busy(), snapshot=replace(busy, clock_ahead=-timedelta(hours=2))))
    assert says(limits_lines(wrong, 90)).count("clock is 2 h 00 min behind the service's") == 1


def test_what_stops_use_is_named_and_a_reset_is_offered_only_where_it_helps() -> None:
    full = states.at_limit().snapshot
    assert full is not None
    assert full.main_limit is not None
    depleted = replace(full.main_limit, reached_type="workspace_member_credits_depleted")
    seen = view(replace(states.at_limit(), snapshot=replace(full, limits=(depleted,))))
    assert "the workspace is out of credits. No reset helps" in says((headline(seen),))
    paid = replace(
        full,
        ordinary_usage_allowed=True,
        limits=(replace(full.main_limit, allowed=True),),
        paid=PaidCredits(True, False, "9"),
    )
    text = says((headline(view(replace(states.at_limit(), snapshot=paid))),))
    assert "The plan's limit is reached; paid credits carry on" in text
    assert "spends one" in text


def test_the_past_being_read_is_said_and_gives_way_to_what_hinders() -> None:
    state = replace(states.busy(), past_read=0.42)
    line = status_line(ViewState(states.NOW, states.ZONE, state), 80)
    assert plain((line,)) == "reading the past from your rollouts: 42 %"
    failing = replace(state, store_failure="the disk is full")
    assert "the past" not in plain((status_line(ViewState(states.NOW, states.ZONE, failing), 80),))
