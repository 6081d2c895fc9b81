"""The user's settings: one TOML file, every key optional, every mistake one clear line.

What each setting does is said where it is declared: `resetbank config`, the page on the screen and the test of the
README's table read it there.
"""

import re
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from tui.errors import SettingsError, UsageError
from tui.paths import read_small_file

if TYPE_CHECKING:
    from msgspec import inspect


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How limits are judged."""

    near_percent: Annotated[
        float, msgspec.Meta(gt=0, le=100), _about("from this share on, a window counts as near")
    ] = 90.0


class SpendSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a spend may do without a person at the terminal."""

    unattended: Annotated[bool, _about("true lets `resetbank spend --unattended` spend without a terminal")] = False
    before_lapse: Annotated[
        float,
        msgspec.Meta(ge=0, le=100),
        _about("`b` queues one to be spent before it lapses, if this share of a window is used; 0: not offered"),
    ] = 0.0


class AskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a person is asked, and the message to an interrupted session afterwards."""

    enabled: Annotated[bool, _about("false never asks anything")] = True
    lead_minutes: Annotated[
        float, msgspec.Meta(ge=1, le=60), _about("a limit expected within this time is worth a question")
    ] = 20.0
    least_waiting_minutes: Annotated[
        float, msgspec.Meta(ge=0, le=240), _about("a natural reset no further away is worth none")
    ] = 5.0
    daily_cap: Annotated[int, msgspec.Meta(ge=1, le=50), _about("at most so many questions a day")] = 6
    message: Annotated[
        str, msgspec.Meta(pattern=r"\S", max_length=2000), _about("the message to an interrupted session")
    ] = "Continue where you left off."
    bell: Annotated[bool, _about("ring the terminal's bell with a question")] = True


class InviteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about invites, and when one is worth a reminder."""

    ask_official: Annotated[
        bool, _about("true asks the official referral endpoints too, which serve Codex's own app alone")
    ] = False
    remind_after_days: Annotated[
        float, msgspec.Meta(ge=1, le=60), _about("an invite that stays in one state for so long is worth a reminder")
    ] = 3.0


class HoldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests are held at a limit."""

    before_credits: Annotated[
        bool, _about("true also holds a request that paid credits would carry: asks before they burn")
    ] = False


class GuardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an agent is refused."""

    tools: Annotated[
        tuple[str, ...],
        msgspec.Meta(max_length=50),
        _about("tools of agents that are refused; * stands for any letters"),
    ] = ("mcp__*__consume_usage_reset",)


ChannelName = Literal["bell", "terminal", "desktop", "command", "webhook"]
NoticeEvent = Literal["near", "interrupted", "held", "resumed", "reset_observed", "spent", "credit_changed", "lapsing"]


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notices go outside the screen, and by what."""

    channels: Annotated[
        tuple[ChannelName, ...], _about("where notices go: bell, terminal, desktop, command, webhook")
    ] = ()
    events: Annotated[tuple[NoticeEvent, ...], _about("also near, resumed, credit_changed")] = (
        "interrupted",
        "held",
        "reset_observed",
        "spent",
        "lapsing",
    )
    quiet: Annotated[
        str,
        msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"),
        _about('hours without notices, such as "22:00-07:00"'),
    ] = ""
    command: Annotated[
        tuple[str, ...], _about("your program and its arguments; the notice is JSON on its standard input")
    ] = ()
    webhook: Annotated[str, _about("https, or http on this machine; shown nowhere but its host")] = ""
    template: Annotated[str, _about("what the webhook is sent; also {event}, {workspace}, {at}")] = (
        '{"text": "{title}: {text}"}'
    )


class CodexSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the Codex CLI is."""

    command: Annotated[str, msgspec.Meta(min_length=1), _about("the Codex executable behind the source `codex`")] = (
        "codex"
    )


AccountName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
"""A plain word: it stands on the screen, in labels and in file names."""
AccountPlace = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=4096)]


