"""The settings, read and changed on the command line; what could spend or run something takes a typed code."""

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.pty import Terminal, resetbank_terminal, terminal
from tests.support.stub_process import StubProcess
from tui.errors import SettingsError
from tui.settings import Settings, every_setting, find_setting, is_guarded, load_settings
from tui.settings_file import shown, value_of

QUESTION = re.compile(r"Type ([A-Z]{3}) to change ")
MINE = """# my own settings

theme = "ansi-dark"   # for the projector

[limits]  # strict
near_percent = 80   # eighty is enough
"""


@pytest.fixture
def settings() -> Path:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    return home / "settings.toml"


def code_of(running: Terminal) -> str:
    match = QUESTION.search(running.wait_for(lambda text: QUESTION.search(text) is not None))
    assert match
    return match[1]


def rows(*words: str, **environment: str) -> dict[str, tuple[str, str]]:
    report = resetbank("config", "get", "--json", *words, **environment).json
    return {row["key"]: (row["value"], row["source"]) for row in (*report["settings"], *report["around"])}


def test_path_says_where_the_file_is(settings: Path) -> None:
    assert resetbank("config", "path").out == f"{settings}\n"
    assert not settings.exists()


def test_get_says_each_value_and_where_it_comes_from(settings: Path, stub: StubProcess) -> None:
    settings.write_text(MINE)
    found = rows("--base-url", stub.url, CODEX_HOME=str(stub.codex_home))
    assert {setting.key for setting in every_setting()} <= set(found)
    assert found["theme"] == ('"ansi-dark"', "file")
    assert found["limits.near_percent"] == ("80", "file")
    assert found["ask.bell"] == ("true", "default")
    assert found["--source"] == ("auto", "default")
    assert found["--base-url"] == (stub.url, "command line")
    assert found["--codex-home"] == (str(stub.codex_home), "environment: CODEX_HOME")
    assert found["settings file"] == (str(settings), "environment: RESETBANK_HOME")
    configured = rows("--codex-home", str(stub.codex_home))
    assert configured["--codex-home"] == (str(stub.codex_home), "command line")
    assert configured["--base-url"] == (stub.url, f"file: {stub.codex_home / 'config.toml'}")
    assert resetbank("config", "get", "limits.near_percent").out == "limits.near_percent  80  file\n"
    text = resetbank("config", "get").out
    assert all(f"{key} " in text for key in found)


def test_what_may_hold_a_secret_is_shown_in_part(settings: Path) -> None:
    settings.write_text(
        '[notify]\nwebhook = "https://hooks.example.com/s3cret"\ncommand = ["/bin/tell", "--token", "s3cret"]\n'
        """template = '{"token": "s3cret"}'\n"""
    )
    for words in (("config", "get"), ("config", "get", "--json"), ("doctor",), ("doctor", "--json")):
        done = resetbank(*words)
        assert "hooks.example.com" in done.out
        assert "/bin/tell" in done.out
        assert "s3cret" not in done.out + done.err
    assert shown("notify.command", ("a",)) == '["a"]'


def test_set_keeps_comments_mode_link_and_everything_else(settings: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_bytes(b"\xef\xbb\xbf" + MINE.encode())
    real.chmod(0o640)
    settings.symlink_to(real)
    done = resetbank("config", "set", "limits.near_percent", "85.5")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"limits.near_percent = 85.5   in {settings}\n")
    assert real.read_bytes() == b"\xef\xbb\xbf" + MINE.replace("80 ", "85.5 ").encode()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert settings.is_symlink()
    assert [path.name for path in tmp_path.iterdir() if ".toml." in path.name] == []


