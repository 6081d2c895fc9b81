"""Edits `$CODEX_HOME/hooks.json`: adds and takes out our groups, and leaves every other byte as it is.

Codex keeps its trust in a hook by the hook's position in the file. So ours is added as the last group of its event, and
taken out by deleting it only where it is the last; elsewhere an empty group keeps its place.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.errors import HooksError
from tui.hooks import json_spans
from tui.hooks.files import read_small_file, replace_file

EMPTY_GROUP: Final = '{"hooks":[]}'
BACKUP_SUFFIX: Final = ".before-resetbank"
_BOM: Final = "\ufeff"
_COMMAND: Final = re.compile(
    r"test ! -x '(?P<script>/[^'\\]+/(?P<name>hold|guard)\.sh)' \|\| exec '(?P=script)' '(?P<gate>/[^'\\]+)'"
)


class HookEntry(msgspec.Struct, frozen=True):
    """One group of ours: what Codex runs, at which event."""

    event: str
    """`PreModelRequest`, `PreCompact` or `PreToolUse`."""
    command: str
    timeout: int
    """Seconds after which Codex kills it and goes on."""
    status_message: str | None = None
    """What Codex shows while it runs."""
    matcher: str | None = None
    """Which tools it is run for; None: it has no choice, or all."""

    def group(self) -> dict[str, Any]:
        """The entry as it stands in the file."""
        hook = {"type": "command", "command": self.command, "timeout": self.timeout}
        if self.status_message is not None:
            hook["statusMessage"] = self.status_message
        matcher = {} if self.matcher is None else {"matcher": self.matcher}
        return {**matcher, "hooks": [hook]}


def hook_command(script: Path, gate: Path) -> str:
    """A hook's command line, which does nothing where the script is gone; `HooksError` if a shell may misread it."""
    command = f"test ! -x '{script}' || exec '{script}' '{gate}'"
    if not _COMMAND.fullmatch(command) or not command.isprintable():
        raise HooksError(f"the folder {str(script.parent)!a} has a name that a shell may misread", "set RESETBANK_HOME")
    return command


def script_name(command: object) -> str | None:
    """`hold` or `guard` for a command of ours, wherever it was installed; None for any other."""
    match = _COMMAND.fullmatch(command) if isinstance(command, str) else None
    return match["name"] if match else None


