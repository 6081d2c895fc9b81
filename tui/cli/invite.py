"""`resetbank invite`: what is offered; one invite by e-mail on a typed code; or one made elsewhere, written down."""

import argparse
import sys
from typing import TYPE_CHECKING

from tui.cli.oneshot import read_once, run_with_companion, view_of
from tui.errors import EXIT_FAILURE, EXIT_OUTCOME_UNKNOWN, EXIT_REFUSED, InviteRejected, ResetbankError, UsageError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.domain.invites import InviteRecord
    from tui.settings import Settings

WIDTH = 80
"""Columns of what is printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="whom to invite; without it the offer is printed")
    parser.add_argument(
        "--note", action="store_true", help="write down an invite that was made elsewhere; nothing is sent"
    )
    parser.add_argument("--link", metavar="URL", help="with --note: its link")
    parser.add_argument("--json", action="store_true", help="print the result as JSON; the question goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Print the offer, send one invite, or write one down."""
    from tui.agent import refuse_under_codex

    if arguments.address is not None:
        refuse_under_codex("'resetbank invite'")
    if (arguments.note or arguments.link) and not (arguments.note and arguments.address):
        raise UsageError("--note writes down one address, and --link belongs to it", "write: invite ADDRESS --note")
    return run_with_companion(arguments, _invite, invites=True)


async def _invite(companion: "Companion", _: "Settings", arguments: argparse.Namespace) -> int:
    try:
        if arguments.note:
            await companion.poller.poll()  # whose it is may be known from the last time, too
            address = companion.inviter.check(arguments.address)
            return _told(companion, await companion.inviter.note(address, arguments.link), as_json=arguments.json)
        await read_once(companion)
        await companion.inviter.refresh()
        if arguments.address is None:
            return _tell_offer(companion, as_json=arguments.json)
        return _told(companion, await _send(companion, arguments), as_json=arguments.json)
    except ResetbankError as error:
        if arguments.json:
            from tui.cli.json_output import invite_report, print_json

            print_json(invite_report(companion.state.invites, "refused", None, str(error)))
        raise


def _tell_offer(companion: "Companion", *, as_json: bool) -> int:
    from tui.cli.json_output import invite_report, print_json
    from tui.domain.referral import OfferStatus
    from tui.ui.view.offer import offer_lines
    from tui.ui.view.text import plain

    book = companion.state.invites
    if as_json:
        print_json(invite_report(book, None, None, book.reason))
    else:
        print(plain(offer_lines(view_of(companion), WIDTH)))
    return {OfferStatus.OFFERED: 0, OfferStatus.UNREACHABLE: EXIT_FAILURE}.get(book.status, EXIT_REFUSED)


async def _send(companion: "Companion", arguments: argparse.Namespace) -> "InviteRecord":
    from tui.cli.terminal import require_code, require_terminal
    from tui.domain.referral import OfferStatus
    from tui.domain.spend import ConsentKind
    from tui.ui.view.inviting import consent_lines
    from tui.ui.view.offer import status_line
    from tui.ui.view.text import plain

    companion.inviter.check(arguments.address)
    if companion.state.invites.status is not OfferStatus.OFFERED:
        raise InviteRejected(f"nothing was sent: {plain((status_line(view_of(companion)),))}")
    proposal = companion.inviter.propose(arguments.address)
    screen = sys.stderr if arguments.json else sys.stdout
    require_terminal("an invite is only sent with consent", "sent", screen)
    print(plain(consent_lines(view_of(companion), proposal, WIDTH)), file=screen)
    await require_code("send this invite", "sent", screen)
    return await companion.inviter.invite(proposal, ConsentKind.CODE)


def _told(companion: "Companion", record: "InviteRecord", *, as_json: bool) -> int:
    from tui.cli.json_output import invite_report, print_json
    from tui.domain.invites import SendStage
    from tui.ui.view.inviting import sent_lines
    from tui.ui.view.text import plain

    outcome, code = {
        SendStage.NOTED: ("noted", 0),
        SendStage.SENT: ("sent", 0),
        SendStage.FOUND: ("sent", 0),
        SendStage.REFUSED: ("refused", EXIT_REFUSED),
        SendStage.LOST: ("refused", EXIT_REFUSED),
    }.get(record.stage, ("unknown", EXIT_OUTCOME_UNKNOWN))
    if as_json:
        print_json(invite_report(companion.state.invites, outcome, record, record.reason))
    else:
        print(plain(sent_lines(view_of(companion), record, WIDTH)))
    return code
