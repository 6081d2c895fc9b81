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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ask.daily_cap = 999", "ask.daily_cap takes a whole number from 1 to 50; at most so many questions a day"),
        ("limits.near_percent = true", "limits.near_percent takes a number above 0 and up to 100; from this share"),
        ('notify.channels = ["smoke"]', "notify.channels takes any of bell, command, desktop, terminal, webhook;"),
        ('notify.quiet = "25:00"', 'notify.quiet takes a text; hours without notices, such as "22:00-07:00"'),
        ("theme = 3", "theme takes a text; colours: auto fits the terminal"),
        ("ask = 3", "ask is a section; one of ask.enabled"),
        ("accounts = 3", "accounts is no setting; write accounts.NAME"),
        ("accounts.work = 3", "accounts.NAME takes a text; the Codex home of this account"),
        ('accounts.1a = "x"', "a name in accounts cannot be used; it begins with a letter"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_deep_nesting_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_settings(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf[limits]\nnear_percent = 80\n")
    assert load_settings(path).limits.near_percent == 80
