"""Checking an e-mail address that a person typed, before anything is sent to it."""

from tui.domain.invites import LONGEST_ADDRESS
from tui.errors import UsageError


def parse_address(text: str) -> str:
    """Check one address and write it in its normal form; nobody is asked whether it exists.

    Raises:
        UsageError: It is no address that mail can go to, with the reason.
    """
    from email_validator import EmailNotValidError, validate_email  # 30 ms that only an invite pays

    text = text.strip()
    if not text:
        raise UsageError("no address was given", "write it like friend@example.com")
    if len(text) > LONGEST_ADDRESS:
        raise UsageError("that is too long for an address", "write it like friend@example.com")
    if "<" in text or ">" in text:
        raise UsageError("that is more than an address", "write it alone, like friend@example.com")
    if any(mark in text for mark in ",; \t\n"):
        raise UsageError("one address at a time", "write it like friend@example.com")
    try:
        # The names reserved for examples and tests are fine: a service of one's own may well use them.
        return str(validate_email(text, check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UsageError(f"that is no address: {reason[:1].lower()}{reason[1:]}", "look at it again") from error
