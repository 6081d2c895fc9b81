import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.samples import FULL_USAGE, HTTP, OBSERVED, PRO_USAGE
from tests.wire.test_fields import ANY_JSON
from tui.domain.snapshot import PaidCredits, Snapshot, SpendControl
from tui.domain.windows import WindowKind, WindowState
from tui.wire.usage import decode_usage


def usage(**changes: object) -> Snapshot:
    return decode_usage(json.dumps(json.loads(FULL_USAGE) | changes).encode(), HTTP)


def window(**changes: object) -> dict[str, object]:
    return {"used_percent": 42, "limit_window_seconds": 18000, "reset_at": 1790000000} | changes


def with_primary(**changes: object) -> Snapshot:
    return usage(rate_limit={"allowed": True, "primary_window": window(**changes), "secondary_window": None})


def test_the_full_answer() -> None:
    seen = decode_usage(FULL_USAGE, HTTP)
    assert (seen.account.id, seen.account.plan, seen.account.email) == ("acc1", "plus", "me@example.com")
    assert seen.ordinary_usage_allowed is True
    assert [(limit.limit_id, limit.name) for limit in seen.limits] == [
        ("codex", None),
        ("codex_bengalfox", "GPT-5.3-Codex-Spark"),
    ]
    assert [(w.kind, w.used_percent, w.resets_at) for w in seen.windows] == [
        (WindowKind.FIVE_HOUR, 42.0, datetime(2025, 1, 1, 0, 2, tzinfo=UTC)),
        (WindowKind.WEEKLY, 5.0, datetime(2025, 1, 1, 12, 0, tzinfo=UTC)),
    ]
    assert (seen.bank.available, seen.bank.applicable, seen.bank.credits) == (2, 0, None)
    assert seen.paid == PaidCredits(False, False, "0")
    assert seen.spend_control == SpendControl(False, None, None)
    assert seen.unknowns == ("the primary window of codex_bengalfox has no length",)


def test_a_weekly_window_in_the_primary_slot() -> None:
    seen = decode_usage(PRO_USAGE, HTTP, account_id="acc9")
    assert seen.account.id == "acc9"
    assert [(limit.limit_id, [w.kind for w in limit.windows]) for limit in seen.limits] == [
        ("codex", [WindowKind.WEEKLY]),
        ("code_review", [WindowKind.WEEKLY]),
    ]
    assert seen.unknowns == ()


def test_empty_forms_of_every_key() -> None:
    seen = usage(
        rate_limit_reached_type={"type": None, "details": None},
        rate_limit_upsell={"banner_type": None, "ctas": []},
        credits={"balance": 25},
    )
    assert seen.limits[0].reached_type is None
    assert seen.paid == PaidCredits(None, None, "25")


def test_a_null_rate_limit_leaves_no_windows_and_a_reason() -> None:
    seen = usage(
        rate_limit=None,
        additional_rate_limits=None,
        spend_control={"reached": True, "individual_limit": {"used_percent": 101, "reset_at": 1790000000}},
    )
    assert seen.limits == ()
    assert seen.ordinary_usage_allowed is None
    assert seen.state(OBSERVED) is WindowState.UNKNOWN
    assert seen.spend_control == SpendControl(True, 101.0, datetime.fromtimestamp(1790000000, UTC))
    assert seen.unknowns == ("the service reports no usage windows",)


@pytest.mark.parametrize(("seconds", "minutes"), [(18000, 300), (18001, 301), (59, 1), (604800, 10080), ("18000", 300)])
def test_lengths_become_minutes_rounded_up(seconds: object, minutes: int) -> None:
    assert with_primary(limit_window_seconds=seconds).limits[0].windows[0].minutes == minutes


@pytest.mark.parametrize("seconds", [0, -1, "0", None, True, "long", 10**12, []])
def test_a_window_without_a_usable_length_is_dropped(seconds: object) -> None:
    assert with_primary(limit_window_seconds=seconds).limits[0].windows == ()


