"""How many usage readings a second the stub serves on one core, and how long a consume takes.

`python -m tests.bench.bench_stub` prints the figures.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from tests.support.logins import bearer_headers
from tests.support.stub_process import StubProcess, start_stub
from tui.clock import SystemClock

CONNECTIONS = 4
SECONDS = 3.0
CONSUMES = 400


def measure() -> list[str]:
    """The figures, one a line."""
    with TemporaryDirectory() as folder, start_stub(db=Path(folder) / "stub.db") as stub, _own_cores(stub):
        reads = reads_per_second(stub)
        latencies = consume_latencies(stub)
    percentiles = quantiles(latencies, n=100)
    return [
        f"usage reads on one core: {reads:,.0f}/s over {CONNECTIONS} connections",
        f"consume: median {percentiles[49] * 1000:.1f} ms, p99 {percentiles[98] * 1000:.1f} ms of {CONSUMES},"
        " each on the disk when answered",
    ]


@contextmanager
def _own_cores(stub: StubProcess) -> Iterator[None]:
    """The server alone on one core, this process on the others."""
    mine = os.sched_getaffinity(0)
    server = max(mine)
    os.sched_setaffinity(stub.process.pid, {server})
    os.sched_setaffinity(0, mine - {server} or mine)
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def reads_per_second(stub: StubProcess) -> float:
    headers = "".join(f"{name}: {value}\r\n" for name, value in _headers().items())
    request = f"GET /backend-api/wham/usage HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", stub.port)) for _ in range(CONNECTIONS)]
    served, began = 0, perf_counter()
    try:
        while perf_counter() - began < SECONDS:
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                _read_answer(connection)
            served += CONNECTIONS
        return served / (perf_counter() - began)
    finally:
        for connection in connections:
            connection.close()


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(65_536)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head[:80]
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65_536)


def consume_latencies(stub: StubProcess) -> list[float]:
    """Seconds from the request to the answer, each with a credit just granted and windows in use."""
    connection = HTTPConnection("127.0.0.1", stub.port)
    headers = _headers() | {"Content-Type": "application/json"}
    latencies = []
    for _ in range(CONSUMES):
        credit_id = stub.grant()[0]
        stub.set_usage("five_hour", 97)
        body = f'{{"redeem_request_id":"{uuid4()}","credit_id":"{credit_id}"}}'
        began = perf_counter()
        connection.request("POST", "/backend-api/wham/rate-limit-reset-credits/consume", body, headers)
        answer = connection.getresponse().read()
        latencies.append(perf_counter() - began)
        assert b'"code":"reset"' in answer, answer
    connection.close()
    return latencies


def _headers() -> dict[str, str]:
    return bearer_headers("acc1", SystemClock().now())


if __name__ == "__main__":
    print("\n".join(measure()))
