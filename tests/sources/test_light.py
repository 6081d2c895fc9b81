"""What each source loads: a one-shot command pays for its own source only."""

import subprocess
import sys

import pytest

HEAVY = {"click", "httpx", "keyring", "rich", "textual", "websockets"}


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        ("base", set()),
        ("chain", set()),
        ("codex_home", set()),
        ("logins", set()),
        ("appserver", set()),
        ("backend", set()),
        ("app_asker", set()),
        ("http_asker", {"httpx"}),
    ],
)
def test_a_source_loads_what_it_needs(module: str, loaded: set[str]) -> None:
    code = f"import sys, tui.sources.{module}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in HEAVY if name in result.stdout.split()} == loaded
