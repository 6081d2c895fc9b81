"""Two ways to an app-server: a child process over stdio, and the running daemon's socket.

Either carries whole messages, none longer than `LARGEST_MESSAGE`, raises `TransportClosed` once the other side is gone,
and closes within half a second; closing twice is fine.
"""

import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.errors import NotViable
from tui.sources.codex_home import TOKEN_VARIABLE, CodexHome
from tui.sources.codex_program import codex_program

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LARGEST_MESSAGE: Final = 4 << 20
_TERM_PATIENCE: Final = 0.2
_KILL_PATIENCE: Final = 0.2
_CONNECT_PATIENCE: Final = 3.0
_LONGEST_SOCKET_PATH: Final = 100


class TransportClosed(Exception):
    """The other side is gone, or sends a message that is too long; the text is the reason in a clause.

    A message that was being sent may or may not have arrived.
    """


class ChildTransport:
    """A child process in a process group of its own; one message a line."""

    may_chatter = True
    """Whether lines that are no messages may come before the first one."""

    def __init__(self, process: asyncio.subprocess.Process, shown: str) -> None:
        self._process = process
        self._shown = shown
        # Its stderr may quote anything, so it is read and dropped; running `codex app-server` by hand shows it.
        self._drain = asyncio.create_task(_drop(process.stderr))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def send(self, message: bytes) -> None:
        """Write one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(message + b"\n")
            await self._process.stdin.drain()
        except (OSError, RuntimeError) as error:
            raise TransportClosed(f"{self._shown} is gone") from error

    async def receive(self) -> bytes:
        """Read one line that is not blank."""
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError as error:
                raise TransportClosed(f"{self._shown} sends a message without end") from error
            except OSError as error:
                raise TransportClosed(f"{self._shown} is gone") from error
            if not line.endswith(b"\n"):
                raise TransportClosed(await self._end_reason())
            if line.strip():
                return line

    async def _end_reason(self) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(_TERM_PATIENCE):
                code = await self._process.wait()
                return f"{self._shown} ended by signal {-code}" if code < 0 else f"{self._shown} ended with code {code}"
        return f"{self._shown} closed its output"

    async def aclose(self) -> None:
        """End the child and all that it started: ask, wait shortly, kill."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        for end, patience in ((signal.SIGTERM, _TERM_PATIENCE), (_KILL, _KILL_PATIENCE)):
            self._signal(end)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._process.wait()
                    break
        self._signal(_KILL)  # whatever the child left behind in its group
        self._drain.cancel()
        with suppress(asyncio.CancelledError):
            await self._drain
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILL_PATIENCE):  # asyncio closes a pipe that was read to its end
                await _drop(self._process.stdout)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, number)


_KILL: Final = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


async def start_child(command: Sequence[str], environment: Mapping[str, str] | None = None) -> ChildTransport:
    """Start a child that speaks on stdio, in an environment or with None in this process's; or raise `NotViable`."""
    shown = f"`{' '.join((Path(command[0]).name, *command[1:]))}`"
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=LARGEST_MESSAGE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        hint = "install the Codex CLI, or name it in the settings: [codex] command"
        raise NotViable(f"the Codex executable {command[0]!r} is not there", hint) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        hint = "name the Codex executable in the settings: [codex] command"
        raise NotViable(f"the Codex executable {command[0]!r} cannot be run: {reason}", hint) from error
    return ChildTransport(process, shown)


async def start_codex(command: str, home: CodexHome, arguments: Sequence[str] = ("app-server",)) -> ChildTransport:
    """Start Codex's own app-server as a child, which gets no token of ours; or raise `NotViable`."""
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    return await start_child((codex_program(command), *arguments), {**environment, "CODEX_HOME": str(home.path)})


async def _drop(stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    with suppress(OSError):
        while await stream.read(65_536):
            pass


class SocketTransport:
    """A WebSocket over a Unix socket; one message a frame."""

    may_chatter = False

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection

    async def send(self, message: bytes) -> None:
        """Send one text frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(message, text=True)
        except (ConnectionClosed, OSError) as error:
            raise TransportClosed("the Codex daemon is gone") from error

    async def receive(self) -> bytes:
        """Receive one frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            too_long = error.sent is not None and error.sent.code == 1009
            reason = "the Codex daemon sends a message without end" if too_long else "the Codex daemon is gone"
            raise TransportClosed(reason) from error

    async def aclose(self) -> None:
        """Close the connection; a peer that does not take part is cut off."""
        try:
            async with asyncio.timeout(_TERM_PATIENCE):
                await self._connection.close()
        except TimeoutError:
            self._connection.transport.abort()


Transport = ChildTransport | SocketTransport
"""A two-way line of messages."""


async def connect_daemon(path: Path) -> SocketTransport:
    """Connect to the daemon's socket; `NotViable` where there is none, nobody listens, or something else does."""
    path = _find_socket(path)
    from websockets.asyncio.client import unix_connect
    from websockets.exceptions import WebSocketException

    try:
        async with asyncio.timeout(_CONNECT_PATIENCE):
            connection = await unix_connect(
                str(path),
                "ws://localhost/",
                max_size=LARGEST_MESSAGE,
                compression=None,
                proxy=None,
                open_timeout=None,
                ping_interval=None,  # the daemon's end is seen on the socket itself
                close_timeout=_TERM_PATIENCE,
                logger=_silent_logger(),
            )
    except TimeoutError as error:
        raise NotViable("the Codex daemon does not answer", "restart it: end codex and start it again") from error
    except (ConnectionRefusedError, FileNotFoundError) as error:
        raise NotViable(f"nobody listens at {path}; the Codex daemon is not running", "start codex") from error
    except OSError as error:
        raise NotViable(
            f"cannot connect to {path}: {error.strerror or 'the connection broke'}", "restart codex"
        ) from error
    except (WebSocketException, EOFError, ValueError) as error:
        raise NotViable(f"what listens at {path} is no Codex daemon", "update codex") from error
    return SocketTransport(connection)


def _find_socket(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotViable("the Codex daemon is not running", f"start codex; its socket would be {path}") from error
    except OSError as error:
        raise NotViable(f"cannot look at {path}: {error.strerror}", "check who owns it") from error
    if not stat.S_ISSOCK(mode):
        raise NotViable(f"{path} is not a socket", "remove it and start codex")
    # Codex itself puts a link there whose target is short enough for the kernel.
    return path.resolve() if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH else path


def _silent_logger() -> logging.Logger:
    """A logger that goes nowhere: messages may hold personal data, and the screen is not for tracebacks."""
    logger = logging.getLogger("resetbank.daemon")
    logger.disabled = True
    return logger