@pytest.mark.parametrize("share", [None, True, -5, "many", [], 1e12])
def test_an_odd_share_spoils_only_itself(share: object) -> None:
    seen = with_primary(used_percent=share)
    only = seen.limits[0].windows[0]
    assert (only.used_percent, only.minutes) == (None, 300)
    assert only.resets_at is not None
    assert any("the use of the primary window of codex" in line for line in seen.unknowns)


def test_the_time_until_the_reset_stands_in_for_its_date() -> None:
    only = with_primary(reset_at=None, reset_after_seconds=120).limits[0].windows[0]
    assert only.resets_at == OBSERVED + timedelta(seconds=120)


def test_windows_come_shortest_first_whatever_their_slot() -> None:
    seen = usage(rate_limit={"primary_window": window(limit_window_seconds=604800), "secondary_window": window()})
    assert [w.minutes for w in seen.limits[0].windows] == [300, 10080]


def test_a_limit_id_that_comes_twice_is_believed_once() -> None:
    again = {"metered_feature": "codex", "limit_name": "fake", "rate_limit": {"allowed": False}}
    seen = usage(additional_rate_limits=[again])
    assert [limit.limit_id for limit in seen.limits] == ["codex"]
    assert "the limit codex came twice" in seen.unknowns


@pytest.mark.parametrize(
    ("given_", "available"),
    [
        (None, 0),
        ({"available_count": 3}, 3),
        ({"available_count": "3"}, 3),
        ({}, None),
        ({"available_count": None}, None),
        ({"available_count": 2.5}, None),
        ({"available_count": -1}, None),
        ([], None),
        (7, None),
    ],
)
def test_the_count_of_resets(given_: object, available: int | None) -> None:
    assert usage(rate_limit_reset_credits=given_).bank.available == available


def test_an_absent_count_is_unknown_not_zero() -> None:
    seen = decode_usage(b'{"plan_type":"free"}', HTTP)
    assert seen.bank.available is None
    assert "the service did not say how many resets are banked" in seen.unknowns


def test_outside_text_is_cut_and_cleaned() -> None:
    seen = usage(plan_type="p\x1b[2J" + "x" * 10_000, email="a\n@b")
    assert seen.account.plan is not None
    assert len(seen.account.plan) == 120
    assert "\x1b" not in seen.account.plan
    assert seen.account.email == "a @b"


def test_nobody_floods_the_list_of_limits() -> None:
    many = [{"metered_feature": f"m{n}", "rate_limit": {}} for n in range(5000)]
    assert len(usage(additional_rate_limits=many).limits) == 51


KEYS = st.sampled_from(sorted(json.loads(FULL_USAGE)))


@given(st.dictionaries(KEYS, ANY_JSON))
def test_any_mixture_of_odd_fields_is_read(changes: dict[str, object]) -> None:
    seen = usage(**changes)
    given_count = changes.get("rate_limit_reset_credits", ...)
    if seen.bank.available == 0:
        assert given_count is None or (isinstance(given_count, dict) and "available_count" in given_count)
    assert all(w.used_percent is None or w.used_percent >= 0 for w in seen.windows)


@given(ANY_JSON, st.sampled_from(["used_percent", "limit_window_seconds", "reset_at", "reset_after_seconds"]))
def test_any_odd_window_field_is_read(value: object, key: str) -> None:
    with_primary(**{key: value})


@given(
    st.floats(0, 300),
    st.integers(60, 3_000_000),
    st.integers(946684800, 4102444800),
    st.integers(0, 999),
    st.booleans(),
)
def test_what_was_written_is_what_is_read(used: float, seconds: int, reset: int, count: int, allowed: bool) -> None:
    seen = usage(
        rate_limit={
            "allowed": allowed,
            "primary_window": {"used_percent": used, "limit_window_seconds": seconds, "reset_at": reset},
        },
        rate_limit_reset_credits={"available_count": count},
    )
    (only,) = seen.limits[0].windows
    assert (only.used_percent, only.minutes) == (used, -(-seconds // 60))
    assert only.resets_at == datetime.fromtimestamp(reset, UTC)
    assert (seen.bank.available, seen.ordinary_usage_allowed) == (count, allowed)
