"""Prints the events of `resetbank watch`, each once; complaints go to stderr."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tui.cli import complain
from tui.cli.json_output import print_json_line, watch_row
from tui.cli.oneshot import read_once
from tui.cli.output import nobody_reads
from tui.clock import Clock, LocalZone
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.companion.watch_events import WatchEvent, WatchEventKind, WatchEvents
from tui.concurrency import first_of, in_thread
from tui.domain.windows import label
from tui.errors import EXIT_NEAR, EXIT_REACHED, StoreError
from tui.ui.view.text import clean
from tui.ui.view.words import percent, resets

if TYPE_CHECKING:
    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion


class Watch:
    """Prints the events of every companion until it is over."""

    def __init__(self, *, once: bool, as_json: bool) -> None:
        self._once = once
        self._as_json = as_json
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._once_only: list[asyncio.Future[None]] = []
        self._said: dict[str, State] = {}
        self._events: dict[str, WatchEvents] = {}

    async def one(self, companion: "Companion") -> int:
        """Follow the only account."""
        self._print_events(companion.store, companion.records, companion.clock)
        if self._once:
            await read_once(companion)  # so that a script fails at once where there is nothing to watch
        forget = companion.listen(self._complain)
        try:
            return await self._follow(companion.run())
        finally:
            forget()

    async def all_of(self, accounts: "Accounts") -> int:
        """Follow every account of the settings."""
        accounts.on_open(lambda found: self._print_events(found.store, found.records, found.clock))
        accounts.on_look(partial(self._print_events, clock=accounts.clock))
        accounts.listen(self._complain)
        accounts.first()
        if self._once:
            companions = [found for found in accounts.open_all().values() if not isinstance(found, Exception)]
            await asyncio.gather(*(companion.poller.poll() for companion in companions))
        return await self._follow(accounts.run())

    async def _follow(self, work: Coroutine[Any, Any, None]) -> int:
        try:
            over = await first_of(work, self._ended)
            if self._ended in over:
                return self._ended.result()
            for failed in over:  # it ends by an error only
                failed.result()
            return 0
        finally:
            for task in self._once_only:
                task.cancel()
            await asyncio.gather(*self._once_only, return_exceptions=True)

    def _complain(self, state: State) -> None:
        """Say what hinders, each thing once."""
        before = self._said.get(state.account_name, State())
        self._said[state.account_name] = state
        account = f"{state.account_name}: " if state.account_name else ""
        for problem in state.problems:
            if problem not in before.problems:
                complain(account + problem.text)
        if state.link.failure is not None and state.link.failure != before.link.failure:
            complain(account + state.link.failure)
        if state.link.failure is None and before.link.failure is not None:
            complain(f"{account}the limits can be read again")

    def _print_events(self, store: StateStore, records: Records, clock: Clock) -> None:
        name = store.state.account_name
        self._events[name] = WatchEvents(
            store, records, clock, lambda event: self._on_event(store, records, clock, event), self._events.get(name)
        )

    def _on_event(self, store: StateStore, records: Records, clock: Clock, event: WatchEvent) -> None:
        def say() -> None:
            print_event(event, as_json=self._as_json)

        codes = {WatchEventKind.NEAR: EXIT_NEAR, WatchEventKind.INTERRUPTED: EXIT_REACHED}
        if event.lapse is not None:
            if not self._once:  # a script that waits for a limit asks for nothing else
                self._once_only.append(asyncio.ensure_future(tell_once(store, records, clock, event, say)))
            return
        say()
        if not self._ended.done() and nobody_reads():
            self._ended.set_result(0)
        if self._once and event.kind in codes and not self._ended.done():
            self._ended.set_result(codes[event.kind])


async def tell_once(
    store: StateStore, records: Records, clock: Clock, event: WatchEvent, tell: Callable[[], None]
) -> None:
    """Print what is said once, whichever watch runs when; without a database each says it.

    Who is killed before it printed is stood in for by another watch, once its claim has run out.
    """

    def now() -> float:
        return clock.now().timestamp()

    name, at, tolerance = event.identity(store.state.account_key)
    try:
        deliveries = records.require().deliveries
        while claimed := await in_thread(deliveries.claim, name, at, "watch", now(), tolerance):
            await clock.sleep(max(0.1, claimed - now()))
    except StoreError:
        claimed = 0.0
    if claimed is None:
        return
    tell()
    with suppress(StoreError):
        await in_thread(records.require().deliveries.settle, name, at, "watch", tolerance)


def print_event(event: WatchEvent, *, as_json: bool) -> None:
    """Print one line, for a person or for a program."""
    if as_json:
        print_json_line(watch_row(event))
        return
    words = [f"{event.at.astimezone(LocalZone()):%H:%M:%S}", event.kind.replace("_", " ")]
    if event.account_name:
        words.append(event.account_name)
    if not event.is_ours:
        words.append("not through this program")
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
