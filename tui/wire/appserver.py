"""The app-server's methods (README.md, "App-server"): exact parameters, and results to domain values."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from tui.domain.snapshot import Account, Provenance, Snapshot, SpendControl
from tui.domain.spend import ConsumeRequest
from tui.domain.windows import MAIN_LIMIT, Limit
from tui.wire import windows
from tui.wire.credits import read_bank
from tui.wire.fields import FieldReader, clean_text, load_object
from tui.wire.jsonrpc import INVALID_REQUEST, Refusal

INITIALIZE: Final = "initialize"
INITIALIZED: Final = "initialized"
ACCOUNT_READ: Final = "account/read"
LIMITS_READ: Final = "account/rateLimits/read"
CONSUME: Final = "account/rateLimitResetCredit/consume"

NEWS: Final = frozenset({"account/rateLimits/updated", "thread/status/changed", "account/updated"})
"""Notifications after which a new reading may differ."""
ACCOUNT_UPDATED: Final = "account/updated"

COUNT_ONLY: Final = {"excludeResetCreditDetails": True}
"""Parameters of a background reading; servers older than them want null instead."""

_HTTP_STATUS: Final = re.compile(r"\bfailed: ([1-5][0-9]{2})\b")


class Login(msgspec.Struct, frozen=True):
    """How the app-server is signed in."""

    kind: str | None
    """`chatgpt` is the only kind with banked resets; None means signed out."""
    email: str | None = None
    plan: str | None = None


def initialize_params(version: str, *, experimental: bool = False) -> dict[str, object]:
    """The handshake's parameters."""
    return {
        "clientInfo": {"name": "resetbank", "title": "resetbank", "version": version},
        "capabilities": {"experimentalApi": experimental, "optOutNotificationMethods": []},
    }


def http_status(message: str) -> int | None:
    """The HTTP status that an error text tells of (`failed: 503`); None where it names none."""
    match = _HTTP_STATUS.search(message)
    return int(match[1]) if match else None


def wants_login(refusal: Refusal) -> bool:
    """Whether a refusal means that nobody is signed in, or not with ChatGPT."""
    return refusal.code == INVALID_REQUEST and "authentication required" in refusal.message


def decode_login(body: bytes) -> Login:
    """Read the result of `account/read`."""
    reader = FieldReader()
    account = reader.mapping(load_object(body, "the account").get("account"), "the account")
    if account is None:
        return Login(None)
    return Login(
        kind=reader.text(account.get("type"), "the login", 60) or "unknown",
        email=reader.text(account.get("email"), "the e-mail address", 254),
        plan=reader.text(account.get("planType"), "the plan", windows.LONGEST_ID),
    )


def decode_rate_limits(body: bytes, provenance: Provenance, login: Login) -> Snapshot:
    """Read the result of `account/rateLimits/read`; `login` is what `account/read` said."""
    payload = load_object(body, "the limits")
    reader = FieldReader()
    main = reader.mapping(windows.snake(payload.get("rateLimits")), "the main limit") or {}
    # Null means that Codex did not say.
    allowed = reader.word(payload.get("ordinaryUsageAllowed"), "whether ordinary use is allowed")
    by_id = reader.mapping(payload.get("rateLimitsByLimitId"), "the list of limits", vital=True) or {}
    limits = _limits(reader, payload, main, by_id, provenance, allowed)
    main_limit = next((limit for limit in limits if limit.limit_id == MAIN_LIMIT), None)
    if main_limit is None or not main_limit.windows:
        reader.note("the service reports no usage windows")
    return Snapshot(
        provenance=provenance,
        account=Account(
            id=reader.text(payload.get("accountId"), "the account id", windows.LONGEST_ID),
            plan=reader.text(main.get("plan_type"), "the plan", windows.LONGEST_ID) or login.plan,
            email=login.email,
        ),
        ordinary_usage_allowed=main_limit.allowed if main_limit else allowed,
        limits=limits,
        bank=read_bank(reader, payload.get("rateLimitResetCredits", msgspec.UNSET), provenance.observed_at),
        paid=windows.read_paid(reader, main.get("credits")),
        spend_control=_spend_control(reader, by_id, main, provenance),
        unknowns=reader.unknowns,
        unclear=reader.unclear,
        codex_offers=windows.offers_reset(payload.get("rateLimitUpsell")),
        clock_ahead=reader.clock_ahead,
    )


def _limits(
    reader: FieldReader,
    payload: Mapping[str, object],
    main: Mapping[str, object],
    by_id: Mapping[str, object],
    provenance: Provenance,
    allowed: bool | None,
) -> tuple[Limit, ...]:
    found: list[Limit] = []
    if main or payload.get("rateLimits") is not None:
        limit = windows.read_limit(reader, {"allowed": allowed, **main}, provenance.observed_at)
        if limit.windows or limit.reached_type or limit.allowed is not None:
            found.append(limit)  # else it stands for a service that reports no limit at all
        reader.unclear = reader.unclear or not isinstance(payload.get("rateLimits"), dict)
    for key in list(by_id)[: windows.MOST_LIMITS]:
        limit_id = clean_text(key, windows.LONGEST_ID)
        of_main = limit_id == MAIN_LIMIT
        beside = reader if of_main else FieldReader(reader)
        fields = beside.mapping(windows.snake(by_id[key]), f"the limit {limit_id}", vital=of_main)
        if fields and limit_id:
            found.append(windows.read_limit(beside, fields, provenance.observed_at, limit_id))
    return windows.arrange_limits(found)


def _spend_control(
    reader: FieldReader, by_id: Mapping[str, object], main: Mapping[str, object], provenance: Provenance
) -> SpendControl | None:
    """The workspace's cap, which stands in the main limit; where it is given twice, the worse one counts."""
    again = reader.mapping(windows.snake(by_id.get(MAIN_LIMIT)), "the main limit") or {}
    controls = (
        windows.read_spend_control(
            reader, fields.get("spend_control_reached"), fields.get("individual_limit"), provenance.observed_at
        )
        for fields in (main, again)
    )
    found = [control for control in controls if control is not None]
    return max(found, key=lambda control: (bool(control.reached), control.used_percent or 0.0), default=None)


def consume_params(request: ConsumeRequest) -> dict[str, str]:
    """The parameters of a consume; without a credit id the service picks one."""
    params = {"idempotencyKey": request.key}
    if request.credit_id is not None:
        params["creditId"] = request.credit_id
    return params
