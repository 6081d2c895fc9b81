"""The quota endpoint's usage answer (README.md, "Usage") to a `Snapshot`."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tui.domain.snapshot import Account, Provenance, Snapshot, SpendControl
from tui.domain.windows import MAIN_LIMIT, Limit
from tui.wire import windows
from tui.wire.credits import read_bank
from tui.wire.fields import FieldReader, load_object

CODE_REVIEW_LIMIT = "code_review"
"""The limit id given to `code_review_rate_limit`, which has none of its own."""


def decode_usage(
    body: bytes, provenance: Provenance, account_id: str | None = None, answered_at: datetime | None = None
) -> Snapshot:
    """Read a usage answer; the bank comes with its count only.

    `account_id` is the account that was asked for; None takes the payload's word. The service answered at `answered_at`
    by its own clock.
    """
    payload = load_object(body, "the usage answer")
    reader = FieldReader(answered_ahead=None if answered_at is None else provenance.observed_at - answered_at)
    limits = _limits(reader, payload, provenance.observed_at)
    main = next((limit for limit in limits if limit.limit_id == MAIN_LIMIT), None)
    if main is None or not main.windows:
        reader.note("the service reports no usage windows")
    return Snapshot(
        provenance=provenance,
        account=Account(
            id=account_id or reader.text(payload.get("account_id"), "the account id", windows.LONGEST_ID),
            plan=reader.text(payload.get("plan_type"), "the plan", windows.LONGEST_ID),
            email=reader.text(payload.get("email"), "the e-mail address", 254),
        ),
        ordinary_usage_allowed=main.allowed if main else None,
        limits=limits,
        bank=read_bank(reader, payload.get("rate_limit_reset_credits", msgspec.UNSET)),
        paid=windows.read_paid(reader, payload.get("credits")),
        spend_control=_spend_control(reader, payload.get("spend_control"), provenance.observed_at),
        unknowns=reader.unknowns,
        unclear=reader.unclear,
        codex_offers=windows.offers_reset(payload.get("rate_limit_upsell")),
        clock_ahead=reader.clock_ahead,
    )


def _limits(reader: FieldReader, payload: Mapping[str, object], observed_at: datetime) -> tuple[Limit, ...]:
    found = []
    main = reader.mapping(payload.get("rate_limit"), "the main limit", vital=True)
    reached_type = payload.get("rate_limit_reached_type")
    if main is not None or reached_type is not None:
        beside_it = {} if reached_type is None else {"rate_limit_reached_type": reached_type}
        limit = windows.read_limit(reader, {**(main or {}), **beside_it, "limit_id": None}, observed_at)
        if main is not None or limit.reached_type is not None:
            found.append(limit)
    beside = FieldReader(reader)
    review = beside.mapping(payload.get("code_review_rate_limit"), "the limit of code review")
    if review is not None:
        found.append(windows.read_limit(beside, review, observed_at, CODE_REVIEW_LIMIT))
    others = payload.get("additional_rate_limits")
    for item in beside.items(others, "the list of other limits", windows.MOST_LIMITS) or ():
        fields = beside.mapping(item, "one of the other limits") or {}
        name = beside.text(fields.get("limit_name"), "the name of another limit", windows.LONGEST_ID)
        metered = fields.get("metered_feature")
        limit_id = beside.text(metered, "the id of another limit", windows.LONGEST_ID) or name
        other = beside.mapping(fields.get("rate_limit"), "one of the other limits")
        if limit_id is None:
            reader.note("one of the other limits has no name")
        elif other is not None:
            found.append(windows.read_limit(beside, other, observed_at, limit_id, name))
    return windows.arrange_limits(found)


def _spend_control(reader: FieldReader, value: object, observed_at: datetime) -> SpendControl | None:
    fields = reader.mapping(value, "the workspace's cap", vital=True) or {}
    return windows.read_spend_control(reader, fields.get("reached"), fields.get("individual_limit"), observed_at)
