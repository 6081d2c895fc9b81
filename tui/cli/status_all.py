"""`resetbank status --all`: every account of the settings, read side by side; one that fails is said, and unknown."""

import argparse
import asyncio
from typing import TYPE_CHECKING, Final

from tui.assembly import SourceOptions, every_account, read_limits_once
from tui.cli import complain
from tui.cli.accounts import settings_for
from tui.cli.status import exit_code, print_status
from tui.errors import EXIT_NEAR, EXIT_REACHED, EXIT_UNKNOWN, ResetbankError, UsageError

if TYPE_CHECKING:
    from tui.clock import Clock
    from tui.companion.reading import Reading
    from tui.paths import Paths
    from tui.settings import Settings

AT_ONCE: Final = 4
"""So many accounts are read side by side."""

_WORST_FIRST: Final = (EXIT_REACHED, EXIT_UNKNOWN, EXIT_NEAR, 0)


def run_all(arguments: argparse.Namespace, clock: "Clock") -> int:
    """Print every account and judge by the worst."""
    if arguments.account is not None:
        raise UsageError("--all and --account cannot both be given", "leave one of them out")
    paths, settings = settings_for(arguments, confirms=False)
    options = every_account(SourceOptions.of(arguments), settings)
    found = asyncio.run(_read(options, settings, paths, clock))
    now = clock.now()
    codes = [EXIT_UNKNOWN if isinstance(one, ResetbankError) else exit_code(one, now) for one in found]
    names = [one.account or None for one in options]
    if arguments.json:
        from tui.cli.json_output import print_json, status_report

        rows = [{"error": str(one)} if isinstance(one, ResetbankError) else status_report(one, now) for one in found]
        accounts = [{"name": name, **row} for name, row in zip(names, rows, strict=True)]
        print_json({"schema": 1, "accounts": accounts})
    else:
        for number, (name, one) in enumerate(zip(names, found, strict=True)):
            print(f"{chr(10) * bool(number)}[{name or 'the only account'}]")
            if isinstance(one, ResetbankError):
                print("unknown: it could not be read")
                complain(f"{name}: {one}" if name else str(one))
            else:
                print_status(one.state, now)
    for failure in {one.store_failure for one in found if not isinstance(one, ResetbankError)} - {None}:
        complain(str(failure))
    return min(codes, key=_WORST_FIRST.index)


async def _read(
    options: tuple[SourceOptions, ...], settings: "Settings", paths: "Paths", clock: "Clock"
) -> "list[Reading | ResetbankError]":
    room = asyncio.Semaphore(AT_ONCE)

    async def read(one: SourceOptions) -> "Reading | ResetbankError":
        async with room:
            try:
                return await read_limits_once(one, settings, paths, clock)
            except ResetbankError as error:
                return error

    return await asyncio.gather(*map(read, options))
