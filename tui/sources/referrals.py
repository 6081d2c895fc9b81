"""The referral endpoints over HTTP (wire.md 4): honest about who asks, and silent where nobody may.

The official endpoints serve the desktop app; from a terminal they refuse, or offer nothing (wire.md 4.4). resetbank
asks under its own name and imitates nobody, and asks an official base URL only where its user wants that. Both
contracts are spoken: the current one (4.3), and where that is not served the former (4.1, 4.2).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace

from tui.clock import Clock
from tui.domain.referral import InviteAnswer, InviteList, InviteRequest, OfferAnswer, OfferStatus, TrackedInvite
from tui.errors import BadPayload, InviteRejected, InviteUnknown, NotViable, SignedOut, SourceError
from tui.sources.answers import Answer, Failed, describe_trouble, is_challenge, is_web_page, read_trouble
from tui.sources.base_url import BaseUrl
from tui.sources.login import Login, LoginProvider
from tui.sources.null_referrals import APP
from tui.wire.referral import (
    ENTRYPOINT,
    PAGE,
    PERIOD,
    PROGRAM_ID,
    REFERRAL_KEY,
    decode_invited,
    decode_offer,
    decode_refusal,
    decode_tracking,
    encode_invite,
    with_rules,
)

if TYPE_CHECKING:
    from tui.sources.backend import HttpAsker

MOST_PAGES: Final = 50
"""Pages of the list of invites that are read; more is a flood."""

READ_SECONDS: Final = 10.0
SEND_SECONDS: Final = 15.0
"""Seconds for one whole request."""

LOOK: Final = "the list of invites shows whether it arrived"


class _Paths(msgspec.Struct, frozen=True):
    """Where one contract keeps its endpoints."""

    program: str
    offer: str
    invite: str
    """An invite is posted here; the list and the single invites lie below."""

    @property
    def query(self) -> dict[str, str]:
        """What every reading names."""
        if self.program == PROGRAM_ID:
            return {"program_id": self.program, "entrypoint": ENTRYPOINT}
        return {"referral_key": self.program}


def _current(base: BaseUrl) -> _Paths:
    return _Paths(PROGRAM_ID, f"{base.referrals}/invite/eligibility", f"{base.referrals}/invite")


def _former(base: BaseUrl) -> _Paths:
    return _Paths(REFERRAL_KEY, f"{base.referrals}/invite/eligibility", f"{base.codex_referrals}/invite")


def _of_program(base: BaseUrl, program: str) -> _Paths:
    return _former(base) if program == REFERRAL_KEY else _current(base)


class ReferralClient:
    """Asks the referral endpoints; implements `tui.sources.base.Referrals`.

    Args:
        base_url: Where.
        login: Finds the login at each request.
        clock: For what the service asks to wait.
        open_asker: Opens what sends the requests, at the first one.
    """

    def __init__(
        self, base_url: BaseUrl, login: LoginProvider, clock: Clock, open_asker: "Callable[[], Awaitable[HttpAsker]]"
    ) -> None:
        self._base_url = base_url
        self._find_login = login
        self._clock = clock
        self._open_asker = open_asker
        self._asker: HttpAsker | None = None
        self._paths = _current(base_url)

    @property
    def host(self) -> str:
        """Who is asked."""
        return self._base_url.host

    async def offer(self, account_id: str | None) -> OfferAnswer:
        """Read the offer; see `Referrals.offer`."""
        login = await self._login(account_id)
        for paths in (_current(self._base_url), _former(self._base_url)):
            query = {"requested_referrals": "1", "supports_rewardless_invites": "false"}
            wanted = paths.query | (query if paths.program == REFERRAL_KEY else {})
            answer = await self._read(f"{paths.offer}?{urlencode(wanted)}", login)
            if answer.status in (400, 404):
                continue  # that contract is not served here
            self._paths = paths
            if answer.status == 403:
                return OfferAnswer(OfferStatus.FORBIDDEN, None, _forbidden(answer))
            read_trouble(answer, self._clock.now())
            told = decode_offer(answer.body, paths.program)
            return await self._with_rules(told, login) if paths.program == REFERRAL_KEY else told
        return OfferAnswer(OfferStatus.NOT_OFFERED, None, f"{self._base_url.host} has no referral programme")

    async def tracking(self, account_id: str | None) -> InviteList:
        """Read the whole list; see `Referrals.tracking`."""
        login = await self._login(account_id)
        found: dict[str, TrackedInvite] = {}
        unknowns: dict[str, None] = {}
        cursor, whole = None, True
        asked: set[str | None] = set()
        for _ in range(MOST_PAGES):
            query = self._paths.query | {"period": PERIOD, "limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            query.pop("entrypoint", None)
            answer = await self._read(f"{self._paths.invite}/tracking?{urlencode(query)}", login)
            read_trouble(answer, self._clock.now())
            page = decode_tracking(answer.body)
            found |= {invite.id: invite for invite in page.invites if invite.id not in found}
            unknowns |= dict.fromkeys(page.unknowns)
            whole = whole and page.whole
            if page.cursor is None:
                return InviteList(tuple(found.values()), whole, tuple(unknowns))
            asked.add(cursor)
            cursor = page.cursor
            if cursor in asked:
                break  # it leads in a circle
        return InviteList(tuple(found.values()), complete=False, unknowns=tuple(unknowns))

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        """Send one invite, once; see `Referrals.invite`."""
        paths = _of_program(self._base_url, request.program)  # of the offer that consent was given to
        answer = await self._send(paths.invite, request.account_id, encode_invite(request))
        try:
            told = decode_invited(answer.body, request.address)
        except BadPayload as error:
            raise InviteUnknown(f"the invite was sent, but {error.message}", LOOK) from error
        if isinstance(told, str):
            raise InviteRejected(f"the service did not send it: {told}")
        return told

    async def resend(self, referral_id: str, account_id: str | None) -> None:
        """Have an e-mail sent once more; see `Referrals.resend`."""
        answer = await self._send(f"{self._paths.invite}/{quote(referral_id, safe='')}/send-email", account_id, b"{}")
        if is_web_page(answer):
            raise InviteUnknown(f"{answer.host} answers with a web page", LOOK)

    async def aclose(self) -> None:
        """Close the connections."""
        asker, self._asker = self._asker, None
        if asker is not None:
            await asker.aclose()

    async def _with_rules(self, told: OfferAnswer, login: Login) -> OfferAnswer:
        """The former contract keeps its rules apart; an offer without them is still an offer."""
        url = f"{self._base_url.codex_referrals}/eligibility_rules?{urlencode(self._paths.query)}"
        try:
            answer = await self._read(url, login)
            return with_rules(told, answer.body) if answer.status == 200 else told
        except SourceError as error:
            return replace(told, unknowns=(*told.unknowns, f"the rules for invites: {error.message}"))

    async def _login(self, account_id: str | None) -> Login:
        try:
            login = await self._find_login()
        except NotViable as error:
            raise SignedOut(error.message, error.hint) from error
        if account_id is not None and login.account_id not in (account_id, None):
            raise SignedOut("the login belongs to another account", "sign in to the account that is shown")
        return login

    async def _connect(self) -> "HttpAsker":
        if self._asker is None:
            try:
                self._asker = await self._open_asker()
            except (ImportError, OSError, ValueError) as error:  # certificates or a proxy that cannot be used
                raise Failed(f"{self._base_url.host} cannot be asked from here", sent=False) from error
        return self._asker

    async def _read(self, url: str, login: Login) -> Answer:
        try:
            return await (await self._connect()).ask("GET", url, login, READ_SECONDS)
        except Failed as failure:
            raise describe_trouble(failure) from failure

    async def _send(self, url: str, account_id: str | None, body: bytes) -> Answer:
        try:
            login = await self._login(account_id)
        except SignedOut as error:
            raise InviteRejected(f"nothing was sent: {error.message}", error.hint) from error
        if account_id is None or login.account_id is None:
            raise InviteRejected("nothing was sent: the login is not known to be of the account that the invite is for")
        try:
            answer = await (await self._connect()).ask("POST", url, login, SEND_SECONDS, body)
        except Failed as failure:
            if failure.sent:
                raise InviteUnknown(f"the request was sent, but {failure.reason}", LOOK) from failure
            raise InviteRejected(f"nothing was sent: {failure.reason}", "try again") from failure
        _send_trouble(answer)
        return answer


def _forbidden(answer: Answer) -> str:
    told = None if is_web_page(answer) else decode_refusal(answer.body)
    return told or f"{answer.host} answers this client with a refusal (403)"


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
        told = None if is_web_page(answer) else decode_refusal(answer.body)
        reason = told or _REASONS.get(status, f"status {status}")
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
