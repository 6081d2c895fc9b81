"""`resetbank line`: one line from the database alone, for tmux, prompts and status bars; asks no service.

Whoever reads the limits keeps a ready row, the summary; this module only reads and prints it. It is asked each time a
prompt is drawn: it imports next to nothing.
"""

import os
import sys
import time

from tui.folders import database_file, folders

TYPE_CHECKING = False  # checkers know the name; importing typing would cost much of the time that there is
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

_SHORT = {"five_hour": "5h", "daily": "day", "weekly": "wk", "monthly": "mo"}
_GLYPHS = {"ok": "✓", "near": "!", "reached": "■", "unknown": "?"}
_CODES = {"ok": 0, "near": 10, "reached": 11, "unknown": 12}
_COLOURS = {
    "tmux": ("#[fg={}]", "#[default]", {"near": "yellow", "reached": "red", "unknown": "brightblack"}),
    "zsh": ("%F{{{}}}", "%f", {"near": "yellow", "reached": "red", "unknown": "8"}),
    "ansi": ("\x1b[{}m", "\x1b[0m", {"near": "33", "reached": "31", "unknown": "2"}),
}
"""How each place says colours: before, after, and the colour of each state."""
_COLOURS_OF = {"tmux": "tmux", "zsh": "zsh", "fish": "ansi", "starship": "ansi"}
_FORMATS = ("plain", "json", "tmux", "starship", "waybar", "zsh", "fish")
_WITH_VALUE = ("--format", "--refresh", "--account")


def add_arguments(parser: "argparse.ArgumentParser") -> None:
    """Add the command's own options."""
    parser.add_argument(
        "--format",
        metavar="NAME|TEMPLATE",
        help=f"{', '.join(_FORMATS)}, or a template with fields: {', '.join(f'{{{name}}}' for name in _FIELDS)}",
    )
    parser.add_argument("--exit-code", action="store_true", help="the exit codes of status also with a format")
    parser.add_argument(
        "--refresh", type=int, metavar="SECONDS", help="if nobody else does, read in the background at most so often"
    )


def run(arguments: "argparse.Namespace") -> int:
    """Print the line."""
    return show(arguments.format, arguments.refresh, arguments.account, exit_code=arguments.exit_code)


def run_quickly(words: list[str]) -> int | None:
    """Print the line without the parser of all commands, by the words after `line`.

    Returns:
        The exit code; None where the words are not plain enough: then the parser must see them.
    """
    values: dict[str, str] = {}
    exit_code = False
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--exit-code":
            exit_code = True
        elif name in _WITH_VALUE and (equals or (value := next(rest, ""))):
            values[name] = value
        else:
            return None
    refresh = values.get("--refresh", "")
    if refresh and not refresh.isdecimal():
        return None
    return show(values.get("--format"), int(refresh) if refresh else None, values.get("--account"), exit_code=exit_code)


def show(form: str | None, refresh: int | None, account: str | None, *, exit_code: bool) -> int:
    """Print one line.

    Args:
        form: A format's name or a template; None means plain, and that the exit code judges.
        refresh: Seconds after which somebody should read; None reads never.
        account: Whose limits, by the settings' name or the account's id; None takes the account without a name.
        exit_code: Whether the exit code judges also with a format.

    Returns:
        As `status` where the exit code judges, else 0; 2 for a template that names no field.
    """
    _, state = folders()
    row = _read(database_file(state), account)
    if row is not None and "problem" in row:
        refresh = None  # whoever read now could keep nothing
    now = time.time()
    if refresh is not None and (row is None or now >= max(row["stale"], row["observed"] + refresh)):
        _read_in_background(state, refresh, account)
    # Where somebody is asked to read every so often, a reading is not stale before the next one is due.
    line = _judged(row, now, leeway=0 if refresh is None else 1.5 * refresh)
    if form is not None and form not in _FORMATS and "{" not in form:
        print(f"resetbank: there is no format {form!r}; there are {', '.join(_FORMATS)} and templates", file=sys.stderr)
        return 2
    try:
        text = _render(line, form or "plain", now)
    except KeyError as error:
        print(f"resetbank: a template has no field {error.args[0]!r}; see 'resetbank line --help'", file=sys.stderr)
        return 2
    # Past the filter for texts from outside: a colour is an escape code, and nothing from outside is in the line.
    sys.stdout.flush()
    _write(text + "\n")
    return _CODES[line["state"]] if form is None or exit_code else 0


