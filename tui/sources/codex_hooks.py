"""What Codex says about hooks and its own accounts, and the reload. To trust and to switch is left to the person."""

import os
from typing import Final

from tui import __version__
from tui.errors import BadPayload, NotViable
from tui.sources.appserver_client import AppServerClient, Refused, Unanswered
from tui.sources.appserver_transports import Transport, connect_daemon, start_child
from tui.sources.codex_home import TOKEN_VARIABLE, CodexHome
from tui.wire import appserver, codex_logins, hooks

_DEADLINE: Final = 6.0


async def list_hooks(home: CodexHome, command: str, workspace: str) -> hooks.HookList:
    """Ask the running Codex, or where none runs a child of our own, about the hooks of a folder.

    Args:
        home: The Codex home.
        command: The Codex executable.
        workspace: The folder whose hooks are asked for.

    Raises:
        NotViable: Nobody answers, or Codex is too old to have hooks.
    """
    body = await _ask(await _open(home, command), hooks.LIST, hooks.list_params(workspace))
    try:
        return hooks.decode_hooks(body)
    except BadPayload as error:
        raise NotViable(error.message, "update codex") from error


async def list_logins(home: CodexHome, command: str) -> tuple[codex_logins.CodexLogin, ...]:
    """Ask the running Codex, or where none runs a child of our own, which accounts it keeps signed in itself.

    Args:
        home: The Codex home.
        command: The Codex executable.

    Raises:
        NotViable: Nobody answers, or Codex is too old to keep several.
    """
    body = await _ask(await _open(home, command), codex_logins.LIST, {}, experimental=True)
    try:
        return codex_logins.decode_logins(body)
    except BadPayload as error:
        raise NotViable(error.message, "update codex") from error


async def _open(home: CodexHome, command: str) -> Transport:
    try:
        return await connect_daemon(home.daemon_socket)
    except NotViable:
        environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
        return await start_child((command, "app-server"), {**environment, "CODEX_HOME": str(home.path)})


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


async def _ask(transport: Transport, method: str, params: object, *, experimental: bool = False) -> bytes:
    client = AppServerClient(transport, lambda _news: None, lambda: None)
    try:
        hello = appserver.initialize_params(__version__, experimental=experimental)
        await client.request(appserver.INITIALIZE, hello, deadline=_DEADLINE)
        await client.notify(appserver.INITIALIZED)
        return await client.request(method, params, deadline=_DEADLINE)
    except Unanswered as error:
        raise NotViable(error.reason, "run codex once to see what is wrong") from error
    except Refused as error:
        raise NotViable(f"Codex does not know {method} ({error})", "update codex") from error
    finally:
        await client.aclose()