class HooksFile(msgspec.Struct, frozen=True):
    """The text of a hooks.json, parsed far enough to be edited.

    `read_hooks_file` makes one; every change gives a new one.
    """

    text: str

    def groups(self, event: str) -> list[json_spans.Span]:
        """The groups of an event, in their order."""
        array = self._event(event)
        return [] if array is None else json_spans.spans(self.text, array.start)

    def events(self) -> list[str]:
        """Every event that the file names."""
        hooks = self._hooks()
        return [] if hooks is None else [str(span.key) for span in json_spans.spans(self.text, hooks.start)]

    def find(self, name: str) -> list[tuple[str, int, dict[str, Any]]]:
        """Our groups of the script `hold` or `guard`: event, position, and the group itself."""
        return [
            (event, place, span.value)
            for event in self.events()
            for place, span in enumerate(self.groups(event))
            if _is_ours(span.value, name)
        ]

    def add(self, name: str, entries: Sequence[HookEntry]) -> "HooksFile":
        """Have exactly these entries of the script `name`; what stands there already stays in its place."""
        file = self
        for entry in entries:
            file = file._put(name, entry)
        wanted = {entry.event for entry in entries}
        for event in file.events():
            file = file._take_out(name, event, keep=event in wanted)
        return file

    def remove(self, name: str) -> "HooksFile":
        """Take every entry of the script `name` out."""
        file = self
        for event in self.events():
            file = file._take_out(name, event, keep=False)
        return file

    def _put(self, name: str, entry: HookEntry) -> "HooksFile":
        item = json.dumps(entry.group(), ensure_ascii=False)
        for span in self.groups(entry.event):
            if _is_ours(span.value, name):
                if span.value == entry.group():
                    return self
                return HooksFile(self.text[: span.start] + item + self.text[span.end :])
        array = self._event(entry.event)
        if array is not None:
            return HooksFile(json_spans.append(self.text, array.start, item))
        hooks = self._hooks()
        member = f"{json.dumps(entry.event)}: [{item}]"
        if hooks is not None:
            return HooksFile(json_spans.append(self.text, hooks.start, member))
        return HooksFile(json_spans.append(self.text, json_spans.first_value(self.text), f'"hooks": {{{member}}}'))

    def _take_out(self, name: str, event: str, *, keep: bool) -> "HooksFile":
        """Take out our groups of an event but, with `keep`, the first."""
        file = self
        ours = [place for place, span in enumerate(self.groups(event)) if _is_ours(span.value, name)]
        for place in reversed(ours[1:] if keep else ours):
            groups, array = file.groups(event), file._event(event)
            assert array is not None
            if place < len(groups) - 1:
                span = groups[place]
                file = HooksFile(file.text[: span.start] + EMPTY_GROUP + file.text[span.end :])
            elif place:
                file = HooksFile(json_spans.remove(file.text, array.start, place))
            else:
                hooks = file._hooks()
                assert hooks is not None
                file = HooksFile(json_spans.remove(file.text, hooks.start, file.events().index(event)))
        return file

    def _hooks(self) -> json_spans.Span | None:
        return self._member(json_spans.first_value(self.text), "hooks")

    def _event(self, event: str) -> json_spans.Span | None:
        hooks = self._hooks()
        return None if hooks is None else self._member(hooks.start, event)

    def _member(self, start: int, key: str) -> json_spans.Span | None:
        return next((span for span in json_spans.spans(self.text, start) if span.key == key), None)


def _is_ours(group: object, name: str) -> bool:
    """Whether a group is ours alone; what a person put beside our hook in one group makes it theirs."""
    hooks = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(hooks, list) or len(hooks) != 1 or not isinstance(hooks[0], dict):
        return False
    return script_name(hooks[0].get("command")) == name


def parse_hooks(data: bytes, place: str) -> HooksFile:
    """Parse the bytes of a hooks.json; `HooksError` for what Codex cannot read, so that an edit could only do harm."""
    hint = "mend it; Codex cannot read it either"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise HooksError(f"{place} is not UTF-8 text", hint) from error
    if text.startswith(_BOM):
        raise HooksError(f"{place} begins with a byte-order mark", f"save it without one: {hint.partition('; ')[2]}")
    if not text.strip():
        return HooksFile('{\n  "hooks": {}\n}\n')
    try:
        value = json_spans.parse_strictly(text)
    except ValueError as error:
        raise HooksError(f"{place} is not valid JSON: {error}", hint) from error
    hooks = value.get("hooks", {}) if isinstance(value, dict) else None
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise HooksError(f"{place} is not in the form of Codex's hooks", hint)
    return HooksFile(text)


def read_hooks_file(path: Path) -> HooksFile:
    """Read hooks.json, or raise `HooksError`; a missing one is an empty one."""
    return parse_hooks(read_small_file(path) or b"", str(path))


def write_hooks_file(path: Path, before: HooksFile, after: HooksFile) -> bool:
    """Put a changed file in its place, with the former one beside it; whether anything was to change.

    Raises:
        HooksError: It cannot be written, or another program changed it since it was read.
    """
    if after == before:
        return False
    parse_hooks(after.text.encode(), str(path))  # never write what Codex could not read
    path = path.resolve()  # it may be a link into a folder of dotfiles
    data = read_small_file(path)
    if parse_hooks(data or b"", str(path)) != before:
        raise HooksError(f"{path} was changed by another program just now", "run the command again")
    if data is not None:
        replace_file(path.with_name(path.name + BACKUP_SUFFIX), data, like=path)
    replace_file(path, after.text.encode(), like=path)
    return True
