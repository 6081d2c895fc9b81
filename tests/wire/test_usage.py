import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.budget import budget
from tests.wire.samples import FULL_USAGE, HTTP, OBSERVED, PRO_USAGE
from tests.wire.test_fields import ANY_JSON
from tui.domain.snapshot import PaidCredits, Provenance, Snapshot, SpendControl
from tui.domain.windows import WindowKind, WindowState
from tui.wire.usage import decode_usage
from tui.wire.windows import offers_reset


def usage(**changes: object) -> Snapshot:
    return decode_usage(json.dumps(json.loads(FULL_USAGE) | changes).encode(), HTTP)


def window(**changes: object) -> dict[str, object]:
    return {"used_percent": 42, "limit_window_seconds": 18000, "reset_at": 1790000000} | changes


def with_primary(**changes: object) -> Snapshot:
    return usage(rate_limit={"allowed": True, "primary_window": window(**changes), "secondary_window": None})


def test_the_full_answer() -> None:
    seen = decode_usage(FULL_USAGE, Provenance("http", datetime(2025, 1, 1, tzinfo=UTC)))
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
    assert (seen.bank.available, seen.bank.credits) == (2, None)
    assert seen.paid == PaidCredits(False, False, "0")
    assert seen.spend_control == SpendControl(False, None, None)
    assert seen.unknowns[0] == "the primary window of codex_bengalfox has no length"
    assert not seen.unclear


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
    assert seen.state(OBSERVED) is WindowState.REACHED
    assert seen.spend_control == SpendControl(True, 101.0, datetime.fromtimestamp(1790000000, UTC))
    assert seen.unknowns == ("the service reports no usage windows",)


@pytest.mark.parametrize(("seconds", "minutes"), [(18000, 300), (18001, 301), (59, 1), (604800, 10080), ("18000", 300)])
def test_lengths_become_minutes_rounded_up(seconds: object, minutes: int) -> None:
    assert with_primary(limit_window_seconds=seconds).limits[0].windows[0].minutes == minutes


@pytest.mark.parametrize("seconds", [0, "0", 0.0])
def test_a_window_of_no_length_is_a_disabled_one(seconds: object) -> None:
    assert with_primary(limit_window_seconds=seconds).limits[0].windows == ()


@pytest.mark.parametrize("seconds", [-1, None, True, "long", 10**12, []])
def test_a_window_without_a_usable_length_counts_when_it_is_full(seconds: object) -> None:
    later = OBSERVED.timestamp() + 60
    seen = with_primary(limit_window_seconds=seconds, reset_at=later)
    assert (seen.limits[0].windows[0].minutes, seen.state(OBSERVED)) == (None, WindowState.UNKNOWN)
    assert with_primary(limit_window_seconds=seconds, used_percent=100, reset_at=later).state(OBSERVED) is (
        WindowState.REACHED
    )


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


def test_of_a_limit_that_comes_twice_the_word_that_stops_use_is_believed() -> None:
    again = {"metered_feature": "codex", "limit_name": "fake", "rate_limit": {"allowed": False}}
    seen = usage(additional_rate_limits=[again])
    assert [(limit.limit_id, limit.allowed, len(limit.windows)) for limit in seen.limits] == [("codex", False, 2)]
    assert seen.state(OBSERVED) is WindowState.REACHED


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


def test_the_time_until_a_reset_beats_a_wrong_clock() -> None:
    """The service's clock is two hours ahead of this machine's: its dates mean nothing here, its durations do."""
    there = OBSERVED + timedelta(hours=2)
    seen = with_primary(reset_at=there.timestamp() + 600, reset_after_seconds=600)
    assert seen.windows[0].resets_at == OBSERVED + timedelta(seconds=600)
    assert seen.clock_ahead == -timedelta(hours=2)
    agreeing = with_primary(reset_at=OBSERVED.timestamp() + 630, reset_after_seconds=600)
    assert (agreeing.windows[0].resets_at, agreeing.clock_ahead) == (OBSERVED + timedelta(seconds=630), None)
    full = with_primary(used_percent=100, reset_at=OBSERVED.timestamp() - 7200, reset_after_seconds=600)
    assert full.state(OBSERVED) is WindowState.REACHED


