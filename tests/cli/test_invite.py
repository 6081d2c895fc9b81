import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.pty import Terminal, resetbank_terminal, terminal
from tests.support.stub_process import StubProcess, start_stub

QUESTION = re.compile(r"Type ([A-Z]{3}) to send this invite:")
INVITES = "/referrals/invite"


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[StubProcess]:
    with start_stub(scenario="pilot-start", sandbox=tmp_path / "sandbox") as process:
        yield process


def code_of(running: Terminal) -> str:
    match = QUESTION.search(running.wait_for(lambda text: QUESTION.search(text) is not None))
    assert match
    return match[1]


def test_the_offer_is_told_in_the_services_words(pilot: StubProcess) -> None:
    told = resetbank("invite", *over_http(pilot))
    assert told.code == 0
    assert "Both of you get one banked reset when your friend's first Codex message" in told.out
    assert "3 invites left" in told.out
    report = resetbank("invite", "--json", *over_http(pilot)).json
    assert list(report) == ["schema", "outcome", "offer", "invite", "note"]
    assert (report["outcome"], report["offer"]["plans"], report["offer"]["rewards_left"]) == (None, ["plus", "pro"], 3)


def test_a_member_of_a_workspace_is_offered_the_programme_of_the_workspace(tmp_path: Path) -> None:
    with start_stub(scenario="workspace", sandbox=tmp_path / "sandbox") as stub:
        offer = resetbank("invite", *over_http(stub))
        assert (offer.code, "Your workspace gets 500 credits" in offer.out) == (0, True)
        with resetbank_terminal("invite", "pal@example.com", *over_http(stub), rows=40) as running:
            running.type(f"{code_of(running)}\n")
            assert running.wait_for_end() == 0
        assert [entry["email"] for entry in stub.invites()] == ["pal@example.com"]
        assert resetbank("invites", "--json", *over_http(stub)).json["invites"][0]["state"] == "sent"


def test_the_typed_code_sends_one(pilot: StubProcess) -> None:
    with resetbank_terminal("invite", "pal@example.com", *over_http(pilot), rows=40) as running:
        code = code_of(running)
        assert "An e-mail goes to pal@example.com" in running.text
        assert pilot.invites() == []
        running.type(f"{code}\n")
        running.wait_for("The service took the invite to pal@example.com")
        assert running.wait_for_end() == 0
    assert [(entry["email"], entry["emails_sent"]) for entry in pilot.invites()] == [("pal@example.com", 1)]
    report = resetbank("invites", "--json", *over_http(pilot)).json
    assert list(report) == ["schema", "offer", "invites"]
    (entry,) = report["invites"]
    assert {"id", "address", "state", "sent_at", "expires_at", "reward_credit_id"} <= set(entry)
    assert (entry["address"], entry["state"], entry["reward_credit_id"]) == ("pal@example.com", "sent", None)


@pytest.mark.parametrize("typed", ["\n", "yes\n", "ABC ABC\n", "\x1b[A\n", "\x04"])
def test_anything_else_refuses(pilot: StubProcess, typed: str) -> None:
    with resetbank_terminal("invite", "pal@example.com", *over_http(pilot), rows=40) as running:
        code_of(running)
        running.type(typed)
        assert running.wait_for_end() == 23
        assert "nothing was sent" in running.text
    assert (pilot.invites(), pilot.requests(INVITES)) == ([], 0)


def test_silence_refuses(pilot: StubProcess) -> None:
    script = (
        "import sys; import tui.cli.terminal as terminal; terminal.CONSENT_SECONDS = 0.05;"
        "from tui.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with terminal(sys.executable, "-c", script, "invite", "pal@example.com", *over_http(pilot), rows=40) as running:
        assert running.wait_for_end() == 23
        assert "no answer came; nothing was sent" in running.text
    assert pilot.invites() == []


def test_without_a_terminal_nothing_is_sent(pilot: StubProcess) -> None:
    result = resetbank("invite", "pal@example.com", "--json", *over_http(pilot), stdin="ABC\n")
    assert (result.code, result.json["outcome"]) == (23, "refused")
    assert result.err.count("\n") == 1
    assert "no terminal" in result.err
    assert pilot.requests(INVITES) == 0


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("me@example.com", "that is your own address"),
        ("pal", "that is no address"),
        ("pal@example.com,eve@example.com", "one address at a time"),
        ("pal@exa\x1b[31mmple.com", "that is no address"),
        ("", "no address was given"),
    ],
)
def test_an_address_that_mail_cannot_go_to(pilot: StubProcess, address: str, told: str) -> None:
    result = resetbank("invite", address, *over_http(pilot))
    assert (result.code, result.out) == (2, "")
    assert told in result.err
    assert result.err.count("\n") == 1
    assert "\x1b" not in result.err


