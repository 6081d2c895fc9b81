import asyncio
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from tests.sources.conftest import CodexFolder, MemoryKeyring
from tui.errors import NotViable
from tui.sources import secrets
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token

HERE = parse_base_url("http://127.0.0.1:1/backend-api")
THERE = parse_base_url("http://127.0.0.1:2/backend-api")
UseKeyring = Callable[[KeyringBackend], None]


class Blocking(MemoryKeyring):
    """Waits for a person who never comes."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.release.wait(60)
        return None


class Locked(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the token is hunter2")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"could not write {password}")


async def test_what_is_stored_is_found_under_its_own_address(memory_keyring: MemoryKeyring) -> None:
    await secrets.store_login(HERE, Token("t0ken"), "acc1")
    assert await secrets.stored_login(HERE) == Login(Token("t0ken"), "acc1", origin="resetbank login")
    assert await secrets.stored_login(THERE) is None
    assert list(memory_keyring.entries) == [("resetbank", HERE.url)]


async def test_what_is_forgotten_is_gone(memory_keyring: MemoryKeyring) -> None:
    await secrets.store_login(HERE, Token("t0ken"), None)
    assert await secrets.forget_login(HERE) is True
    assert await secrets.forget_login(HERE) is False
    assert memory_keyring.entries == {}


@pytest.mark.parametrize("backend", [keyring.backends.null.Keyring, keyring.backends.fail.Keyring])
async def test_no_keyring_is_one_clear_line(backend: Callable[[], Any], use_keyring: UseKeyring) -> None:
    use_keyring(backend())
    line = "no keyring backend on this machine; set RESETBANK_TOKEN in the environment instead"
    for call in (
        secrets.stored_login(HERE),
        secrets.store_login(HERE, Token("t"), None),
        secrets.forget_login(HERE),
    ):
        with pytest.raises(NotViable) as caught:
            await call
        assert str(caught.value) == line


async def test_a_keyring_that_waits_for_ever_is_left_behind(
    use_keyring: UseKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "DEADLINE", 0.05)
    backend = Blocking()
    use_keyring(backend)
    with pytest.raises(NotViable, match=r"did not answer within 0\.05 s"):
        await secrets.stored_login(HERE)
    (blocked,) = [thread for thread in threading.enumerate() if thread.name == "resetbank"]
    assert blocked.daemon, "the exit of the program would wait for it"
    backend.release.set()
    await asyncio.to_thread(blocked.join)


async def test_a_locked_keyring_tells_its_kind_and_no_more(use_keyring: UseKeyring) -> None:
    use_keyring(Locked())
    with pytest.raises(NotViable, match="KeyringLocked") as locked:
        await secrets.stored_login(HERE)
    with pytest.raises(NotViable, match="OSError") as unwritten:
        await secrets.store_login(HERE, Token("hunter2"), None)
    assert "hunter2" not in f"{locked.value!r} {unwritten.value!r} {locked.value} {unwritten.value}"


@pytest.mark.parametrize("entry", ["", "{", "[]", "{}", '{"token":7}', '{"token":"a b"}', "plain"])
async def test_a_damaged_entry_is_one_clear_line(memory_keyring: MemoryKeyring, entry: str) -> None:
    memory_keyring.set_password("resetbank", HERE.url, entry)
    with pytest.raises(NotViable, match=r"damaged|malformed"):
        await secrets.stored_login(HERE)


async def test_codex_s_entry_is_found_where_codex_puts_it(memory_keyring: MemoryKeyring, codex: CodexFolder) -> None:
    digest = hashlib.sha256(str(codex.home.path.resolve()).encode()).hexdigest()[:16]
    memory_keyring.set_password("Codex Auth", f"cli|{digest}", "{}")
    assert await secrets.codex_entry(codex.home) == "{}"
