"""The first start with a login on one page: what was found, what is shown, what can be turned on, and where."""

import msgspec

from tui.domain.hooks import HookState, HookStatus
from tui.domain.windows import Window, WindowState, label
from tui.ui.view.text import Level, Line, Span, clean, named, wrap
from tui.ui.view.times import full
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import percent, resets

_NAME_CELLS = 12

_SOURCES = {
    "daemon": "the running Codex daemon",
    "codex": "a `codex app-server` of its own",
    "http": "the service itself, with Codex's login",
}

_HOOKS = (
    ("hold", "at the limit Codex waits for your answer instead of failing"),
    ("guard", "refuses an agent's own tool that spends a reset"),
)


class Found(msgspec.Struct, frozen=True):
    """What was found on this machine beside the reading; nothing of it is secret or a name."""

    version: str | None = None
    """Codex's; None where its program does not say."""
    home: str | None = None
    """Codex's folder; None where nobody looked."""
    login: str | None = None
    """The kind of login, and where it is."""
    settings: str | None = None
    """The person's settings file."""
    is_real: bool = True
    """Whether Codex is configured for a service elsewhere: nobody is welcomed to a sandbox on this machine."""


def welcome_lines(view: ViewState, found: Found, width: int) -> tuple[Line, ...]:
    """The page."""
    lines = [*wrap((Span("resetbank reads. It spends, sends and changes nothing without you."),), width)]
    lines += [(Span(" "),), (Span("Found", Level.STRONG),)]
    for name, text in _facts(view, found):
        lines += _named(name, text, width)
    lines += [(Span(" "),), (Span("Shown", Level.STRONG),)]
    shown = (
        "Limits and bank, each number with its source and age; every session; the forecast. When a limit stops you, one"
        " question is asked, and only the capital letter that it draws at random spends a reset."
    )
    lines += wrap((Span(shown),), width)
    lines += [(Span(" "),), (Span("Can be turned on", Level.STRONG),)]
    statuses = {status.name: status for status in view.state.hooks}
    for name, what in _HOOKS:
        lines += _named(name, f"{_switch(name, statuses.get(name))}: {what}", width)
    lines += [(Span(" "),), (Span("Where", Level.STRONG),)]
    keys = (("settings", ",", "settings"), ("help", "?", "keys"))
    known = ", ".join(f"{view.keys.get(command, key)} {word}" for command, key, word in keys)
    lines += _named("Keys", f"{known}, ctrl+p everything by name, this page too", width)
    if found.settings:
        lines += _named("Settings", clean(found.settings), width)
    lines += _named("Sources", "`resetbank doctor` says what was found, and why the rest was not", width)
    return tuple(lines)


def _facts(view: ViewState, found: Found) -> list[tuple[str, str]]:
    state, snapshot = view.state, view.state.snapshot
    facts: list[tuple[str, str]] = []
    if found.home is not None:
        version = found.version or "program not found"
        facts.append(("Codex", f"{clean(version)}, its folder {clean(found.home)}"))
    if found.login is not None:
        facts.append(("Login", f"{clean(found.login)}; read, never changed or renewed"))
    if snapshot is None:
        return [*facts, ("Limits", "not read yet")]
    facts.append(("Plan", clean(snapshot.account.plan) if snapshot.account.plan else "not reported"))
    main = snapshot.main_limit
    windows = [_used(window, view) for window in main.windows] if main else []
    facts.append(("Limits", ", ".join(windows) or "not reported"))
    first = next(iter(snapshot.bank.spendable(view.now)), None)
    lapse = ""
    if first is not None and first.expires_at is not None:
        lapse = f", the first lapses {full(first.expires_at, view.now, view.zone)}"
    facts.append(("Bank", resets(snapshot.bank.available) + lapse))
    source = state.link.source
    if source is not None:
        facts.append(("Read from", _SOURCES.get(source, source)))
    return facts


def _used(window: Window, view: ViewState) -> str:
    is_over = window.state(view.now) is WindowState.UNKNOWN and window.minutes is not None
    return f"{label(window)} {percent(None if is_over else window.used_percent)}"


def _switch(name: str, status: HookStatus | None) -> str:
    """How one of our hooks stands, and the command that changes that."""
    if status is None or status.state is HookState.NOT_INSTALLED:
        return f"off, `resetbank {name} on` turns it on"
    if status.protects:
        return f"on, `resetbank {name} off` turns it off"
    return f"{clean(status.state)}, `resetbank {name} status` says more"


def _named(name: str, text: str, width: int) -> tuple[Line, ...]:
    return named(f"  {name}", Span(text), width=width, name_cells=_NAME_CELLS)