def test_the_date_of_the_answer_stands_in_for_the_time_until_a_reset() -> None:
    body = json.dumps({"rate_limit": {"primary_window": window(reset_at=OBSERVED.timestamp() + 3600)}}).encode()
    for ahead, shown in ((timedelta(hours=2), timedelta(hours=3)), (timedelta(seconds=30), timedelta(hours=1))):
        seen = decode_usage(body, HTTP, answered_at=OBSERVED - ahead)
        assert seen.windows[0].resets_at == OBSERVED + shown
        assert seen.clock_ahead == (ahead if shown == timedelta(hours=3) else None)


def test_a_cap_in_numbers() -> None:
    limit = {"limit": "200", "used": "184.5", "remaining_percent": 9, "used_percent": 90, "reset_after_seconds": 60}
    seen = usage(rate_limit=None, spend_control={"reached": False, "individual_limit": limit})
    assert seen.spend_control == SpendControl(False, 92.25, OBSERVED + timedelta(seconds=60), "184.5", "200")
    assert seen.state(OBSERVED) is WindowState.NEAR


@pytest.mark.parametrize(
    ("limit", "state"),
    [
        ({"limit": "20", "remaining": "0"}, WindowState.REACHED),
        ({"limit": 20, "remaining": 1, "used_percent": None}, WindowState.NEAR),
        ({"limit": "20", "remaining": "15.00", "used": None}, WindowState.OK),
        ({"limit": "20", "remaining": "30"}, WindowState.OK),
        ({}, WindowState.UNKNOWN),
        ({"used_percent": "much"}, WindowState.UNKNOWN),
        ({"used_percent": -1, "used": "some", "limit": "20"}, WindowState.UNKNOWN),
        ({"used_percent": None, "used": None, "limit": None, "remaining": None}, WindowState.UNKNOWN),
    ],
)
def test_a_cap_of_which_too_little_is_known_is_no_leave(limit: dict[str, object], state: WindowState) -> None:
    seen = usage(additional_rate_limits=None, spend_control={"reached": False, "individual_limit": limit})
    assert seen.state(OBSERVED) is state


def test_the_kind_of_limit_reached_counts_where_it_stands_inside_of_the_limit() -> None:
    main = {"allowed": True, "rate_limit_reached_type": {"type": "rate_limit_reached"}, "primary_window": window()}
    for beside in ({}, {"rate_limit_reached_type": None}):
        body = json.dumps({"rate_limit": main, **beside}).encode()
        assert decode_usage(body, HTTP).state(OBSERVED) is WindowState.REACHED


def test_a_word_that_is_not_understood_is_no_leave() -> None:
    for changes in (
        {"rate_limit": "odd"},
        {"rate_limit_reached_type": 7},
        {"spend_control": {"reached": "perhaps"}},
        {"spend_control": "odd"},
        {"rate_limit": json.loads(FULL_USAGE)["rate_limit"] | {"allowed": "perhaps"}},
        {"rate_limit": json.loads(FULL_USAGE)["rate_limit"] | {"secondary_window": "full"}},
    ):
        assert usage(**changes).unclear, changes
    for harmless in ({"additional_rate_limits": "odd"}, {"code_review_rate_limit": 7}, {"credits": 7}):
        assert not usage(**harmless).unclear, harmless


