"""`resetbank watch`: no screen; one line an event, as it happens, for a status bar or a script."""

import argparse
from typing import TYPE_CHECKING, Any

from tui.errors import EXIT_NEAR, EXIT_REACHED

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.state import Problem, State
    from tui.companion.watch_events import WatchEvent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--once", action="store_true", help="end at the first near (10) or interrupted (11)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Follow until interrupted, or with --once until something is near or interrupted."""
    from tui.cli.oneshot import run_with_companion

    return run_with_companion(
        arguments,
        "resetbank watch",
        lambda companion, _: _watch(companion, once=arguments.once, as_json=arguments.json),
        watches=True,
    )


async def _watch(companion: "Companion", *, once: bool, as_json: bool) -> int:
    import asyncio

    from tui.cli import complain
    from tui.cli.oneshot import read_once
    from tui.cli.output import nobody_reads
    from tui.companion.watch_events import WatchEventKind, WatchEvents

    codes = {WatchEventKind.NEAR: EXIT_NEAR, WatchEventKind.INTERRUPTED: EXIT_REACHED}
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failure: str | None = None
    problems: tuple[Problem, ...] = ()
    once_only: list[asyncio.Future[None]] = []

    def on_state(state: "State") -> None:
        nonlocal failure, problems
        for problem in state.problems:
            if problem not in problems:
                complain(problem.text)
        problems = state.problems
        if state.link.failure is not None and state.link.failure != failure:
            complain(state.link.failure)
        failure = state.link.failure

    async def say_once(event: "WatchEvent") -> None:
        if await claim_once(companion, event):
            print_event(event, as_json=as_json)

    def on_event(event: "WatchEvent") -> None:
        if event.lapse is not None:
            if once:  # a script that waits for a limit asks for nothing else
                return
            once_only.append(asyncio.ensure_future(say_once(event)))
            return
        print_event(event, as_json=as_json)
        if not ended.done() and nobody_reads():
            ended.set_result(0)
        if once and event.kind in codes and not ended.done():
            ended.set_result(codes[event.kind])

    WatchEvents(companion.store, companion.records, companion.clock, on_event)
    if once:
        await read_once(companion)  # so that a script fails at once where there is nothing to watch
    forget = companion.listen(on_state)
    running = asyncio.ensure_future(companion.run())
    try:
        waits: list[asyncio.Future[Any]] = [running, ended]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        await running  # ends by an error only
        return 0
    finally:
        forget()
        running.cancel()
        await asyncio.gather(running, *once_only, return_exceptions=True)


async def claim_once(companion: "Companion", event: "WatchEvent") -> bool:
    """Whether it is for this process to print what is said once, whichever watch runs when; yes without a database."""
    from tui.concurrency import in_thread
    from tui.errors import StoreError

    name, at, tolerance = event.identity(companion.state.account_key)
    now = companion.clock.now().timestamp()
    try:
        deliveries = companion.records.require().deliveries
        claimed = await in_thread(deliveries.claim, name, at, "watch", now, tolerance)
        if claimed == 0:
            await in_thread(deliveries.settle, name, at, "watch", tolerance)
    except StoreError:
        return True
    return claimed == 0


def print_event(event: "WatchEvent", *, as_json: bool) -> None:
    """Print one line, for a person or for a program."""
    if as_json:
        from tui.cli.json_output import print_json_line, watch_row

        print_json_line(watch_row(event))
        return
    from tui.clock import LocalZone
    from tui.domain.windows import label
    from tui.ui.view.text import clean
    from tui.ui.view.words import percent, resets

    words = [f"{event.at.astimezone(LocalZone()):%H:%M:%S}", event.kind.replace("_", " ")]
    if event.session is not None:
        words.append(clean(event.session.workspace or event.session.thread_id))
    if event.window is not None:
        window = event.window
        words.append(f"{label(window)} {percent(window.used_percent)}")
        if window.resets_at is not None:
            words.append(f"resets {window.resets_at.astimezone(LocalZone()):%a %H:%M}")
    if event.lapse is not None:
        words.append(f"in {event.lapse.left_text(event.at)}")
    if event.resets_available is not None:
        words.append(f"{resets(event.resets_available)} banked")
    print(" · ".join(words), flush=True)
