"""The real Codex CLI with our hooks in a sandbox, outside of every temporary folder."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.codex_cli import codex_environment, npm_codex, private_folder
from tests.support.commands import Result, resetbank
from tests.support.stub_process import StubProcess, start_stub
from tests.support.waiting import DEADLINE, wait_until
from tui.domain.hooks import GateMode, GateState, Waiter
from tui.hooks.gate import Gate, gate_folder
from tui.sources.codex_answers import list_hooks
from tui.sources.codex_home import CodexHome
from tui.wire.hooks import ListedHook


@dataclass
class HookedCodex:
    """A stub, its sandbox, and our hooks in it."""

    stub: StubProcess
    home: Path
    """Where resetbank keeps its own."""
    executable: Path
    turns: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def hooks_file(self) -> Path:
        return self.stub.codex_home / "hooks.json"

    @property
    def gate(self) -> Gate:
        return Gate(gate_folder(self.home / "gates", self.stub.codex_home))

    def resetbank(self, *words: str, **environment: str) -> Result:
        words, known = self.command(*words)
        return resetbank(*words, **(known | environment))

    def start_resetbank(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a command that goes on until it is ended."""
        words, known = self.command(*words)
        return subprocess.Popen(
            [sys.executable, "-m", "tui", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | known | {"PYTHONUNBUFFERED": "1"},
        )

    def command(self, *words: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """The words and the variables of a command of ours beside this Codex."""
        settings = self.home / "settings.toml"
        self.home.mkdir(exist_ok=True)
        if not settings.exists():
            settings.write_text(f'[codex]\ncommand = "{self.executable}"\n')
        offline = {
            name: value for name, value in codex_environment(self.stub.codex_home).items() if name.endswith("_PROXY")
        }
        return (*words, "--codex-home", str(self.stub.codex_home)), offline | {"RESETBANK_HOME": str(self.home)}

    def says(self, mode: GateMode) -> bool:
        """Whether the keeper has said this after a reading of its own: before that a hook knows no account."""
        said = self.gate.read()
        return said is not None and said.mode is mode and said.account is not None

    def listed(self) -> tuple[ListedHook, ...]:
        """What Codex itself says about every hook."""
        home = CodexHome(self.stub.codex_home)
        return asyncio.run(list_hooks(home, str(self.executable), str(self.stub.workspace)))

    def trust(self) -> None:
        """Trust everything, as a person does with `/hooks`."""
        config = self.stub.codex_home / "config.toml"
        text = re.sub(r'\[hooks\.state\.[^\n]*\]\ntrusted_hash = "[^"]*"\n', "", config.read_text())
        for hook in self.listed():
            text += f'[hooks.state.{json.dumps(hook.key)}]\ntrusted_hash = "{hook.current_hash}"\n'
        config.write_text(text)

    def start(self, prompt: str, *flags: str, words: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start one turn."""
        turn = subprocess.Popen(
            [self.executable, "exec", *words, *flags, "--skip-git-repo-check", prompt],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.stub.workspace,
            env=codex_environment(self.stub.codex_home),
            start_new_session=True,
        )
        self.turns.append(turn)
        return turn

    def end(self) -> None:
        """End what a test that failed has left running, or the next one would be blamed for it."""
        for turn in self.turns:
            if turn.poll() is None:
                turn.kill()
                turn.communicate(timeout=DEADLINE)

    def turn(self, prompt: str, *flags: str, words: Sequence[str] = ()) -> tuple[int, str]:
        """Run one turn to its end."""
        process = self.start(prompt, *flags, words=words)
        output, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, output

    @contextmanager
    def keeper(self, state: GateState) -> Iterator["Keeper"]:
        """Keep the gate by hand."""
        keeper = Keeper(self.gate, state)
        try:
            yield keeper
        finally:
            keeper.stop()


class Keeper:
    """Says one thing and lives on."""

    def __init__(self, gate: Gate, state: GateState) -> None:
        gate.make()
        gate.write(state)
        gate.beat(0)
        self._gate = gate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def _live(self) -> None:
        count = 0
        while not self._over.wait(0.2):
            count += 1
            self._gate.beat(count)

    def wait_for(self, count: int) -> tuple[Waiter, ...]:
        """Wait until so many requests are held."""
        wait_until(lambda: len(self._gate.waiters()) == count)
        return self._gate.waiters()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._gate.end()


def hooked_codex(stub: StubProcess, folder: Path, executable: Path | None = None) -> HookedCodex:
    return HookedCodex(stub, folder / "resetbank", executable or npm_codex())


@contextmanager
def sandboxed() -> Iterator[HookedCodex]:
    """A stub and a sandbox of its own; no turn outlives it."""
    with private_folder() as folder, start_stub(sandbox=folder / "box") as stub:
        codex = hooked_codex(stub, folder)
        try:
            yield codex
        finally:
            codex.end()


@contextmanager
def holding() -> Iterator[HookedCodex]:
    """The same with our hold, trusted."""
    with sandboxed() as codex:
        codex.resetbank("hold", "on")
        codex.trust()
        yield codex