ODD_WORDS: list[object] = [None, True, False, 0, 1, "false", "true", "FALSE", "perhaps", 2, []]
SHARES = st.sampled_from([None, 0, 50, 95, 100, 137.5, "100", "x", -1])
LENGTHS = st.sampled_from([18000, 604800, 0, -1, None, "x", 10**12])
WINDOWS = (
    st.none() | st.just("odd") | st.builds(lambda u, n: {"used_percent": u, "limit_window_seconds": n}, SHARES, LENGTHS)
)
REACHED_TYPES = st.sampled_from(
    [None, {"type": None}, "rate_limit_reached", {"type": "rate_limit_reached"}, {"type": "new"}, 7]
    + [{"type": f"workspace_member_{what}"} for what in ("credits_depleted", "usage_limit_reached")]
)
PAID = st.none() | st.builds(lambda h, u: {"has_credits": h, "unlimited": u}, st.booleans(), st.booleans())
CAPS = st.none() | st.builds(
    lambda reached, share: {"reached": reached, "individual_limit": share and {"used_percent": share}},
    st.sampled_from(ODD_WORDS),
    st.sampled_from([None, 40, 95, 100]),
)
FALSE, TRUE = (False, 0, "false", "FALSE"), (True, 1, "true")


@given(
    st.booleans(), st.sampled_from(ODD_WORDS), st.sampled_from(ODD_WORDS), WINDOWS, WINDOWS, REACHED_TYPES, PAID, CAPS
)
@settings(max_examples=budget(1000))
def test_nobody_is_free_to_work_against_any_word(
    whole: bool, allowed: Any, reached: Any, first: Any, second: Any, kind: Any, paid: Any, cap: Any
) -> None:
    """Over all combinations: free only if every statement allows it; near instead of reached only by paid credits."""
    limit = {"allowed": allowed, "limit_reached": reached, "primary_window": first, "secondary_window": second}
    fields = {
        "rate_limit": limit if whole else None,
        "rate_limit_reached_type": kind,
        "credits": paid,
        "spend_control": cap,
    }
    state = usage(**fields, additional_rate_limits=None).state(OBSERVED)
    if not whole:
        allowed = reached = first = second = None
    windows = [w for w in (first, second) if isinstance(w, dict) and w.get("limit_window_seconds") != 0]
    full = any(w.get("used_percent") in (100, 137.5, "100") for w in windows)
    word = kind["type"] if isinstance(kind, dict) else kind
    capped = cap is not None and (cap["reached"] in TRUE or cap["individual_limit"] == {"used_percent": 100})
    workspace = capped or str(word).startswith("workspace")
    stopped = allowed in FALSE or reached in TRUE or full or isinstance(word, str) or workspace
    if stopped:
        by_credits = allowed in TRUE and paid is not None and any(paid.values()) and not workspace
        assert state is (WindowState.NEAR if by_credits else WindowState.REACHED)
        return
    assert state is not WindowState.REACHED
    understood = (
        (allowed is None or allowed in TRUE)
        and (reached is None or reached in FALSE)
        and (cap is None or cap["reached"] is None or cap["reached"] in FALSE)
        and word is None
        and "odd" not in (first, second)
        and all(w.get("used_percent") in (0, 50) and w["limit_window_seconds"] in (18000, 604800) for w in windows)
    )
    metered = bool(windows) or (cap is not None and cap["individual_limit"] is not None)
    free = understood and (metered or (paid is not None and paid["unlimited"]))
    near_cap = cap is not None and cap["individual_limit"] == {"used_percent": 95}
    assert (state is WindowState.OK) is (free and not near_cap)


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


@pytest.mark.parametrize(
    ("banner", "offers"),
    [
        (None, False),
        ("text", False),
        ({"ctas": None}, False),
        ({"ctas": ["reset_usage", {"action": "add_credits"}]}, False),
        ({"banner_type": "rate_limit", "ctas": [{"action": "add_credits"}, {"action": "reset_usage"}]}, True),
    ],
)
def test_codex_offers_a_reset_where_its_banner_says_so(banner: object, offers: bool) -> None:
    assert offers_reset(banner) is offers