def test_a_missing_file_and_folder_are_made(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    assert resetbank("config", "set", "ask.bell", "off", RESETBANK_HOME=str(home)).code == 0
    assert (home / "settings.toml").read_text() == "[ask]\nbell = false\n"
    assert stat.S_IMODE((home / "settings.toml").stat().st_mode) == 0o600


def test_the_default_takes_the_line_out(settings: Path) -> None:
    settings.write_text(MINE)
    done = resetbank("config", "set", "theme", "--default")
    assert (done.code, done.out.splitlines()[0]) == (0, 'theme = "auto"   the default')
    assert settings.read_text() == MINE.replace('theme = "ansi-dark"   # for the projector\n', "")
    assert resetbank("config", "set", "theme", "--default").code == 0


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("notify.events", "near", "spent"), ("near", "spent")),
        (("notify.events", '["near"]'), ("near",)),
        (("notify.events", "[]"), ()),
        (("notify.quiet", "22:00-07:00"), "22:00-07:00"),
        (("ask.daily_cap", "3"), 3),
        (("ask.lead_minutes", "2.5"), 2.5),
        (("invite.ask_official", "on"), True),
        (("theme", "nord"), "nord"),
        (("keys.refresh", "f9"), "f9"),
    ],
)
def test_what_each_kind_takes(settings: Path, words: tuple[str, ...], value: object) -> None:
    assert resetbank("config", "set", *words).code == 0
    assert value_of(load_settings(settings), words[0]) == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("set", "limits.near_percnt", "80"),
            "limits.near_percnt; did you mean 'limits.near_percent'?",
        ),
        (("set", "near_percent", "80"), "did you mean 'limits.near_percent'?"),
        (("set", "limits", "80"), "limits is a section; one of limits.near_percent"),
        (("set", "limits.near_percent", "101"), "takes a number above 0 and up to 100, not 101"),
        (("set", "limits.near_percent", "many"), 'takes a number above 0 and up to 100, not "many"'),
        (("set", "ask.daily_cap", "2.5"), "takes a whole number from 1 to 50, not 2.5"),
        (("set", "ask.bell", "perhaps"), 'takes true or false, not "perhaps"'),
        (("set", "ask.bell"), "ask.bell takes true or false; or --default"),
        (("set", "ask.bell", "true", "--default"), "--default takes no value"),
        (("set", "ask.message", "Go", "on."), "put a text of several words in quotes"),
        (("set", "ask.message", "x" * 2001), "takes a text of up to 2000 characters"),
        (("set", "notify.events", "nearr"), "takes any of credit_changed"),
        (("set", "notify.events", "[1]"), "or a list such as"),
        (("set", "notify.quiet", "evening"), 'hours without notices, such as "22:00-07:00"'),
        (("set", "notify.webhook", "http://example.com"), "neither https nor on this machine"),
        (("set", "theme", "resetbank-drak"), "did you mean 'resetbank-dark'?"),
        (("set", "keys.ledger", "r"), "is given to both"),
        (("set", "keys.legder", "r"), "did you mean 'ledger'?"),
        (("set", "accounts", "~/x"), "accounts is no setting; write accounts.NAME"),
        (("set", "accounts.1st", "~/x"), "accounts.1st takes a text"),
        (("set",), "needs a setting and its value"),
        (("get", "bel"), "unknown setting bel"),
        (("get", "ask.bell", "true"), "changes nothing"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(settings: Path, words: tuple[str, ...], message: str) -> None:
    settings.write_text(MINE)
    done = resetbank("config", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert settings.read_text() == MINE


@pytest.mark.parametrize("content", [b"theme = \n", b"[limits\n", b"\xff\xfe", b"a = " + b"[" * 9000])
def test_a_file_that_cannot_be_read_is_left_alone(settings: Path, content: bytes) -> None:
    settings.write_bytes(content)
    for words in (("set", "ask.bell", "true"), ("set", "theme", "--default"), ("get",)):
        done = resetbank("config", *words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "mend or remove the file" in done.err
    assert settings.read_bytes() == content


def test_a_wrong_value_can_be_mended_and_another_wrong_one_is_named(settings: Path) -> None:
    settings.write_text("[limits]\nnear_percent = 900\n")
    refused = resetbank("config", "set", "ask.bell", "false")
    assert (refused.code, "limits.near_percent" in refused.err) == (2, True)
    assert resetbank("config", "set", "limits.near_percent", "90").code == 0
    assert load_settings(settings).limits.near_percent == 90


def test_what_cannot_be_written_is_one_line(settings: Path) -> None:
    settings.mkdir()
    done = resetbank("config", "set", "ask.bell", "false")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "it is not a file" in done.err


GUARDED = [
    ("spend.unattended", ("true",)),
    ("notify.command", ("--", "/bin/tell", "--loud")),
    ("notify.webhook", ("https://ntfy.sh/topic",)),
    ("codex.command", ("/tmp/codex",)),
    ("ask.message", ("Do as I say.",)),
    ("guard.tools", ("[]",)),
    ("accounts.work", ("~/.codex-work",)),
]


@pytest.mark.parametrize(("key", "words"), GUARDED, ids=[key for key, _ in GUARDED])
def test_what_could_spend_or_run_something_takes_the_typed_code(
    settings: Path, key: str, words: tuple[str, ...]
) -> None:
    settings.write_text(MINE)
    alone = resetbank("config", "set", key, *words, stdin="ABC\n")
    assert (alone.code, alone.err.count("\n")) == (23, 1)
    assert "no terminal to ask on; nothing was changed" in alone.err
    assert settings.read_text() == MINE
    with resetbank_terminal("config", "set", key, *words, columns=120) as running:
        code = code_of(running)
        assert settings.read_text() == MINE
        running.type(f"{code}\n")
        assert running.wait_for_end() == 0
    assert load_settings(settings) != Settings()
    (event,) = resetbank("ledger", "--json").json["events"]
    assert (event["event"], event["text"]) == ("setting_changed", f"setting {key} was changed")
    assert event["after"] == shown(key, find_value(settings, key))
    (row,) = resetbank("doctor", "--json").json["guarded_settings"]
    assert (row["key"], row["by"], row["file_changed_since"]) == (key, "resetbank config", False)
    assert row["changed_at"][:19] == event["at"][:19]


def find_value(path: Path, key: str) -> object:
    return value_of(load_settings(path), key)


def test_every_word_that_is_not_the_code_changes_nothing(settings: Path) -> None:
    settings.write_text(MINE)
    for typed in ("\n", "yes\n", "\x04"):
        with resetbank_terminal("config", "set", "spend.unattended", "true", columns=120) as running:
            code_of(running)
            running.type(typed)
            assert running.wait_for_end() == 23
            assert "nothing was changed" in running.text
    assert settings.read_text() == MINE
    assert resetbank("ledger", "--json").json["events"] == []


def test_back_to_the_default_takes_no_code_and_is_in_the_ledger(settings: Path) -> None:
    settings.write_text("[spend]\nunattended = true\n")
    assert resetbank("config", "set", "spend.unattended", "--default").code == 0
    assert not load_settings(settings).spend.unattended
    (event,) = resetbank("ledger", "--json").json["events"]
    assert (event["before"], event["after"]) == ("true", "false")


def test_doctor_says_what_was_changed_by_hand_and_when(settings: Path) -> None:
    settings.write_text("[spend]\nunattended = true\n")
    os.utime(settings, (1_790_000_000, 1_790_000_000))
    (row,) = resetbank("doctor", "--json").json["guarded_settings"]
    assert (row["key"], row["value"], row["by"]) == ("spend.unattended", "true", "file")
    assert row["changed_at"] == row["file_changed_at"] == "2026-09-21T14:13:20Z"
    text = resetbank("doctor", TZ="UTC").out
    assert "Guarded    spend.unattended = true\n" in text
    assert "not changed by 'resetbank config'; its file was changed last on 21 Sep 2026 14:13" in text


def test_doctor_says_that_the_file_was_changed_since(settings: Path) -> None:
    with resetbank_terminal("config", "set", "spend.unattended", "true", columns=120) as running:
        running.type(f"{code_of(running)}\n")
        assert running.wait_for_end() == 0
    later = settings.stat().st_mtime + 3600
    os.utime(settings, (later, later))
    (row,) = resetbank("doctor", "--json").json["guarded_settings"]
    assert (row["by"], row["file_changed_since"]) == ("resetbank config", True)
    assert "; its file was changed again on " in resetbank("doctor").out


def test_where_the_ledger_cannot_be_written_nothing_is_changed(settings: Path) -> None:
    import sqlite3

    settings.write_text("[spend]\nunattended = true\n")
    resetbank("config", "set", "spend.unattended", "--default")
    settings.write_text("[spend]\nunattended = true\n")
    other = sqlite3.connect(settings.with_name("resetbank.db"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    refused = resetbank("config", "set", "spend.unattended", "--default")
    other.close()
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert load_settings(settings).spend.unattended


def test_silence_changes_nothing(settings: Path) -> None:
    script = (
        "import sys; import tui.cli.terminal as terminal; terminal.CONSENT_SECONDS = 0.05;"
        "from tui.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ("config", "set", "spend.unattended", "true")
    with terminal(sys.executable, "-c", script, *words, columns=120) as running:
        assert running.wait_for_end() == 23
    assert not settings.exists()


def test_under_codex_only_reading_is_free(settings: Path) -> None:
    settings.write_text(MINE)
    for words in (("set", "ask.bell", "false"), ("set", "theme", "--default")):
        done = resetbank("config", *words, CODEX_THREAD_ID="t")
        assert (done.code, done.out) == (23, "")
        assert "is refused under Codex" in done.err
    assert settings.read_text() == MINE
    assert resetbank("config", "get", CODEX_THREAD_ID="t").code == 0


def test_what_is_guarded() -> None:
    guarded = {setting.key for setting in every_setting() if setting.is_guarded}
    assert {"spend.unattended", "notify.command", "notify.webhook", "codex.command", "guard.tools"} <= guarded
    assert is_guarded("accounts.work.codex_home")
    assert is_guarded("spend.before_lapse")
    assert not any(find_setting(key).is_guarded for key in ("theme", "ask.bell", "notify.quiet", "keys.spend"))


def test_get_needs_no_login_and_completes_names(stub: StubProcess) -> None:
    assert resetbank("config", "get", *over_http(stub)).code == 0
    names = resetbank("completion", "--names", "settings").out.split()
    assert names == [setting.key for setting in every_setting()]


def test_an_invalid_file_is_an_error_of_the_settings(settings: Path) -> None:
    settings.write_text("[spend]\nunattended = 3\n")
    with pytest.raises(SettingsError):
        load_settings(settings)
    assert resetbank("doctor", "--json").json["guarded_settings"] == []
