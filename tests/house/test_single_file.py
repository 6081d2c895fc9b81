"""resetbank as one file, started where there is nothing but a Python."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE
from tui import __version__

CHECKOUT = Path(__file__).parents[2]
MISSING = [name for name, found in (("pex", importlib.util.find_spec("pex")), ("uv", shutil.which("uv"))) if not found]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A home as short as people's are: pex warns where a script's first line would be too long."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} cannot be found: `uv sync --group single-file`")
def test_one_file_starts_where_there_is_only_a_python(tmp_path: Path, short_folder: Path) -> None:
    file = tmp_path / "resetbank.pex"
    built = subprocess.run(
        [CHECKOUT / ".ci" / "single-file", file, sys.executable], capture_output=True, text=True, timeout=5 * DEADLINE
    )
    assert (built.returncode, built.stderr) == (0, "")
    home, programs = short_folder, tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(os.path.realpath(sys.executable))
    if (ldd := shutil.which("ldd")) is not None:
        (programs / "ldd").symlink_to(ldd)  # tells pex which C library there is; without it pex only warns

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [file, *words],
            cwd=home,
            env={"HOME": str(home), "PATH": str(programs)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return done.returncode, done.stdout, done.stderr

    assert run("--version") == (0, f"resetbank {__version__}\n", "")
    code, shown, errors = run("--demo")
    assert (code, errors) == (0, "")
    assert "3 resets" in shown
    code, line, errors = run("line", "--format", "plain")
    assert (code, errors) == (0, "")
    assert "?" in line  # nothing was read yet
    assert not (home / ".codex").exists()
