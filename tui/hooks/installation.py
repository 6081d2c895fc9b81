"""Our hooks in one Codex home: put in, taken out, and how they stand there."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.domain.gate import PlanUsers
from tui.domain.hooks import HookState, HookStatus
from tui.errors import HooksError
from tui.hooks.editor import BACKUP_SUFFIX, HookEntry, hook_command, read_hooks_file, write_hooks_file
from tui.hooks.files import read_small_file
from tui.hooks.gate import Gate, gate_folder
from tui.hooks.scripts import GUARD, HOLD, ScriptState, install_script, script_path, script_state
from tui.wire.hooks import ListedHook, definition_hash, trust_key

HOLD_TIMEOUT: Final = 700_000
"""Seconds after which Codex itself gives up on a hold: longer than any that our script allows."""
GUARD_TIMEOUT: Final = 30
MESSAGE: Final = "resetbank: waits here while a limit is reached"
_TOOL: Final = re.compile(r"[A-Za-z0-9_*-]{1,200}")
_WORST_FIRST: Final = (
    HookState.NOT_INSTALLED,
    HookState.UNSUPPORTED,
    HookState.DISABLED,
    HookState.MODIFIED,
    HookState.UNTRUSTED,
    HookState.TRUSTED,
)


class Change(msgspec.Struct, frozen=True):
    """What turning a hook on or off did."""

    hooks_file: Path
    changed: bool
    backup: Path | None
    """The former file; None where there was none, or nothing was changed."""
    events: tuple[str, ...]


class Installation:
    """The hooks of one Codex home; every change of them raises `HooksError` where it is not safe, or fails.

    Scripts and gates lie in folders of our own. In the names of the tools that the guard refuses, `*` stands for any
    letters.
    """

    def __init__(self, codex_home: Path, scripts: Path, gates: Path, tools: Sequence[str]) -> None:
        self._home = codex_home.absolute()
        self._scripts = scripts.absolute()
        self.gate = Gate(gate_folder(gates.absolute(), codex_home))
        self._tools = tools

    @property
    def hooks_file(self) -> Path:
        """Codex's file of hooks."""
        return self._home / "hooks.json"

    def entries(self, name: str) -> tuple[HookEntry, ...]:
        """What stands in the file for `hold` or `guard`; `HooksError` for a name that cannot be written there."""
        command = hook_command(script_path(self._scripts, name), self.gate.folder)
        if name == HOLD:
            return tuple(
                HookEntry(event, command, HOLD_TIMEOUT, MESSAGE) for event in ("PreModelRequest", "PreCompact")
            )
        for tool in self._tools:
            if not _TOOL.fullmatch(tool):
                raise HooksError(f"the guard's tool {tool!a} is no name of a tool", "mend guard.tools in the settings")
        matcher = "|".join(("Bash", *(tool.replace("*", ".*") for tool in self._tools)))
        return (HookEntry("PreToolUse", command, GUARD_TIMEOUT, matcher=f"^({matcher})$"),)

    def turn_on(self, name: str, workspaces: Sequence[Path]) -> Change:
        """Install the script and add its entries."""
        if not self._home.is_dir():
            raise HooksError(f"there is no Codex home at {self._home}", "run codex once")
        entries = self.entries(name)
        before = read_hooks_file(self.hooks_file)
        after = before.add(name, entries)
        install_script(self._scripts, name, (*workspaces, *self._trusted_folders()))
        self.gate.make()
        return self._change(write_hooks_file(self.hooks_file, before, after), tuple(entry.event for entry in entries))

    def turn_off(self, name: str) -> Change:
        """Take the entries out; the script stays, for the threads that run with it."""
        before = read_hooks_file(self.hooks_file)
        events = tuple(dict.fromkeys(event for event, _, _ in before.find(name)))
        return self._change(write_hooks_file(self.hooks_file, before, before.remove(name)), events)

    def _change(self, changed: bool, events: tuple[str, ...]) -> Change:
        backup = self.hooks_file.resolve()
        backup = backup.with_name(backup.name + BACKUP_SUFFIX)
        return Change(self.hooks_file, changed, backup if changed and backup.exists() else None, events)

    def status(self, name: str, listed: tuple[ListedHook, ...] | None = None) -> HookStatus:
        """How `hold` or `guard` stands, by what a running Codex lists, or by its files alone.

        It is the worst of its entries: it protects only where all of them do.
        """
        try:
            found = self._found(name, listed)
        except HooksError as error:
            return HookStatus(name, HookState.NOT_INSTALLED, listed is not None, error.message)
        state = min(found, key=_WORST_FIRST.index)
        if state in (HookState.NOT_INSTALLED, HookState.DISABLED, HookState.UNSUPPORTED):
            return HookStatus(name, state, listed is not None)
        script = script_state(self._scripts, name)
        if script is not ScriptState.SAME:
            problem = f"{script_path(self._scripts, name)} is {script}"
            return HookStatus(name, HookState.MODIFIED, listed is not None, problem)
        return HookStatus(name, state, listed is not None)

    def _found(self, name: str, listed: tuple[ListedHook, ...] | None) -> list[HookState]:
        entries = self.entries(name)
        file = read_hooks_file(self.hooks_file)
        ours = {event: (place, group) for event, place, group in file.find(name)}
        if not ours:
            return [HookState.NOT_INSTALLED]
        states = []
        for entry in entries:
            if entry.event not in ours:
                states.append(HookState.MODIFIED)
            elif listed is None:
                states.append(self._state_in_files(entry.event, *ours[entry.event]))
            else:
                command = ours[entry.event][1]["hooks"][0]["command"]
                rows = [row for row in listed if row.event == entry.event and row.command == command]
                states.append(_listed_state(rows[-1]) if rows else HookState.UNSUPPORTED)
        current = {entry.event: entry.group() for entry in entries}
        if any(current.get(event) != group for event, (_, group) in ours.items()):
            states.append(HookState.MODIFIED)
        return states

    def _state_in_files(self, event: str, place: int, group: dict[str, Any]) -> HookState:
        states = _table(_table(self._config(), "hooks"), "state")
        for path in (self.hooks_file, self.hooks_file.resolve(), self._home.resolve() / "hooks.json"):
            known = _table(states, trust_key(str(path), event, place))
            if known.get("enabled") is False:
                return HookState.DISABLED
            trusted = known.get("trusted_hash")
            if trusted is not None:
                same = trusted == definition_hash(event, group)
                return HookState.TRUSTED if same else HookState.MODIFIED
        return HookState.UNTRUSTED

    def _config(self) -> dict[str, Any]:
        """Codex's config.toml, as far as it can be read."""
        try:
            return tomllib.loads((read_small_file(self._home / "config.toml") or b"").decode("utf-8-sig"))
        except (HooksError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
            return {}

    def plan_users(self) -> PlanUsers:
        """Which model providers spend the plan's login: Codex's own, and those that ask for it."""
        config = self._config()
        providers = _table(config, "model_providers")
        users = ("openai", *(name for name in providers if _table(providers, name).get("requires_openai_auth") is True))
        chosen = config.get("profile")
        profile = _table(_table(config, "profiles"), chosen) if isinstance(chosen, str) else {}
        default = profile.get("model_provider", config.get("model_provider"))
        return PlanUsers(users, default is None or default in users)

    def _trusted_folders(self) -> list[Path]:
        """The folders that Codex may work in without asking."""
        projects = _table(self._config(), "projects")
        return [Path(folder) for folder in projects if _table(projects, folder).get("trust_level") == "trusted"]


def _table(config: dict[str, Any], key: str) -> dict[str, Any]:
    """A table of Codex's config.toml; empty where there is none, or something else stands in its place."""
    found = config.get(key)
    return found if isinstance(found, dict) else {}


def _listed_state(row: ListedHook) -> HookState:
    if not row.enabled:
        return HookState.DISABLED
    known = {"trusted": HookState.TRUSTED, "managed": HookState.TRUSTED, "modified": HookState.MODIFIED}
    return known.get(row.trust, HookState.UNTRUSTED)


ALL_HOOKS: Final = (HOLD, GUARD)
