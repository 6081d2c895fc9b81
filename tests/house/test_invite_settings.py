from pathlib import Path

import pytest

from tui.errors import SettingsError
from tui.settings import InviteSettings, Settings, load_settings


def load(tmp_path: Path, text: str) -> InviteSettings:
    path = tmp_path / "settings.toml"
    path.write_text(f"[invite]\n{text}\n", "utf-8")
    return load_settings(path).invite


def test_nobody_official_is_asked_unless_it_is_written(tmp_path: Path) -> None:
    assert Settings().invite == load(tmp_path, "") == InviteSettings(ask_official=False, remind_after_days=3.0)
    assert load(tmp_path, "ask_official = true") == InviteSettings(ask_official=True)


@pytest.mark.parametrize(("written", "days"), [("1", 1.0), ("2.5", 2.5), ("60", 60.0)])
def test_when_a_reminder_is_due(tmp_path: Path, written: str, days: float) -> None:
    assert load(tmp_path, f"remind_after_days = {written}").remind_after_days == days


@pytest.mark.parametrize(
    "line",
    [
        "remind_after_days = 0.9",
        "remind_after_days = 0",
        "remind_after_days = -3",
        "remind_after_days = 60.1",
        "remind_after_days = inf",
        "remind_after_days = nan",
        'remind_after_days = "3"',
        "remind_after_days = true",
        'ask_official = "yes"',
        "ask_official = 1",
        "ask_officially = true",
        "remind_after = 3",
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=r"invite\.|did you mean"):
        load(tmp_path, line)