AUTO_THEME: Final = "auto"
"""The theme that fits the terminal."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; the defaults are what resetbank does without a file."""

    theme: Annotated[
        str, _about("colours: auto fits the terminal; or resetbank-dark, resetbank-light, or any Textual theme")
    ] = AUTO_THEME
    limits: LimitSettings = LimitSettings()
    spend: SpendSettings = SpendSettings()
    ask: AskSettings = AskSettings()
    invite: InviteSettings = InviteSettings()
    hold: HoldSettings = HoldSettings()
    guard: GuardSettings = GuardSettings()
    notify: NotifySettings = NotifySettings()
    codex: CodexSettings = CodexSettings()
    accounts: Annotated[
        dict[AccountName, AccountPlace],
        msgspec.Meta(max_length=200),
        _about("name = a Codex home, or the base URL of a quota service; --account NAME takes one"),
    ] = {}
    """For those who have several."""
    keys: Annotated[
        dict[str, str], _about("command id = key, or keys with commas; `resetbank keys` prints the ids")
    ] = {}
    """As Textual writes keys; checked against the command table by the screen."""


GUARDED: Final = (
    *("spend.", "accounts.", "codex.command", "ask.message", "guard.tools"),
    *("notify.channels", "notify.command", "notify.webhook", "notify.template"),
)
"""Settings, or the beginnings of their names, that could spend or run something: only a typed code changes them."""


def is_guarded(key: str) -> bool:
    """Whether a setting could spend or run something."""
    return key.startswith(GUARDED)


def nearest(name: str, valid: list[str]) -> str:
    """A hint that names the valid name nearest to a wrong one, or all of them."""
    close = get_close_matches(name, valid, n=1)
    return f"did you mean {close[0]!r}?" if close else f"valid are: {', '.join(sorted(valid))}"


class Kind(StrEnum):
    """What a setting takes."""

    SWITCH = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TEXT = "a text"
    LIST = "words, each by itself"


class Setting(msgspec.Struct, frozen=True):
    """One setting as the program declares it."""

    key: str
    """Its section and name with a dot between."""
    kind: Kind
    default: object
    help: str
    least: float | None = None
    above: bool = False
    """Whether the least value is itself too small."""
    most: float | None = None
    choices: tuple[str, ...] = ()
    """The words that a list may hold; empty where any may."""

    @property
    def is_guarded(self) -> bool:
        """Whether it could spend or run something."""
        return is_guarded(self.key)

    @property
    def takes(self) -> str:
        """What it takes, for a message."""
        if self.choices:
            return f"any of {', '.join(self.choices)}"
        if self.kind is Kind.TEXT and self.most is not None:
            return f"{self.kind.value} of up to {self.most:g} characters"
        if self.least is None or self.most is None:
            return self.kind.value
        start = f"above {self.least:g} and up" if self.above else f"from {self.least:g}"
        return f"{self.kind.value} {start} to {self.most:g}"


def every_setting() -> tuple[Setting, ...]:
    """All of them in the order in which they are declared, without what the person names: see `named_settings`."""
    return tuple(_declared(Settings, Settings(), ""))


def _declared(struct: type[msgspec.Struct], defaults: msgspec.Struct, prefix: str) -> "list[Setting]":
    from msgspec import inspect  # not worth its import where no setting is described

    found: list[Setting] = []
    shape = inspect.type_info(struct)
    assert isinstance(shape, inspect.StructType)
    for field in shape.fields:
        default = getattr(defaults, field.name)
        if isinstance(default, msgspec.Struct):
            found += _declared(type(default), default, f"{prefix}{field.name}.")
        elif not isinstance(default, dict):
            found.append(_setting(f"{prefix}{field.name}", field.type, default))
    return found


_KINDS: Final = {bool: Kind.SWITCH, int: Kind.WHOLE, float: Kind.NUMBER, str: Kind.TEXT, tuple: Kind.LIST}


