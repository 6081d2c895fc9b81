"""The real Codex CLI, kept offline (wire.md 11.1, 11.2)."""

import os
from importlib.util import find_spec
from pathlib import Path


def codex_executable() -> Path:
    """The executable of the dependency group `codex`; its absence is a failure, not a skip."""
    spec = find_spec("codex_cli_bin")
    assert spec is not None, "install the dependency group `codex`: uv sync --group codex"
    assert spec.submodule_search_locations
    executable = Path(next(iter(spec.submodule_search_locations))) / "bin" / "codex"
    assert os.access(executable, os.X_OK), f"{executable} cannot be run"
    return executable


def codex_environment(codex_home: Path) -> dict[str, str]:
    """The environment to start it with: a sandbox's home, and a closed port for everything outside loopback."""
    closed = "http://127.0.0.1:9"
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return kept | {
        "CODEX_HOME": str(codex_home),
        "HTTPS_PROXY": closed,
        "HTTP_PROXY": closed,
        "ALL_PROXY": closed,
        "NO_PROXY": "127.0.0.1,localhost",
    }
