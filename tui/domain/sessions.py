"""Live sessions: two feeds, the daemon's status changes and the rollout files, merged into one picture.

The rollout knows why a turn ended, the daemon knows first that it ended, and only the daemon knows of a question that
waits. Each feed's last report is kept by itself and the two are compared, so that they may arrive in either order.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from tui.domain.snapshot import Snapshot
from tui.domain.windows import MAIN_LIMIT, Limit

IDLE_KEPT: Final = timedelta(hours=6)
"""An idle session is shown for so long after it was last heard of."""

SILENCE_KEPT: Final = timedelta(hours=2)
"""A running session without any update for so long has died: a killed process writes no end."""

STOPPED_KEPT: Final = timedelta(days=8)
"""A stopped session is kept past the reset of a weekly limit."""

FEED_LAG: Final = timedelta(seconds=1)
"""How much later than it happened the daemon's report may be dated, since it is dated on arrival."""

SAME_RESET: Final = timedelta(minutes=2)
"""Two reset dates that differ by less belong to one window: each interface rounds in its own way."""


class SessionState(StrEnum):
    """What a session is doing."""

    RUNNING = "running"
    HELD = "held"
    """In the middle of a turn whose next request waits at the limit."""
    IDLE = "idle"
    WAITING_APPROVAL = "waiting_approval"
    STOPPED_AT_LIMIT = "stopped_at_limit"
    STOPPED_BY_ERROR = "stopped_by_error"
    GONE = "gone"


_ACTIVE: Final = frozenset({SessionState.RUNNING, SessionState.WAITING_APPROVAL})
_STOPPED: Final = frozenset({SessionState.STOPPED_AT_LIMIT, SessionState.STOPPED_BY_ERROR})

Feed = Literal["daemon", "rollout"]
T = TypeVar("T")


class FeedState(msgspec.Struct, frozen=True):
    """What one feed last said about the state of a session."""

    state: SessionState
    at: datetime
    """When the state began."""
    order: int | None
    """Its place among the reports of this feed, where the feed counts them."""
    origin: str | None
    """The rollout it stands in."""
    turn_at: datetime | None
    """When the turn began that led to it, as far as this feed saw that."""


class Session(msgspec.Struct, frozen=True):
    """One thread of Codex that a person started."""

    thread_id: str
    state: SessionState
    since: datetime
    """When the state began."""
    seen_at: datetime
    """When anything was last heard of it."""
    workspace: str | None = None
    """The full path of the folder it works in; text from outside."""
    model: str | None = None
    title: str | None = None
    """What the person or Codex named it."""
    first_message: str | None = None
    """How its first message begins."""
    rollout_path: str | None = None
    uses_plan: bool = True
    """False where its model is not paid by the ChatGPT plan, so that the plan's limit cannot stop it."""
    account_id: str | None = None
    """The account that it was started in, where its file says so."""
    plan: str | None = None
    """The plan that its file last named."""
    limit: Limit | None = None
    """The main limit as its file last showed it."""
    rollout_state: FeedState | None = None
    daemon_state: FeedState | None = None
    held_since: datetime | None = None
    """Since when a request of it is held; None while none is."""
    held_heard_at: datetime | None = None
    """When it was last heard of while it was held: what comes later shows it at work again."""
    released_at: datetime | None = None
    """When it was let go, until it is heard of again."""

    @property
    def folder(self) -> str:
        """The name of the folder it works in, without its path; empty where that is unknown."""
        return (self.workspace or "").rstrip("/").rpartition("/")[2]

    @property
    def name(self) -> str | None:
        """What a person knows it by: its title, or how its first message begins."""
        return self.title or self.first_message


class SessionUpdate(msgspec.Struct, frozen=True):
    """What one feed reported about one thread at one moment. None means that it did not say."""

    thread_id: str
    seen_at: datetime
    feed: Feed
    state: SessionState | None = None
    since: datetime | None = None
    """When the state began, where that was not at `seen_at`."""
    workspace: str | None = None
    model: str | None = None
    title: str | None = None
    first_message: str | None = None
    rollout_path: str | None = None
    uses_plan: bool | None = None
    account_id: str | None = None
    limits: tuple[Limit, ...] = ()
    """Rate limits as they were at `seen_at`."""
    plan: str | None = None
    order: int | None = None
    """Counts up within one rollout, or within the daemon's feed; outranks the clock, which may jump."""
    internal: bool = False
    """Nobody started the thread: it works for another one, names it, or leaves no trace. It is no session."""

    @property
    def main_limit(self) -> Limit | None:
        """The limit of ordinary use, where the update has it."""
        return next((limit for limit in self.limits if limit.limit_id == MAIN_LIMIT), None)


