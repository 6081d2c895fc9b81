"""What Codex answers to one question: its hooks, and its own accounts. To trust and to switch is left to the person.

Each raises `NotViable` where nobody answers, or Codex is too old for the question.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from tui.errors import BadPayload, NotViable
from tui.sources.answers import Failed
from tui.sources.appserver_client import AppServerClient, Refused
from tui.sources.appserver_transports import Transport, connect_daemon, start_codex
from tui.sources.codex_home import CodexHome
from tui.wire import codex_logins, hooks

_DEADLINE: Final = 6.0

Answer = TypeVar("Answer")


async def list_hooks(home: CodexHome, command: str, workspace: str) -> tuple[hooks.ListedHook, ...]:
    """The hooks of a folder, as the running Codex knows them, or where none runs a child of our own."""
    transport = await _open(home, command)
    return await _ask(transport, hooks.LIST, hooks.list_params(workspace), hooks.decode_hooks)


async def list_logins(home: CodexHome, command: str) -> tuple[codex_logins.CodexLogin, ...]:
    """The accounts that the running Codex, or where none runs a child of our own, keeps signed in itself."""
    transport = await _open(home, command)
    return await _ask(transport, codex_logins.LIST, {}, codex_logins.decode_logins, experimental=True)


async def reload_hooks(home: CodexHome) -> bool:
    """Make the running Codex read its hooks anew, also for the threads that are open; whether there was one."""
    try:
        transport = await connect_daemon(home.daemon_socket)
    except NotViable:
        return False
    await _ask(transport, hooks.WRITE_CONFIG, hooks.RELOAD, bytes)
    return True


async def _open(home: CodexHome, command: str) -> Transport:
    try:
        return await connect_daemon(home.daemon_socket)
    except NotViable:
        return await start_codex(command, home)


async def _ask(
    transport: Transport, method: str, params: object, decode: Callable[[bytes], Answer], *, experimental: bool = False
) -> Answer:
    client = AppServerClient(transport, lambda _news: None, lambda: None)
    try:
        await client.greet(_DEADLINE, experimental=experimental)
        return decode(await client.request(method, params, deadline=_DEADLINE))
    except BadPayload as error:
        raise NotViable(error.message, "update codex") from error
    except Failed as error:
        raise NotViable(error.reason, "run codex once to see what is wrong") from error
    except Refused as error:
        raise NotViable(f"Codex does not know {method} ({error})", "update codex") from error
    finally:
        await client.aclose()
