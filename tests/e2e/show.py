"""Watch it: the real interactive Codex in one tmux pane, resetbank in the other, and a limit between them.

    uv run --all-groups python -m tests.e2e.show                     drives it and shows it (tmux needed)
    uv run --all-groups python -m tests.e2e.show --record FILE.svg   draws what it saw as a stepped picture

Everything stays on this machine: the stub is the service, a sandbox is the home, the proxy is a closed port.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.e2e.stepped_svg import Frame, stepped_svg
from tests.support.codex_cli import codex_environment, codex_executable
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE, wait_until

COLUMNS, ROWS, LEFT = 168, 38, 70
PROMPT = "Ask Codex to do anything"
LETTER = re.compile(r"press  ([A-Z])  .*spend and continue")


class Show:
    """A tmux server of its own with two panes."""

    def __init__(self, stub: StubProcess, home: Path, *, slow: bool) -> None:
        self._stub = stub
        self._home = home
        self._pause = threading.Event()
        self._slow = slow
        self.frames: list[Frame] = []

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", "resetbank-show", *words], capture_output=True, text=True, check=True, timeout=DEADLINE
        )
        return done.stdout

    def text(self, pane: int) -> str:
        return self.tmux("capture-pane", "-p", "-t", f"show.{pane}")

    def wait(self, pane: int, wanted: str | Callable[[str], bool]) -> str:
        holds = wanted if callable(wanted) else lambda text: wanted in text
        try:
            wait_until(lambda: holds(self.text(pane)), deadline=DEADLINE)
        except AssertionError as error:
            raise AssertionError(f"never shown: {wanted!r}\n{self.text(pane)}") from error
        return self.text(pane)

    def type(self, pane: int, *keys: str) -> None:
        for key in keys:
            self.tmux("send-keys", "-t", f"show.{pane}", key)
            self._pause.wait(0.7 if self._slow else 0.2)

    def press(self, pane: int, key: str, holds: Callable[[str], bool]) -> None:
        """Press a key until it took effect: a program that has just begun to paint may not listen yet."""
        for _ in range(50):
            self.type(pane, key)
            if holds(self.text(pane)):
                return
        raise AssertionError(f"{key} has no effect\n{self.text(pane)}")

    def say(self, prompt: str) -> None:
        """Tell Codex something, once it listens."""
        self.wait(0, PROMPT)
        self.type(0, prompt)
        self.wait(0, f"› {prompt}")
        self.type(0, "Enter")

    def frame(self, caption: str) -> None:
        """Keep what both panes show now."""
        self._pause.wait(3.0 if self._slow else 0.5)
        left, right = (self.tmux("capture-pane", "-e", "-p", "-t", f"show.{pane}") for pane in (0, 1))
        self.frames.append(Frame(caption, left, right))

    def start(self) -> None:
        environment = codex_environment(self._home)
        exports = [f"{name}={value}" for name, value in environment.items() if name.upper().endswith("_PROXY")]
        codex = shlex.join(["env", f"CODEX_HOME={self._home}", *exports, str(codex_executable())])
        ours = shlex.join(
            [
                *("env", f"RESETBANK_HOME={os.environ['RESETBANK_HOME']}", "TERM=xterm-256color"),
                *(sys.executable, "-m", "tui", "--codex-home", str(self._home)),
            ]
        )
        self.tmux(
            "new-session",
            "-d",
            "-s",
            "show",
            "-x",
            str(COLUMNS),
            "-y",
            str(ROWS),
            "-c",
            str(self._stub.workspace),
            codex,
        )
        self.wait(0, "Use existing model")  # a new CODEX_HOME is always asked this first
        self.press(0, "Down", lambda text: "› 2. Use existing model" in text)
        self.press(0, "Enter", lambda text: "Use existing model" not in text)
        self.wait(0, PROMPT)
        self.tmux("split-window", "-h", "-l", str(COLUMNS - LEFT - 1), "-t", "show", "-c", str(Path.cwd()), ours)
        self.wait(1, "● daemon")

    def play(self) -> None:
        self.say("fix the login test")
        self.wait(0, "one turn was")
        self.wait(1, "Sessions")
        self.frame("Codex works; resetbank sits in the next pane")
        self._stub.set_usage("five_hour", 100)
        self.say("now add one for the logout")
        self.wait(0, "usage limit")
        shown = self.wait(1, lambda text: LETTER.search(text) is not None)
        self.frame("The limit: Codex says when to try again, resetbank asks one question")
        match = LETTER.search(shown)
        assert match
        while "running again" not in self.text(1):
            self.type(1, match[1])
            if LETTER.search(self.text(1)) is None:
                self.wait(1, "running again")
        self.frame("One letter: one reset is spent, verified, and the thread is told to go on")
        self.type(1, "Enter")
        self.wait(1, "Free to work")
        self.frame("The session went on by itself")

    def stop(self) -> None:
        subprocess.run(["tmux", "-L", "resetbank-show", "kill-server"], check=False, capture_output=True)
        for name in ("daemon", "daemon-updater"):
            file = self._home / "app-server-daemon" / f"{name}.pid"
            if file.exists():
                os.kill(json.loads(file.read_text())["pid"], signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--record", type=Path, metavar="FILE", help="draw what was seen as a stepped SVG")
    arguments = parser.parse_args()
    # Not under the system's temporary folder: the interactive Codex warns about helpers there.
    folder = Path.home() / f".resetbank-show-{os.getpid()}"
    os.environ["RESETBANK_HOME"] = str(folder / "resetbank")
    watching = arguments.record is None and sys.stdout.isatty()
    try:
        with start_stub(sandbox=folder / "sandbox") as stub:
            stub.set_usage("five_hour", 62)
            show = Show(stub, stub.codex_home, slow=watching)
            try:
                show.start()
                viewer = subprocess.Popen(["tmux", "-L", "resetbank-show", "attach", "-r"]) if watching else None
                show.play()
                if viewer is not None:
                    viewer.wait()
            finally:
                show.stop()
        if arguments.record is not None:
            arguments.record.write_text(stepped_svg(show.frames, LEFT, COLUMNS), "utf-8")
        print("\n".join(f"{number}. {frame.caption}" for number, frame in enumerate(show.frames, 1)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
