"""`resetbank` without a command: the screen; where there is no terminal, the plain status."""

import argparse
import os
import sys

DEFAULT_SCENARIO = "busy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the screen's own options."""
    parser.add_argument(
        "--demo", nargs="?", const=DEFAULT_SCENARIO, metavar="SCENARIO", help="open on the embedded service instead"
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the screen and stay until it is closed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "") in ("", "dumb"):
        return _print_plainly(arguments)
    import secrets

    from tui.assembly import Wishes, screen_connector
    from tui.clock import LocalZone, SystemClock
    from tui.paths import resetbank_paths
    from tui.settings import load_settings
    from tui.ui.app import ResetbankApp

    paths = resetbank_paths()
    settings = load_settings(paths.settings)
    app = ResetbankApp(
        connect=screen_connector(Wishes.of(arguments), settings, paths),
        settings=settings,
        clock=SystemClock(),
        zone=LocalZone(),
        demo=arguments.demo,
        letters=lambda count: "".join(secrets.SystemRandom().sample("ABCDEFGHJKMNPQRSTUVWXYZ", count)),
    )
    app.run()
    return app.return_code or 0


def _print_plainly(arguments: argparse.Namespace) -> int:
    """Print what the screen would show and succeed: the judging exit codes belong to `status`."""
    from tui.cli.oneshot import read_once, run_with_companion
    from tui.cli.status import print_status

    async def show(companion, _settings) -> int:  # type: ignore[no-untyped-def]
        state = await read_once(companion)
        print_status(state, companion.clock.now())
        return 0

    return run_with_companion(arguments, "resetbank", show)