def test_an_invite_made_elsewhere_is_written_down(pilot: StubProcess) -> None:
    noted = resetbank("invite", "pal@example.com", "--note", "--link", "https://example.com/i/1", *over_http(pilot))
    assert (noted.code, "nothing was sent" in noted.out) == (0, True)
    again = resetbank("invite", "pal@example.com", "--note", *over_http(pilot))
    assert (again.code, "noted already" in again.err) == (2, True)
    bad = resetbank("invite", "eve@example.com", "--note", "--link", "javascript:alert(1)", *over_http(pilot))
    assert (bad.code, "no link to hand on" in bad.err) == (2, True)
    alone = resetbank("invite", "--link", "https://example.com/i/1", *over_http(pilot))
    assert alone.code == 2
    (entry,) = resetbank("invites", "--json", *over_http(pilot)).json["invites"]
    assert (entry["state"], entry["id"]) == ("noted", None)
    assert pilot.requests(INVITES) == 0


def test_addresses_stay_in_the_database(pilot: StubProcess) -> None:
    resetbank("invite", "mallory@example.org", "--note", *over_http(pilot))
    shown = [resetbank(*words).out for words in (("ledger",), ("ledger", "--json"), ("ledger", "--csv"))]
    shown += [resetbank(*words, *over_http(pilot)).out for words in (("doctor",), ("doctor", "--json"), ("status",))]
    assert "m…@example.org" in shown[0]
    assert not any("mallory" in text for text in shown)
    home = Path(os.environ["RESETBANK_HOME"])
    holding = {file.name for file in home.rglob("*") if file.is_file() and b"mallory" in file.read_bytes()}
    assert holding <= {"resetbank.db", "resetbank.db-wal"}
    assert {oct(file.stat().st_mode & 0o777) for file in home.glob("resetbank.db*")} == {"0o600"}


def test_a_dead_service_leaves_what_is_kept_here(pilot: StubProcess) -> None:
    resetbank("invite", "pal@example.com", "--note", *over_http(pilot))
    pilot.fault("/eligibility", "status:503", 5)
    result = resetbank("invites", "--json", *over_http(pilot))
    assert (result.code, [entry["address"] for entry in result.json["invites"]]) == (1, ["pal@example.com"])
    assert (
        result.err
        == f"resetbank: The offer could not be read: 127.0.0.1:{pilot.port} answers 503; run it again later\n"
    )


def test_where_the_limits_cannot_be_read_one_line_says_so(pilot: StubProcess) -> None:
    resetbank("invite", "pal@example.com", "--note", *over_http(pilot))
    pilot.stop()
    result = resetbank("invites", *over_http(pilot))
    (said,) = result.err.splitlines()
    assert said.startswith(f"resetbank: no connection to 127.0.0.1:{pilot.port}; ")
    assert said.endswith("; what is listed is as last known")
    assert "pal@example.com" in result.out
    assert result.code == 1


def test_invites_that_cannot_be_looked_up_are_not_said_to_be_none(pilot: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(exist_ok=True)
    (home / "resetbank.db").write_bytes(os.urandom(5000))
    pilot.fault("/tracking", "status:503", 5)
    result = resetbank("invites", *over_http(pilot))
    assert "is not a database" in result.err
    assert "No invite is known" not in result.out


def test_a_refusal_of_this_client_is_told_with_the_way_out(pilot: StubProcess) -> None:
    pilot.fault("/eligibility", "status:403", 2)
    told = "Not offered to this client; open the Codex app: fault: status 403"
    listed = resetbank("invites", *over_http(pilot))
    assert (listed.code, listed.err) == (0, f"resetbank: {told}\n")
    refused = resetbank("invite", "pal@example.com", *over_http(pilot))
    assert (refused.code, refused.err) == (23, f"resetbank: nothing was sent: {told}\n")
    assert pilot.requests(INVITES) == 0


def test_the_official_service_is_not_asked(pilot: StubProcess) -> None:
    words = ("--codex-home", str(pilot.codex_home))
    config = pilot.codex_home / "config.toml"
    config.write_text(config.read_text().replace(f'chatgpt_base_url = "{pilot.url}"', ""))
    doctor = resetbank("doctor", "--json", "--source", "stub", *words).json
    assert doctor["invites"].startswith("the official service offers invites in Codex's own app alone")
