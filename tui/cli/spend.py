"""`resetbank spend`: one reset, on a code typed at a real terminal; or the end of a spend that is still open."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from tui.cli.oneshot import read_once, run_with_companion
from tui.errors import (
    EXIT_NO_CREDIT,
    EXIT_NOTHING_TO_RESET,
    EXIT_OUTCOME_UNKNOWN,
    EXIT_REFUSED,
    ConsumeRejected,
    NotConfirmed,
    ResetbankError,
    SourceError,
)

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.domain.spend import Spend
    from tui.settings import Settings

WIDTH = 80
"""Columns of the printed question and its result."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--credit", metavar="ID", help="the reset to spend (default: the soonest to lapse)")
    parser.add_argument(
        "--unattended", action="store_true", help="ask nobody; only with [spend] unattended = true in the settings"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON; the question goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Finish the open spend, or propose a new one."""
    return run_with_companion(arguments, _spend, watches=True)


async def _spend(companion: "Companion", settings: "Settings", arguments: argparse.Namespace) -> int:
    from tui.agent import refuse_under_codex
    from tui.domain.spend import Outcome

    try:
        refuse_under_codex("'resetbank spend'")
        state = await read_once(companion)
        if state.open_spend is not None and state.open_spend.resume is not None:
            await companion.sessions.scan_once()  # who was to go on afterwards may have gone on by now
        spend = None if state.open_spend is None else await _finish(companion, settings, arguments, state.open_spend)
        if spend is None:
            spend = await _spend_anew(companion, settings, arguments)
    except (ResetbankError, asyncio.CancelledError) as error:
        kept = await _kept(companion, error)
        if kept is not None:
            _print_result(companion, kept, as_json=arguments.json)
            return EXIT_OUTCOME_UNKNOWN
        if arguments.json and isinstance(error, ResetbankError):
            from tui.cli.json_output import print_json, refusal_report

            windows = companion.state.snapshot.windows if companion.state.snapshot else ()
            outcome = _OUTCOME_OF_CODE.get(error.exit_code, "refused")
            print_json(refusal_report(outcome, windows, companion.clock.now(), str(error)))
        raise
    if spend.outcome is Outcome.RESET:
        companion.let_go(spend.journaled_at)
    _print_result(companion, spend, as_json=arguments.json)
    return _EXIT_CODES["unknown" if spend.is_open or spend.outcome is None else spend.outcome.value]


async def _kept(companion: "Companion", error: BaseException) -> "Spend | None":
    """The spend that stays open where the service could not be read, or a person broke off or gave no new yes.

    None where there is none, or the error speaks of it itself.
    """
    from msgspec.structs import replace

    if isinstance(error, SourceError):
        await companion.records.recall()  # whose it is could not be read
        await companion.records.show()
        why = f"it could not be looked at: {error.message}"
    elif isinstance(error, asyncio.CancelledError):
        why = "it was broken off before its end was known"
    elif isinstance(error, NotConfirmed):
        why = error.message
    else:
        return None
    spend = companion.state.open_spend
    return None if spend is None else replace(spend, reason=why)


_EXIT_CODES = {
    "reset": 0,
    "nothing_to_reset": EXIT_NOTHING_TO_RESET,
    "no_credit": EXIT_NO_CREDIT,
    "unknown": EXIT_OUTCOME_UNKNOWN,
    "refused": EXIT_REFUSED,
}
_OUTCOME_OF_CODE = {EXIT_NO_CREDIT: "no_credit", EXIT_OUTCOME_UNKNOWN: "unknown"}


async def _finish(
    companion: "Companion", settings: "Settings", arguments: argparse.Namespace, spend: "Spend"
) -> "Spend | None":
    """Go on with the open spend; on an old consent it is sent again by a new yes alone, else the bank is looked at."""
    unasked = False
    if spend.asks_again(companion.clock.now()) and not (arguments.unattended and settings.spend.unattended):
        screen = sys.stderr if arguments.json else sys.stdout
        unasked = not (sys.stdin.isatty() and screen.isatty())
        if not unasked:
            from tui.cli.terminal import require_code
            from tui.clock import LocalZone
            from tui.ui.view.outcome import finish_lines
            from tui.ui.view.text import plain

            print(plain(finish_lines(spend, companion.clock.now(), LocalZone(), WIDTH)), file=screen)
            await require_code("finish it now", "sent again", screen)
    return await companion.spender.finish(unasked=unasked)


async def _spend_anew(companion: "Companion", settings: "Settings", arguments: argparse.Namespace) -> "Spend":
    from tui.cli.terminal import require_code, require_terminal
    from tui.clock import LocalZone
    from tui.domain.spend import Consent, ConsentKind
    from tui.ui.view.spending import proposal_lines
    from tui.ui.view.text import plain

    screen, clock = sys.stderr if arguments.json else sys.stdout, companion.clock
    if not arguments.unattended:
        hint = "run it in a terminal, or see --unattended"
        require_terminal("a reset is only spent with consent", "spent", screen, hint)
    elif not settings.spend.unattended:
        raise ConsumeRejected(
            "--unattended is not allowed by the settings; nothing was spent",
            "set unattended = true under [spend] in settings.toml",
        )
    proposal = await companion.spender.propose(arguments.credit)
    if not arguments.unattended:
        print(plain(proposal_lines(proposal, clock.now(), LocalZone(), 80)), file=screen)
        await require_code("spend this reset", "spent", screen)
    kind = ConsentKind.UNATTENDED if arguments.unattended else ConsentKind.CODE
    return await companion.spender.spend(proposal, Consent(kind, clock.now()))


def _print_result(companion: "Companion", spend: "Spend", *, as_json: bool) -> None:
    if as_json:
        from tui.cli.json_output import print_json, spend_report

        print_json(spend_report(spend, companion.clock.now()))
        return
    from tui.clock import LocalZone
    from tui.ui.view.outcome import result_lines
    from tui.ui.view.text import plain

    print(plain(result_lines(spend, companion.clock.now(), LocalZone(), WIDTH)))
