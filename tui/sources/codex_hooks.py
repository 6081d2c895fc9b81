"""What a running Codex says about hooks, and its reload. Trust is left to the person: nothing here can give it."""

import os
from typing import Final

from tui import __version__
from tui.errors import BadPayload, NotViable
from tui.sources.appserver_client import AppServerClient, Refused, Unanswered
from tui.sources.appserver_transports import Transport, connect_daemon, start_child
from tui.sources.codex_home import TOKEN_VARIABLE, CodexHome
from tui.wire import appserver, hooks

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
    try:
        transport: Transport = await connect_daemon(home.daemon_socket)
    except NotViable:
        environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
        transport = await start_child((command, "app-server"), {**environment, "CODEX_HOME": str(home.path)})
    body = await _ask(transport, hooks.LIST, hooks.list_params(workspace))
    try:
        return hooks.decode_hooks(body)
    except BadPayload as error:
        raise NotViable(error.message, "update codex") from error


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


async def _ask(transport: Transport, method: str, params: object) -> bytes:
    client = AppServerClient(transport, lambda _news: None, lambda: None)
    try:
        await client.request(appserver.INITIALIZE, appserver.initialize_params(__version__), deadline=_DEADLINE)
        await client.notify(appserver.INITIALIZED)
        return await client.request(method, params, deadline=_DEADLINE)
    except Unanswered as error:
        raise NotViable(error.reason, "run codex once to see what is wrong") from error
    except Refused as error:
        raise NotViable(f"Codex does not know {method} ({error})", "update codex") from error
    finally:
        await client.aclose()
