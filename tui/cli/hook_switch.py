"""`resetbank hold` and `resetbank guard`: on, off and status of one of our hooks in Codex."""

import argparse
from typing import TYPE_CHECKING

from tui.errors import NotViable, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tui.domain.hooks import HookStatus
    from tui.settings import Settings
    from tui.sources.codex_home import CodexHome
    from tui.wire.hooks import ListedHook

_TRUST = """\
Codex runs it only when you trust it: in a running session type /hooks, choose it and press t;
or start codex anew and choose "Trust all and continue". resetbank never does that for you."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the words and options of either command."""
    parser.add_argument("action", choices=("on", "off", "status"), metavar="on|off|status", help="what to do")
    parser.add_argument("--json", action="store_true", help="print the status as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Turn the hook of the command's name on or off, or say how it stands; `status` is 0 when it protects, else 1."""
    import asyncio

    from tui.agent import refuse_under_codex
    from tui.assembly import open_hooks
    from tui.cli.accounts import codex_home, settings_for

    name = arguments.command
    paths, settings = settings_for(arguments, confirms=False)
    if arguments.account is not None and arguments.base_url is not None:
        raise UsageError(f"account {arguments.account!r} has no Codex home", f"name one to turn {name} on or off")
    home = codex_home(arguments)
    installation = open_hooks(home, settings, paths)
    if arguments.action == "status":
        status = asyncio.run(hook_statuses(home, settings))[name]
        _report(status, as_json=arguments.json)
        return 0 if status.protects else 1
    refuse_under_codex(f"'resetbank {name} {arguments.action}'")
    if arguments.action == "on":
        change = installation.turn_on(name, _own_workspace())
        print(f"{change.hooks_file}: {'added' if change.changed else 'already there'}: {', '.join(change.events)}")
    else:
        change = installation.turn_off(name)
        done = f"taken out: {', '.join(change.events)}" if change.changed else "there was nothing to take out"
        print(f"{change.hooks_file}: {done}")
    if change.backup is not None:
        print(f"{change.backup}: the former file")
    asyncio.run(_after(name, arguments.action, home, settings))
    return 0


async def hook_statuses(home: "CodexHome", settings: "Settings") -> "dict[str, HookStatus]":
    """How each of our hooks stands: asks Codex where one is in its file, and reads its files where nobody answers."""
    from tui.assembly import open_hooks
    from tui.domain.hooks import HookState
    from tui.hooks.installation import ALL_HOOKS
    from tui.paths import resetbank_paths

    installation = open_hooks(home, settings, resetbank_paths())
    found = {name: installation.status(name) for name in ALL_HOOKS}
    if all(status.state is HookState.NOT_INSTALLED for status in found.values()):
        return found
    listed = await _listed(home, settings)
    return found if listed is None else {name: installation.status(name, listed) for name in ALL_HOOKS}


async def _listed(home: "CodexHome", settings: "Settings") -> "tuple[ListedHook, ...] | None":
    from pathlib import Path

    from tui.sources.codex_answers import list_hooks

    try:
        return await list_hooks(home, settings.codex.command, str(Path.cwd()))
    except (NotViable, OSError):
        return None


async def _after(name: str, action: str, home: "CodexHome", settings: "Settings") -> None:
    """Reload what runs, and say what is left to do."""
    from tui.domain.hooks import HookState
    from tui.sources.codex_answers import reload_hooks

    try:
        if await reload_hooks(home):
            print("The running Codex read its hooks anew.")
    except NotViable as error:
        print(f"The running Codex did not read its hooks anew ({error.message}): start it again.")
    status = (await hook_statuses(home, settings))[name]
    if action == "on":
        _report(status)
        if status.state in (HookState.UNTRUSTED, HookState.MODIFIED):
            print(_TRUST)


def _report(status: "HookStatus", *, as_json: bool = False) -> None:
    if as_json:
        from tui.cli.json_output import print_json

        print_json({"schema": 1, **hook_json(status)})
        return
    print(f"{status.name.capitalize()}: {describe(status)}")


def hook_json(status: "HookStatus") -> dict[str, object]:
    """A hook's status in our JSON."""
    return {
        "hook": status.name,
        "state": status.state.value,
        "protects": status.protects,
        "checked_by_codex": status.checked,
        "problem": status.problem,
    }


def describe(status: "HookStatus") -> str:
    """A hook's status in one line."""
    from tui.domain.hooks import HookState

    meaning = {
        HookState.NOT_INSTALLED: f"not installed, so not protected; 'resetbank {status.name} on' installs it",
        HookState.UNTRUSTED: "not protected yet: you have not trusted it in Codex",
        HookState.MODIFIED: f"changed, so not protected: run 'resetbank {status.name} on' and trust it again",
        HookState.DISABLED: "not protected: it is switched off in Codex",
        HookState.UNSUPPORTED: "not protected: this Codex has no such hook; update codex",
        HookState.TRUSTED: "protected",
    }[status.state]
    source = "" if status.checked or status.state is HookState.NOT_INSTALLED else " (read from Codex's files)"
    problem = f" ({status.problem})" if status.problem else ""
    return f"{meaning}{problem}{source}"


def _own_workspace() -> "list[Path]":
    """The folder the command runs in, unless it is the person's home or holds it."""
    from pathlib import Path

    here = Path.cwd().resolve()
    return [] if Path.home().resolve().is_relative_to(here) else [here]
