"""What each command loads, seen from a fresh interpreter: a one-shot command never pays for what it does not need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE

HEAVY = {
    "textual", "rich", "httpx", "keyring", "websockets", "uvicorn", "sqlite3", "asyncio", "msgspec",
    "platformdirs", "filelock", "dataclasses", "email_validator", "segno",
}  # fmt: skip

_SCRIPT = """
import contextlib, io, json, sys
from tui.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(json.dumps(sorted(set(sys.modules) & set(json.loads(sys.stdin.readline())))))
"""


def loaded(*words: str, environment: dict[str, str] | None = None) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *words],
        input=json.dumps(sorted(HEAVY)) + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
        env=os.environ | (environment or {}),
    )
    return set(json.loads(result.stdout))


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("status", "--help"), ("keys", "--help")])
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    assert loaded(*words) == set()


def test_status_never_loads_the_screen_or_the_service() -> None:
    assert not loaded("status", "--json", "--base-url", "http://127.0.0.1:9/backend-api", "--source", "http") & {
        "textual",
        "rich",
        "uvicorn",
        "filelock",
        "email_validator",
        "segno",
    }


def test_the_ledger_needs_no_network_library() -> None:
    assert not loaded("ledger", "--json") & {
        "textual",
        "rich",
        "httpx",
        "keyring",
        "websockets",
        "asyncio",
        "email_validator",
        "segno",
    }


def test_the_embedded_service_is_asked_without_a_network_library() -> None:
    assert not loaded("status", "--json", "--source", "stub") & {"textual", "rich", "httpx", "keyring", "uvicorn"}


def test_keys_needs_no_screen_library() -> None:
    assert not loaded("keys") & {"textual", "rich", "httpx", "keyring", "sqlite3", "asyncio"}


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    root = Path(__file__).parents[2]
    long = {str(file.relative_to(root)) for file in (root / "tui").rglob("*.py") if file.read_text().count("\n") > 400}
    assert long == set()


def test_status_passes_few_files_of_ours() -> None:
    """From a fresh interpreter, against the real stub; the second run also compares with the first."""
    words = [sys.executable, "-c", "from tests.bench.files_passed import of_status; print(*of_status())"]
    for _ in range(2):
        result = subprocess.run(words, capture_output=True, text=True, check=True, timeout=DEADLINE)
        files = result.stdout.split()
        assert 10 < len(files) <= 35, files


@pytest.mark.parametrize("variables", [{}, {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, {"XDG_STATE_HOME": "s"}])
def test_the_folders_are_the_platforms(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import user_config_path, user_state_path

    from tui.paths import resetbank_paths

    monkeypatch.delenv("RESETBANK_HOME")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    paths = resetbank_paths()
    assert paths.settings == user_config_path("resetbank", appauthor=False) / "settings.toml"
    assert paths.database == user_state_path("resetbank", appauthor=False) / "resetbank.db"
