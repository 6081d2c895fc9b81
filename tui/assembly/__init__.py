"""The composition root: the only place that names concrete sources, stores and clocks and ties them together."""

import argparse
import os
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tui import DEFAULT_SCENARIO
from tui.clock import Clock, SystemClock
from tui.errors import NotViable, StoreError
from tui.paths import Paths
from tui.settings import AskSettings, NotifySettings, Settings, account_place
from tui.sources.base import SourceOption, SourceStatus
from tui.sources.chain import Chain
from tui.sources.codex_home import CodexHome, find_codex_home
from tui.store.database import Database

if TYPE_CHECKING:  # a command that only reads the limits loads none of these
    from tui.channels.base import Channel
    from tui.companion.companion import Companion
    from tui.companion.connection import SourceChain
    from tui.companion.notifier import Notifier
    from tui.companion.reading import Reading
    from tui.companion.records import Records, Tables
    from tui.companion.state import StateStore
    from tui.domain.question import AskRules
    from tui.domain.reading import PastFile, PastReadings
    from tui.domain.snapshot import Account
    from tui.hooks.installation import Installation
    from tui.sources.base import Referrals, SessionFeed, Source, SourceName
    from tui.sources.null_referrals import NullReferrals
    from tui.sources.referrals import ReferralClient


