"""The quota endpoint's usage answer (wire.md 1.4) to a `Snapshot`."""

from collections.abc import Mapping

from tui.domain.credits import Bank
from tui.domain.snapshot import Account, Provenance, Snapshot, SpendControl
from tui.domain.windows import MAIN_LIMIT, Limit, Window
from tui.wire.fields import FieldReader, load_object
from tui.wire.windows import (
    LONGEST_ID,
    MOST_LIMITS,
    arrange_limits,
    arrange_windows,
    read_paid,
    read_reached_type,
    read_window,
)

CODE_REVIEW_LIMIT = "code_review"
"""The limit id given to `code_review_rate_limit`, which has none of its own."""


def decode_usage(body: bytes, provenance: Provenance, account_id: str | None = None) -> Snapshot:
    """Read a usage answer; the bank comes with its count only.

    Args:
        body: The answer's bytes.
        provenance: Where and when it was learnt.
        account_id: The account that was asked for; None takes the payload's word.

    Raises:
        BadPayload: It is no JSON object. Anything less only makes fields unknown.
    """
    payload = load_object(body, "the usage answer")
    reader = FieldReader()
    limits = _limits(reader, payload, provenance)
    main = next((limit for limit in limits if limit.limit_id == MAIN_LIMIT), None)
    if main is None or not main.windows:
        reader.note("the service reports no usage windows")
    return Snapshot(
        provenance=provenance,
        account=Account(
            id=account_id or reader.text(payload.get("account_id"), "the account id", LONGEST_ID),
            plan=reader.text(payload.get("plan_type"), "the plan", LONGEST_ID),
            email=reader.text(payload.get("email"), "the e-mail address", 254),
        ),
        ordinary_usage_allowed=main.allowed if main else None,
        limits=limits,
        bank=_bank(reader, payload),
        paid=read_paid(reader, payload.get("credits"), "has_credits"),
        spend_control=_spend_control(reader, payload.get("spend_control")),
        unknowns=reader.unknowns,
    )


def _limits(reader: FieldReader, payload: Mapping[str, object], provenance: Provenance) -> tuple[Limit, ...]:
    reached = read_reached_type(reader, payload.get("rate_limit_reached_type"))
    found = [
        _limit(reader, payload.get("rate_limit"), MAIN_LIMIT, None, provenance, reached),
        _limit(reader, payload.get("code_review_rate_limit"), CODE_REVIEW_LIMIT, None, provenance),
    ]
    for item in reader.items(payload.get("additional_rate_limits"), "the list of other limits", MOST_LIMITS) or ():
        fields = reader.mapping(item, "one of the other limits")
        if fields is None:
            continue
        name = reader.text(fields.get("limit_name"), "the name of another limit", LONGEST_ID)
        limit_id = reader.text(fields.get("metered_feature"), "the id of another limit", LONGEST_ID) or name
        if limit_id is None:
            reader.note("one of the other limits has no name")
            continue
        found.append(_limit(reader, fields.get("rate_limit"), limit_id, name, provenance))
    return arrange_limits(reader, [limit for limit in found if limit is not None])


def _limit(
    reader: FieldReader,
    value: object,
    limit_id: str,
    name: str | None,
    provenance: Provenance,
    reached_type: str | None = None,
) -> Limit | None:
    fields = reader.mapping(value, f"the limit {limit_id}")
    if fields is None:
        return None

    def window(slot: str) -> Window | None:
        return read_window(
            reader,
            fields.get(f"{slot}_window"),
            f"the {slot} window of {limit_id}",
            limit_id=limit_id,
            limit_name=name,
            length=("limit_window_seconds", 60.0),
            used="used_percent",
            resets="reset_at",
            resets_after="reset_after_seconds",
            observed_at=provenance.observed_at,
        )

    allowed = reader.flag(fields.get("allowed"), f"whether {limit_id} allows use")
    return Limit(limit_id, name, allowed, arrange_windows(window("primary"), window("secondary")), reached_type)


def _bank(reader: FieldReader, payload: Mapping[str, object]) -> Bank:
    key = "rate_limit_reset_credits"
    if key in payload and payload[key] is None:
        return Bank(available=0, credits=None)  # null was seen for accounts that hold none (wire.md 1.4)
    fields = reader.mapping(payload.get(key), "the count of banked resets")
    available = None if fields is None else reader.count(fields.get("available_count"), "the count of banked resets")
    if available is None:
        reader.note("the service did not say how many resets are banked")
    applicable = None
    if fields is not None:
        applicable = reader.count(fields.get("applicable_available_count"), "the count of applicable resets")
    return Bank(available=available, credits=None, applicable=applicable)


def _spend_control(reader: FieldReader, value: object) -> SpendControl | None:
    fields = reader.mapping(value, "the workspace's cap")
    if fields is None:
        return None
    limit = reader.mapping(fields.get("individual_limit"), "the workspace's cap on you") or {}
    return SpendControl(
        reached=reader.flag(fields.get("reached"), "whether the workspace's cap is reached"),
        used_percent=reader.percent(limit.get("used_percent"), "the use of the workspace's cap"),
        resets_at=reader.moment(limit.get("reset_at"), "the reset time of the workspace's cap"),
    )
