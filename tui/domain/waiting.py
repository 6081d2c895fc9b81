"""Waiting for the natural reset, and going on by itself when a reading shows it, never when the clock says so."""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from tui.domain.limit_stops import allowed
from tui.domain.question import Question
from tui.domain.resets import WindowMark
from tui.domain.resumes import LimitStop
from tui.domain.snapshot import Account, Snapshot


class ResumeReason(StrEnum):
    """What showed that work can go on."""

    WINDOW_RESET = "window_reset"
    ALLOWED_AGAIN = "allowed_again"
    """The service allows use again, though the window was not reset: bought credits, for one."""


class Waiting(msgspec.Struct, frozen=True):
    """Somebody waits, and their sessions go on by themselves."""

    account: Account
    window: WindowMark
    since: datetime
    stops: tuple[LimitStop, ...] = ()
    """The sessions that had stopped when it began; those that stop later are found by then."""
    refused: bool = False
    """Whether the service refused use in the last reading that said so."""
    has_reset: bool = False
    """Its window was reset, but another still stops work."""


class Announcement(msgspec.Struct, frozen=True):
    """Work can go on: what was held goes, and each stopped session gets its message once."""

    reason: ResumeReason
    window: WindowMark
    """The window as it was while it was waited for."""
    observed_at: datetime
    since: datetime
    """Since when it was waited for: the sessions that stopped after that go on too."""
    stops: tuple[LimitStop, ...]


def wait(question: Question, snapshot: Snapshot, now: datetime) -> Waiting:
    """Begin to wait, as the answer to a question; `follow` is next, since the reading may show the reset already."""
    return Waiting(question.account, question.mark, now, question.stops, allowed(snapshot) is False)


def follow(waiting: Waiting, snapshot: Snapshot) -> tuple[Waiting, Announcement | None]:
    """Take in a reading.

    Returns:
        The wait as it goes on, and the announcement that ends it, if the reading shows that work can go on. Another
        account's reading says nothing; once back, the wait goes on.
    """
    at = snapshot.provenance.observed_at
    if waiting.account.differs_from(snapshot.account) or at <= waiting.window.seen_at:
        return waiting, None
    word = allowed(snapshot)
    has_reset = waiting.has_reset or waiting.window.has_reset(snapshot)
    # Judged at the moment of the reading itself: the clock must not make a reading out of date here.
    if has_reset and not snapshot.is_reached(at):
        reason: ResumeReason | None = ResumeReason.WINDOW_RESET
    elif waiting.refused and word is True:
        reason = ResumeReason.ALLOWED_AGAIN
    else:
        reason = None
    if reason is not None:
        return waiting, Announcement(reason, waiting.window, at, waiting.since, waiting.stops)
    refused = waiting.refused if word is None else not word
    mark = waiting.window if has_reset and not waiting.has_reset else waiting.window.follow(snapshot)
    return replace(waiting, window=mark, refused=refused, has_reset=has_reset), None