def _setting(key: str, shape: "inspect.Type", default: object) -> Setting:
    from msgspec import inspect

    description = ""
    if isinstance(shape, inspect.Metadata):
        description = (shape.extra_json_schema or {}).get("description", "")
        shape = shape.type
    above, most = getattr(shape, "gt", None), getattr(shape, "le", None)
    return Setting(
        key,
        _KINDS[type(default)],
        default,
        description,
        least=getattr(shape, "ge", None) if above is None else above,
        above=above is not None,
        most=getattr(shape, "max_length", None) if isinstance(shape, inspect.StrType) else most,
        choices=tuple(map(str, getattr(getattr(shape, "item_type", None), "values", ()))),
    )


NAMED: Final = {
    "accounts": "the Codex home of this account, or the base URL of its quota service",
    "keys": "the key, or keys with commas, of this command",
}
"""Sections in which the person chooses the names."""


def named_settings(settings: Settings) -> tuple[Setting, ...]:
    """Those whose names the person chose."""
    return tuple(find_setting(f"{section}.{name}") for section in NAMED for name in getattr(settings, section))


def find_setting(key: str) -> Setting:
    """The setting of this name; of a section in which the person chooses the names, any.

    Raises:
        UsageError: There is none; names the nearest.
    """
    settings = {setting.key: setting for setting in every_setting()}
    if key in settings:
        return settings[key]
    section, _, name = key.partition(".")
    if section in NAMED and name and "." not in name:
        return Setting(key, Kind.TEXT, "", NAMED[section])
    if section in NAMED:
        raise UsageError(f"{key} is no setting", f"write {section}.NAME")
    if inside := [known for known in settings if known.startswith(f"{key}.")]:
        raise UsageError(f"{key} is a section", f"one of {', '.join(inside)}")
    names = {known.rpartition(".")[2]: known for known in settings}
    raise UsageError(f"unknown setting {key}", nearest(names.get(key, key), list(settings)))


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
    return parse_settings(path, read_toml(path, read_text(path)))


def read_text(path: Path) -> str:
    """The text of a settings file, its byte order mark left out; empty where there is none.

    Raises:
        SettingsError: Unreadable, not a file, or not UTF-8.
    """
    try:
        return (read_small_file(path) or b"").decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read the settings {path}: {reason}", "mend or remove the file") from error


def read_toml(path: Path, text: str) -> dict[str, Any]:
    """The values that a settings text holds, by name; not checked yet.

    Raises:
        SettingsError: It is not TOML.
    """
    if not text.strip():
        return {}
    import tomllib  # of no use to the many who have no settings file

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "mend or remove the file") from error


def parse_settings(path: Path, data: dict[str, Any]) -> Settings:
    """Check the values of a settings file, which the path names in messages.

    Raises:
        SettingsError: An unknown key, or a value of the wrong kind; names the file and the place.
    """
    _check_names(path, data, Settings, "")
    try:
        return msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(*_in_plain_words(path, str(error))) from error


def _in_plain_words(path: Path, refusal: str) -> tuple[str, str]:
    """Which value does not fit and what its setting takes: a message and a hint."""
    place = re.search(r"`\$\.([\w.]+)(\[\.\.\.\])?", refusal)
    if place is None or "`key` in" in refusal:
        hint = "it begins with a letter and has letters, digits, - and _, 32 at most"
        return f"{path}: a name in {place[1] if place else 'it'} cannot be used", hint
    try:
        setting = find_setting(f"{place[1]}.NAME" if place[2] else place[1])
    except UsageError as error:
        return f"{path}: {error.message}", error.hint
    return f"{path}: {setting.key} takes {setting.takes}", setting.help


def _check_names(path: Path, data: dict[str, object], struct: type[msgspec.Struct], prefix: str) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for name, value in data.items():
        if name not in fields:
            raise SettingsError(f"{path}: unknown setting {prefix}{name}", nearest(name, list(fields)))
        kind = fields[name]
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            _check_names(path, value, kind, f"{prefix}{name}.")
