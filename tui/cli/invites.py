"""`resetbank invites`: every invite and its state."""

import argparse
from typing import TYPE_CHECKING

from tui.cli.oneshot import read_once, run_with_companion, view_of
from tui.errors import EXIT_FAILURE, SourceError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")


def run(arguments: argparse.Namespace) -> int:
    """Read the list once and print; exit 1 where only what is kept here could be shown."""
    return run_with_companion(arguments, _invites, invites=True)


async def _invites(companion: "Companion", _: "Settings", arguments: argparse.Namespace) -> int:
    import shutil

    from tui.cli import complain, with_next_step
    from tui.cli.json_output import invites_report, print_json
    from tui.domain.referral import OfferStatus
    from tui.ui.view.invites import listed_lines
    from tui.ui.view.offer import status_line
    from tui.ui.view.text import plain

    failure: str | None = None
    try:
        await read_once(companion)
    except SourceError as error:
        failure = str(error)  # what is kept here is shown all the same
    await companion.inviter.refresh()
    book = companion.state.invites
    view = view_of(companion)
    if arguments.json:
        print_json(invites_report(book))
    elif book.shown or companion.state.store_failure is None:  # else it could not be looked whether there are any
        print(plain(listed_lines(view, shutil.get_terminal_size((100, 24)).columns)))
    incomplete = book.unknowns[0] if book.unknowns else None
    if failure is not None:
        complain(f"{failure}; what is listed is as last known" if book.shown else failure)
    elif book.status is OfferStatus.UNREACHABLE:
        complain(with_next_step(plain((status_line(view),))))
    elif book.status is not OfferStatus.OFFERED:
        complain(plain((status_line(view),)))
    elif incomplete is not None:
        complain(incomplete)
    return EXIT_FAILURE if book.status is OfferStatus.UNREACHABLE or (incomplete and book.listed_at is None) else 0
