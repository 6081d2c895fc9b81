"""The user's settings: one TOML file, every key optional, every mistake one clear line.

```toml
theme = "resetbank-dark"      # resetbank-dark, resetbank-light, ansi-dark, ansi-light or any Textual theme

[limits]
near_percent = 90             # from this share on, a window counts as near

[spend]
unattended = false            # true lets `resetbank spend --unattended` spend without a terminal

[ask]
enabled = true                # false never asks anything
lead_minutes = 10             # 1 to 60: a limit expected within this time is worth a question
least_waiting_minutes = 5     # 0 to 240: a natural reset no further away is worth none
daily_cap = 6                 # 1 to 50 questions a day
message = "Continue where you left off."    # the message to an interrupted session, up to 2,000 characters
bell = true                   # ring the terminal's bell with a question

[invite]
ask_official = false          # true asks the official referral endpoints too, which serve Codex's own app alone
remind_after_days = 3         # 1 to 60: an invite that stays in one state for so long is worth a reminder

[hold]
before_credits = false        # true also holds a request that paid credits would carry: asks before they burn

[guard]
tools = ["mcp__*__consume_usage_reset"]     # tools of agents that are refused; * stands for any letters

[notify]
channels = []                 # of bell, terminal, desktop, command, webhook: where notices go
events = ["interrupted", "held", "reset_observed", "spent", "lapsing"]   # and near, resumed, credit_changed
quiet = ""                    # such as "22:00-07:00": no notices then
command = []                  # your program and its arguments; the notice is JSON on its standard input
webhook = ""                  # https, or http on this machine
template = '{"text": "{title}: {text}"}'    # what the webhook is sent; also {event}, {workspace}, {at}

[codex]
command = "codex"             # the Codex executable behind the source `codex`

[accounts]
work = "~/.codex-work"        # name = a Codex home, or the base URL of a quota service; --account NAME takes one

[keys]
refresh = "f5,g"              # command id = key, or keys with commas; `resetbank keys` prints the ids
```
"""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tui.errors import SettingsError, UsageError
from tui.paths import read_small_file


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How limits are judged."""

    near_percent: Annotated[float, msgspec.Meta(gt=0, le=100)] = 90.0


class SpendSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a spend may do without a person at the terminal."""

    unattended: bool = False


class AskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a person is asked, and the message to an interrupted session afterwards."""

    enabled: bool = True
    lead_minutes: Annotated[float, msgspec.Meta(ge=1, le=60)] = 10.0
    least_waiting_minutes: Annotated[float, msgspec.Meta(ge=0, le=240)] = 5.0
    daily_cap: Annotated[int, msgspec.Meta(ge=1, le=50)] = 6
    message: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=2000)] = "Continue where you left off."
    bell: bool = True


class InviteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about invites, and when one is worth a reminder."""

    ask_official: bool = False
    remind_after_days: Annotated[float, msgspec.Meta(ge=1, le=60)] = 3.0


class HoldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests are held at a limit."""

    before_credits: bool = False


class GuardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an agent is refused."""

    tools: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ("mcp__*__consume_usage_reset",)


ChannelName = Literal["bell", "terminal", "desktop", "command", "webhook"]
NoticeEvent = Literal["near", "interrupted", "held", "resumed", "reset_observed", "spent", "credit_changed", "lapsing"]


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notices go outside the screen, and by what."""

    channels: tuple[ChannelName, ...] = ()
    events: tuple[NoticeEvent, ...] = ("interrupted", "held", "reset_observed", "spent", "lapsing")
    quiet: Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$")] = ""
    command: tuple[str, ...] = ()
    webhook: str = ""
    template: str = '{"text": "{title}: {text}"}'


class CodexSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the Codex CLI is."""

    command: Annotated[str, msgspec.Meta(min_length=1)] = "codex"


AccountName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
"""A plain word: it stands on the screen, in labels and in file names."""
AccountPlace = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=4096)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; the defaults are what resetbank does without a file."""

    theme: str = "resetbank-dark"
    limits: LimitSettings = LimitSettings()
    spend: SpendSettings = SpendSettings()
    ask: AskSettings = AskSettings()
    invite: InviteSettings = InviteSettings()
    hold: HoldSettings = HoldSettings()
    guard: GuardSettings = GuardSettings()
    notify: NotifySettings = NotifySettings()
    codex: CodexSettings = CodexSettings()
    accounts: Annotated[dict[AccountName, AccountPlace], msgspec.Meta(max_length=200)] = {}
    """Name to Codex home or base URL, for those who have several."""
    keys: dict[str, str] = {}
    """Command id to key, as Textual writes keys; checked against the command table by the screen."""


def nearest(name: str, valid: list[str]) -> str:
    """A hint that names the valid name nearest to a wrong one, or all of them."""
    close = get_close_matches(name, valid, n=1)
    return f"did you mean {close[0]!r}?" if close else f"valid are: {', '.join(sorted(valid))}"


def account_place(settings: Settings, name: str) -> tuple[Path | None, str | None]:
    """The Codex home of an account, or the base URL where it has none.

    Raises:
        UsageError: There is no such account.
    """
    if name not in settings.accounts:
        hint = nearest(name, list(settings.accounts)) if settings.accounts else "name them under [accounts]"
        raise UsageError(f"the settings have no account {name!r}", hint)
    place = settings.accounts[name].strip()
    return (None, place) if "://" in place else (Path(place).expanduser(), None)


def load_settings(path: Path) -> Settings:
    """Read the settings file; a missing one means the defaults.

    Raises:
        SettingsError: Unreadable, not TOML, an unknown key, or a value of the wrong kind; names the file and the place.
    """
    try:
        content = read_small_file(path)
        if content is None:
            return Settings()
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read the settings {path}: {reason}", "mend or remove the file") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "mend or remove the file") from error
    _check_names(path, data, Settings, "")
    try:
        return msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}", "mend that value") from error


def _check_names(path: Path, data: dict[str, object], struct: type[msgspec.Struct], prefix: str) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for name, value in data.items():
        if name not in fields:
            raise SettingsError(f"{path}: unknown setting {prefix}{name}", nearest(name, list(fields)))
        kind = fields[name]
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            _check_names(path, value, kind, f"{prefix}{name}.")
