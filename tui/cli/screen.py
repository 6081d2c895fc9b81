"""`resetbank` without a command: the screen; where there is no terminal, the plain status."""

import argparse
import os
import sys

from tui import STORY

TYPE_CHECKING = False  # checkers know the name; importing typing would cost a third of --help
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui.companion.companion import Companion
    from tui.domain.snapshot import Snapshot
    from tui.paths import Paths
    from tui.settings import Settings
    from tui.settings_file import Row


_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A few megabytes at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the screen's own options."""
    parser.add_argument(
        "--demo", nargs="?", const=STORY, metavar="SCENARIO", help="play an afternoon on the embedded service instead"
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="no screen: sentences, each said once, for screen readers and dumb terminals",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the screen and stay until it is closed."""
    if arguments.plain:
        from tui.cli import plain

        return plain.run(arguments)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal or os.environ.get("TERM", "") in ("", "dumb"):
        code = _print_plainly(arguments)
        if is_terminal:
            from tui.cli import complain

            complain("TERM says that this terminal cannot draw a screen; `resetbank --plain` goes on in sentences")
        return code
    import asyncio
    import gc

    # Starting makes some hundred thousand objects that stay: looking for garbage among them takes a tenth of the start.
    gc.disable()

    from tui.agent import mark_of_codex
    from tui.cli.accounts import settings_for
    from tui.clock import LocalZone, SystemClock
    from tui.ui.app import ResetbankApp

    paths, settings = settings_for(arguments)
    is_demo = arguments.demo is not None or arguments.source == "stub"

    async def connect() -> "Companion":
        # In a thread, after the first paint: the companion and its sources take longer to import than the screen.
        try:
            return await (await asyncio.to_thread(_connector, arguments, settings, paths))()
        finally:
            gc.freeze()
            gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
            gc.enable()

    app = ResetbankApp(
        connect=connect,
        settings=settings,
        clock=SystemClock(),
        zone=LocalZone(),
        demo=arguments.demo,
        remembered=None if is_demo else _last_reading(_first_account(arguments, settings)),
        read_only=mark_of_codex() if arguments.demo is None else None,
        letters=_letters,
    )
    app.settings_path, app.around = paths.settings, lambda: _around(arguments, paths)
    if not is_demo:
        from tui.cli.first_look import is_ordinary, look

        app.look_around = lambda: look(arguments, settings, paths.settings)
        app.welcomes = is_ordinary(arguments, settings) and app.view.read_only is None
    app.run()
    return app.return_code or 0


def _connector(
    arguments: argparse.Namespace, settings: "Settings", paths: "Paths"
) -> "Callable[[], Awaitable[Companion]]":
    from tui.assembly import SourceOptions
    from tui.assembly.several import screen_connector

    return screen_connector(SourceOptions.of(arguments), settings, paths)


def _first_account(arguments: argparse.Namespace, settings: "Settings") -> str:
    """The name of the account that is in sight first; empty where it has none."""
    if not settings.accounts:
        return ""
    from tui.assembly import SourceOptions, every_account

    return every_account(SourceOptions.of(arguments), settings)[0].account


def _around(arguments: argparse.Namespace, paths: "Paths") -> "Sequence[Row]":
    """What the command line and the environment decide, for the page of the settings."""
    from tui.cli.sources_of_settings import places
    from tui.settings_file import SettingsFile

    return places(SettingsFile(paths.settings), arguments)


def _last_reading(account: str) -> "Snapshot | None":
    """The last reading that the database knows; None without one, or where it cannot be used."""
    from tui.cli.kept import kept_database
    from tui.errors import StoreError
    from tui.store.observations import Observations

    try:
        with kept_database() as database:
            return Observations(database).last(account) if database is not None else None
    except StoreError:
        return None


def _letters(count: int) -> str:
    """Distinct capital letters that nobody can guess, of the whole alphabet: a blind key seldom hits one."""
    import secrets
    import string

    return "".join(secrets.SystemRandom().sample(string.ascii_uppercase, count))


def _print_plainly(arguments: argparse.Namespace) -> int:
    """Print what the screen would show and succeed: the judging exit codes belong to `status`."""
    from tui.cli.oneshot import read_once, run_with_companion
    from tui.cli.status import print_status

    async def show(companion, *_) -> int:  # type: ignore[no-untyped-def]
        state = await read_once(companion)
        print_status(state, companion.clock.now())
        return 0

    return run_with_companion(arguments, show)
