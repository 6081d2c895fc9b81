from datetime import timedelta

import pytest

from tests.support.clocks import START
from tui.domain.ledger import Event, EventKind
from tui.domain.matters import matters

AGO = START - timedelta(hours=1)


def event(kind: EventKind, text: str = "it happened", **details: str) -> Event:
    return Event(START, kind, "acc1", text, **details)


@pytest.mark.parametrize(
    "told",
    [
        event(EventKind.LIMIT_REACHED),
        event(EventKind.WINDOW_RESET),
        event(EventKind.CREDIT_GRANTED),
        event(EventKind.CREDIT_EXPIRED),
        event(EventKind.RESUMED),
        event(EventKind.SPENT_ELSEWHERE),
        event(EventKind.INVITE_CHANGED, after="joined"),
        event(EventKind.RESET_MOVED, window="weekly"),
        event(EventKind.UNQUEUED, "the queued reset was taken out: window reset"),
    ],
    ids=lambda told: str(told.kind),
)
def test_what_a_person_wants_to_hear_of_is_told_once_and_not_what_is_older(told: Event) -> None:
    assert matters([told], AGO) == (told,)
    assert matters([told], START) == ()


@pytest.mark.parametrize(
    "silent",
    [
        event(EventKind.SPEND_SENT),
        event(EventKind.QUEUED),
        event(EventKind.INVITE_CHANGED, after="opened"),
        event(EventKind.RESET_MOVED, window="five_hour"),
        event(EventKind.UNQUEUED, "the queued reset was taken out by hand"),
    ],
    ids=lambda silent: str(silent.kind),
)
def test_steps_and_what_the_person_did_are_no_news(silent: Event) -> None:
    assert matters([silent], AGO) == ()


def test_a_spend_is_news_where_nobody_stood_at_the_keys() -> None:
    closed = event(EventKind.SPEND_CLOSED, "one reset spent", request_id="k1")
    queued = event(EventKind.SPEND_CONSENTED, "consent to spend one reset, by queued", request_id="k1")
    letter = event(EventKind.SPEND_CONSENTED, "consent to spend one reset, by letter", request_id="k1")
    assert matters([queued, closed], AGO) == (closed,)
    assert matters([letter, closed], AGO) == ()


def test_one_spend_elsewhere_that_is_seen_twice_is_one_matter() -> None:
    bank = event(EventKind.CREDIT_REDEEMED, credit_id="c1")
    history = event(EventKind.SPENT_ELSEWHERE, credit_id="c1")
    assert matters([bank, history, event(EventKind.SPENT_ELSEWHERE, credit_id="c2")], AGO)[:1] == (bank,)
    assert len(matters([bank, history], AGO)) == 1
