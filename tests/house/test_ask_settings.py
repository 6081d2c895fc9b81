from pathlib import Path

import pytest

from tui.errors import SettingsError
from tui.settings import AskSettings, load_settings


def load(tmp_path: Path, text: str) -> AskSettings:
    path = tmp_path / "settings.toml"
    path.write_text(f"[ask]\n{text}\n", "utf-8")
    return load_settings(path).ask


def test_what_is_written_holds_and_the_rest_is_the_default(tmp_path: Path) -> None:
    ask = load(tmp_path, 'lead_minutes = 20\nbell = false\nmessage = "Go on."')
    assert ask == AskSettings(lead_minutes=20.0, bell=False, message="Go on.")
    assert (ask.enabled, ask.least_waiting_minutes, ask.daily_cap) == (True, 5.0, 6)


@pytest.mark.parametrize(
    "line",
    [
        "lead_minutes = 0",
        "lead_minutes = 61",
        "lead_minutes = inf",
        "lead_minutes = nan",
        "least_waiting_minutes = -1",
        "daily_cap = 0",
        "daily_cap = 51",
        "daily_cap = 2.5",
        'message = " "',
        f'message = "{"x" * 2001}"',
        'bell = "yes"',
        "leed_minutes = 5",
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=r"ask\.|did you mean"):
        load(tmp_path, line)
