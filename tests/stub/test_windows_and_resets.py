from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tui.domain.spend import ConsumeCode
from tui.domain.windows import WindowKind
from tui.stub.rules.resets import HeldCredit, HeldStatus, ScenarioFlags, redeem
from tui.stub.rules.windows import LENGTHS, MeteredWindow, blocking, charge_turn, roll_over, set_usage

NOW = 1_795_000_000.0
COSTS = {WindowKind.FIVE_HOUR: 3.0, WindowKind.WEEKLY: 0.5, WindowKind.MONTHLY: 2.0}
moments = st.floats(NOW - 1e7, NOW + 1e7)
windows = st.builds(
    MeteredWindow,
    kind=st.sampled_from(sorted(LENGTHS)),
    used_percent=st.floats(0, 150),
    resets_at=moments,
    limit_id=st.sampled_from(["codex", "codex_bengalfox"]),
)
credits_held = st.lists(
    st.builds(
        HeldCredit,
        id=st.uuids().map(str),
        status=st.sampled_from(["available", "redeemed", "paused"]),
        granted_at=moments,
        expires_at=st.none() | moments,
        reset_type=st.sampled_from(["codex_rate_limits", "moon_phase"]),
        supported=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda credit: credit.id,
)
flags = st.builds(ScenarioFlags, st.booleans(), st.booleans())


def five_hour(used: float, resets_at: float | None = NOW + 60) -> MeteredWindow:
    return MeteredWindow(WindowKind.FIVE_HOUR, used, resets_at)


def weekly(used: float, resets_at: float | None = NOW + 600) -> MeteredWindow:
    return MeteredWindow(WindowKind.WEEKLY, used, resets_at)


@given(windows, moments)
def test_a_rolled_window_lies_ahead(window: MeteredWindow, now: float) -> None:
    rolled = roll_over(window, now)
    assert rolled.resets_at is None or now < rolled.resets_at
    assert rolled.reset_at(now) <= max(now + rolled.seconds, window.resets_at or 0)


@given(windows, moments)
def test_rolling_twice_changes_nothing_more(window: MeteredWindow, now: float) -> None:
    assert roll_over(roll_over(window, now), now) == roll_over(window, now)


def test_a_window_ends_at_its_very_second() -> None:
    assert roll_over(five_hour(50), NOW + 59.9) == five_hour(50)
    assert roll_over(five_hour(50), NOW + 60) == five_hour(0, None)


def test_the_week_keeps_its_anchor() -> None:
    week = LENGTHS[WindowKind.WEEKLY]
    assert roll_over(weekly(50), NOW + 600 + 2 * week + 1) == weekly(0, NOW + 600 + 3 * week)


def test_an_idle_window_slides_until_a_turn_pins_it() -> None:
    idle = five_hour(0, None)
    assert idle.reset_at(NOW + 5) - idle.reset_at(NOW) == 5
    (pinned,) = charge_turn([idle], COSTS, NOW)
    assert pinned.reset_at(NOW + 5) == pinned.reset_at(NOW) == NOW + 18_000


@given(st.lists(windows, max_size=4))
def test_a_turn_costs_the_main_limit_alone(before: list[MeteredWindow]) -> None:
    after = charge_turn(before, COSTS, NOW)
    for old, new in zip(before, after, strict=True):
        if old.limit_id != "codex":
            assert new == old
        elif old.used_percent < 100:
            assert old.used_percent < new.used_percent <= 100
        else:
            assert new.used_percent == old.used_percent


def test_no_use_frees_a_sliding_window_alone() -> None:
    assert set_usage(five_hour(50), 0, NOW).resets_at is None
    assert set_usage(weekly(50), 0, NOW).resets_at == NOW + 600


def test_the_last_window_to_reset_blocks() -> None:
    assert blocking([five_hour(100), weekly(100)]) == weekly(100)
    assert blocking([five_hour(99.9), replace(weekly(100), limit_id="codex_bengalfox")]) is None


@given(st.lists(windows, max_size=4), credits_held, moments, flags, st.booleans())
def test_redeeming_takes_a_credit_or_changes_nothing(
    before: list[MeteredWindow], held: list[HeldCredit], now: float, how: ScenarioFlags, choose: bool
) -> None:
    wanted = held[-1].id if held and choose else None
    result = redeem(tuple(before), held, now, credit_id=wanted, flags=how)
    if result.code is ConsumeCode.RESET:
        assert result.credit is not None
        assert result.credit.status == HeldStatus.REDEEMED
        source = next(credit for credit in held if credit.id == result.credit.id)
        assert source.is_spendable(now)
        assert wanted in (None, source.id)
        assert result.windows_reset == sum(
            old.used_percent > 0 == new.used_percent for old, new in zip(before, result.windows, strict=True)
        )
        assert result.windows_reset >= 1
    else:
        assert result.windows == tuple(before)
        assert result.windows_reset == 0
        assert (result.code is ConsumeCode.NO_CREDIT) == (
            not any(credit.is_spendable(now) and wanted in (None, credit.id) for credit in held)
        )


def a_credit(name: str, expires_in: float | None) -> HeldCredit:
    return HeldCredit(name, HeldStatus.AVAILABLE, NOW, None if expires_in is None else NOW + expires_in)


def test_the_soonest_to_expire_goes_first() -> None:
    held = [a_credit("never", None), a_credit("late", 9), a_credit("soon", 3), a_credit("gone", 0)]
    result = redeem((five_hour(1),), held, NOW, credit_id=None, flags=ScenarioFlags())
    assert result.credit is not None
    assert result.credit.id == "soon"


def test_a_reset_starts_the_week_at_the_redemption() -> None:
    result = redeem((five_hour(100), weekly(43)), [a_credit("c", 9)], NOW + 0.5, credit_id="c", flags=ScenarioFlags())
    assert result.windows == (five_hour(0, None), weekly(0, NOW + 604_800))
    assert result.windows_reset == 2


def test_the_week_may_keep_its_date() -> None:
    result = redeem(
        (five_hour(100), weekly(43)), [a_credit("c", 9)], NOW, credit_id="c", flags=ScenarioFlags(weekly_moves=False)
    )
    assert result.windows == (five_hour(0, None), weekly(0))


def test_the_five_hours_may_stay() -> None:
    how = ScenarioFlags(clears_five_hour=False)
    result = redeem((five_hour(100), weekly(43)), [a_credit("c", 9)], NOW, credit_id="c", flags=how)
    assert result.windows == (five_hour(100), weekly(0, NOW + 604_800))
    assert redeem((five_hour(100), weekly(0)), [a_credit("c", 9)], NOW, credit_id="c", flags=how).code is (
        ConsumeCode.NOTHING_TO_RESET
    )
