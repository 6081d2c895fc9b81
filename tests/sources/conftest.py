"""Real counterparts on loopback: servers that misbehave, folders as Codex leaves them, keyrings that answer or hang."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from tests.sources.servers import Server, running
from tests.support.clocks import START, ManualClock
from tui.sources.codex_home import CodexHome
from tui.sources.rollouts import RolloutFeed

AUTH = "https://api.openai.com/auth"


def jwt(**claims: Any) -> str:
    def part(value: object) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


def good_claims(account: str = "acc1", **more: Any) -> dict[str, Any]:
    about = {"chatgpt_account_id": account, "chatgpt_plan_type": "plus"}
    return {"email": "me@example.com", "exp": (START + timedelta(days=9)).timestamp(), AUTH: about} | more


@dataclass
class CodexFolder:
    """A CODEX_HOME being written."""

    home: CodexHome

    def config(self, text: str) -> None:
        self.home.config_file.write_text(text)

    def auth(self, **changes: Any) -> None:
        token = jwt(**good_claims())
        tokens = {"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "acc1"}
        self.home.auth_file.write_text(json.dumps({"auth_mode": "chatgpt", "tokens": tokens} | changes))

    def signed_in(self, token: str, account: str | None = "acc1") -> None:
        self.auth(tokens={"access_token": token, "account_id": account})


@pytest.fixture
def codex(tmp_path: Path) -> CodexFolder:
    path = tmp_path / "codex-home"
    path.mkdir()
    return CodexFolder(CodexHome(path))


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Starts loopback servers that behave as they are told; all are closed at the end."""
    started = []

    async def start(behave: Any) -> Server:
        context = running(behave)
        server = await context.__aenter__()
        started.append(context)
        return server

    yield start
    for context in started:
        await context.__aexit__(None, None, None)


class MemoryKeyring(KeyringBackend):
    """A keyring that works."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def use_keyring() -> Any:
    """Puts a backend into keyring's own seat for one test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def memory_keyring(use_keyring: Callable[[KeyringBackend], None]) -> MemoryKeyring:
    backend = MemoryKeyring()
    use_keyring(backend)
    return backend


@pytest.fixture
def socket_path(codex: CodexFolder) -> Iterator[Path]:
    """Where a daemon binds: a short path, since the kernel takes no long one, linked from where Codex puts its link."""
    with TemporaryDirectory(prefix="rb") as nook:
        real = Path(nook) / "d.sock"
        codex.home.daemon_socket.parent.mkdir(mode=0o700)
        codex.home.daemon_socket.symlink_to(real)
        yield real


@pytest.fixture
def sessions_home(tmp_path: Path) -> Path:
    """A CODEX_HOME without a sessions folder yet."""
    path = tmp_path / "codex-home"
    path.mkdir()
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Start and size of every read of a file's content."""
    happened: list[tuple[int, int]] = []
    pread = os.pread

    def counted(file: int, size: int, start: int) -> bytes:
        data = pread(file, size, start)
        happened.append((start, len(data)))
        return data

    monkeypatch.setattr(os, "pread", counted)
    return happened


@pytest.fixture
def feed(sessions_home: Path, clock: ManualClock) -> RolloutFeed:
    return RolloutFeed(CodexHome(sessions_home), clock, poll=0.01, rest=0.03)
