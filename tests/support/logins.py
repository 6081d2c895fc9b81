"""Signed-in requests to the stub."""

from datetime import datetime

from tui.stub.http.logins import make_token


def bearer_headers(account: str, now: datetime) -> dict[str, str]:
    """The two headers of a signed-in request."""
    return {"Authorization": f"Bearer {make_token(account, now)}", "ChatGPT-Account-Id": account}
