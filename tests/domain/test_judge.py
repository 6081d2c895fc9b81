"""The ends of intervals move by their own misses, apart below and above half used."""

from tui.domain.judge import Claim, Judge

HOUR = 3600.0
RESET = 5 * HOUR


def said(used: float, at: float = HOUR) -> Claim:
    return Claim(at, used, (2 * HOUR, 3 * HOUR), (60.0, 90.0))


def test_a_late_miss_above_half_moves_only_that_end() -> None:
    judge = Judge(300, RESET)
    (low, high), (below_low, below_high) = ((e.low, e.high) for e in (judge.ends(70)[0], judge.ends(20)[0]))
    judge.hear(said(70), RESET)
    judge.settle(4 * HOUR, 80.0)
    limit, share = judge.ends(70)
    assert limit.high > high
    assert limit.low > low
    assert share.high < Judge(300, RESET).ends(70)[1].high
    assert (judge.ends(20)[0].low, judge.ends(20)[0].high) == (below_low, below_high)
    assert not judge.waits


def test_a_reset_in_the_middle_lets_go_of_what_was_said() -> None:
    judge = Judge(300, RESET)
    judge.hear(said(70), RESET)
    judge.hear(said(10, 3 * HOUR), RESET + 2 * HOUR)
    before = judge.ends(70)[0].high
    judge.settle(RESET + 2 * HOUR, 70.0)
    assert judge.ends(70)[0].high == before


def test_the_limit_can_come_where_it_came_with_less_used_and_less_time() -> None:
    judge = Judge(300, RESET)
    assert not judge.can_come(30, 4 * HOUR)
    assert judge.can_come(55, 4 * HOUR)
    judge.hear(said(22, 3 * HOUR), RESET)
    judge.settle(4 * HOUR, 100.0)
    assert judge.can_come(30, 4 * HOUR)
    assert not judge.can_come(15, 4 * HOUR)
    assert not judge.can_come(30, HOUR)


def test_with_half_used_ten_moments_without_a_limit_say_that_it_does_not_come() -> None:
    judge = Judge(300, RESET)
    for window in range(10):
        reset = RESET * (window + 1)
        judge.hear(said(55, reset - HOUR), reset)
        judge.settle(reset, 70.0)
    assert not judge.can_come(55, HOUR)
