"""Tries an installed resetbank; `.ci/pythons` runs this with each Python: `python -I smoke.py CHECKOUT`, elsewhere."""

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

DEADLINE = 60
WARNINGS = "error,ignore:Binding:DeprecationWarning"
"""Python 3.12.0 to 3.12.3 took ?1 of SQLite for a name, and warned that 3.14 would refuse it, which it does not."""


def import_every_module(checkout: Path) -> int:
    """Import each module of the installed package, every warning an error; tells how many there were."""
    warnings.simplefilter("error")
    package = importlib.import_module("tui")
    folder = Path(str(package.__file__)).parent
    assert not folder.is_relative_to(checkout), f"{folder} is the checkout, not what was installed"
    names = [found.name for found in pkgutil.walk_packages(package.__path__, "tui.") if found.name != "tui.__main__"]
    assert len(names) > 100, names
    for name in names:
        importlib.import_module(name)
    return len(names)


def bare(home: Path) -> dict[str, str]:
    """The environment of somebody who has nothing: no Codex, no keyring."""
    nothing = {"HOME": str(home), "PATH": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return nothing | {"PYTHONWARNINGS": WARNINGS}


def run(*words: str, home: Path) -> tuple[int, str]:
    """Run the installed command without a terminal; it may say nothing on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=home,
        env=bare(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.stderr == "", (words, done.stderr)
    return done.returncode, done.stdout


def try_commands(home: Path) -> None:
    """The version, the demo into a pipe, one line without and with a reading, the status of a real service."""
    code, out = run("--version", home=home)
    assert (code, out.split()[0]) == (0, "resetbank"), (code, out)
    code, out = run("--demo", home=home)
    assert code == 0, (code, out)
    assert "3 resets" in out, out
    code, out = run("line", "--format", "plain", home=home)
    assert code == 0, (code, out)
    assert "?" in out, out
    service = subprocess.Popen(
        [sys.executable, "-m", "tui", "stub", "--sandbox", str(home / "sandbox")],
        cwd=home,
        env=bare(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert service.stdout is not None
        ready = json.loads(service.stdout.readline())
        of_the_stub = (
            "--source",
            "http",
            "--base-url",
            ready["url"],
            "--codex-home",
            str(home / "sandbox" / "codex-home"),
        )
        code, out = run("status", "--json", *of_the_stub, home=home)
        assert code == 10, (code, out)
        assert json.loads(out)["resets"]["available"] == 3, out
    finally:
        service.terminate()
        service.communicate(timeout=DEADLINE)
    assert service.returncode == 0, service.returncode


if __name__ == "__main__":
    count = import_every_module(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        try_commands(Path(name))
    print(f"Python {sys.version.split()[0]}: {count} modules and five commands, without a warning")
