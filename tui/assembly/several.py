"""Putting the accounts of the settings together: one database, and for each account its own parts."""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from tui import STORY
from tui.assembly import (
    SourceOptions,
    candidates,
    every_account,
    open_companion,
    open_hooks,
    open_notifier,
    open_tables,
)
from tui.clock import Clock, SystemClock
from tui.companion.records import Records, Tables
from tui.companion.state import State, StateStore
from tui.concurrency import in_loose_thread
from tui.errors import NotViable, StoreError
from tui.paths import Paths
from tui.settings import Settings
from tui.sources.chain import Chain
from tui.sources.codex_home import CodexHome, find_codex_home, read_config

if TYPE_CHECKING:  # what only several accounts need is loaded where there are several
    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion

LOOK_EVERY: Final = timedelta(minutes=10)
"""Between two readings of an account that is neither in sight nor at work."""

_AT_WORK: Final = timedelta(minutes=10)
"""So long after its last line a session counts as at work."""


def open_accounts(
    options: Sequence[SourceOptions],
    settings: Settings,
    paths: Paths,
    *,
    front_end: str,
    asks: bool = False,
    invites: bool = False,
) -> "Accounts":
    """Put the accounts together, the one that is in sight first before the others; nothing is read or sent yet."""
    from tui.companion.accounts import Accounts, Member

    clock = SystemClock()
    tables = open_tables(paths)

    def member(one: SourceOptions) -> Member:
        return Member(
            one.account,
            partial(
                open_companion,
                one,
                settings,
                paths,
                front_end=front_end,
                clock=clock,
                watches=True,
                asks=asks,
                invites=invites,
                tables=tables,
            ),
            partial(_recall, one.account, tables, settings),
            partial(_look, one, settings, tables, clock),
            partial(_is_at_work, one, settings, paths, clock),
            partial(_records, one, tables, front_end),
            open_notifier(settings.notify),
        )

    return Accounts(list(map(member, options)), clock, every=LOOK_EVERY, random_share=random.random)


def screen_connector(
    options: SourceOptions,
    settings: Settings,
    paths: Paths,
    *,
    front_end: str = "the resetbank screen",
    asks: bool = True,
) -> "Callable[[], Awaitable[Companion]]":
    """What the screen awaits after its first paint: a companion, in a thread because importing and opening take time.

    Without any login, and where nothing was asked for, it is one on the embedded service. Of several accounts it is
    that of the first, which knows the others.
    """

    def connect() -> "Companion":
        effective = options
        every = every_account(options, settings)
        if len(every) > 1:
            accounts = open_accounts(every, settings, paths, front_end=front_end, asks=asks, invites=asks)
            return accounts.first()
        nothing_asked = (options.source, options.base_url, options.demo) == ("auto", None, None)
        if every == (options,) and nothing_asked and _nobody_is_signed_in(find_codex_home(options.codex_home)):
            effective = SourceOptions(demo=STORY)
        return open_companion(
            every[0] if effective is options else effective,
            settings,
            paths,
            front_end=front_end,
            watches=True,
            asks=asks,
            invites=asks,
        )

    return lambda: in_loose_thread(connect)


def _nobody_is_signed_in(home: CodexHome) -> bool:
    """Whether Codex certainly holds no login; one that is only broken or out of reach is never replaced by a demo."""
    try:
        return read_config(home).credentials_store == "file" and not home.auth_file.exists()
    except NotViable:
        return False


def _recall(name: str, tables: Tables | StoreError, settings: Settings) -> State:
    last = None if isinstance(tables, StoreError) else tables.observations.last(name)
    return State(snapshot=last, account_name=name, near_percent=settings.limits.near_percent)


async def _look(one: SourceOptions, settings: Settings, tables: Tables | StoreError, clock: Clock) -> State:
    from tui.companion.accounts import seen
    from tui.companion.reading import read_once

    chain = Chain(candidates(one, settings, clock))
    database = tables if isinstance(tables, StoreError) else tables.database
    near, fresh_for = settings.limits.near_percent, 2.5 * LOOK_EVERY
    reading = await read_once(chain, database, near, one.names, fresh_for=fresh_for, beside_others=True)
    return seen(reading.state, one.account, LOOK_EVERY)


def _records(one: SourceOptions, tables: Tables | StoreError, process: str, store: StateStore) -> Records:
    return Records(store, tables, process, one.names)


def _is_at_work(one: SourceOptions, settings: Settings, paths: Paths, clock: Clock) -> bool:
    if one.base_url is not None or one.codex_home is None or not one.codex_home.is_dir():
        return False
    from tui.sources.rollout_files import written_since

    since = (clock.now() - _AT_WORK).timestamp()
    home = find_codex_home(one.codex_home)
    return written_since(home.path, since) or bool(open_hooks(home, settings, paths).gate.waiters())
