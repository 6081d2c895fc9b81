import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.codex_cli import private_folder
from tests.support.waiting import DEADLINE
from tui.errors import HooksError
from tui.hooks.scripts import ScriptState, install_script, packaged_script, refuse_unsafe, script_path, script_state


@pytest.fixture
def folder() -> Iterator[Path]:
    with private_folder() as home:
        yield home / "state" / "hooks"


def test_installed_for_the_person_alone_and_compared(folder: Path) -> None:
    assert script_state(folder, "hold") is ScriptState.MISSING
    assert install_script(folder, "hold", [])
    assert not install_script(folder, "hold", [])
    path = script_path(folder, "hold")
    assert stat.S_IMODE(path.stat().st_mode) == 0o500
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert path.read_bytes() == packaged_script("hold")
    assert script_state(folder, "hold") is ScriptState.SAME
    assert script_state(folder, "guard") is ScriptState.MISSING


@pytest.mark.parametrize("change", ["text", "mode", "link", "folder"])
def test_a_swapped_script_is_modified_until_installed_anew(folder: Path, change: str) -> None:
    install_script(folder, "guard", [])
    path = script_path(folder, "guard")
    if change == "mode":
        path.chmod(0o522)
    else:
        path.unlink()
        if change == "text":
            path.write_bytes(packaged_script("guard") + b"\n")
        elif change == "link":
            other = folder / "other.sh"
            other.write_bytes(packaged_script("guard"))
            path.symlink_to(other)
        else:
            path.mkdir()
    assert script_state(folder, "guard") is ScriptState.MODIFIED
    if change != "folder":
        assert install_script(folder, "guard", [])
        assert script_state(folder, "guard") is ScriptState.SAME


def test_a_temporary_folder_is_refused(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HooksError, match="temporary folder"):
        install_script(tmp_path / "hooks", "hold", [])
    assert not (tmp_path / "hooks").exists()
    link = folder.parent
    link.symlink_to(tmp_path)
    with pytest.raises(HooksError, match="temporary folder"):
        install_script(folder, "hold", [])
    link.unlink()
    monkeypatch.setenv("TMPDIR", str(folder.parent.parent))
    with pytest.raises(HooksError, match="temporary folder"):
        install_script(folder, "hold", [])


def test_a_workspace_or_repository_is_refused(folder: Path) -> None:
    with pytest.raises(HooksError, match="workspace"):
        install_script(folder, "hold", [Path("/elsewhere"), folder.parent])
    (folder.parent.parent / ".git").mkdir()
    with pytest.raises(HooksError, match="repository"):
        install_script(folder, "hold", [])


@pytest.mark.parametrize(("mode", "group"), [(0o707, None), (0o770, 12345)])
def test_a_folder_that_others_can_write_to_is_refused(folder: Path, mode: int, group: int | None) -> None:
    folder.parent.mkdir()
    folder.parent.chmod(mode)
    if group is not None:
        try:
            os.chown(folder.parent, -1, group)
        except PermissionError:
            pytest.skip("only the administrator can give a folder to another group")
    with pytest.raises(HooksError, match="can be written by others"):
        refuse_unsafe(folder, [])


def test_the_scripts_are_in_the_wheel(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, check=True, capture_output=True, cwd=Path(__file__).parents[2], timeout=DEADLINE)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        assert {"tui/hooks/hold.sh", "tui/hooks/guard.sh"} <= set(archive.namelist())
