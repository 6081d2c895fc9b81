"""The page that an invite's link leads to: plain HTML, everything in it escaped."""

from html import escape
from typing import Final

from starlette.responses import HTMLResponse, Response

from tui.domain.referral import InviteState
from tui.stub.referral import FRIEND, Campaign
from tui.stub.referrals import Tracked

_HEADERS: Final = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
}
_STYLE: Final = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}"


def page_answer(tracked: Tracked | None, campaign: Campaign | None) -> Response:
    """Answer whoever follows an invite's link.

    Args:
        tracked: The invite, as it stands; None where there is none of this link.
        campaign: What it belongs to.
    """
    if tracked is None or campaign is None:
        return HTMLResponse(_page("There is no such invite", ["The link is not complete, or it is an old one."]), 404)
    return HTMLResponse(_page(campaign.title, _lines(tracked, campaign)), headers=_HEADERS)


def _lines(tracked: Tracked, campaign: Campaign) -> list[str]:
    if tracked.state in (InviteState.SENT, InviteState.OPENED):
        promised = campaign.reward_of(FRIEND) is not None
        return [
            f"{tracked.invite.referrer} invites you to Codex.",
            campaign.description,
            "Sign in, and send your first message." if promised else "The one who invites you gets the reward.",
            "This is the resetbank stub: join with POST /stub/invites/accept and this link.",
        ]
    if tracked.state is InviteState.JOINED:
        return ["You have joined. Send your first Codex message now."]
    return [tracked.reason or "This invite has been used."]


def _page(title: str, lines: list[str]) -> str:
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{text}</html>"
    )
