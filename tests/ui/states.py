"""States built from domain values, as the screens of the tests and the pictures show them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from msgspec.structs import replace

from tests.support.clocks import START
from tui.companion.state import Link, State
from tui.domain.credits import CODEX_RATE_LIMITS, Bank, Credit, CreditStatus
from tui.domain.ledger import Event, EventKind
from tui.domain.snapshot import Account, PaidCredits, Provenance, Snapshot, SpendControl
from tui.domain.spend import (
    Consent,
    ConsentKind,
    ConsumeAnswer,
    ConsumeCode,
    Spend,
    answer,
    close,
    journal,
    lose_answer,
    propose,
    send,
)
from tui.domain.spend_check import verify
from tui.domain.windows import MAIN_LIMIT, Limit, Window

NOW: Final = START
ZONE: Final = timezone(timedelta(0), "UTC")
ACCOUNT: Final = Account("acc1", "plus", "me@example.com")
LINK: Final = Link("daemon", interval=timedelta(seconds=30), next_poll_at=NOW + timedelta(seconds=28))
KEY: Final = "3f1f7d5e-2c44-4a8e-9a55-0d6d3e1b7c21"


def at(day: int, hour: int, minute: int = 0, second: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


AFTERNOON: Final = at(23, 17, 20)
FRIDAY: Final = at(27, 8)


def five_hours(used: float | None, resets_at: datetime | None = AFTERNOON) -> Window:
    return Window(MAIN_LIMIT, None, 300, used, resets_at)


def week(used: float | None, resets_at: datetime | None = FRIDAY) -> Window:
    return Window(MAIN_LIMIT, None, 10080, used, resets_at)


def main_limit(*windows: Window, allowed: bool | None = True) -> Limit:
    return Limit(MAIN_LIMIT, None, allowed, windows)


def credit(
    name: str,
    expires_at: datetime | None,
    status: CreditStatus = CreditStatus.AVAILABLE,
    title: str | None = "Full reset",
) -> Credit:
    return Credit(
        id=name,
        type=CODEX_RATE_LIMITS,
        status=status,
        granted_at=at(1, 9),
        expires_at=expires_at,
        never_expires=expires_at is None,
        title=title,
    )


THREE: Final = (
    credit("c1", at(26, 9, 39)),
    credit("c2", at(10, 0, month=12)),
    credit("c3", at(22, 18, 34, month=12)),
)


def bank(*rows: Credit, available: int | None = None) -> Bank:
    count = sum(c.status is CreditStatus.AVAILABLE for c in rows) if available is None else available
    return Bank(count, rows, credits_observed_at=NOW - timedelta(seconds=2))


def snapshot(
    *limits: Limit, banked: Bank | None = None, allowed: bool | None = True, source: str = "daemon"
) -> Snapshot:
    return Snapshot(
        provenance=Provenance(source, NOW - timedelta(seconds=2)),
        account=ACCOUNT,
        ordinary_usage_allowed=allowed,
        limits=limits,
        bank=banked if banked is not None else bank(*THREE),
    )


def event(kind: EventKind, text: str, when: datetime, **details: str) -> Event:
    return Event(at=when, kind=kind, account="acc1", text=text, source="daemon", **details)


EVENTS: Final = (
    event(EventKind.CREDIT_GRANTED, "a reset was granted", at(20, 9, 39), credit_id="c1"),
    event(EventKind.CREDIT_EXPIRED, "a reset lapsed unused", at(21, 11, 2), credit_id="c0"),
    event(
        EventKind.RESET_MOVED,
        "the reset of Week moved",
        at(22, 8),
        before="2026-11-26T20:00:00Z",
        after="2026-11-27T08:00:00Z",
    ),
    event(
        EventKind.SPEND_CONSENTED, "consent by the letter of the dialog", at(22, 16, 20), request_id=KEY, credit_id="cx"
    ),
    event(EventKind.SPEND_CLOSED, "spent one reset", at(22, 16, 20), request_id=KEY, credit_id="cx"),
)


def state(shown: Snapshot | None, link: Link = LINK, recent: tuple[Event, ...] = EVENTS, **rest: object) -> State:
    return replace(State(snapshot=shown, link=link, recent=recent), **rest)


def calm() -> State:
    return state(snapshot(main_limit(five_hours(18), week(41)), banked=bank(*THREE[1:])))


def busy() -> State:
    return state(snapshot(main_limit(five_hours(93), week(41))))


def at_limit() -> State:
    return state(snapshot(main_limit(five_hours(100), week(43), allowed=False), allowed=False))


def weekly_wall() -> State:
    return state(snapshot(main_limit(five_hours(1), week(100), allowed=False), allowed=False))


def weekly_only() -> State:
    return state(snapshot(main_limit(week(64))))


def monthly() -> State:
    month = Window(MAIN_LIMIT, None, 30 * 1440, 55.5, at(9, 12, month=12))
    other = Window("codex_bengalfox", "GPT-5.3-Codex-Spark", 300, 12, at(23, 18, 5))
    shown = snapshot(main_limit(month), Limit("codex_bengalfox", "GPT-5.3-Codex-Spark", True, (other,)))
    return state(replace(shown, paid=PaidCredits(True, False, "25"), spend_control=SpendControl(False, 80.0, None)))


def many() -> State:
    rows = (
        credit("m1", NOW + timedelta(hours=19, minutes=2, seconds=11), title="完全重置（每周 + 5 小时）"),
        credit("m2", at(26, 9, 39), title="Full reset (Weekly + 5 hr) with a long name"),
        credit("m3", at(2, 9, month=12), CreditStatus.REDEEMING),
        credit("m4", None),
        credit("m5", at(20, 9), title=None),
        credit("m6", at(29, 9), CreditStatus.UNKNOWN),
    )
    return state(snapshot(main_limit(five_hours(72), week(88)), banked=bank(*rows, available=10)))


def empty_bank() -> State:
    return state(snapshot(main_limit(five_hours(100), week(57)), banked=bank()), recent=())


def unknown() -> State:
    shown = snapshot(main_limit(five_hours(None, None), week(41, at(23, 13))), banked=Bank(None, None), allowed=None)
    return state(replace(shown, unknowns=("the five-hour window came without a percentage",)))


def failing() -> State:
    shown = replace(busy().snapshot, provenance=Provenance("http", NOW - timedelta(minutes=7)))  # type: ignore[type-var]
    link = Link("http", "the service answered 503", NOW - timedelta(minutes=5), interval=timedelta(seconds=60))
    return state(shown, link)


def spend_of(shown: State, at_moment: datetime = NOW) -> Spend:
    assert shown.snapshot is not None
    chosen = next(iter(shown.snapshot.bank.spendable(NOW)), None)
    consent = Consent(ConsentKind.LETTER, at_moment)
    return journal(propose(shown.snapshot, at_moment, chosen), consent, KEY, at_moment)


def lost() -> Spend:
    return lose_answer(send(spend_of(at_limit())), "the connection broke before the answer came")


def open_spend() -> State:
    return replace(at_limit(), open_spend=lost())


def reset_snapshot(five: float = 0, weekly: float = 0, moved: bool = True, left: int = 2) -> Snapshot:
    windows = main_limit(
        five_hours(five, NOW + timedelta(hours=5)), week(weekly, at(30, 14, 7, 31) if moved else at(27, 8))
    )
    return snapshot(windows, banked=bank(*THREE[3 - left :]))


def spent(after: Snapshot | None = None) -> Spend:
    answered = answer(send(spend_of(at_limit())), ConsumeAnswer(ConsumeCode.RESET))
    return close(verify(answered, after or reset_snapshot()), NOW)


def demo() -> State:
    shown = snapshot(main_limit(five_hours(93), week(41)), source="stub")
    return state(shown, replace(LINK, source="stub"), demo="busy")
