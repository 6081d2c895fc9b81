"""`resetbank sessions`: every live thread of Codex on this machine."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.companion.companion import Companion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")


def run(arguments: argparse.Namespace) -> int:
    """Survey once and print."""
    from tui.cli.oneshot import open_each, run_with_accounts

    return run_with_accounts(
        arguments,
        lambda accounts: _sessions(open_each(accounts), as_json=arguments.json),
        lambda companion: _sessions((companion,), as_json=arguments.json),
    )


async def _sessions(companions: "Sequence[Companion]", *, as_json: bool) -> int:
    import asyncio

    from tui.cli import complain
    from tui.domain.sessions import live

    whole = await asyncio.gather(*(companion.scan_once() for companion in companions))
    if not all(whole):  # threads are shown even where no limits can be read
        complain("not every file could be read in time; sessions may be missing")
    found = [
        (companion.state.account_name, session)
        for companion in companions
        for session in live(companion.state.sessions, companion.clock.now())
    ]
    if as_json:
        from tui.cli.json_output import print_json, sessions_report

        print_json(sessions_report(found))
        return 0
    from tui.ui.view.text import clean, left
    from tui.ui.view.times import countdown

    if not found:
        print("No live session of Codex is known here.")
    widest = max((len(name) for name, _ in found), default=0)
    for name, session in found:
        place = clean(f'{session.workspace or "?"}  "{session.name}"' if session.name else session.workspace or "?")
        state = session.state.replace("_", " ")
        since = countdown(companions[0].clock.now() - session.since)
        account = f"{left(name, widest)}  " if widest else ""
        model = left(clean(session.model or "?"), 14)
        print(f"{session.thread_id}  {left(state, 16)}  {since:>9}  {model}  {account}{place}")
    return 0
