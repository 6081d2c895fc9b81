import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.stub.conftest import Served
from tests.support.clocks import ManualClock
from tests.support.logins import bearer_headers
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE
from tui.clock import SystemClock
from tui.stub.faults import ConnectionDropped, FaultState

Start = Callable[..., Served]
USAGE = "/backend-api/wham/usage"
CONSUME = "/backend-api/wham/rate-limit-reset-credits/consume"


def exchange(stub: StubProcess, method: str, path: str, body: str = "", limit: int = 2**22) -> bytes:
    """Every byte that comes back on a connection of its own."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in bearer_headers("acc1", SystemClock().now()).items())
    head = f"{method} {path} HTTP/1.1\r\nHost: stub\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}{headers}\r\n{body}"
    received = bytearray()
    with socket.create_connection(("127.0.0.1", stub.port), timeout=DEADLINE) as connection:
        connection.sendall(request.encode())
        with suppress(ConnectionResetError):
            while len(received) < limit and (chunk := connection.recv(65_536)):
                received += chunk
    return bytes(received)


def consume(stub: StubProcess, key: str) -> bytes:
    return exchange(stub, "POST", CONSUME, json.dumps({"redeem_request_id": key}))


def test_a_drop_before_gives_no_byte_and_has_no_effect(stub: StubProcess) -> None:
    stub.fault("/consume", "drop_before", 2)
    assert consume(stub, "key") == b""
    assert consume(stub, "key") == b""
    assert stub.spent() == 0
    assert b'"code":"reset"' in consume(stub, "key")


def test_a_drop_after_gives_no_byte_but_has_its_effect(stub: StubProcess) -> None:
    stub.fault("/consume", "drop_after")
    assert consume(stub, "key") == b""
    assert stub.spent() == 1
    assert b'"code":"already_redeemed"' in consume(stub, "key")
    assert stub.spent() == 1
    assert stub.requests("/consume") == 2


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("garbage", b"200", b"\x00\xff"),
        ("empty", b"200", b"content-length: 0"),
        ("html", b"403", b"cf-mitigated: challenge"),
        ("redirect:https://example.com/x", b"302", b"location: https://example.com/x"),
        ("status:503", b"503", b"fault: status 503"),
        ("status:429", b"429", b"retry-after: 1"),
    ],
)
def test_a_broken_answer(stub: StubProcess, kind: str, status: bytes, content: bytes) -> None:
    stub.fault(USAGE, kind)
    answer = exchange(stub, "GET", USAGE)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert content in answer
    assert b'"plan_type":"plus"' in exchange(stub, "GET", USAGE)


@pytest.mark.parametrize(
    ("kind", "spent"), [("garbage", 1), ("empty", 1), ("html", 0), ("status:500", 0), ("redirect:/x", 0)]
)
def test_what_stands_in_front_has_no_effect(stub: StubProcess, kind: str, spent: int) -> None:
    stub.fault("/consume", kind)
    consume(stub, "key")
    assert stub.spent() == spent


def test_an_endless_answer_is_cut_by_the_reader(stub: StubProcess) -> None:
    stub.fault(USAGE, "huge")
    assert len(exchange(stub, "GET", USAGE)) >= 2**22
    assert b'"plan_type":"plus"' in exchange(stub, "GET", USAGE)


def test_a_delayed_answer_does_not_hold_up_the_end(stub: StubProcess) -> None:
    stub.fault("/consume", "delay:3600")
    with socket.create_connection(("127.0.0.1", stub.port), timeout=DEADLINE) as connection:
        body = '{"redeem_request_id":"key"}'
        headers = "".join(f"{k}: {v}\r\n" for k, v in bearer_headers("acc1", SystemClock().now()).items())
        head = f"POST {CONSUME} HTTP/1.1\r\nHost: stub\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body.encode())
        while stub.spent() == 0:
            assert stub.process.poll() is None
        stub.stop()
        assert b'"code":"reset"' in connection.recv(65_536)


async def test_a_delay_has_its_effect_at_once(embedded: Start, clock: ManualClock) -> None:
    served = embedded("busy")
    await served.client.post("/stub/faults", json={"path": "/consume", "kind": "delay:2.5", "count": 1})
    request = asyncio.create_task(served.client.post(CONSUME, json={"redeem_request_id": "key"}))
    await clock.until_sleeping()
    assert clock.next_wake == 2.5
    assert served.stub.bank.read("acc1").spendable == 2
    clock.advance(2.4)
    assert not request.done()
    clock.advance(0.2)
    assert (await request).json()["code"] == "reset"


async def test_a_drop_in_process_is_an_exception(embedded: Start) -> None:
    served = embedded("busy")
    for kind, spendable in (("drop_before", 3), ("drop_after", 2)):
        await served.client.post("/stub/faults", json={"path": "/consume", "kind": kind})
        with pytest.raises(ConnectionDropped):
            await served.client.post(CONSUME, json={"redeem_request_id": "key"})
        assert served.stub.bank.read("acc1").spendable == spendable


async def test_faults_can_be_cleared(embedded: Start) -> None:
    served = embedded("busy")
    for path in ("/usage", "/consume"):
        await served.client.post("/stub/faults", json={"path": path, "kind": "status:500", "count": 9})
    await served.client.post("/stub/faults", json={"path": "/usage", "kind": "none"})
    assert (await served.client.get(USAGE)).status_code == 200
    assert (await served.client.post(CONSUME, json={})).status_code == 500
    await served.client.post("/stub/faults", json={"kind": "none"})
    assert (await served.client.post(CONSUME, json={})).status_code == 400


async def test_several_faults_are_worked_off_in_order(embedded: Start) -> None:
    served = embedded("busy")
    for kind in ("status:500", "status:503"):
        await served.client.post("/stub/faults", json={"path": "/usage", "kind": kind})
    assert [(await served.client.get(USAGE)).status_code for _ in range(3)] == [500, 503, 200]


async def test_a_flaky_service_recovers_by_itself(embedded: Start) -> None:
    served = embedded("flaky")
    statuses = []
    for _ in range(12):
        try:
            answer = await served.client.get(USAGE)
            statuses.append("garbage" if b"\x00" in answer.content else str(answer.status_code))
        except ConnectionDropped:
            statuses.append("drop")
    assert statuses == ["200", "200", "503", "200", "drop", "503", "garbage", "200", "503", "drop", "200", "503"]


def test_a_port_scan_does_not_fill_the_memory() -> None:
    faults = FaultState()
    for number in range(5_000):
        faults.arrive(f"/{number}")
    assert len(faults.served) <= 1_001
    assert faults.served["(other)"] == 4_000
