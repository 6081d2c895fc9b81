"""The credits endpoint's answer, and the rows of either interface, to domain credits (README.md, "Banked resets")."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.credits import CODEX_RATE_LIMITS, Bank, Credit, CreditStatus, Price
from tui.domain.snapshot import Snapshot
from tui.wire.fields import FieldReader, clean_text, load_object
from tui.wire.windows import snake, snake_word

MOST_ROWS: Final = 500
"""Credit rows of one answer that are read; more is a flood."""

LONGEST_CREDIT_ID: Final = 256
"""A credit id that is longer, or holds what cannot be shown, cannot be spent and is left out."""

_STATUSES: Final = {str(status): status for status in CreditStatus}


class CreditRows(msgspec.Struct, frozen=True):
    """One answer of the credits endpoint."""

    available: int | None
    """The service's count, which may exceed the rows (README.md, "Banked resets")."""
    credits: tuple[Credit, ...] | None
    """None where the rows themselves are missing."""
    unknowns: tuple[str, ...] = ()
    price: Price | None = None
    has_history: bool | None = None
    """Whether the service keeps a history of these resets; None where it does not say."""


def decode_credit_rows(body: bytes) -> CreditRows:
    """Read an answer of the credits endpoint."""
    payload = load_object(body, "the list of resets")
    reader = FieldReader()
    available = reader.count(payload.get("available_count"), "the count of banked resets")
    listed = read_credits(reader, payload.get("credits"))
    if listed is None:
        reader.note("the list of resets came without its rows")
    price = _price(reader, payload)
    # Beside the point of the list: a word that makes no sense says nothing about the resets.
    has_history = FieldReader(reader).word(payload.get("history_enabled"), "whether there is a history of resets")
    return CreditRows(available, listed, reader.unknowns, price, has_history)


def _price(reader: FieldReader, payload: Mapping[str, object]) -> Price | None:
    """What one reset costs; a field of our own stub; the real service gives no price."""
    sale = reader.mapping(payload.get("reset_purchase"), "the price of a reset")
    if sale is None or payload.get("immediate_reset_purchase_eligible") is not True:
        return None
    amount = reader.decimal(sale.get("amount"), "the price of a reset")
    currency = reader.text(sale.get("currency"), "the currency of a price", 10)
    return Price(amount, currency) if amount and currency else None


def with_rows(snapshot: Snapshot, rows: CreditRows, observed_at: datetime) -> Snapshot:
    """Put rows into a reading; their count, being newer, is believed."""
    bank = replace(
        snapshot.bank,
        available=snapshot.bank.available if rows.available is None else rows.available,
        credits=rows.credits,
        credits_observed_at=None if rows.credits is None else observed_at,
        price=rows.price,
    )
    return replace(snapshot, bank=bank, unknowns=(*snapshot.unknowns, *rows.unknowns))


def without_rows(snapshot: Snapshot, reason: str) -> Snapshot:
    """Say in a reading why the rows are missing."""
    return replace(snapshot, unknowns=(*snapshot.unknowns, reason))


def read_bank(reader: FieldReader, value: object, observed_at: datetime | None = None) -> Bank:
    """Read the banked resets of either interface; UNSET is nothing, and null was seen for accounts that hold none.

    Rows may stand in an answer with the moment at which it arrived.
    """
    if value is None:
        return Bank(available=0, credits=None)
    fields = reader.mapping(None if value is msgspec.UNSET else snake(value), "the count of banked resets") or {}
    available = reader.count(fields.get("available_count"), "the count of banked resets")
    if available is None:
        reader.note("the service did not say how many resets are banked")
    listed = None if observed_at is None else read_credits(reader, fields.get("credits"))
    return Bank(available, listed, None if listed is None else observed_at)


def read_credits(reader: FieldReader, value: object) -> tuple[Credit, ...] | None:
    """Read credit rows in the spelling of either interface; None where there are no rows to read."""
    items = reader.items(value, "the list of resets", MOST_ROWS)
    if items is None:
        return None
    by_id: dict[str, Credit] = {}
    for item in items:
        credit = _credit(reader, item)
        # Of one that is listed twice the row counts that keeps it from being spent, so that none is sent for again.
        if credit is not None and (credit.id not in by_id or credit.status is not CreditStatus.AVAILABLE):
            by_id[credit.id] = credit
    return tuple(by_id.values())


def _credit(reader: FieldReader, value: object) -> Credit | None:
    row = reader.mapping(snake(value), "a reset in the list")
    if row is None:
        return None
    credit_id = row.get("id")
    # It is sent back to the letter when spent: one that would have to be cleaned up is none.
    if not isinstance(credit_id, str) or not credit_id or clean_text(credit_id, LONGEST_CREDIT_ID) != credit_id:
        reader.note("a reset in the list has no usable id")
        return None
    kind = reader.text(row.get("reset_type"), "the type of a reset", 60) or "unknown"
    status = reader.text(row.get("status"), "the status of a reset", 60)
    expiry = row.get("expires_at")
    return Credit(
        id=credit_id,
        type=CODEX_RATE_LIMITS if snake_word(kind) == CODEX_RATE_LIMITS else kind,
        status=_STATUSES.get(status or "", CreditStatus.UNKNOWN),
        granted_at=reader.moment(row.get("granted_at"), "the grant time of a reset"),
        expires_at=reader.moment(expiry, "the expiry of a reset"),
        never_expires=expiry is None,
        title=reader.text(row.get("title"), "the title of a reset", 120),
        # Absent means supported; a word that makes no sense says nothing about ordinary use.
        supported=FieldReader(reader).word(row.get("is_supported_by_plan"), "whether a reset is supported")
        is not False,
        granted_by=_giver(reader, row.get("profile_user_id")),
    )


def _giver(reader: FieldReader, value: object) -> str | None:
    """A name or a handle; an e-mail address in its place is not kept."""
    giver = reader.text(value, "the giver of a reset", 120)
    if not giver:
        return None
    if _is_plain_name(giver):
        return giver  # as most are: the rules for what may hide an address are not even loaded
    from tui.domain.masking import without_addresses

    return without_addresses(giver)


def _is_plain_name(giver: str) -> bool:
    """Whether it is a handle, or a few words of letters and digits, none of them "at": no address can hide there."""
    words = giver.removeprefix("@").split()
    return all(word.isascii() and word.isalnum() and word.lower() != "at" for word in words)
