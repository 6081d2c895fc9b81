"""Each channel, received by a real receiver."""

import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.forked import Forked
from tests.support.pty import raw_terminal, resetbank_terminal
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE, wait_until
from tui.channels import desktop
from tui.channels.base import Notice
from tui.channels.terminal import sequence
from tui.channels.webhook import fill

EVIL = Notice("near", "a;b\x1b]0;x\x07", 'c"d\\\x9b</b>&\n{event}', "w", "2026-11-23T14:07:31Z")


def settings(text: str) -> Path:
    home = Path(os.environ["RESETBANK_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(f"[notify]\n{text}\n")
    return home


class Receiver(http.server.ThreadingHTTPServer):
    def __init__(self, status: int = 200, location: str = "") -> None:
        self.received: list[Any] = []
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/topic-that-is-secret"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


def test_a_webhook_is_posted_to(receiver: Receiver) -> None:
    settings(f'channels = ["webhook"]\nwebhook = "{receiver.url}"')
    done = resetbank("notify", "--test")
    assert (done.code, done.out) == (0, "webhook   sent\n")
    assert receiver.received == [{"text": "resetbank: This is a test; nothing has happened."}]
    shown = resetbank("notify").out + resetbank("doctor", "--json").out
    assert "127.0.0.1" in shown
    assert "secret" not in shown


def test_a_webhook_follows_no_redirect_and_shows_its_host_alone(receiver: Receiver) -> None:
    away = Receiver(307, receiver.url)
    settings(f'channels = ["webhook"]\nwebhook = "{away.url}"')
    done = resetbank("notify", "--test")
    assert (done.code, done.out) == (1, "webhook   failed: 127.0.0.1 answered 307\n")
    assert receiver.received == []
    away.shutdown()
    away.server_close()


@pytest.mark.parametrize("url", ["http://example.com/secret", "ftp://127.0.0.1/secret", "file:///etc/secret", "secret"])
def test_a_webhook_is_https_or_on_this_machine(url: str) -> None:
    settings(f'channels = ["webhook"]\nwebhook = "{url}"')
    done = resetbank("notify", "--test")
    assert (done.code, done.out) == (1, "webhook   failed: the webhook is neither https nor on this machine\n")


def test_what_is_told_is_escaped_in_a_template() -> None:
    body = json.loads(fill('{"t": "{title}", "x": "{text}", "o": "{other}"}', EVIL))
    assert body["x"].startswith('c"d\\')
    assert body["x"].endswith("{event}")
    assert body["o"] == "{other}"
    assert all(c.isprintable() for c in body["t"] + body["x"])


def test_a_program_gets_json(tmp_path: Path) -> None:
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/told\n")
    script.chmod(0o700)
    settings(f'channels = ["command"]\ncommand = ["{script}"]')
    assert resetbank("notify", "--test").code == 0
    assert json.loads((tmp_path / "told").read_text())["event"] == "test"


@pytest.mark.parametrize(
    ("command", "why"), [('["false"]', "exit code 1"), ('["/nowhere"]', "cannot be started"), ("[]", "no")]
)
def test_a_program_that_fails_is_one_line(command: str, why: str) -> None:
    settings(f'channels = ["command"]\ncommand = {command}')
    done = resetbank("notify", "--test")
    assert done.code == 1
    assert why in done.out
    assert done.err == ""


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b]99;"),
        ({"TERM_PROGRAM": "WezTerm"}, "\x1b]9;"),
        ({"TERM": "xterm-256color"}, "\x1b]777;notify;"),
        ({"TMUX": "x", "TERM_PROGRAM": "iTerm.app"}, "\x1bPtmux;\x1b\x1b]9;"),
    ],
)
def test_a_terminal_gets_what_it_knows(environment: dict[str, str], begins: str) -> None:
    code = sequence(EVIL, environment)
    assert code.startswith(begins)
    inside = code.removeprefix(begins).replace("\x1b\\", "").replace("\x1b\x1b\\", "").removesuffix("\x07")
    assert "\x9b" not in code
    assert "]0;" not in code
    assert "\x07" not in inside.replace("\x07", "", 1)


def test_a_real_terminal_receives_it_once_from_watch(stub: StubProcess) -> None:
    settings('channels = ["terminal", "bell"]\nevents = ["near"]')
    words = ("setsid", "--ctty", "--wait", sys.executable, "-m", "tui", "watch", *over_http(stub))
    with raw_terminal(*words, environment=os.environ | {"TERM": "xterm"}) as running:
        running.time_of(b"\x1b]777;notify;resetbank;The 5-hour limit is near, 3 resets banked\x07")
        running.type("\x03")
        running.wait_for_end()


def test_screen_watch_and_command_tell_once(stub: StubProcess, receiver: Receiver) -> None:
    settings(f'channels = ["webhook"]\nevents = ["near", "spent"]\nwebhook = "{receiver.url}"')
    watching = [sys.executable, "-m", "tui", "watch", "--json", *over_http(stub)]
    with (
        resetbank_terminal(*over_http(stub)) as screen,
        Forked(watching, stdout=subprocess.PIPE, text=True) as watch,
    ):
        screen.wait_for("Limits")
        assert watch.stdout is not None
        assert json.loads(watch.stdout.readline())["event"] == "near"
        assert resetbank("status", *over_http(stub)).code == 10
        wait_until(lambda: bool(receiver.received))
        screen.wait_for("93 %")
        screen.type("q")
        screen.wait_for_end()
        watch.terminate()
    assert [notice["text"].partition(":")[2] for notice in receiver.received] == [
        " The 5-hour limit is near; 3 resets banked"
    ]


_WATCH = """
import sys
import tui.store.deliveries
tui.store.deliveries.LEASE = 2.0
from tui.cli import main
sys.exit(main(["watch", *sys.argv[1:]]))
"""

