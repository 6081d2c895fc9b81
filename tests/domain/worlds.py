"""Values of the domain for tests: short to write, complete, and generated ones for Hypothesis."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from tests.support.clocks import START
from tui.domain.credits import CODEX_RATE_LIMITS, Bank, Credit, CreditStatus
from tui.domain.snapshot import Account, Provenance, Snapshot
from tui.domain.windows import Limit, Window

FIVE_HOURS, WEEK = 300, 10_080
ACCOUNT = Account("acc1", "plus", "me@example.com")


def window(minutes: int, used: float | None, *, resets_in: timedelta | None = None, at: datetime = START) -> Window:
    left = timedelta(minutes=minutes) / 2 if resets_in is None else resets_in
    return Window("codex", None, minutes, used, at + left)


def credit(name: str = "c1", days: float | None = 10, **changes: object) -> Credit:
    values: dict[str, object] = {
        "id": name,
        "type": CODEX_RATE_LIMITS,
        "status": CreditStatus.AVAILABLE,
        "granted_at": START - timedelta(days=5),
        "expires_at": None if days is None else START + timedelta(days=days),
        "never_expires": days is None,
    }
    return Credit(**(values | changes))  # type: ignore[arg-type]


def snapshot(
    *windows: Window,
    rows: tuple[Credit, ...] | None = (),
    available: int | None = -1,
    allowed: bool | None = None,
    at: datetime = START,
    account: Account = ACCOUNT,
) -> Snapshot:
    """A reading; the count follows the rows unless it is given."""
    count = sum(row.status is CreditStatus.AVAILABLE for row in rows or ()) if available == -1 else available
    return Snapshot(
        Provenance("http", at),
        account,
        allowed,
        (Limit("codex", None, allowed, windows),),
        Bank(count, rows, None if rows is None else at),
    )


moments = st.floats(-1e7, 1e7).map(lambda seconds: START + timedelta(seconds=seconds))
percents = st.none() | st.floats(0, 150) | st.integers(0, 100).map(float)
windows = st.builds(
    Window,
    limit_id=st.just("codex"),
    limit_name=st.none(),
    minutes=st.sampled_from([300, 1_440, 10_080, 43_200]) | st.integers(1, 100_000),
    used_percent=percents,
    resets_at=st.none() | moments,
)
