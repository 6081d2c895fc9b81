from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import START
from tui.domain.changes import Spent, notice
from tui.domain.credits import CreditStatus
from tui.domain.ledger import EventKind
from tui.domain.snapshot import Account, Snapshot

LATER = START + timedelta(minutes=10)
WINDOWS = (window(FIVE_HOURS, 50.0), window(WEEK, 40.0))
OLD = snapshot(*WINDOWS, rows=(credit("a", 2), credit("b", 20)))


SPENT = Spent(windows=True, count=1, credits=frozenset({"a"}))


def kinds(before: Snapshot, after: Snapshot, spent: Spent | None = None) -> list[EventKind]:
    return [event.kind for event in notice(before, after, spent)]


def test_nothing_changed_is_no_news() -> None:
    assert notice(OLD, snapshot(*WINDOWS, rows=OLD.bank.credits, at=LATER)) == ()


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ((credit("a", 2), credit("b", 20), credit("c", 30)), EventKind.CREDIT_GRANTED),
        ((credit("b", 20),), EventKind.CREDIT_VANISHED),
        ((credit("a", 2, status=CreditStatus.REDEEMED), credit("b", 20)), EventKind.CREDIT_REDEEMED),
        ((credit("a", 1), credit("b", 20)), EventKind.EXPIRY_CHANGED),
    ],
)
def test_what_happened_to_a_credit_without_us(rows: tuple[object, ...], kind: EventKind) -> None:
    assert kinds(OLD, snapshot(*WINDOWS, rows=rows, at=LATER)) == [kind]  # type: ignore[arg-type]


def test_one_expiry_in_two_precisions_is_one() -> None:
    """The app-server tells whole seconds, the quota endpoint microseconds (wire/README.md, "Banked resets")."""
    exact = tuple(
        replace(row, expires_at=row.expires_at and row.expires_at + timedelta(microseconds=328_681))
        for row in OLD.bank.credits or ()
    )
    assert kinds(OLD, snapshot(*WINDOWS, rows=exact, at=LATER)) == []


@pytest.mark.parametrize(
    ("giver", "text"),
    [("@friend", "a reset was earned by an invite (@friend)"), ("Codex Team", "a reset was granted")],
)
def test_an_earned_reset_is_told_from_a_gift(giver: str, text: str) -> None:
    rows = (*(OLD.bank.credits or ()), credit("c", 30, granted_by=giver))
    (event,) = notice(OLD, snapshot(*WINDOWS, rows=rows, at=LATER))
    assert (event.text, event.credit_id) == (text, "c")


def test_a_lapsed_credit_is_told_from_a_vanished_one() -> None:
    after = snapshot(*WINDOWS, rows=(credit("b", 20),), at=START + timedelta(days=2))
    assert EventKind.CREDIT_EXPIRED in kinds(OLD, after)
    assert EventKind.CREDIT_VANISHED not in kinds(OLD, after)


def test_our_own_spend_is_no_news() -> None:
    after = snapshot(window(FIVE_HOURS, 0.0), window(WEEK, 0.0), rows=(credit("b", 20),), at=LATER)
    assert notice(OLD, after, SPENT) == ()


def test_a_second_credit_that_goes_with_our_spend_is_noticed() -> None:
    after = snapshot(window(FIVE_HOURS, 0.0), window(WEEK, 0.0), rows=(), at=LATER)
    assert kinds(OLD, after, SPENT) == [EventKind.CREDIT_VANISHED]


def test_a_capped_list_proves_no_absence() -> None:
    capped = snapshot(*WINDOWS, rows=(credit("b", 20),), available=2, at=LATER)
    assert notice(OLD, capped) == ()