_HANGS_ONCE = """#!/bin/sh
notice=$(cat)
cd "${0%/*}"
if mkdir first 2>/dev/null; then
    echo "$PPID $$" > pids.new
    mv pids.new pids
    exec sleep 1000
fi
echo "$notice" >> told
"""


def end_or_stop(process: int, fate: signal.Signals, database: Path) -> None:
    """Kill a child, or stop it, though not while it writes to the database: nobody else could for as long."""
    is_locked = True
    while is_locked:
        os.kill(process, fate)
        if fate is signal.SIGKILL:
            return
        os.waitid(os.P_PID, process, os.WSTOPPED)
        with closing(sqlite3.connect(database, timeout=1.0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                is_locked = False
            except sqlite3.OperationalError:
                os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
def test_who_is_killed_or_stopped_between_claim_and_telling_is_stood_in_for_once(
    stub: StubProcess, tmp_path: Path, fate: signal.Signals
) -> None:
    """Two real `watch`, with a short lease; the person's program never tells for the one that is first."""
    script, pids, told = tmp_path / "tell", tmp_path / "pids", tmp_path / "told"
    script.write_text(_HANGS_ONCE)
    script.chmod(0o700)
    home = settings(f'channels = ["command"]\ncommand = ["{script}"]\nevents = ["near"]')
    words = [sys.executable, "-c", _WATCH, *over_http(stub)]
    said = {}
    with ExitStack() as stack:
        for number in range(2):
            output = stack.enter_context((tmp_path / f"said{number}").open("w+"))
            process = stack.enter_context(subprocess.Popen(words, stdout=output, stderr=output))
            stack.callback(process.kill)
            said[process.pid] = tmp_path / f"said{number}"
        wait_until(pids.exists)
        first, hangs = map(int, pids.read_text().split())
        end_or_stop(first, fate, home / "resetbank.db")
        try:
            wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
        finally:
            os.kill(hangs, signal.SIGKILL)
        if fate is signal.SIGSTOP:
            os.kill(first, signal.SIGCONT)
            wait_until(lambda: "notices by command" in said[first].read_text())
        rows: list[tuple[int]] = []

        def is_noted() -> bool:
            with closing(sqlite3.connect(home / "resetbank.db")) as database:
                rows[:] = database.execute("SELECT told FROM deliveries WHERE fact LIKE 'near%'").fetchall()
            return rows == [(1,)]

        wait_until(is_noted)
    assert [json.loads(line)["event"] for line in told.read_text().splitlines()] == ["near"]


_MAC = """
import asyncio, sys
from tests.cli.test_notify import EVIL
from tui.channels import desktop
from tui.settings import NotifySettings
channel = desktop.open_channel(NotifySettings())
sys.platform = "darwin"
asyncio.run(channel(EVIL))
"""


def test_osascript_gets_what_is_told_as_arguments_alone(tmp_path: Path) -> None:
    program = tmp_path / "osascript"
    program.write_text(f"""#!/bin/sh\nfor word; do printf '%s\\n' "$word"; done > {tmp_path}/words\n""")
    program.chmod(0o700)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", _MAC], check=True, timeout=DEADLINE, env=environment)
    *script, title, text = (tmp_path / "words").read_text().splitlines()
    assert script == [word for line in desktop._APPLE for word in ("-e", line)]
    assert title == "a;b ]0;x"
    assert text == 'c"d\\ </b>& {event}'


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux")
def test_tmux_passes_a_notice_to_the_terminal_outside(tmp_path: Path) -> None:
    settings('channels = ["terminal"]')
    config = tmp_path / "tmux.conf"
    config.write_text("set -g allow-passthrough on\n")
    inside = f"TERM_PROGRAM=WezTerm '{sys.executable}' -m tui notify --test; cat"
    words = ("tmux", "-S", str(tmp_path / "t"), "-f", str(config), "new-session", inside)
    with raw_terminal(*words, environment=os.environ | {"TERM": "xterm-256color"}) as running:
        running.time_of(b"\x1b]9;resetbank: This is a test, nothing has happened.\x07")
        running.type("\x04")
        running.wait_for_end()


_DESKTOP = """
import sys
from jeepney import DBusAddress, HeaderFields, MessageType, message_bus, new_method_return
from jeepney.io.blocking import open_dbus_connection
with open_dbus_connection(bus="SESSION") as bus:
    bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.Notifications"))
    print("ready", flush=True)
    while True:
        call = bus.receive()
        if call.header.message_type is not MessageType.method_call:
            continue
        member = call.header.fields[HeaderFields.member]
        if member == "Notify":
            print(repr(call.body[3:5]), flush=True)
            bus.send(new_method_return(call, "u", (1,)))
        elif member == "GetServerInformation":
            bus.send(new_method_return(call, "ssss", ("test", "test", "1", "1.2")))
        elif member == "GetCapabilities":
            bus.send(new_method_return(call, "as", (["body"],)))
"""


@pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("notify-send", "dbus-run-session")), reason="no notify-send or D-Bus"
)
def test_a_real_notify_send_reaches_a_desktop() -> None:
    settings('channels = ["desktop"]')
    script = (
        f'mkfifo "$HOME/f"; "{sys.executable}" -c "$1" > "$HOME/f" & exec 3< "$HOME/f"; read -r _ <&3;'
        f' "{sys.executable}" -m tui notify --test; read -r told <&3; echo "$told"; kill $!'
    )
    Path(os.environ["HOME"]).mkdir(exist_ok=True)
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script, "sh", _DESKTOP], capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.stdout == "desktop   sent\n('resetbank', 'This is a test; nothing has happened.')\n", done.stderr
