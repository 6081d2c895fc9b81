"""Which of our files a command or a key passes through: `python -m tests.bench.files_passed [WORDS … | r]`.

A file counts when one of its functions or class bodies runs; importing alone does not count. Without words it shows
`status --json` against the stub, and the key `r` from the main screen to the line in the ledger.
"""

import asyncio
import contextlib
import io
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

OURS = str(Path(__file__).parents[2] / "tui") + "/"


@contextlib.contextmanager
def files_passed() -> Iterator[dict[str, set[str]]]:
    """Collect every file of ours that is called meanwhile, with the names of what was called in it."""
    passed: dict[str, set[str]] = {}

    def called(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name != "<module>" and code.co_filename.startswith(OURS):
            passed.setdefault(code.co_filename.removeprefix(OURS), set()).add(code.co_qualname)

    threading.setprofile(called)
    sys.setprofile(called)
    try:
        yield passed
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def of_command(words: list[str]) -> dict[str, set[str]]:
    """What one command passes, from `tui.cli.main` to its end."""
    from tui.cli import main

    with files_passed() as passed, contextlib.redirect_stdout(io.StringIO()):
        main(words)
    return passed


def of_status() -> dict[str, set[str]]:
    """What `status --json` passes when it asks the stub over HTTP."""
    from tests.support.stub_process import start_stub

    with tempfile.TemporaryDirectory() as folder, start_stub(sandbox=Path(folder) / "sandbox") as stub:
        home = str(stub.codex_home)
        return of_command(["status", "--json", "--source", "http", "--base-url", stub.url, "--codex-home", home])


def of_spend_on_screen() -> dict[str, set[str]]:
    """What the key `r` passes on a demo's screen, with the letter that consents, until the ledger has its lines."""
    return asyncio.run(_spend_on_screen())


async def _spend_on_screen() -> dict[str, set[str]]:
    from tests.support.clocks import ManualClock
    from tests.ui.showing import drawn, press_alone, settle
    from tests.ui.states import ZONE
    from tui.assembly import SourceOptions, open_companion
    from tui.companion.companion import Companion
    from tui.paths import resetbank_paths
    from tui.settings import Settings
    from tui.ui.app import ResetbankApp

    clock = ManualClock()
    options = SourceOptions("stub", demo="at-limit")
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="bench", clock=clock)

    async def connected() -> Companion:
        return companion

    await companion.poller.poll()
    letters = drawn("ABCDEFG")
    app = ResetbankApp(connect=connected, settings=Settings(), clock=clock, zone=ZONE, letters=letters, drive=False)
    app.animation_level = "none"
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        with files_passed() as passed:
            await pilot.press("r")
            await settle(pilot)
            await press_alone(pilot, clock, "A")
        assert [event.kind for event in await companion.records.events()][-1] == "spend_closed"
    await companion.aclose()
    return passed


def show(title: str, passed: dict[str, set[str]]) -> list[str]:
    """One line with the counts, then the files."""
    functions = sum(map(len, passed.values()))
    return [f"{title}: {len(passed)} files, {functions} functions", *(f"  {name}" for name in sorted(passed))]


MEASURES: dict[str, Callable[[], dict[str, set[str]]]] = {
    "status --json": of_status,
    "r to the ledger": of_spend_on_screen,
}

if __name__ == "__main__":
    if words := sys.argv[1:]:
        print("\n".join(show(" ".join(words), of_command(words))))
    for title, measure in {} if words else MEASURES.items():
        print("\n".join(show(title, measure())))
