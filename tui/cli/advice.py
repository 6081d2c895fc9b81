"""`resetbank advice`: the verdict on the banked resets, with its arithmetic."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.domain.outlook import Outlook
    from tui.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1")


def run(arguments: argparse.Namespace) -> int:
    """Read once, look ahead, and print; exit code 12 where nothing can be said."""
    from tui.cli.oneshot import run_with_companion

    return run_with_companion(arguments, _advise, watches=True)


async def _advise(companion: "Companion", _: "Settings", arguments: argparse.Namespace) -> int:
    from tui.cli.oneshot import read_once
    from tui.domain.advice import Verdict
    from tui.errors import EXIT_UNKNOWN

    await read_once(companion)
    await companion.sessions.scan_once()
    await companion.costs.ask()
    outlook = await companion.history.look_once()
    if arguments.json:
        from tui.cli.json_output import print_json

        print_json(_report(outlook))
    else:
        from tui.clock import LocalZone
        from tui.ui.view.outlook import plan_texts
        from tui.ui.view.text import clean

        print(outlook.advice.headline)
        for line in (*outlook.advice.arithmetic, *plan_texts(outlook, companion.clock.now(), LocalZone())):
            print(f"  {clean(line)}")
    return EXIT_UNKNOWN if outlook.advice.verdict is Verdict.CANNOT_TELL else 0


def _report(outlook: "Outlook") -> dict[str, Any]:
    from tui.wire.recording import advice_line, forecast_line, time_text

    def without_type(line: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in line.items() if name not in ("type", "at")}

    return {
        "schema": 1,
        "at": time_text(outlook.at),
        **without_type(advice_line(outlook.advice)),
        "arithmetic": list(outlook.advice.arithmetic),
        "plan": [
            {
                "credit_id": planned.credit_id,
                "expires_at": time_text(planned.expires_at),
                "use_by": time_text(planned.use_by),
                "lapses_unused": planned.lapses_unused,
            }
            for planned in outlook.plan
        ],
        "forecasts": [without_type(forecast_line(forecast)) for forecast in outlook.forecasts],
    }