def merge_update(sessions: Mapping[str, Session], update: SessionUpdate) -> Mapping[str, Session]:
    """Merge one update; the same mapping where nothing changed.

    An older update never overwrites a newer one, it only fills what was unknown. A thread that is not known yet
    becomes a session once its state is reported.
    """
    known = sessions.get(update.thread_id)
    if update.internal or (known is None and update.state in (None, SessionState.GONE)):
        return {key: one for key, one in sessions.items() if one is not known} if known is not None else sessions
    session = _begin(update) if known is None else _update(known, update)
    return sessions if session == known else {**sessions, session.thread_id: session}


def forget_daemon(sessions: Mapping[str, Session]) -> Mapping[str, Session]:
    """Use the rollouts alone from now on: the daemon is gone, and its last reports hold no longer.

    A session that only the daemon knew of is gone with it.
    """
    kept: dict[str, Session] = {}
    for thread_id, session in sessions.items():
        if session.rollout_state is not None or session.held_since is not None:
            kept[thread_id] = weighed(replace(session, daemon_state=None))
    return kept


def live(sessions: Mapping[str, Session], now: datetime) -> tuple[Session, ...]:
    """The sessions worth showing: those that are stopped or at work first, the latest change first.

    Changes of the same minute are ordered by the thread's id, which stays: a feed dates what it finds at its start by
    when it finds it, so that seconds would order the same sessions differently with every start.
    """
    kept = [session for session in sessions.values() if _is_live(session, now)]
    return tuple(sorted(kept, key=lambda session: (_RANK[session.state], -_minute(session.since), session.thread_id)))


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def interrupted(sessions: Mapping[str, Session]) -> tuple[Session, ...]:
    """The sessions that stopped at a limit, the first to stop first."""
    return _in_state(sessions, frozenset({SessionState.STOPPED_AT_LIMIT}))


def active(sessions: Mapping[str, Session]) -> tuple[Session, ...]:
    """The sessions in the middle of a turn that the plan pays for, the longest running first."""
    return tuple(session for session in _in_state(sessions, _ACTIVE) if session.uses_plan)


def of_account(seen: Session | SessionUpdate, snapshot: Snapshot) -> bool:
    """Whether a thread's own file speaks of the account of a reading; where too little is known to tell, it does.

    A thread that runs on after its person signed in elsewhere goes on writing the limits of the former account.
    """
    account = snapshot.account
    for said, read in ((seen.account_id, account.id), (seen.plan, account.plan)):
        if said is not None and read is not None and said != read:
            return False
    limit = seen.limit if isinstance(seen, Session) else seen.main_limit
    if limit is None or snapshot.main_limit is None:
        return True
    read_at = snapshot.provenance.observed_at
    for window in limit.windows:
        known = next((known for known in snapshot.main_limit.windows if known.minutes == window.minutes), None)
        if known is None or known.resets_at is None or window.resets_at is None:
            continue
        over = min(window.resets_at, known.resets_at) <= max(read_at, seen.seen_at)
        unpinned = window.is_idle(seen.seen_at) or known.is_idle(read_at)
        if abs(window.resets_at - known.resets_at) > SAME_RESET and not over and not unpinned:
            return False
    return True


_RANK: Final = {
    SessionState.HELD: 0,
    SessionState.STOPPED_AT_LIMIT: 0,
    SessionState.WAITING_APPROVAL: 1,
    SessionState.RUNNING: 2,
    SessionState.STOPPED_BY_ERROR: 3,
    SessionState.IDLE: 4,
    SessionState.GONE: 5,
}


def _in_state(sessions: Mapping[str, Session], states: frozenset[SessionState]) -> tuple[Session, ...]:
    found = [session for session in sessions.values() if session.state in states]
    return tuple(sorted(found, key=lambda session: (session.since, session.thread_id)))


def _is_live(session: Session, now: datetime) -> bool:
    silent = now - session.seen_at
    if session.state is SessionState.GONE:
        return False
    if session.state is SessionState.HELD:
        return True
    if session.state in _STOPPED:
        return silent <= STOPPED_KEPT
    if session.state in _ACTIVE:
        # The daemon would have reported the end of a turn; a rollout goes silent when its process is killed.
        reported = session.daemon_state
        return silent <= SILENCE_KEPT or (reported is not None and reported.state in _ACTIVE)
    return silent <= IDLE_KEPT


def _begin(update: SessionUpdate) -> Session:
    assert update.state is not None
    since = update.since or update.seen_at
    return _update(Session(update.thread_id, update.state, since, update.seen_at), update)


