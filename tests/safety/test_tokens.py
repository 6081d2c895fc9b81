"""After a run with failures of every kind, no byte that the program wrote holds the token."""

import json
import os
from pathlib import Path

from tests.safety.headless import companion_over, spend_once
from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess


def secrets_of(stub: StubProcess) -> list[bytes]:
    tokens = json.loads((stub.codex_home / "auth.json").read_text())["tokens"]
    access = tokens["access_token"]
    return [access.encode(), access.split(".")[1].encode(), tokens["refresh_token"].encode() + b'"']


async def test_no_token_is_ever_written(stub: StubProcess, tmp_path: Path) -> None:
    written: list[bytes] = []
    async with companion_over(stub) as companion:
        companion.listen(lambda state: written.append(repr(state).encode()))
        for fault in ("status:401", "status:503", "garbage", "drop_after", "status:429", "html"):
            stub.fault("", fault, 2)
            await companion.poll()
        stub.fault("", "none")
        stub.fault("/consume", "drop_after", 1)
        await spend_once(companion)
        written.append(repr(companion).encode())
    stub.fault("/usage", "status:401", 9)
    for words in (("status",), ("status", "--json"), ("doctor", "--json"), ("ledger", "--json"), ("spend", "--json")):
        result = resetbank(*words, *over_http(stub))
        written += [result.out.encode(), result.err.encode()]
    home = Path(os.environ["RESETBANK_HOME"])
    written += [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    assert sum(map(len, written)) > 10_000
    for secret in secrets_of(stub):
        assert len(secret) > 1
        for number, data in enumerate(written):
            assert secret not in data, f"piece {number}"
