import re
import tomllib
from pathlib import Path

from msgspec.structs import replace

from tests.house.settings_table import table
from tui.settings import Settings, every_setting, parse_settings
from tui.ui.keymap import resolve_keys

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_every_setting_as_it_is_declared() -> None:
    shown = re.search(r"## Settings\n.*?```toml\n(.*?)\n```", README.read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1] == table(), "python -m tests.house.settings_table prints it"


def test_the_readme_shows_the_defaults() -> None:
    settings = parse_settings(README, tomllib.loads(table()))
    assert replace(settings, keys={}, accounts={}) == Settings()
    assert resolve_keys(settings.keys)["refresh"] == "f5,ctrl+r"


def test_every_setting_has_one_line_of_help() -> None:
    assert [s.key for s in every_setting() if not s.help or "\n" in s.help or s.help.endswith(".")] == []
