"""A settings file that is no file, or far too much of one, is an error at once."""

import os
from pathlib import Path

import pytest

from tui.errors import SettingsError
from tui.paths import LARGEST_SMALL_FILE, read_small_file
from tui.settings import Settings, load_settings


def test_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="it is not a file"):
        load_settings(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device(device: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.symlink_to(device)
    with pytest.raises(SettingsError, match="it is not a file"):
        load_settings(path)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="it is not a file"):
        load_settings(tmp_path)


def test_a_huge_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        load_settings(path)


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"#" * LARGEST_SMALL_FILE)
    assert load_settings(path) == Settings()
    assert read_small_file(tmp_path / "none") is None


def test_deep_nesting_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_settings(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf[limits]\nnear_percent = 80\n")
    assert load_settings(path).limits.near_percent == 80