def _update(session: Session, update: SessionUpdate) -> Session:
    mine = session.rollout_state if update.feed == "rollout" else session.daemon_state
    newer = _is_newer(update, mine, session)

    def pick(new: T | None, known: T | None) -> T | None:
        return new if known is None or (newer and new is not None) else known

    session = replace(
        session,
        workspace=pick(update.workspace, session.workspace),
        model=pick(update.model, session.model),
        title=pick(update.title, session.title),
        first_message=session.first_message or update.first_message,
        rollout_path=pick(update.rollout_path, session.rollout_path),
        uses_plan=session.uses_plan if update.uses_plan is None else update.uses_plan,
        account_id=pick(update.account_id, session.account_id),
        plan=pick(update.plan, session.plan),
        limit=pick(update.main_limit, session.limit),
        seen_at=update.seen_at if newer else session.seen_at,
    )
    if update.state is None or (mine is not None and not _supersedes(update, mine)):
        return session
    if update.feed == "rollout":
        return weighed(replace(session, rollout_state=_word(update, mine)))
    return weighed(replace(session, daemon_state=_word(update, mine)))


def _steps(update: SessionUpdate, word: FeedState) -> int | None:
    """How far it comes after a word of its own feed; None where only the clock tells."""
    if update.order is None or word.order is None or _origin(update) != word.origin:
        return None
    return update.order - word.order


def _supersedes(update: SessionUpdate, word: FeedState) -> bool:
    """Whether it comes after the last word of its own feed.

    A thread that was taken back to an earlier turn goes on in another file: the end of the older one means nothing.
    """
    steps = _steps(update, word)
    if steps is None and update.state is SessionState.GONE and _origin(update) != word.origin:
        return False
    return (update.since or update.seen_at) >= word.at if steps is None else steps >= 0


def _is_newer(update: SessionUpdate, word: FeedState | None, session: Session) -> bool:
    """Whether it comes after everything that was heard of the session."""
    steps = None if word is None else _steps(update, word)
    return steps > 0 if steps else update.seen_at >= session.seen_at


def _word(update: SessionUpdate, before: FeedState | None) -> FeedState:
    assert update.state is not None
    at = update.since or update.seen_at
    turn_at = before.turn_at if before is not None else None
    if before is not None and before.state in _STOPPED and update.state not in _STOPPED:
        turn_at = None  # that turn is accounted for
    if update.state in _ACTIVE and (before is None or before.state not in _ACTIVE):
        turn_at = at
    return FeedState(update.state, at, update.order, _origin(update), turn_at)


def _origin(update: SessionUpdate) -> str | None:
    return update.rollout_path if update.feed == "rollout" else None


def weighed(session: Session) -> Session:
    """The session in the state that its feeds, or a hold, make it."""
    if session.held_since is not None:
        return replace(session, state=SessionState.HELD, since=session.held_since)
    state, since = _weigh(session.rollout_state, session.daemon_state)
    return replace(session, state=state, since=since)


def _weigh(rollout: FeedState | None, daemon: FeedState | None) -> tuple[SessionState, datetime]:
    if daemon is None or rollout is None:
        word = rollout or daemon
        assert word is not None
        return word.state, word.at
    if daemon.state in _ACTIVE:
        return _weigh_active(rollout, daemon)
    if daemon.state is SessionState.GONE:
        reopened = rollout.state is not SessionState.GONE and rollout.at > daemon.at
        word = rollout if reopened else daemon
        return word.state, word.at
    if rollout.state is SessionState.GONE:
        return rollout.state, rollout.at
    if daemon.state in _STOPPED:
        of_this_turn = daemon.turn_at is None or rollout.at >= daemon.turn_at - FEED_LAG
        if daemon.state is SessionState.STOPPED_BY_ERROR and rollout.state in _STOPPED and of_this_turn:
            word = rollout
        else:
            word = max(daemon, rollout, key=lambda word: word.at)
        return word.state, word.at
    # The daemon says idle: a turn that it saw since then is over; a thread that stopped before, and was only loaded
    # again, is still stopped.
    if rollout.state is SessionState.RUNNING:
        word = rollout if rollout.at > daemon.at else daemon
    else:
        word = daemon if daemon.turn_at is not None and daemon.turn_at > rollout.at else rollout
    return word.state, word.at


def _weigh_active(rollout: FeedState, daemon: FeedState) -> tuple[SessionState, datetime]:
    if rollout.state is SessionState.RUNNING:
        return daemon.state, rollout.at if daemon.state is SessionState.RUNNING else daemon.at
    if rollout.state is not SessionState.GONE and rollout.at > daemon.at:
        return rollout.state, rollout.at  # the end that the daemon is about to tell
    running_since = daemon.turn_at or daemon.at
    return daemon.state, running_since if daemon.state is SessionState.RUNNING else daemon.at