def test_a_row_that_moves_up_in_a_capped_list_was_not_granted_now() -> None:
    capped = snapshot(*WINDOWS, rows=(credit("a", 2),), available=9)
    after = snapshot(*WINDOWS, rows=(credit("a", 2), credit("old", 20)), available=9, at=LATER)
    assert notice(capped, after) == ()
    fresh = replace(credit("new", 30), granted_at=START + timedelta(minutes=5))
    granted = snapshot(*WINDOWS, rows=(credit("a", 2), fresh), available=10, at=LATER)
    assert kinds(capped, granted) == [EventKind.CREDIT_GRANTED]


def test_counts_speak_where_there_are_no_rows() -> None:
    before, after = (
        snapshot(*WINDOWS, rows=None, available=3),
        snapshot(*WINDOWS, rows=None, available=1, at=LATER),
    )
    assert kinds(before, after) == [EventKind.COUNT_CHANGED]
    assert kinds(before, replace(after, bank=replace(after.bank, available=2)), SPENT) == []
    assert kinds(before, replace(after, bank=replace(after.bank, available=None))) == []


def test_a_window_reset_before_its_time_and_its_date_moved() -> None:
    after = snapshot(WINDOWS[0], window(WEEK, 0.0, resets_in=timedelta(days=7)), rows=OLD.bank.credits, at=LATER)
    assert kinds(OLD, after) == [EventKind.WINDOW_RESET_EARLY, EventKind.RESET_MOVED]


def test_a_natural_reset_is_no_news() -> None:
    due = snapshot(window(FIVE_HOURS, 80.0, resets_in=timedelta(minutes=9)), rows=())
    after = snapshot(window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5)), rows=(), at=LATER)
    assert notice(due, after) == ()


def test_an_idle_window_that_slides_is_no_news() -> None:
    idle = snapshot(window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5)), rows=())
    after = snapshot(window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5), at=LATER), rows=(), at=LATER)
    assert notice(idle, after) == ()


def test_another_account_is_never_compared() -> None:
    assert notice(OLD, snapshot(rows=(), account=Account("acc2"), at=LATER)) == ()


def test_a_changed_plan_is_noticed() -> None:
    after = snapshot(*WINDOWS, rows=OLD.bank.credits, account=Account("acc1", "pro", "me@example.com"), at=LATER)
    assert kinds(OLD, after) == [EventKind.PLAN_CHANGED]


def test_a_window_that_has_not_started_slides_without_an_event() -> None:
    unused = window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=3))
    sliding = window(FIVE_HOURS, 0.0, resets_in=timedelta(hours=5), at=LATER)
    before, after = snapshot(unused, rows=OLD.bank.credits), snapshot(sliding, rows=OLD.bank.credits, at=LATER)
    assert notice(before, after) == ()


def test_a_reached_limit_is_told_once_also_during_a_spend_and_at_the_first_reading() -> None:
    full = snapshot(window(FIVE_HOURS, 100.0), WINDOWS[1], rows=OLD.bank.credits, at=LATER)
    (told,) = notice(OLD, full)
    assert (told.kind, told.text) == (EventKind.LIMIT_REACHED, "the 5-hour limit was reached")
    assert kinds(full, snapshot(*full.windows, rows=OLD.bank.credits, at=LATER + timedelta(minutes=1))) == []
    assert EventKind.LIMIT_REACHED in kinds(OLD, full, SPENT)
    assert [event.kind for event in notice(None, full)] == [EventKind.LIMIT_REACHED]


def test_the_natural_reset_of_a_used_up_window_is_told_and_of_a_short_one_with_room_not() -> None:
    ends = WINDOWS[0].resets_at
    assert ends is not None
    after = snapshot(
        replace(WINDOWS[0], used_percent=1.0, resets_at=ends + timedelta(hours=5)),
        WINDOWS[1],
        rows=OLD.bank.credits,
        at=ends + timedelta(minutes=1),
    )
    full = snapshot(window(FIVE_HOURS, 100.0), WINDOWS[1], rows=OLD.bank.credits, at=LATER)
    assert kinds(full, after) == [EventKind.WINDOW_RESET]
    assert kinds(OLD, after) == []
