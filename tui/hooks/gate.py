"""The gate of one Codex home: small files in a folder of mode 0700, through which keeper and hooks speak.

`gate` is what the keeper says, replaced in one step. `heartbeat` is a counter that the keeper raises while somebody
waits; it is there only while a keeper runs. `waiting/` holds one file per held request, `attempts/` one per refused
tool call. No sockets. Nothing in it is consent: whoever writes here lets a request go, or holds it up to its cap.
"""

import os
import re
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from tui.domain.hooks import GateMode, GateState, SpendAttempt, Waiter
from tui.errors import BadPayload, HooksError
from tui.hooks.files import read_small_file, replace_file
from tui.wire.fields import FieldReader, clean_text, load_object

_MOST: Final = 256
"""Files of a folder that are looked at."""
_WORD: Final = re.compile(r"[!-~]{1,200}")
_SINCE: Final = "%Y%m%d%H%M%S"
_FIELD: Final = '"{}":"([^"\\\\]{{1,200}})"'


def gate_folder(gates: Path, codex_home: Path) -> Path:
    """The folder of a Codex home's gate; the same for every spelling of its path."""
    return gates / sha256(str(codex_home.resolve()).encode()).hexdigest()[:16]


class Gate:
    """One gate's files. What makes or writes them raises `HooksError` where that fails."""

    is_shared = True
    """Whether other processes can keep it too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_there(self) -> bool:
        """Whether anybody has made it."""
        return self.folder.is_dir()

    def make(self) -> None:
        """Make the folders."""
        try:
            for folder in (self.folder, self.folder / "waiting", self.folder / "attempts"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.chmod(0o700)
        except OSError as error:
            raise HooksError(f"cannot make {self.folder}: {error.strerror}", "set RESETBANK_HOME") from error

    def write(self, state: GateState) -> None:
        """Say something to every hook."""
        replace_file(self.folder / "gate", _encode(state))

    def read(self) -> GateState | None:
        """What was last said; None where nothing was, or it makes no sense."""
        try:
            data = read_small_file(self.folder / "gate")
        except HooksError:
            return None
        return None if data is None else _decode(data)

    def beat(self, count: int) -> None:
        """Show that a keeper lives: the first time, and while somebody waits."""
        try:
            descriptor = os.open(self.folder / "heartbeat", os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, b"%020d\n" % count, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise HooksError(f"cannot write {self.folder}: {error.strerror}", "check its permissions") from error

    def has_heartbeat(self) -> bool:
        """Whether a keeper is said to live."""
        return (self.folder / "heartbeat").exists()

    def end(self) -> None:
        """Say that no keeper runs any more: what waits goes at once."""
        with suppress(OSError):
            (self.folder / "heartbeat").unlink()

    def waiters(self) -> tuple[Waiter, ...]:
        """Every request that is held now, the longest first; what its hook left behind when it died is removed."""
        found = []
        for path in self._files("waiting"):
            if not path.name.isdigit():
                continue
            waiter = _read_waiter(path)
            if waiter is None:
                with suppress(OSError):
                    path.unlink()
            else:
                found.append(waiter)
        return tuple(sorted(found, key=lambda waiter: (waiter.since, waiter.pid)))

    def take_attempts(self) -> tuple[SpendAttempt, ...]:
        """Every refused tool call since the last time."""
        found = []
        for path in self._files("attempts"):
            with suppress(OSError, HooksError):
                attempt = _read_attempt(read_small_file(path) or b"")
                path.unlink()
                if attempt is not None:
                    found.append(attempt)
        return tuple(sorted(found, key=lambda attempt: attempt.at))

    def _files(self, name: str) -> list[Path]:
        try:
            with os.scandir(self.folder / name) as entries:
                return [Path(entry.path) for entry, _ in zip(entries, range(_MOST), strict=False)]
        except OSError:
            return []


def _encode(state: GateState) -> bytes:
    words = [provider for provider in state.providers if _WORD.fullmatch(provider)]
    account = state.account if state.account and _WORD.fullmatch(state.account) else None
    fields = {
        "state": state.mode.value,
        "since": None if state.open_since is None else _milliseconds(state.open_since),
        "reset": None if state.resets_at is None else f"{int(state.resets_at.timestamp())}",
        "account": account,
        "providers": " ".join(words) or None,
        "default": "yes" if state.default_provider else "no",
        "credits": "hold" if state.before_credits else "go",
        "note": None if state.note is None else clean_text(state.note, 200),
    }
    return "".join(f"{key} {value}\n" for key, value in fields.items() if value is not None).encode()


def _decode(data: bytes) -> GateState | None:
    lines = (line.partition(" ") for line in data.decode("utf-8", "replace").splitlines())
    fields = {key: value for key, _, value in lines}
    try:
        since, reset = fields.get("since"), fields.get("reset")
        return GateState(
            GateMode(fields.get("state", "")),
            None if since is None else _from_milliseconds(since),
            None if reset is None else datetime.fromtimestamp(int(reset), UTC),
            fields.get("account"),
            tuple(fields.get("providers", "").split()),
            fields.get("default") == "yes",
            fields.get("credits") == "hold",
            fields.get("note"),
        )
    except (ValueError, OverflowError, OSError):
        return None


def _milliseconds(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:{_SINCE}}{moment.microsecond // 1000:03d}"


def _from_milliseconds(text: str) -> datetime:
    moment = datetime.strptime(text[:14], _SINCE).replace(tzinfo=UTC)
    return moment.replace(microsecond=int(text[14:17] or "0") * 1000)


def _read_waiter(path: Path) -> Waiter | None:
    """One held request; None where its hook is gone or the file makes no sense."""
    try:
        first, started, body = (read_small_file(path) or b"").split(b"\n", 2)
        pid, since = (int(word) for word in first.split())
        fields = load_object(body, "a held request")
        moment = datetime.fromtimestamp(since, UTC)
    except (ValueError, OverflowError, OSError, BadPayload, HooksError):
        return None
    reader = FieldReader()
    session = reader.text(fields.get("session_id"), "the session", 200)
    if session is None or str(pid) != path.name or process_start(pid) != started.decode("ascii", "replace").strip():
        return None
    return Waiter(
        pid,
        moment,
        session,
        reader.text(fields.get("turn_id"), "the turn", 200),
        reader.text(fields.get("cwd"), "the workspace", 4096),
        reader.text(fields.get("agent_id"), "the agent", 200),
        fields.get("hook_event_name") == "PreCompact",
    )


def process_start(pid: int) -> str | None:
    """When a process began, in a spelling of the system's own: with the pid it names one process for ever."""
    if pid <= 0:
        return None
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        return None
    else:
        fields = status.rpartition(") ")[2].split()
        return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else None
    words = ["ps", "-o", "lstart=", "-p", str(pid)]
    found = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return found.stdout.strip() or None


def _read_attempt(data: bytes) -> SpendAttempt | None:
    """One refused tool call; the guard keeps only the beginning of a long one."""
    first, _, body = data.decode("utf-8", "replace").partition("\n")
    tool = re.search(_FIELD.format("tool_name"), body)
    session = re.search(_FIELD.format("session_id"), body)
    try:
        at = datetime.fromtimestamp(int(first), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return SpendAttempt(at, session and clean_text(session[1]), clean_text(tool[1]) if tool else "an unknown tool")
