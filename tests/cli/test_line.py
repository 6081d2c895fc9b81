"""`resetbank line`: one line from the last reading; what is old is said, and the real places show it."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.worlds import credit, snapshot, window
from tests.support.clocks import START
from tests.support.commands import over_http, resetbank
from tests.support.pty import terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.cli import line
from tui.domain.summary import Summary, summary_of
from tui.domain.windows import WindowState

NOW = START.timestamp()
HEAVY = {"argparse", "asyncio", "httpx", "msgspec", "pathlib", "platformdirs", "textual", "typing"}


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def row(*used: float | None, resets: int = 3, fresh_for: timedelta = timedelta(seconds=90)) -> dict[str, Any]:
    lengths = (300, 10_080)
    windows = [window(length, percent) for length, percent in zip(lengths, used, strict=False)]
    taken = snapshot(*windows, rows=tuple(credit(f"c{number}") for number in range(resets)))
    return json.loads(_encoded(summary_of(taken, 90, fresh_for)))  # type: ignore[no-any-return]


def _encoded(summary: Summary) -> bytes:
    return msgspec.json.encode(summary)


def shown(kept: dict[str, Any] | None, form: str = "plain", now: float = NOW, leeway: float = 0) -> str:
    return line._render(line._judged(kept, now, leeway), form, now)


def test_states_are_glyphs_and_colours() -> None:
    assert shown(row(38.0, 41.0)) == "5h 38 % │ wk 41 % │ 3 resets"
    assert shown(row(93.4, 41.0)).startswith("5h 93 % ! ")
    assert shown(row(100.0, 41.0), "tmux").startswith("#[fg=red]5h 100 % ■ ")
    assert shown(row(93.0), "zsh").startswith("%F{yellow}5h 93 %% ! ")
    assert shown(row(93.0), "starship").startswith("\x1b[33m5h 93 % ! ")
    assert shown(row(None, 41.0)) == "5h ? ? │ wk 41 % │ 3 resets │ ? unknown"


def test_a_stop_that_stands_in_no_window_is_seen() -> None:
    refused = row(38.0, 41.0) | {"state": "reached"}
    assert shown(refused) == "5h 38 % │ wk 41 % │ ■ reached │ 3 resets"
    assert shown(row() | {"state": "near"}) == "! near │ 3 resets"
    assert shown(row() | {"state": "ok"}) == "✓ │ 3 resets"
    assert shown(row(100.0, 41.0) | {"state": "near"}).count("■") == 1


def test_what_is_old_or_over_is_said_and_judged_unknown() -> None:
    kept = row(38.0, 41.0)
    assert line._judged(kept, NOW + 89, 0)["state"] == "ok"
    assert line._judged(kept, NOW + 90, 0)["state"] == "unknown"
    assert shown(kept, now=NOW + 200).endswith("│ ? 3 min old")
    assert line._judged(kept, NOW + 179, 180)["state"] == "ok"
    over = row(38.0, fresh_for=timedelta(days=1))
    assert line._judged(over, over["over"] - 1, 0)["state"] == "ok"
    assert shown(over, now=over["over"]).endswith("│ ? window over")
    assert shown(None) == "? no reading yet"


def test_templates() -> None:
    assert shown(row(93.0, 41.0), "{state} {glyph} {five_hour}|{weekly}|{monthly} {resets} {source}") == (
        "near ! 93 %|41 %|- 3 http"
    )
    assert shown(None, "{five_hour} {resets} {age} {lapses}") == "- ? ? ?"


@given(
    st.lists(st.none() | st.floats(0, 150), max_size=2),
    st.sampled_from(["plain", "json", "tmux", "zsh", "fish", "starship", "waybar", "{line}", "{age} {lapses}"]),
    st.floats(-1e6, 1e9),
)
def test_any_reading_is_one_line_at_any_time(used: list[float | None], form: str, later: float) -> None:
    text = shown(row(*used), form, NOW + later)
    assert text
    assert "\n" not in text


def test_exit_codes_are_those_of_status(stub: StubProcess) -> None:
    assert (resetbank("line").code, resetbank("line").out) == (12, "? no reading yet\n")
    for scenario, code in (("busy", 10), ("at-limit", 11), ("calm", 0)):
        stub.set_scenario(scenario)
        assert resetbank("status", *over_http(stub)).code == code
        assert resetbank("line").code == code
        assert resetbank("line", "--exit-code", "--format", "tmux").code == code
        assert resetbank("line", "--format", "tmux").code == 0
    before = stub.requests("/usage")
    assert resetbank("line", "--format=json").json["state"] == WindowState.OK
    assert stub.requests("/usage") == before


@pytest.mark.parametrize("words", [("--format", "nope"), ("--format", "{nope}"), ("--formt", "tmux"), ("extra",)])
def test_mistakes_are_usage(words: tuple[str, ...]) -> None:
    done = resetbank("line", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_a_database_of_another_kind_is_no_reading(tmp_path: Path) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir()
    for content, why in (
        (b"", "no reading yet"),
        (b"SQLite format 3\x00", "database damaged: resetbank doctor"),
        (b"no database" * 99, "database damaged: resetbank doctor"),
    ):
        (home / "resetbank.db").write_bytes(content)
        assert resetbank("line", "--format", "plain", "--refresh", "60").out == f"? {why}\n"


def test_a_list_from_a_damaged_database_is_no_empty_one(stub: StubProcess) -> None:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir()
    (home / "resetbank.db").write_bytes(b"no database" * 99)
    for words in (("invites",), ("sessions",), ("status",), ("advice",)):
        told = resetbank(*words, *over_http(stub))
        assert told.err.count("is not a database, or a damaged one; move it away") == 1, words


def test_any_folder_will_do(stub: StubProcess, tmp_path: Path) -> None:
    home = str(tmp_path / "50%25 off? #1 ä")
    assert resetbank("status", *over_http(stub), RESETBANK_HOME=home).code == 10
    assert "5h 93 %" in resetbank("line", RESETBANK_HOME=home).out


def test_it_loads_next_to_nothing(stub: StubProcess) -> None:
    resetbank("status", *over_http(stub))
    code = (
        "import sys; from tui.cli import main; main(['line', '--format', 'tmux']); print(*sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=DEADLINE)
    assert "5h 93 %" in done.stdout
    assert HEAVY & set(done.stderr.split()) == set()


def test_one_reads_in_the_background(stub: StubProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_HOME", str(stub.codex_home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no codex: only http can be used
    assert resetbank("line", "--format", "plain", "--refresh", "3600").out == "? no reading yet\n"
    wait_until(lambda: "5h 93 %" in resetbank("line", "--format", "plain", "--refresh", "3600").out)
    assert stub.requests("/usage") == 1


@needs("tmux")
@pytest.mark.usefixtures("on_path")
def test_tmux_shows_it(stub: StubProcess, tmp_path: Path) -> None:
    resetbank("status", *over_http(stub))
    config = tmp_path / "tmux.conf"
    config.write_text(
        "set -g status-right '#(resetbank line --format tmux --refresh 120)'\n"
        "set -g status-right-length 80\nset -g status-interval 1\n"
    )
    words = ("tmux", "-S", str(tmp_path / "t"), "-f", str(config), "new-session", "cat")
    with terminal(*words, columns=120) as running:
        running.wait_for("5h 93 % !")
        text = running.text
        assert "wk 41 % │ 3 resets" in text
        assert "#[" not in text
        running.type("\x04")
        running.wait_for_end()


@needs("zsh")
@pytest.mark.usefixtures("on_path")
def test_zsh_shows_it(stub: StubProcess) -> None:
    resetbank("status", *over_http(stub))
    with terminal("zsh", "-f", "-i", columns=120) as running:
        running.type("setopt prompt_subst; RPROMPT='$(resetbank line --format zsh --refresh 120)'\n")
        running.wait_for(lambda text: "5h 93 % ! " in text and "41 % │ 3 resets" in text and "%F" not in text)
        running.type("exit\n")
        running.wait_for_end()


@needs("fish")
@pytest.mark.usefixtures("on_path")
def test_fish_shows_it(stub: StubProcess, tmp_path: Path) -> None:
    resetbank("status", *over_http(stub))
    (tmp_path / "home").mkdir(exist_ok=True)
    prompt = "function fish_right_prompt; resetbank line --format fish --refresh 120; end"
    # A shell wants the terminal to be its own.
    with terminal("setsid", "--ctty", "--wait", "fish", "--no-config", "-i", "-C", prompt, columns=120) as running:
        running.wait_for("wk 41 % │ 3 resets")
        running.type("exit\n")
        running.wait_for_end()
