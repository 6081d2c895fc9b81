"""What the service answers where it does not do what was asked."""


class Refused(Exception):
    """A refusal, before any effect.

    Args:
        status: The HTTP status of the answer.
        reason: One clear line.
        retry_after: Seconds after which the same request may succeed; None: unknown.
    """

    def __init__(self, status: int, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class UnknownAccount(Refused):
    """There is no account of this id."""

    def __init__(self, account: str) -> None:
        super().__init__(400, f"there is no account {account!r}")
