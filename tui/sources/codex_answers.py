"""What Codex answers to one question: its hooks, and its own accounts. To trust and to switch is left to the person."""

from collections.abc import Callable
from typing import Final, TypeVar

from tui.errors import BadPayload, NotViable
from tui.sources.appserver_client import AppServerClient, Refused, Unanswered
from tui.sources.appserver_transports import Transport, connect_daemon, start_codex
from tui.sources.codex_home import CodexHome
from tui.wire import codex_logins, hooks

_DEADLINE: Final = 6.0

Answer = TypeVar("Answer")


async def list_hooks(home: CodexHome, command: str, workspace: str) -> tuple[hooks.ListedHook, ...]:
    """The hooks of a folder, as the running Codex knows them, or where none runs a child of our own.

    Raises:
        NotViable: Nobody answers, or Codex is too old to have hooks.
    """
    transport = await _open(home, command)
    return _understood(hooks.decode_hooks, await _ask(transport, hooks.LIST, hooks.list_params(workspace)))


async def list_logins(home: CodexHome, command: str) -> tuple[codex_logins.CodexLogin, ...]:
    """The accounts that the running Codex, or where none runs a child of our own, keeps signed in itself.

    Raises:
        NotViable: Nobody answers, or Codex is too old to keep several.
    """
    transport = await _open(home, command)
    return _understood(codex_logins.decode_logins, await _ask(transport, codex_logins.LIST, {}, experimental=True))


async def reload_hooks(home: CodexHome) -> bool:
    """Make the running Codex read its hooks anew, also for the threads that are open; whether there was one.

    Raises:
        NotViable: There is one, and it did not.
    """
    try:
        transport = await connect_daemon(home.daemon_socket)
    except NotViable:
        return False
    await _ask(transport, hooks.WRITE_CONFIG, hooks.RELOAD)
    return True


async def _open(home: CodexHome, command: str) -> Transport:
    try:
        return await connect_daemon(home.daemon_socket)
    except NotViable:
        return await start_codex(command, home)


async def _ask(transport: Transport, method: str, params: object, *, experimental: bool = False) -> bytes:
    client = AppServerClient(transport, lambda _news: None, lambda: None)
    try:
        await client.greet(_DEADLINE, experimental=experimental)
        return await client.request(method, params, deadline=_DEADLINE)
    except Unanswered as error:
        raise NotViable(error.reason, "run codex once to see what is wrong") from error
    except Refused as error:
        raise NotViable(f"Codex does not know {method} ({error})", "update codex") from error
    finally:
        await client.aclose()


def _understood(decode: Callable[[bytes], Answer], body: bytes) -> Answer:
    try:
        return decode(body)
    except BadPayload as error:
        raise NotViable(error.message, "update codex") from error