class SourceOptions(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    source: str = "auto"
    codex_home: Path | None = None
    base_url: str | None = None
    demo: str | None = None
    """The scenario of the embedded service; None for real data."""
    account: str = ""
    """The account's name in the settings; empty for the one that is read without a name."""
    is_default: bool = True
    """Whether it is also the one that is read without a name."""
    asked_for: bool = True
    """Whether the command line names this very service: RESETBANK_TOKEN is for no other."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the database calls the account, its own name last."""
        unnamed = ("",) if self.is_default else ()
        return (*unnamed, self.account) if self.account else ("",)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "SourceOptions":
        """Read the wishes off parsed arguments; the account is found already."""
        demo = getattr(arguments, "demo", None)
        if demo is None and arguments.source == "stub":
            demo = DEFAULT_SCENARIO
        home = arguments.codex_home
        options = cls(arguments.source, Path(home).expanduser() if home else None, arguments.base_url, demo)
        account = getattr(arguments, "account", None)
        return _named(options, account) if account else options


def _named(options: SourceOptions, account: str) -> SourceOptions:
    """Options under a name of the settings."""
    is_default = options.base_url is None and options.codex_home is not None and _is_codexs_own(options.codex_home)
    return replace(options, account=account, is_default=is_default)


def _is_codexs_own(home: Path) -> bool:
    return home.resolve() == find_codex_home().path.resolve()


def _home_to_name(home: Path | None) -> str | None:
    """A folder of Codex that a command line has to name, for `codex` alone would use its own."""
    return None if home is None or _is_codexs_own(home) else str(home.absolute())


def every_account(options: SourceOptions, settings: Settings) -> tuple[SourceOptions, ...]:
    """The options of every account of the settings; those that were given where the command line chooses one.

    Returns:
        Codex's own first, which is read without a name, too, or else the first of the settings.
    """
    chosen = options.account or options.codex_home or options.base_url or options.demo
    if chosen or not settings.accounts:
        return (options,)
    found = []
    for name in settings.accounts:
        home, url = account_place(settings, name)
        place = replace(options, codex_home=home, base_url=url, asked_for=False)
        found.append(_named(place, name))
    found.sort(key=lambda account: not account.is_default)
    return tuple(found)


def open_companion(
    options: SourceOptions,
    settings: Settings,
    paths: Paths,
    *,
    front_end: str,
    clock: Clock | None = None,
    watches: bool = False,
    asks: bool = False,
    invites: bool = False,
    tables: "Tables | StoreError | None" = None,
) -> "Companion":
    """Put a companion together; nothing is read or sent yet.

    Others call this process by its front end while it spends. It may watch live sessions, ask a person who is there,
    and take part in the referral programme. The tables are of a database that is open already; a demo has its own.

    Raises:
        UsageError: The base URL or the scenario cannot be used.
    """
    from tui.companion.companion import Companion

    clock = clock or SystemClock()
    chain: SourceChain
    referrals: Callable[[], Referrals]
    hooks: Callable[[], Installation] | None
    past: PastReadings | None = None
    asks_early = True
    has_home = options.demo is None and not (options.account and options.base_url)
    if options.demo is not None:
        from tui.stub.chain import EmbeddedChain

        embedded = EmbeddedChain(clock, options.demo)
        chain, referrals, hooks = embedded, embedded.referrals, embedded.hooks
        tables = _tables_in(None, None)
        if watches:
            tables.events.record(embedded.events)
        past, asks_early = embedded.past, embedded.asks_early
    else:
        chain, referrals = Chain(candidates(options, settings, clock)), partial(_referrals, options, settings, clock)
        hooks = partial(open_hooks, find_codex_home(options.codex_home), settings, paths) if has_home else None
        tables = tables or open_tables(paths)
    follows_files = watches and has_home
    if follows_files:
        past = partial(_past_rollouts, find_codex_home(options.codex_home).path / "sessions")
    return Companion(
        chain=chain,
        tables=tables,
        referrals=referrals if invites else _no_referrals,
        clock=clock,
        holder=f"{front_end}, process {os.getpid()}",
        new_key=lambda: str(uuid.uuid4()),
        random_share=random.random,
        near_percent=settings.limits.near_percent,
        demo=options.demo,
        rollouts=partial(_open_rollouts, options.codex_home, clock) if follows_files else None,
        rules=partial(_ask_rules, settings.ask, asks_early),
        message=settings.ask.message,
        asks=asks,
        hooks=hooks,
        codex_home=_home_to_name(options.codex_home),
        names=options.names,
        before_credits=settings.hold.before_credits,
        process=uuid.uuid4().hex,
        looks_ahead=watches,
        notifier=open_notifier(settings.notify) if watches else None,
        past=past,
    )


def open_channels(settings: NotifySettings) -> "dict[str, Channel]":
    """The channels of the settings by name; the module of its name opens each."""
    from importlib import import_module

    return {name: import_module(f"tui.channels.{name}").open_channel(settings) for name in settings.channels}


def open_notifier(settings: NotifySettings) -> "Callable[[StateStore, Records, Clock], Notifier] | None":
    """What makes a teller by every channel of the settings; None where they name none."""
    return partial(_notifier, settings) if settings.channels else None


def _notifier(settings: NotifySettings, store: "StateStore", records: "Records", clock: Clock) -> "Notifier":
    from tui.clock import LocalZone
    from tui.companion.notifier import Notifier, quiet_hours

    quiet = quiet_hours(settings.quiet, LocalZone())
    return Notifier(store, records, clock, open_channels(settings), events=frozenset(settings.events), is_quiet=quiet)


def open_hooks(home: CodexHome, settings: Settings, paths: Paths) -> "Installation":
    """What Codex runs for us in a home."""
    from tui.hooks.installation import Installation

    return Installation(home.path, paths.hooks, paths.gates, settings.guard.tools)


async def read_limits_once(options: SourceOptions, settings: Settings, paths: Paths, clock: Clock) -> "Reading":
    """Read once, for a command that ends: what the service shows is kept, and nothing in hand is touched.

    Raises:
        SourceError: Nothing could be read.
        UsageError: The base URL or the scenario cannot be used.
    """
    from tui.companion.reading import read_once

    chain: SourceChain
    database: Database | StoreError
    if options.demo is not None:
        from tui.stub.chain import EmbeddedChain

        chain, path = EmbeddedChain(clock, options.demo), None
    else:
        chain, path = Chain(candidates(options, settings, clock)), paths.database
    try:
        database = Database(path)
    except StoreError as error:
        database = error
    try:
        near, demo = settings.limits.near_percent, options.demo
        return await read_once(chain, database, near, options.names, demo=demo)
    finally:
        if isinstance(database, Database):
            database.close()


def _open_rollouts(codex_home: Path | None, clock: Clock) -> "SessionFeed":
    from tui.sources.rollouts import RolloutFeed

    return RolloutFeed(find_codex_home(codex_home), clock)


def _past_rollouts(
    folder: Path, account: "Account", is_known: "Callable[[str, int, float], bool]"
) -> "Iterator[PastFile]":
    from tui.sources.rollout_history import past_rollouts

    return past_rollouts(folder, account, is_known)


def _ask_rules(ask: AskSettings, asks_early: bool = True) -> "AskRules":
    from tui.clock import LocalZone
    from tui.domain.question import AskRules

    return AskRules(
        enabled=ask.enabled,
        lead=timedelta(minutes=ask.lead_minutes) if asks_early else timedelta(0),
        least_waiting=timedelta(minutes=ask.least_waiting_minutes),
        daily_cap=ask.daily_cap,
        zone=LocalZone(),
    )


async def describe_referrals(options: SourceOptions, settings: Settings) -> str:
    """Whom invites are asked for, or why nobody is, for `resetbank doctor`; asks nobody."""
    from tui.domain.snapshot import Account

    service = _referrals(options, settings, SystemClock())
    from tui.sources.null_referrals import NullReferrals

    if isinstance(service, NullReferrals):
        return (await service.offer(Account())).reason or "nobody is asked"
    return f"asked for at {service.host}, when the panel or a command wants them"


async def probe_sources(options: SourceOptions, settings: Settings) -> tuple[SourceStatus, ...]:
    """Try every source and say what became of it, for `resetbank doctor`."""
    clock = SystemClock()
    statuses = await Chain(candidates(options, settings, clock)).probe()
    return (*statuses, SourceStatus("stub", True, "always there, on --demo or --source stub"))


def open_tables(paths: Paths) -> "Tables | StoreError":
    """The database; or why it cannot be used."""
    try:
        return _tables_in(paths.database, paths.locks)
    except StoreError as error:
        return error


def _tables_in(database: Path | None, locks: Path | None) -> "Tables":
    from tui.companion.locks import AccountLocks
    from tui.companion.records import Tables

    return Tables(Database(database), AccountLocks(locks))


def candidates(options: SourceOptions, settings: Settings, clock: Clock) -> list[SourceOption]:
    """The sources that may be usable for an account, in the order of choice."""
    home = find_codex_home(options.codex_home)
    names: tuple[SourceName, ...] = ("daemon", "codex", "http")
    return [
        SourceOption(name, partial(_open, name, home, clock, options, settings), comes_later=name == "daemon")
        for name in names
        if options.source in ("auto", name)
    ]


async def _open(
    name: "SourceName", home: CodexHome, clock: Clock, options: SourceOptions, settings: Settings
) -> "Source":
    if name == "http":
        from tui.sources.backend import open_backend
        from tui.sources.logins import Logins, choose_base_url

        base_url, own = choose_base_url(options.base_url, home)
        return await open_backend(base_url, Logins(home, base_url, own, clock, options.asked_for), clock)
    if options.base_url is not None:  # Codex talks to the service of its own configuration
        raise NotViable("--base-url names a service that only the source http can ask", "add --source http")
    if name == "daemon":
        from tui.sources.daemon import open_daemon

        return await open_daemon(home, clock)
    from tui.sources.appserver import open_codex

    return await open_codex(settings.codex.command, home, clock)


def _no_referrals() -> "Referrals":
    from tui.domain.referral import OfferStatus
    from tui.sources.null_referrals import NullReferrals

    return NullReferrals(OfferStatus.UNREAD, "this command takes no part in the referral programme")


def _referrals(options: SourceOptions, settings: Settings, clock: Clock) -> "ReferralClient | NullReferrals":
    """The referral programme of the same login and base URL as the source http, whichever source reads the limits."""
    from tui.domain.referral import OfferStatus
    from tui.sources.logins import Logins, choose_base_url
    from tui.sources.null_referrals import NullReferrals
    from tui.sources.referrals import open_referrals

    home = find_codex_home(options.codex_home)
    try:
        base_url, own = choose_base_url(options.base_url, home)
    except NotViable as error:
        return NullReferrals(OfferStatus.UNREACHABLE, str(error))
    login = Logins(home, base_url, own, clock, options.asked_for)
    return open_referrals(base_url, login, clock, asks_official=settings.invite.ask_official)
