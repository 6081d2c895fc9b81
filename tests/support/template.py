"""A process that has imported the program and forks a copy of itself for each run; `tests.support.forked` starts it."""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

LATER = (  # what the program's libraries import when they are first used
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "email_validator",
    "encodings.idna",
    "httpcore._backends.auto",
    "httpx",
    "multiprocessing",
    "prometheus_client",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "websockets.asyncio.client",
    "websockets.asyncio.server",
)


def main() -> None:
    """Fork for each request until the one who asks is gone; go on below in each copy, as the process asked for."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    _prepare(with_screen=sys.argv[2] == "screen")
    module, words = _serve(requests)
    sys.argv = [module, *words]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
        if code is None or isinstance(code, int):
            _leave(code or 0)
        raise
    _leave(0)


def _leave(code: int) -> None:
    """End as Python does, but without taking every module apart, which costs more than all the rest."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads
    atexit._run_exitfuncs()
    gc.collect()  # what was left open is still complained of
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _prepare(with_screen: bool) -> None:
    import tui

    for name in LATER:
        importlib.import_module(name)
    for found in pkgutil.walk_packages(tui.__path__, "tui."):
        if found.name != "tui.__main__" and (with_screen or not found.name.startswith("tui.ui.")):
            importlib.import_module(found.name)
    if with_screen:
        import textual.widgets

        for found in pkgutil.iter_modules(textual.widgets.__path__, "textual.widgets."):
            importlib.import_module(found.name)
    gc.collect()
    gc.freeze()  # the copies share this memory until they write to it


def _serve(requests: socket.socket) -> tuple[str, list[str]]:
    """Returns in a copy only: the module to run and its words."""
    wakes, wakened = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(wakened, False)
    signal.set_wakeup_fd(wakened)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([requests.fileno(), wakes], [], [])
        if wakes in ready:
            os.read(wakes, 4096)
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with running.pop(pid) as line, suppress(OSError):  # nobody asks for it any more
                    line.sendall(struct.pack("i", status))
        if requests.fileno() not in ready:
            continue
        asked, descriptors, _, _ = socket.recv_fds(requests, 1, 4)
        if not asked:
            os._exit(0)
        line = socket.socket(fileno=descriptors.pop())
        with line.makefile("rb") as file:
            request = json.loads(file.readline())
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (requests, line, *running.values()):
                end.close()
            os.close(wakes)
            os.close(wakened)
            _become(descriptors, **request)
            return request["module"], request["words"]
        running[pid] = line
        for descriptor in descriptors:
            os.close(descriptor)
        line.sendall(struct.pack("i", pid))


def _become(
    descriptors: list[int], *, environment: dict[str, str], folder: str | None, new_session: bool, **_: object
) -> None:
    """Take over what a process is given at its start."""
    if new_session:
        os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if folder is not None:
        os.chdir(folder)
        sys.path[0] = folder  # as with `python -m`
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    encoding = sys.stdout.encoding
    sys.stdin = sys.__stdin__ = open(0, encoding=encoding, errors=sys.stdin.errors, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding=encoding, errors=sys.stdout.errors, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]  # noqa: SIM115
        2, "w", encoding=encoding, errors=sys.stderr.errors, closefd=False, buffering=1
    )


if __name__ == "__main__":
    main()
