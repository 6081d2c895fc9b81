import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.samples import CREDIT_ROWS, FULL_USAGE, HTTP, NO_CREDITS, OBSERVED
from tests.wire.test_fields import ANY_JSON
from tui.domain.credits import Credit, CreditStatus, Price
from tui.domain.masking import without_addresses
from tui.wire.credits import CreditRows, decode_credit_rows, with_rows
from tui.wire.fields import clean_text
from tui.wire.usage import decode_usage

ROW: dict[str, object] = json.loads(CREDIT_ROWS)["credits"][0]


def rows(*items: object, **more: object) -> CreditRows:
    return decode_credit_rows(json.dumps({"credits": items, "available_count": len(items)} | more).encode())


def one(**changes: object) -> Credit:
    listed = rows(ROW | changes).credits
    assert listed is not None
    return listed[0]


def test_the_full_answer() -> None:
    found = decode_credit_rows(CREDIT_ROWS)
    assert found.available == 1
    assert found.credits == (
        Credit(
            id="RateLimitResetCredit_b265c38814b8819199f46730968366f5",
            type="codex_rate_limits",
            status=CreditStatus.AVAILABLE,
            granted_at=datetime(2026, 9, 22, 18, 34, 10, 328681, tzinfo=UTC),
            expires_at=datetime(2026, 10, 22, 18, 34, 10, 328681, tzinfo=UTC),
            title="Full reset (Weekly + 5 hr)",
            granted_by="Codex Team",
        ),
    )
    assert found.unknowns == ()


def test_none_held() -> None:
    assert decode_credit_rows(NO_CREDITS) == CreditRows(0, (), has_history=False)


@pytest.mark.parametrize("absent", [{"expires_at": None}, {}])
def test_no_expiry_means_never(absent: dict[str, object]) -> None:
    row = {key: value for key, value in ROW.items() if key != "expires_at"} | absent
    listed = rows(row).credits
    assert listed is not None
    assert (listed[0].expires_at, listed[0].never_expires) == (None, True)


def test_a_malformed_expiry_is_unknown_not_never() -> None:
    credit = one(expires_at="some day")
    assert (credit.expires_at, credit.never_expires) == (None, False)


@pytest.mark.parametrize("status", ["available", "redeeming", "redeemed", "unknown"])
def test_known_states(status: str) -> None:
    assert one(status=status).status is CreditStatus(status)


@pytest.mark.parametrize("status", ["frozen", None, 7, ["available"]])
def test_an_unknown_state_is_never_spendable(status: object) -> None:
    assert one(status=status).refusal(OBSERVED) is not None


@pytest.mark.parametrize(
    ("supported", "expected"), [(False, False), ("false", False), (0, False), (True, True), (None, True), ("no", True)]
)
def test_only_an_explicit_no_means_unsupported(supported: object, expected: bool) -> None:
    assert one(is_supported_by_plan=supported).supported is expected


@pytest.mark.parametrize("odd_id", [None, "", 7, "a\x00b", "a\nb", " a", "x" * 300, "\ud800"])
def test_a_row_whose_id_could_not_be_sent_back_is_left_out(odd_id: object) -> None:
    found = rows(ROW | {"id": odd_id}, ROW)
    assert found.credits is not None
    assert [credit.id for credit in found.credits] == [ROW["id"]]
    assert found.unknowns == ("a reset in the list has no usable id",)


def test_a_localised_title_is_kept() -> None:
    assert one(title="完全重置（每周 + 5 小时）").title == "完全重置（每周 + 5 小时）"


def test_another_type_is_shown_but_not_offered() -> None:
    credit = one(reset_type="chat_limits")
    assert credit.type == "chat_limits"
    assert credit.refusal(OBSERVED) == "of a type this version does not know"


def test_the_same_row_twice_counts_once() -> None:
    found = rows(ROW, ROW)
    assert found.credits is not None
    assert len(found.credits) == 1


@pytest.mark.parametrize("statuses", [("available", "redeemed"), ("redeemed", "available")])
def test_of_a_row_that_comes_twice_the_word_that_it_is_spent_is_believed(statuses: tuple[str, str]) -> None:
    found = rows(*(ROW | {"status": status} for status in statuses))
    assert found.credits is not None
    assert [credit.status for credit in found.credits] == [CreditStatus.REDEEMED]


@pytest.mark.parametrize("listed", [None, {}, "none"])
def test_missing_rows_are_not_an_empty_bank(listed: object) -> None:
    found = decode_credit_rows(json.dumps({"credits": listed, "available_count": 3}).encode())
    assert (found.available, found.credits) == (3, None)
    assert found.unknowns


def test_rows_join_a_reading_and_their_count_is_believed() -> None:
    seen = with_rows(decode_usage(FULL_USAGE, HTTP), decode_credit_rows(CREDIT_ROWS), OBSERVED)
    assert (seen.bank.available, seen.bank.credits_observed_at) == (1, OBSERVED)
    assert seen.bank.credits is not None


def test_a_longer_count_than_rows_is_kept() -> None:
    seen = with_rows(decode_usage(FULL_USAGE, HTTP), rows(ROW, available_count=12), OBSERVED)
    assert (seen.bank.available, seen.bank.unlisted) == (12, 11)


@given(st.dictionaries(st.sampled_from(sorted(ROW)), ANY_JSON))
def test_any_odd_row_is_read(changes: dict[str, object]) -> None:
    found = rows(ROW | changes)
    assert found.credits is not None
    for credit in found.credits:
        assert not (credit.never_expires and credit.expires_at)
        assert credit.id


@given(ANY_JSON)
def test_any_list_is_read(listed: object) -> None:
    decode_credit_rows(json.dumps({"credits": listed}).encode())


def test_a_giver_is_a_name_and_never_an_address() -> None:
    givers = ["Codex Team", "@friend", "ada@example.com", "@ada@example.com"]
    assert [one(profile_user_id=giver).granted_by for giver in givers] == [
        "Codex Team",
        "@friend",
        "a…@example.com",
        "@…@example.com",
    ]


@pytest.mark.parametrize(
    ("eligible", "sale", "price"),
    [
        (True, {"amount": "4.00", "currency": "USD"}, Price("4.00", "USD")),
        (True, {"amount": 4, "currency": "USD"}, Price("4", "USD")),
        (False, {"amount": "4.00", "currency": "USD"}, None),
        (True, {"amount": "4.00"}, None),
        (True, {"amount": [], "currency": "USD"}, None),
        (True, None, None),
        (None, "free", None),
    ],
)
def test_a_price_is_told_only_where_one_is_sold(eligible: object, sale: object, price: Price | None) -> None:
    assert rows(ROW, immediate_reset_purchase_eligible=eligible, reset_purchase=sale).price == price


def test_a_price_goes_with_the_rows() -> None:
    told = rows(ROW, immediate_reset_purchase_eligible=True, reset_purchase={"amount": "4.00", "currency": "USD"})
    assert with_rows(decode_usage(FULL_USAGE, HTTP), told, OBSERVED).bank.price == Price("4.00", "USD")


@given(
    st.lists(st.sampled_from(["ada", "At", "example", "org", "dot", "@", ".", " ", "40", "%", "(", "＠"]), max_size=9)
)
def test_a_giver_is_what_every_text_without_addresses_is(parts: list[str]) -> None:
    giver = clean_text("".join(parts), 120)
    assert one(profile_user_id=giver).granted_by == (without_addresses(giver) or None if giver else None)
