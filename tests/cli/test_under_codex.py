"""An agent of Codex with a shell gets no consent, however it asks: it would read the code off its own terminal."""

import pytest

from tests.support.commands import allow_unattended, over_http, resetbank
from tests.support.pty import resetbank_terminal
from tests.support.stub_process import StubProcess
from tui.agent import MARKS

REFUSED = [
    ("spend",),
    ("spend", "--json"),
    ("spend", "--unattended"),
    ("continue",),
    ("continue", "11111111-1111-4111-8111-111111111111"),
    ("invite", "ada@example.com"),
    ("invite", "ada@example.com", "--note"),
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_takes_a_person_refuses(stub: StubProcess, words: tuple[str, ...]) -> None:
    allow_unattended()
    stub.set_scenario("at-limit")
    done = resetbank(*words, *over_http(stub), CODEX_THREAD_ID="t")
    assert done.code == 23
    assert done.err.count("\n") == 1
    assert f"'resetbank {words[0]}' is refused under Codex (CODEX_THREAD_ID is set)" in done.err
    assert stub.spent() == 0
    assert stub.requests("/consume") == 0
    if "--json" in words:
        assert done.json["outcome"] == "refused"


@pytest.mark.parametrize("mark", [*MARKS, "CODEX_SANDBOX_NETWORK_DISABLED"])
def test_every_mark_counts_on_a_terminal_too(stub: StubProcess, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mark, "1")
    with resetbank_terminal("spend", *over_http(stub)) as running:
        assert running.wait_for_end() == 23
        assert "is refused under Codex" in running.text
        assert "Type" not in running.text
    assert stub.spent() == 0


def test_login_refuses() -> None:
    done = resetbank("login", "--base-url", "https://quota.example.com", stdin="t0ken\n", CODEX_CI="1")
    assert (done.code, done.out) == (23, "")


@pytest.mark.parametrize(
    "words", [("status",), ("sessions",), ("ledger",), ("invites",), ("doctor",), ("config", "get")], ids=" ".join
)
def test_reading_is_free(stub: StubProcess, words: tuple[str, ...]) -> None:
    assert resetbank(*words, *over_http(stub), CODEX_THREAD_ID="t").code in (0, 10)
