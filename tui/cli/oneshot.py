"""What the commands without a screen share: one companion for the length of one command."""

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tui.errors import SourceError

if TYPE_CHECKING:
    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.settings import Settings


def run_with_companion(
    arguments: argparse.Namespace,
    front_end: str,
    work: Callable[["Companion", "Settings"], Awaitable[int]],
    *,
    watches: bool = False,
    invites: bool = False,
    asks: bool = False,
) -> int:
    """Run one command's work with an open companion, and return its exit code.

    Args:
        arguments: The parsed command line.
        front_end: How others name this process while it spends.
        work: What the command does; returns the exit code.
        watches: Whether live sessions are followed.
        invites: Whether the referral programme is taken part in.
        asks: Whether a person gave it what only a person may change.
    """
    import asyncio

    from tui.cli import complain

    async def main() -> int:
        async with _companion(arguments, front_end, watches, invites, asks) as (companion, settings):
            code = await work(companion, settings)
            if companion.state.store_failure is not None:  # else an empty list would look like a true one
                complain(companion.state.store_failure)
            return code

    return asyncio.run(main())


@asynccontextmanager
async def _companion(
    arguments: argparse.Namespace, front_end: str, watches: bool, invites: bool, asks: bool
) -> AsyncIterator[tuple["Companion", "Settings"]]:
    from tui.assembly import SourceOptions, open_companion
    from tui.cli import confirm_auth_link
    from tui.cli.accounts import choose_account
    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    choose_account(arguments, settings)
    confirm_auth_link(arguments)
    companion = open_companion(
        SourceOptions.of(arguments),
        settings,
        paths,
        front_end=front_end,
        watches=watches,
        invites=invites,
        asks=asks,
    )
    try:
        yield companion, settings
    finally:
        await companion.aclose()


def run_with_accounts(
    arguments: argparse.Namespace, front_end: str, work: Callable[["Accounts"], Awaitable[int]]
) -> int | None:
    """Run one command's work with every account of the settings, and return its exit code.

    Args:
        arguments: The parsed command line.
        front_end: How others name this process while it spends.
        work: What the command does; returns the exit code.

    Returns:
        None where the command line chooses an account, or the settings name none: then there is but one.
    """
    import asyncio

    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    if arguments.account is not None or not settings.accounts:
        return None
    from tui.assembly import SourceOptions, every_account
    from tui.assembly.several import open_accounts

    every = every_account(SourceOptions.of(arguments), settings)
    if not every[0].account:
        return None

    async def main() -> int:
        accounts = open_accounts(every, settings, paths, front_end=front_end)
        try:
            return await work(accounts)
        finally:
            await accounts.aclose()

    return asyncio.run(main())


async def read_once(companion: "Companion") -> "State":
    """Poll once and return the State.

    Raises:
        SourceError: Nothing could be read; the message is the source's own.
    """
    await companion.poller.poll()
    state = companion.state
    if state.snapshot is None:
        raise SourceError(state.link.failure or "nothing could be read")
    return state
