"""What Codex runs for resetbank: holding requests at the limit, and refusing an agent's own spend."""

from datetime import datetime
from enum import StrEnum

import msgspec


class HookState(StrEnum):
    """How one of our hooks stands in Codex."""

    NOT_INSTALLED = "not installed"
    UNTRUSTED = "untrusted"
    """In Codex's file, but the person has not trusted it: Codex skips it in silence."""
    MODIFIED = "modified"
    """Trusted in another form, or its script is not ours any more: Codex skips it, or must not be trusted."""
    DISABLED = "disabled"
    """Switched off in Codex."""
    UNSUPPORTED = "not supported by this Codex"
    TRUSTED = "trusted"


class HookStatus(msgspec.Struct, frozen=True):
    """One of our hooks, as far as it is known."""

    name: str
    """`hold` or `guard`."""
    state: HookState
    checked: bool
    """Whether Codex itself said so; otherwise it was read from its files."""
    problem: str | None = None
    """What is wrong, in a clause; None where nothing is."""

    @property
    def protects(self) -> bool:
        """Whether it does its work."""
        return self.state is HookState.TRUSTED


class GateMode(StrEnum):
    """What the hooks do with a request."""

    OPEN = "open"
    """Let it go, unless its own thread's meter says that a limit is reached: then they ask the keeper."""
    CLOSED = "closed"
    """Hold it while a keeper lives."""
    WAIT = "wait"
    """Hold it until the natural reset, with or without a keeper: the person chose to wait."""
    PASS = "pass"  # noqa: S105  # a mode, not a password
    """Let it go, whatever its meter says: the person chose to let it fail, or nobody is there to answer."""


class GateState(msgspec.Struct, frozen=True):
    """What the keeper says to every hook of one Codex home."""

    mode: GateMode
    open_since: datetime | None = None
    """Meters of threads that are older than this say nothing about now."""
    resets_at: datetime | None = None
    """The natural reset: no hold lasts much longer."""
    account: str | None = None
    """Whose plan it is; None holds nothing."""
    providers: tuple[str, ...] = ()
    """The model providers that spend this plan."""
    default_provider: bool = False
    """Whether a thread without a transcript, of which no provider is known, spends it too."""
    before_credits: bool = False
    """Whether a request is held that paid credits would carry."""
    note: str | None = None
    """What a released hook says to the person, in one line."""


class Waiter(msgspec.Struct, frozen=True):
    """A request that is held."""

    pid: int
    """The hook's process."""
    since: datetime
    session_id: str
    """The root thread: a subagent's requests are its root's."""
    turn_id: str | None = None
    workspace: str | None = None
    agent_id: str | None = None
    """The subagent's own thread; None: the root itself."""
    compaction: bool = False
    """Whether it is the request that compacts the thread."""


class SpendAttempt(msgspec.Struct, frozen=True):
    """A tool call that the guard refused."""

    at: datetime
    session_id: str | None
    tool: str
