"""The settings as the README shows them, written from their declarations: `python -m tests.house.settings_table`."""

from tui.settings import every_setting
from tui.toml_editor import inline

NAMED = """
[accounts]
work = "~/.codex-work"          # name = a Codex home, or the base URL of a quota service; --account NAME takes one

[keys]
refresh = "f5,ctrl+r"           # command id = key, or keys with commas; `resetbank keys` prints the ids"""


def table() -> str:
    """A settings file with every default and one line of help for each."""
    lines: list[str] = []
    section = ""
    for setting in every_setting():
        *sections, name = setting.key.split(".")
        if sections and sections[0] != section:
            section = sections[0]
            lines += ["", f"[{section}]"]
        written = f"{name} = {inline(setting.default).removesuffix('.0')}"
        limits = f" ({setting.takes.partition(' number ')[2]})" if " number " in setting.takes else ""
        lines.append(f"{written:<30}  # {setting.help}{limits}")
    return "\n".join((*lines, NAMED))


if __name__ == "__main__":
    print(table())
