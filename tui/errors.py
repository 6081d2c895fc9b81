"""Every error a user can meet.

A message says what happened, a hint what to do; together they make the one line on stderr or the calm panel on screen.
None of them ever holds a token, a header or a response body; of a refused invite the service's one-line reason is
quoted, with every address in it masked.
"""

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_NEAR = 10
EXIT_REACHED = 11
EXIT_UNKNOWN = 12
EXIT_NOTHING_TO_RESET = 20
EXIT_NO_CREDIT = 21
EXIT_OUTCOME_UNKNOWN = 22
EXIT_REFUSED = 23


class ResetbankError(Exception):
    """Base of every error that resetbank explains.

    Args:
        message: What happened, one clause without a final period.
        hint: What to do about it, one clause; empty where there is nothing to do.
    """

    exit_code: int = EXIT_FAILURE
    """The exit code of a command that ends with it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message and the hint on one line."""
        line = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(line.split())


class NoticeFailed(ResetbankError):
    """A channel could not tell the person; the message names no address and no token."""


class UsageError(ResetbankError):
    """The command line cannot be carried out as written."""

    exit_code = EXIT_USAGE


class SettingsError(ResetbankError):
    """The settings file is not valid."""

    exit_code = EXIT_USAGE


class NotConfirmed(ResetbankError):
    """What takes a typed code was not confirmed with it, which needs a real terminal."""

    exit_code = EXIT_REFUSED


class UnderCodex(ResetbankError):
    """An agent of Codex started the command, and what it does takes a person."""

    exit_code = EXIT_REFUSED


class SourceError(ResetbankError):
    """A source of truth could not be read."""


class NotViable(SourceError):
    """This source cannot be used here; the message is the reason that `resetbank doctor` prints."""


class SourceDown(SourceError):
    """The source did not answer, or broke off."""


class RateLimited(SourceError):
    """The source asks to be left alone, for so many seconds where it said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, "wait a while and try again")
        self.retry_after = retry_after


class SignedOut(SourceError):
    """The source refuses the login."""


class BadPayload(SourceError):
    """The source answered something that makes no sense."""


class CarryOnRejected(ResetbankError):
    """A message to a session was refused: none was queued by this request."""


class CarryOnUnknown(ResetbankError):
    """A message to a session was sent and its answer never came: it may or may not run. Never to be sent again."""


class ConsumeRejected(ResetbankError):
    """The service refused a spend before any effect: nothing was spent by this request."""

    exit_code = EXIT_REFUSED


class OutcomeUnknown(ResetbankError):
    """A spend was sent and its answer never came: it may or may not have happened."""

    exit_code = EXIT_OUTCOME_UNKNOWN


class InviteRejected(ResetbankError):
    """An invite, or its e-mail once more, was refused before any effect: none went out by this request."""

    exit_code = EXIT_REFUSED


class InviteUnknown(ResetbankError):
    """An invite, or its e-mail once more, was sent and its answer never came. Never to be repeated blindly."""

    exit_code = EXIT_OUTCOME_UNKNOWN


class NoCredit(ResetbankError):
    """No reset that could be spent is in the bank, or not the one that was asked for."""

    exit_code = EXIT_NO_CREDIT


class SpendHeld(ResetbankError):
    """Another resetbank drives an open spend of this account right now."""

    exit_code = EXIT_REFUSED


class HooksError(ResetbankError):
    """Codex's hooks, or the files behind them, cannot be used as they are; nothing was changed."""


class StoreError(ResetbankError):
    """The local database cannot be used."""


class StoreLocked(StoreError):
    """Another program holds the database for too long."""


class StoreUnclear(StoreError):
    """A commit failed, and nobody can tell whether it is on the disk."""


class StoreReadOnly(StoreError):
    """The database cannot be written."""


class StoreCorrupt(StoreError):
    """The file is no SQLite database, or a broken one."""


class StoreTooNew(StoreError):
    """A newer resetbank wrote the database."""
