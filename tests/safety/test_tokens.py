"""After a run with failures of every kind, no byte that the program wrote holds the token."""

import json
import os
from pathlib import Path

from tests.safety.headless import companion_over, spend_once
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess

REFRESH_TOKEN = "a-refresh-token-that-nobody-may-see"


def plant_refresh_token(stub: StubProcess) -> None:
    auth = json.loads((stub.codex_home / "auth.json").read_text())
    auth["tokens"]["refresh_token"] = REFRESH_TOKEN
    (stub.codex_home / "auth.json").write_text(json.dumps(auth))


def secrets_of(stub: StubProcess) -> list[bytes]:
    access = json.loads((stub.codex_home / "auth.json").read_text())["tokens"]["access_token"]
    return [access.encode(), access.split(".")[1].encode(), REFRESH_TOKEN.encode()]


def every_file_written() -> list[bytes]:
    return [file.read_bytes() for file in Path(os.environ["RESETBANK_HOME"]).rglob("*") if file.is_file()]


async def test_no_token_is_ever_written(stub: StubProcess) -> None:
    plant_refresh_token(stub)
    written: list[bytes] = []
    async with companion_over(stub) as companion:
        companion.listen(lambda state: written.append(repr(state).encode()))
        for fault in ("status:401", "status:503", "garbage", "drop_after", "status:429", "html"):
            stub.fault("", fault, 2)
            await companion.poller.poll()
        stub.fault("", "none")
        stub.fault("/consume", "drop_after", 1)
        await spend_once(companion)
        written.append(repr(companion).encode())
    stub.fault("/usage", "status:401", 9)
    for words in (("status",), ("status", "--json"), ("doctor", "--json"), ("ledger", "--json"), ("spend", "--json")):
        result = resetbank(*words, *over_http(stub))
        written += [result.out.encode(), result.err.encode()]
    written += every_file_written()
    assert sum(map(len, written)) > 10_000
    for secret in secrets_of(stub):
        for number, data in enumerate(written):
            assert secret not in data, f"piece {number}"
