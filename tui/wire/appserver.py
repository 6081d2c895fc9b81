"""The app-server's methods (wire.md 5): exact parameters, and results to domain values."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from tui.domain.credits import Bank
from tui.domain.snapshot import Account, PaidCredits, Provenance, Snapshot, SpendControl
from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest
from tui.domain.windows import MAIN_LIMIT, Limit, Window
from tui.errors import BadPayload
from tui.wire.credits import read_credits
from tui.wire.fields import FieldReader, clean_text, load_object
from tui.wire.jsonrpc import INVALID_REQUEST, Refusal
from tui.wire.windows import (
    LONGEST_ID,
    MOST_LIMITS,
    arrange_limits,
    arrange_windows,
    read_paid,
    read_reached_type,
    read_window,
)

INITIALIZE: Final = "initialize"
INITIALIZED: Final = "initialized"
ACCOUNT_READ: Final = "account/read"
LIMITS_READ: Final = "account/rateLimits/read"
CONSUME: Final = "account/rateLimitResetCredit/consume"

NEWS: Final = frozenset({"account/rateLimits/updated", "thread/status/changed", "account/updated"})
"""Notifications after which a new reading may differ."""
ACCOUNT_UPDATED: Final = "account/updated"

COUNT_ONLY: Final = {"excludeResetCreditDetails": True}
"""Parameters of a background reading; servers older than them want null instead (wire.md 5.4)."""

_OUTCOMES: Final = {
    "reset": ConsumeCode.RESET,
    "nothingToReset": ConsumeCode.NOTHING_TO_RESET,
    "noCredit": ConsumeCode.NO_CREDIT,
    "alreadyRedeemed": ConsumeCode.ALREADY_REDEEMED,
}
_HTTP_STATUS: Final = re.compile(r"\bfailed: ([1-5][0-9]{2})\b")


class Login(msgspec.Struct, frozen=True):
    """How the app-server is signed in."""

    kind: str | None
    """`chatgpt` is the only kind with banked resets; None means signed out."""
    email: str | None = None
    plan: str | None = None


def initialize_params(version: str, *, experimental: bool = False) -> dict[str, object]:
    """The handshake's parameters (wire.md 5.2).

    Args:
        version: Ours.
        experimental: Whether experimental methods are wanted, as `thread/queue/add` is (wire.md 11.7).
    """
    return {
        "clientInfo": {"name": "resetbank", "title": "resetbank", "version": version},
        "capabilities": {"experimentalApi": experimental, "optOutNotificationMethods": []},
    }


def http_status(message: str) -> int | None:
    """The HTTP status that an error text tells of (`failed: 503`, wire.md 1.3); None where it names none."""
    match = _HTTP_STATUS.search(message)
    return int(match[1]) if match else None


def wants_login(refusal: Refusal) -> bool:
    """Whether a refusal means that nobody is signed in, or not with ChatGPT (wire.md 5.4 and 5.6)."""
    return refusal.code == INVALID_REQUEST and "authentication required" in refusal.message


def decode_login(body: bytes) -> Login:
    """Read the result of `account/read` (wire.md 5.3).

    Raises:
        BadPayload: It is no JSON object.
    """
    reader = FieldReader()
    account = reader.mapping(load_object(body, "the account").get("account"), "the account")
    if account is None:
        return Login(None)
    return Login(
        kind=reader.text(account.get("type"), "the login", 60) or "unknown",
        email=reader.text(account.get("email"), "the e-mail address", 254),
        plan=reader.text(account.get("planType"), "the plan", LONGEST_ID),
    )


def decode_rate_limits(body: bytes, provenance: Provenance, login: Login) -> Snapshot:
    """Read the result of `account/rateLimits/read` (wire.md 5.4).

    Args:
        body: The result's JSON.
        provenance: Where and when it was learnt.
        login: What `account/read` said.

    Raises:
        BadPayload: It is no JSON object. Anything less only makes fields unknown.
    """
    payload = load_object(body, "the limits")
    reader = FieldReader()
    main = reader.mapping(payload.get("rateLimits"), "the main limit") or {}
    allowed = reader.flag(payload.get("ordinaryUsageAllowed"), "whether ordinary use is allowed")
    limits = _limits(reader, payload, provenance, allowed)
    main_limit = next((limit for limit in limits if limit.limit_id == MAIN_LIMIT), None)
    if main_limit is None or not main_limit.windows:
        reader.note("the service reports no usage windows")
    return Snapshot(
        provenance=provenance,
        account=Account(
            id=reader.text(payload.get("accountId"), "the account id", LONGEST_ID),
            plan=reader.text(main.get("planType"), "the plan", LONGEST_ID) or login.plan,
            email=login.email,
        ),
        ordinary_usage_allowed=allowed,
        limits=limits,
        bank=_bank(reader, payload, provenance),
        paid=_paid(reader, main),
        spend_control=_spend_control(reader, main),
        unknowns=reader.unknowns,
    )


def _limits(
    reader: FieldReader, payload: Mapping[str, object], provenance: Provenance, allowed: bool | None
) -> tuple[Limit, ...]:
    found: dict[str, Limit] = {}
    main = reader.mapping(payload.get("rateLimits"), "the main limit")
    if main is not None:
        limit = _limit(reader, main, MAIN_LIMIT, provenance, allowed)
        if limit.windows or limit.allowed is not None:  # else it stands for a service that reports no limit at all
            found[limit.limit_id] = limit
    by_id = reader.mapping(payload.get("rateLimitsByLimitId"), "the list of limits") or {}
    for key in list(by_id)[:MOST_LIMITS]:
        limit_id = clean_text(key, LONGEST_ID)
        fields = reader.mapping(by_id[key], f"the limit {limit_id}")
        if fields and limit_id and limit_id not in found:
            limit = _limit(reader, fields, limit_id, provenance, allowed)
            found.setdefault(limit.limit_id, limit)
    return arrange_limits(reader, list(found.values()))


def _limit(
    reader: FieldReader, fields: Mapping[str, object], default_id: str, provenance: Provenance, allowed: bool | None
) -> Limit:
    limit_id = reader.text(fields.get("limitId"), "the id of a limit", LONGEST_ID) or default_id
    name = reader.text(fields.get("limitName"), "the name of a limit", LONGEST_ID)

    def window(slot: str) -> Window | None:
        return read_window(
            reader,
            fields.get(slot),
            f"the {slot} window of {limit_id}",
            limit_id=limit_id,
            limit_name=name,
            length=("windowDurationMins", 1.0),
            used="usedPercent",
            resets="resetsAt",
            resets_after=None,
            observed_at=provenance.observed_at,
        )

    return Limit(
        limit_id,
        name,
        allowed if limit_id == MAIN_LIMIT else None,
        arrange_windows(window("primary"), window("secondary")),
        read_reached_type(reader, fields.get("rateLimitReachedType")),
    )


def _bank(reader: FieldReader, payload: Mapping[str, object], provenance: Provenance) -> Bank:
    key = "rateLimitResetCredits"
    if key in payload and payload[key] is None:
        return Bank(available=0, credits=None)  # Codex passes on the service's null, which means none (wire.md 1.4)
    fields = reader.mapping(payload.get(key), "the banked resets") or {}
    available = reader.count(fields.get("availableCount"), "the count of banked resets")
    if available is None:
        reader.note("the service did not say how many resets are banked")
    listed = read_credits(reader, fields.get("credits"))
    return Bank(available, listed, None if listed is None else provenance.observed_at)


def _paid(reader: FieldReader, main: Mapping[str, object]) -> PaidCredits | None:
    return read_paid(reader, main.get("credits"), "hasCredits")


def _spend_control(reader: FieldReader, main: Mapping[str, object]) -> SpendControl | None:
    reached = reader.flag(main.get("spendControlReached"), "whether the workspace's cap is reached")
    limit = reader.mapping(main.get("individualLimit"), "the workspace's cap on you")
    if limit is None:
        return None if reached is None else SpendControl(reached, None, None)
    remaining = reader.number(limit.get("remainingPercent"), "the rest of the workspace's cap", 100.0)
    return SpendControl(
        reached=reached,
        used_percent=None if remaining is None else 100.0 - remaining,
        resets_at=reader.moment(limit.get("resetsAt"), "the reset time of the workspace's cap"),
    )


def consume_params(request: ConsumeRequest) -> dict[str, str]:
    """The parameters of a consume (wire.md 5.6); without a credit id the service picks one."""
    params = {"idempotencyKey": request.key}
    if request.credit_id is not None:
        params["creditId"] = request.credit_id
    return params


def decode_consume_result(body: bytes) -> ConsumeAnswer:
    """Read the result of a consume.

    Raises:
        BadPayload: It is no JSON object with an outcome in it; what the request did is then unknown.
    """
    outcome = load_object(body, "the answer to the spend").get("outcome")
    if not isinstance(outcome, str):
        raise BadPayload("the answer to the spend has no outcome")
    return ConsumeAnswer(_OUTCOMES.get(outcome, ConsumeCode.UNRECOGNISED), raw_code=clean_text(outcome, 60))
