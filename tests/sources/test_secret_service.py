"""The Secret Service as a desktop has it: a real GNOME Keyring on a D-Bus of its own, where it is installed."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.errors import NotViable
from tui.sources import secret_service, secrets
from tui.sources.base_url import parse_base_url
from tui.sources.login import Login, Token

HERE = parse_base_url("http://127.0.0.1:1/backend-api")
_MISSING = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if shutil.which(name) is None]
needs_desktop = pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")

_DESKTOP = """
echo -n password | gnome-keyring-daemon --unlock --components=secrets >&2
gdbus wait --session --timeout 20 org.freedesktop.secrets >&2 || true
echo "$DBUS_SESSION_BUS_ADDRESS"
read -r _
"""


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Linux machine without the extra `keyring`."""
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "home").mkdir(exist_ok=True)
    words = ["dbus-run-session", "--", "sh", "-c", _DESKTOP]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.stdout.readline().strip())
        yield
        session.stdin.close()


@needs_desktop
@pytest.mark.usefixtures("desktop", "without_library")
async def test_a_login_is_stored_and_forgotten() -> None:
    assert await secrets.stored_login(HERE) is None
    await secrets.store_login(HERE, Token("t0ken"), "acc1")
    await secrets.store_login(HERE, Token("another"), None)
    assert await secrets.stored_login(HERE) == Login(Token("another"), None, origin="resetbank login")
    assert await secrets.forget_login(HERE) is True
    assert await secrets.forget_login(HERE) is False


@needs_desktop
@pytest.mark.usefixtures("desktop")
def test_entries_of_other_programs_are_found() -> None:
    """As Codex's: written by another library, found by service and user name."""
    from keyring.backends.SecretService import Keyring

    theirs = Keyring()  # type: ignore[no-untyped-call]
    theirs.set_password("Codex Auth", "cli|1234", "{}")  # type: ignore[no-untyped-call]
    assert secret_service.get_password("Codex Auth", "cli|1234") == "{}"
    assert secret_service.get_password("Codex Auth", "cli|other") is None


@pytest.mark.usefixtures("without_library")
@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", "nonsense", ""])
async def test_no_desktop_is_one_clear_line(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with pytest.raises(NotViable, match="no keyring backend on this machine; set RESETBANK_TOKEN"):
        await secrets.stored_login(HERE)