def _read(path: str, account: str | None) -> "dict[str, Any] | None":
    """The summary of an account, or a damaged file's problem alone; None where there is none that can be read.

    Without a name it is the one that is read without one: of several that are read side by side always the same.
    """
    import json
    import sqlite3

    if not os.path.exists(path):
        return None
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        connection = sqlite3.connect(f"file:{escaped}?mode=ro", uri=True, timeout=0.2)
        try:
            found = connection.execute(
                "SELECT summary FROM observations"
                " WHERE account = coalesce((SELECT account FROM names WHERE name = coalesce(?1, '')), ?1, account)"
                " ORDER BY observed_at DESC LIMIT 1",
                (account,),
            ).fetchone()
        finally:
            connection.close()
        row = json.loads(found[0]) if found and found[0] else None
        return row if isinstance(row, dict) and row.keys() >= _ROW else None
    except (sqlite3.Error, ValueError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return {"problem": "database damaged: resetbank doctor"} if damaged else None


_ROW = {"account", "source", "state", "windows", "resets", "lapses", "observed", "stale", "over"}


def _judged(row: "dict[str, Any] | None", now: float, leeway: float) -> "dict[str, Any]":
    """The summary as it is to be shown now: what is too old, or over, is unknown."""
    if row is None or "problem" in row:
        why = "no reading yet" if row is None else row["problem"]
        return dict.fromkeys(_ROW) | {"state": "unknown", "windows": [], "why": why}
    if now >= max(row["stale"], row["observed"] + leeway):
        why = f"{_span(now - row['observed'])} old"
    elif row["over"] is not None and now >= row["over"]:
        why = "window over"
    else:
        return row | {"why": "unknown" if row["state"] == "unknown" else None}
    return row | {"state": "unknown", "why": why, "windows": [w | {"state": "unknown"} for w in row["windows"]]}


def _render(line: "dict[str, Any]", form: str, now: float) -> str:
    if form in ("json", "waybar"):
        import json

        return json.dumps({"schema": 1, **line} if form == "json" else _waybar(line, now))
    if form == "plain" or form in _COLOURS_OF:
        return _text(line, now, _COLOURS_OF.get(form))
    return _fill(form, line, now)


def _text(line: "dict[str, Any]", now: float, colours: str | None = None) -> str:
    """`5h 93 % ! 18:53 │ wk 41 % │ 3 resets`, each part in the colour of its state."""
    parts = []
    for window in line["windows"]:
        state = window["state"]
        text = f"{_name(window)} {_percent(window['percent'])}"
        if state != "ok":
            text += f" {_GLYPHS[state]}"
        if state in ("near", "reached") and window["resets"]:
            text += f" {_clock(window['resets'], now)}"
        parts.append((text, state))
    # What stops or warns may stand in no window: a workspace's cap, its credits, a refusal.
    if line["why"] is None and all(window["state"] == "ok" for window in line["windows"]):
        words = _GLYPHS[line["state"]] if line["state"] == "ok" else f"{_GLYPHS[line['state']]} {line['state']}"
        if not line["windows"] or line["state"] != "ok":
            parts.append((words, line["state"]))
    if line["resets"] is not None:
        parts.append((f"{line['resets']} reset{'' if line['resets'] == 1 else 's'}", "ok"))
    if line["why"]:
        parts.append((f"? {line['why']}", "unknown"))
    return " │ ".join(_painted(text, state, colours) for text, state in parts)


def _painted(text: str, state: str, colours: str | None) -> str:
    if colours == "zsh":
        text = text.replace("%", "%%")
    if colours is None:
        return text
    before, after, names = _COLOURS[colours]
    return f"{before.format(names[state])}{text}{after}" if state in names else text


def _waybar(line: "dict[str, Any]", now: float) -> "dict[str, Any]":
    percents = [window["percent"] for window in line["windows"] if window["percent"] is not None]
    rows = [
        f"{window['label']}: {_percent(window['percent'])}, resets {_clock(window['resets'], now)}"
        for window in line["windows"]
    ]
    if line["observed"] is not None:
        rows.append(f"{line['source']}, {_span(now - line['observed'])} ago")
    return {
        "text": _text(line, now),
        "tooltip": "\n".join([*rows, line["why"]] if line["why"] else rows),
        "class": line["state"],
        "percentage": min(100, round(max(percents, default=0))),
    }


def _fill(template: str, line: "dict[str, Any]", now: float) -> str:
    import re

    # What a template may hold is our own text: names, numbers, times.
    return re.sub(r"\{(\w+)\}", lambda match: _FIELDS[match[1]](line, now), template).replace("\\n", "\n")


def _window(kind: str, field: str) -> "Callable[[dict[str, Any], float], str]":
    def value(line: "dict[str, Any]", now: float) -> str:
        window = next((window for window in line["windows"] if window["kind"] == kind), None)
        if window is None:
            return "-"
        return _percent(window["percent"]) if field == "percent" else _clock(window["resets"], now)

    return value


_FIELDS: "dict[str, Callable[[dict[str, Any], float], str]]" = {
    "state": lambda line, now: line["state"],
    "glyph": lambda line, now: _GLYPHS[line["state"]],
    "five_hour": _window("five_hour", "percent"),
    "five_hour_resets": _window("five_hour", "resets"),
    "daily": _window("daily", "percent"),
    "weekly": _window("weekly", "percent"),
    "weekly_resets": _window("weekly", "resets"),
    "monthly": _window("monthly", "percent"),
    "resets": lambda line, now: "?" if line["resets"] is None else str(line["resets"]),
    "lapses": lambda line, now: _clock(line["lapses"], now),
    "age": lambda line, now: "?" if line["observed"] is None else _span(now - line["observed"]),
    "source": lambda line, now: line["source"] or "?",
    "line": lambda line, now: _text(line, now),
}


def _name(window: "dict[str, Any]") -> str:
    return str(_SHORT.get(window["kind"]) or window["label"])


def _percent(value: float | None) -> str:
    return "?" if value is None else f"{int(value)} %"


def _clock(moment: float | None, now: float) -> str:
    """A moment in the reader's zone: the time, and the day if that is not within a day."""
    if moment is None:
        return "?"
    return time.strftime("%H:%M" if abs(moment - now) < 86_400 else "%a %d %b", time.localtime(moment))


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0, int(seconds))} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 86_400 else f"{int(seconds // 86_400)} d"


def _write(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
    else:
        buffer.write(text.encode(encoding, "replace"))


def _read_in_background(state: str, seconds: int, account: str | None) -> None:
    """Start `resetbank status` unless one was started within so many seconds; the lock is let go when it ends."""
    words = [] if account is None else ["--account", account]
    name = f"refresh-{account}.lock" if account is not None and account.isidentifier() else "refresh.lock"
    try:
        import fcntl

        os.makedirs(state, mode=0o700, exist_ok=True)
        lock = os.open(os.path.join(state, name), os.O_RDWR | os.O_CREAT, 0o600)
    except (ImportError, OSError):
        return  # no Unix, or nothing may be written: then the line says how old it is
    try:
        if os.fstat(lock).st_size and time.time() - os.fstat(lock).st_mtime < seconds:
            return
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(lock, b"1", 0)
        os.utime(lock)
        os.set_inheritable(lock, True)
        null = os.open(os.devnull, os.O_RDWR)
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tui", "status", "--json", *words],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)],
            setsid=True,
        )
        os.close(null)
    except (OSError, NotImplementedError):
        return
    finally:
        os.close(lock)
