"""The referral endpoints over HTTP: honest about who asks, and silent where nobody may.

The official endpoints serve the desktop app; from a terminal they refuse, or offer nothing. resetbank asks under its
own name and imitates nobody, and asks an official base URL only where its user wants that.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote, urlencode

from tui.clock import Clock
from tui.concurrency import in_loose_thread
from tui.domain.referral import (
    InviteAnswer,
    InviteList,
    InviteRequest,
    OfferAnswer,
    OfferStatus,
    TrackedInvite,
    program_of,
)
from tui.domain.snapshot import Account
from tui.errors import BadPayload, InviteRejected, InviteUnknown, NotViable, SignedOut
from tui.sources.answers import (
    Answer,
    Asker,
    Failed,
    find_login,
    is_challenge,
    is_web_page,
    open_asker,
    read_trouble,
    to_read,
)
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login, LoginProvider
from tui.sources.null_referrals import APP, NOT_ASKED, NullReferrals
from tui.wire import referral as wire

MOST_PAGES: Final = 50
"""Pages of the list of invites that are read; more is a flood."""

READ_SECONDS: Final = 10.0
SEND_SECONDS: Final = 15.0
"""Seconds for one whole request."""

LOOK: Final = "the list of invites shows whether it arrived"


def open_referrals(
    base_url: BaseUrl, login: LoginProvider, clock: Clock, *, asks_official: bool
) -> "ReferralClient | NullReferrals":
    """The referral programme at a base URL; sends nothing yet, and asks an official one only where that is wanted."""
    if base_url.run_by_openai and not asks_official:
        return NullReferrals(OfferStatus.NOT_ASKED, NOT_ASKED)
    # In a thread: the library takes a while to import, and https its certificates to load.
    return ReferralClient(base_url, login, clock, lambda: in_loose_thread(open_asker, base_url))


class ReferralClient:
    """Asks the referral endpoints; implements `tui.sources.base.Referrals`.

    The login is found at each request, and what sends them is opened at the first one.
    """

    def __init__(
        self, base_url: BaseUrl, login: LoginProvider, clock: Clock, open_asker: Callable[[], Awaitable[Asker]]
    ) -> None:
        self._base_url = base_url
        self._find_login = login
        self._clock = clock
        self._open_asker = open_asker
        self._asker: Asker | None = None
        self._invites = f"{base_url.referrals}/invite"

    @property
    def host(self) -> str:
        """Who is asked."""
        return self._base_url.host

    async def offer(self, account: Account) -> OfferAnswer:
        """Read the offer; see `Referrals.offer`."""
        login, program = await self._login(account.id), program_of(account.plan)
        query = urlencode({"program_id": program, "entrypoint": wire.ENTRYPOINT})
        answer = await self._read(f"{self._invites}/eligibility?{query}", login)
        if answer.status in (400, 404):
            return OfferAnswer(OfferStatus.NOT_OFFERED, None, f"{self._base_url.host} has no referral programme")
        if answer.status == 403:
            words = _own_words(answer) or f"{answer.host} answers this client with a refusal (403)"
            return OfferAnswer(OfferStatus.FORBIDDEN, None, words)
        read_trouble(answer, self._clock.now())
        return wire.decode_offer(answer.body, program)

    async def tracking(self, account: Account) -> InviteList:
        """Read the whole list; see `Referrals.tracking`."""
        login, program = await self._login(account.id), program_of(account.plan)
        found: dict[str, TrackedInvite] = {}
        unknowns: dict[str, None] = {}
        cursors: list[str | None] = [None]
        whole = True
        for cursor in cursors:
            query = {"program_id": program, "period": wire.PERIOD, "limit": str(wire.PAGE)} | (
                {"cursor": cursor} if cursor else {}
            )
            answer = await self._read(f"{self._invites}/tracking?{urlencode(query)}", login)
            read_trouble(answer, self._clock.now())
            page = wire.decode_tracking(answer.body)
            found |= {invite.id: invite for invite in page.invites if invite.id not in found}
            unknowns |= dict.fromkeys(page.unknowns)
            whole = whole and page.whole
            if page.cursor is None:
                return InviteList(tuple(found.values()), whole, tuple(unknowns))
            if page.cursor not in cursors and len(cursors) < MOST_PAGES:  # else it leads in a circle, or is a flood
                cursors.append(page.cursor)
        return InviteList(tuple(found.values()), complete=False, unknowns=tuple(unknowns))

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        """Send one invite, once; see `Referrals.invite`."""
        answer = await self._send(self._invites, request.account_id, wire.encode_invite(request))
        try:
            invited = wire.decode_invited(answer.body, request.address)
        except BadPayload as error:
            raise InviteUnknown(f"the invite was sent, but {error.message}", LOOK) from error
        if isinstance(invited, str):
            raise InviteRejected(f"the service did not send it: {invited}")
        return invited

    async def resend(self, referral_id: str, account: Account) -> None:
        """Have an e-mail sent once more; see `Referrals.resend`."""
        answer = await self._send(f"{self._invites}/{quote(referral_id, safe='')}/send-email", account.id, b"{}")
        if is_web_page(answer):
            raise InviteUnknown(f"{answer.host} answers with a web page", LOOK)

    async def aclose(self) -> None:
        """Close the connections."""
        asker, self._asker = self._asker, None
        if asker is not None:
            await asker.aclose()

    async def _login(self, account_id: str | None) -> Login:
        login = await find_login(self._find_login)
        if account_id is not None and login.account_id not in (account_id, None):
            raise SignedOut("the login belongs to another account", "sign in to the account that is shown")
        return login

    async def _ask(self, method: str, url: str, login: Login, seconds: float, body: bytes | None = None) -> Answer:
        if self._asker is None:
            try:
                self._asker = await self._open_asker()
            except (ImportError, OSError, ValueError) as error:  # certificates or a proxy that cannot be used
                raise Failed(f"{self._base_url.host} cannot be asked from here", sent=False) from error
        return await self._asker.ask(method, url, login, seconds, body)

    async def _read(self, url: str, login: Login) -> Answer:
        return await to_read(self._ask("GET", url, login, READ_SECONDS))

    async def _send(self, url: str, account_id: str | None, body: bytes) -> Answer:
        try:
            login = await self._login(account_id)
            if account_id is None or login.account_id is None:
                why = "the login is not known to be of the account that the invite is for"
                raise InviteRejected(f"nothing was sent: {why}")
            answer = await self._ask("POST", url, login, SEND_SECONDS, body)
        except (SignedOut, NotViable) as error:
            raise InviteRejected(f"nothing was sent: {error.message}", error.hint) from error
        except Failed as failure:
            if failure.sent:
                raise InviteUnknown(f"the request was sent, but {failure.reason}", LOOK) from failure
            raise InviteRejected(f"nothing was sent: {failure.reason}", "try again") from failure
        _send_trouble(answer)
        return answer


def _own_words(answer: Answer) -> str | None:
    return None if is_web_page(answer) else wire.decode_refusal(answer.body)


def _send_trouble(answer: Answer) -> None:
    """Let an answer to a send pass that may hold an invite.

    Raises:
        InviteRejected: A refusal before any effect, in the service's words where it gives any.
        InviteUnknown: Any other status than one of success.
    """
    status, host = answer.status, answer.host
    if status in (200, 201, 202, 204):
        return
    # Cloudflare puts its scripts into pages of other origin too, a gateway's late failure among them: only a refusal
    # by its own name, or by status, came before the service.
    if "cf-mitigated" in answer.headers or (status in (403, 429) and is_challenge(answer)):
        raise InviteRejected(f"a Cloudflare check stands before {host} ({status}); nothing was sent", APP)
    if 400 <= status < 500 and status != 408:
        reason = _own_words(answer) or _REASONS.get(status, f"status {status}")
        hint = {401: "run codex once to refresh your login", 429: "wait a while and try again"}.get(status, "")
        raise InviteRejected(f"{host} refused ({status}): {reason}", hint)
    raise InviteUnknown(f"{host} answered with {status}", LOOK)


_REASONS: Final = {
    401: "the login is not accepted",
    403: "not for this client or account",
    404: "there is no such invite or programme",
    409: "it exists already",
    429: "too many invites just now",
}
