"""The process is killed, for real, at every boundary of a spend and started again: one reset is gone per consent."""

from typing import Any

import pytest

from tests.safety.victims import let_it_die, start_victim
from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import wait_until

INSIDE = [
    "after the journal commit",
    "after sent is written",
    "after the answer",
    "after answered is written",
    "after verified is written",
    "before the close",
]
"""Where the process ends by itself; the consent is on the disk at each of these."""


def ledger_of(key: str) -> list[dict[str, Any]]:
    return [event for event in resetbank("ledger", "--json").json["events"] if event["request_id"] == key]


def assert_one_reset_is_gone_and_the_ledger_knows(stub: StubProcess) -> None:
    assert stub.spent() == 1
    (record,) = stub.state()["redemptions"]
    lines = ledger_of(record["redeem_request_id"])
    assert [line["event"] for line in lines].count("spend_closed") == 1
    assert lines[0]["event"] == "spend_consented"
    assert lines[-1]["event"] == "spend_closed"
    assert lines[-1]["text"].startswith("one reset spent")
    assert {line["credit_id"] for line in lines} == {record["credit_id"]}


def assert_nothing_is_locked(stub: StubProcess) -> None:
    """A new consent spends a new reset."""
    allow_unattended()
    before = stub.spent()
    stub.set_usage("five_hour", 100)
    result = resetbank("spend", "--unattended", "--json", *over_http(stub))
    assert (result.code, result.json["outcome"]) == (0, "reset"), result
    assert stub.spent() == before + 1


@pytest.mark.parametrize("point", INSIDE)
def test_killed_inside(stub: StubProcess, point: str) -> None:
    let_it_die(start_victim("victim", point, stub))
    result = resetbank("spend", "--json", *over_http(stub))
    assert (result.code, result.json["outcome"]) == (0, "reset"), result
    assert_one_reset_is_gone_and_the_ledger_knows(stub)
    assert_nothing_is_locked(stub)


def test_killed_before_the_journal_commit(stub: StubProcess) -> None:
    let_it_die(start_victim("victim", "before the journal commit", stub))
    assert stub.state()["redemptions"] == []
    assert resetbank("ledger", "--json").json["events"] == []
    assert resetbank("spend", *over_http(stub)).code == 23  # nothing is open, and nobody to ask
    assert stub.spent() == 0
    assert_nothing_is_locked(stub)


def test_killed_after_the_send_before_the_effect(stub: StubProcess) -> None:
    stub.fault("/consume", "drop_before")
    let_it_die(start_victim("victim", "after the send", stub))
    assert stub.spent() == 0
    assert resetbank("spend", "--json", *over_http(stub)).json["outcome"] == "reset"
    assert_one_reset_is_gone_and_the_ledger_knows(stub)
    assert_nothing_is_locked(stub)


def test_killed_after_the_effect_before_the_answer(stub: StubProcess) -> None:
    stub.fault("/consume", "delay:60")
    victim = start_victim("victim", "never", stub)
    wait_until(lambda: stub.spent() == 1)
    victim.kill()
    let_it_die(victim)
    stub.fault("/consume", "none")
    assert resetbank("spend", "--json", *over_http(stub)).json["outcome"] == "reset"
    assert_one_reset_is_gone_and_the_ledger_knows(stub)
    assert_nothing_is_locked(stub)


def test_killed_again_and_again(stub: StubProcess) -> None:
    stub.fault("/consume", "drop_after")
    let_it_die(start_victim("victim", "after the send", stub))
    stub.fault("/consume", "status:503", 3)
    assert resetbank("spend", *over_http(stub)).code == 0  # the bank shows that the reset is gone
    stub.fault("/consume", "none")
    assert_one_reset_is_gone_and_the_ledger_knows(stub)
    assert_nothing_is_locked(stub)


def test_the_status_shows_what_a_crash_left_open(stub: StubProcess) -> None:
    let_it_die(start_victim("victim", "after sent is written", stub))
    report = resetbank("status", "--json", *over_http(stub)).json
    assert report["open_spend"]["stage"] == "sent"
    assert stub.spent() == 0  # a status never finishes a spend
