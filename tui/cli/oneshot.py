"""What the commands without a screen share: one companion for the length of one command."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.cli import complain
from tui.errors import ResetbankError, SourceError

if TYPE_CHECKING:
    from tui.companion.accounts import Accounts
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.settings import Settings
    from tui.ui.view.view_state import ViewState


def run_with_companion(
    arguments: argparse.Namespace,
    work: Callable[["Companion", "Settings", argparse.Namespace], Awaitable[int]],
    *,
    watches: bool = False,
    invites: bool = False,
    asks: bool = False,
) -> int:
    """Run one command's work with an open companion, and return its exit code.

    It may follow live sessions, take part in the referral programme, and change what only a person may change.
    """
    import asyncio

    from tui.assembly import SourceOptions, open_companion
    from tui.cli.accounts import settings_for

    paths, settings = settings_for(arguments)
    options = SourceOptions.of(arguments)

    async def main() -> int:
        companion = open_companion(
            options, settings, paths, front_end=_called(arguments), watches=watches, invites=invites, asks=asks
        )
        try:
            code = await work(companion, settings, arguments)
            if companion.state.store_failure is not None:  # else an empty list would look like a true one
                complain(companion.state.store_failure)
            return code
        finally:
            await companion.aclose()

    return asyncio.run(main())


def run_with_accounts(
    arguments: argparse.Namespace,
    of_all: Callable[["Accounts"], Awaitable[int]],
    of_one: Callable[["Companion"], Awaitable[int]],
) -> int:
    """Run one command's work with every account of the settings, whose sessions are followed; return its exit code.

    Where the command line chooses an account, or the settings name none, `of_one` does it instead.
    """
    import asyncio

    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    if arguments.account is None and settings.accounts:
        from tui.assembly import SourceOptions, every_account
        from tui.assembly.several import open_accounts

        every = every_account(SourceOptions.of(arguments), settings)
        if every[0].account:

            async def main() -> int:
                accounts = open_accounts(every, settings, paths, front_end=_called(arguments))
                try:
                    return await of_all(accounts)
                finally:
                    await accounts.aclose()

            return asyncio.run(main())
    return run_with_companion(arguments, lambda companion, *_: of_one(companion), watches=True)


def _called(arguments: argparse.Namespace) -> str:
    """How others name this process while it spends."""
    return f"resetbank {arguments.command}".rstrip()


def open_each(accounts: "Accounts") -> list["Companion"]:
    """The companion of every account; of those that have none it is said why."""
    companions = []
    for name, companion in accounts.open_all().items():
        if isinstance(companion, ResetbankError):
            complain(f"{name}: {companion}")
        else:
            companions.append(companion)
    return companions


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


def view_of(companion: "Companion") -> "ViewState":
    """What the views of the screen are given, as it is now."""
    from tui.clock import LocalZone
    from tui.ui.view.view_state import ViewState

    return ViewState(companion.clock.now(), LocalZone(), companion.state)
