"""The worlds that the service can start in; pure data.

Every payload of every scenario is one that the real Codex CLI decodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tui.domain.windows import MAIN_LIMIT, WindowKind
from tui.errors import UsageError
from tui.settings import nearest
from tui.stub.programme import CREDIT_LIFETIME, DAY, Switches

DEFAULT_SCENARIO: Final = "busy"
MAIN_ACCOUNT: Final = "acc1"
OTHER_ACCOUNT: Final = "acc2"
"""A second, quiet account that every scenario has, so that mixed-up logins can be shown to change nothing."""

SPARK_LIMIT: Final = "codex_bengalfox"
SPARK_NAME: Final = "GPT-5.3-Codex-Spark"

_BY_THE_RULE = Switches()
_HOUR = 3_600
_MINUTE = 60
_WEEK_LEFT = 3 * DAY + 17 * _HOUR + 52 * _MINUTE + 29
_FIVE_HOURS_LEFT = 3 * _HOUR + 12 * _MINUTE + 29


@dataclass(frozen=True, slots=True)
class WindowStart:
    """A window at the start of a scenario."""

    kind: WindowKind
    used_percent: float
    resets_in: float | None
    """Seconds; None leaves it idle."""
    limit_id: str = MAIN_LIMIT


@dataclass(frozen=True, slots=True)
class CreditStart:
    """A credit at the start of a scenario."""

    expires_in: float | None
    """Seconds; None never expires."""
    title: str | None = "Full reset (Weekly + 5 hr)"
    description: str | None = "Thanks for using Codex! You've been granted one free rate limit reset."
    reset_type: str = "codex_rate_limits"
    status: str = "available"
    granted_by: str | None = "Codex Team"
    supported: bool = True

    @property
    def granted_ago(self) -> float:
        """Seconds since its grant: it was given the ordinary lifetime."""
        return max(0.0, CREDIT_LIFETIME - (self.expires_in or 0.0))


@dataclass(frozen=True, slots=True)
class RecurringFault:
    """A fault that hits every so many requests of a path, for ever."""

    path: str
    """The end of the request's path."""
    kind: str
    every: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world."""

    name: str
    description: str
    """One line for help and palette."""
    plan: str = "plus"
    windows: tuple[WindowStart, ...] = ()
    """The main account's, in the order of their slots."""
    credits: tuple[CreditStart, ...] = ()
    switches: Switches = _BY_THE_RULE
    list_cap: int | None = None
    """How many credits the list shows at most; the count stays true."""
    lists_redeemed: bool = False
    """Whether redeemed credits stay in the list; both have been seen (wire.md 2.2)."""
    extras: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """What its usage payload says otherwise."""
    faults: tuple[RecurringFault, ...] = ()


def find_scenario(name: str) -> Scenario:
    """The scenario of this name.

    Raises:
        UsageError: There is none; names the nearest.
    """
    try:
        return SCENARIOS[name]
    except KeyError:
        raise UsageError(f"there is no scenario {name!r}", nearest(name, list(SCENARIOS))) from None


def _five_hour(used: float, resets_in: float | None = _FIVE_HOURS_LEFT) -> WindowStart:
    return WindowStart(WindowKind.FIVE_HOUR, used, resets_in)


def _weekly(used: float, resets_in: float | None = _WEEK_LEFT) -> WindowStart:
    return WindowStart(WindowKind.WEEKLY, used, resets_in)


_THREE_CREDITS = (
    CreditStart(2 * DAY + 19 * _HOUR + 31 * _MINUTE + 29),
    CreditStart(16 * DAY + 9 * _HOUR + 52 * _MINUTE + 29),
    CreditStart(29 * DAY + 4 * _HOUR + 26 * _MINUTE + 29, granted_by="@friend"),
)

_UNKNOWN_EXTRAS = MappingProxyType(
    {
        "rate_limit": None,
        "spend_control": {
            "reached": False,
            "individual_limit": {
                "source": "workspace",
                "unit": "usd",
                "limit": "20.00",
                "used": "3.50",
                "remaining": "16.50",
                "used_percent": 17,
                "remaining_percent": 83,
                "reset_after_seconds": 100,
                "reset_at": 1_800_000_000,
            },
        },
        "rate_limit_reached_type": {"type": "lunar_tide_reached", "details": None},
        "promo": {
            "campaign_id": "c",
            "title": "[b]A title[/b]",
            "description": "With \u001b[31mescape codes\u001b[0m.",
        },
    }
)

_ALL = (
    Scenario(
        "calm",
        "low use, two resets, nothing to do",
        windows=(_five_hour(0, None), _weekly(12)),
        credits=_THREE_CREDITS[1:],
    ),
    Scenario(
        "busy",
        "5 hours at 93 %, three resets, one of them lapses within three days",
        windows=(_five_hour(93), _weekly(41)),
        credits=_THREE_CREDITS,
    ),
    Scenario(
        "at-limit",
        "the 5-hour limit is reached, three resets are banked",
        windows=(_five_hour(100), _weekly(43)),
        credits=_THREE_CREDITS,
    ),
    Scenario(
        "weekly-wall",
        "the week is used up while 5 hours are nearly unused; redeemed resets stay listed",
        windows=(_five_hour(4), _weekly(100)),
        credits=_THREE_CREDITS[:2],
        lists_redeemed=True,
    ),
    Scenario(
        "weekly-only",
        "a plan with one weekly window, in the first slot",
        plan="pro",
        windows=(_weekly(64),),
        credits=_THREE_CREDITS[1:],
    ),
    Scenario(
        "monthly",
        "a free plan with one monthly window",
        plan="free",
        windows=(WindowStart(WindowKind.MONTHLY, 72, 11 * DAY),),
        credits=(CreditStart(9 * DAY, title="Full reset (Monthly)", description=None),),
    ),
    Scenario(
        "expiring",
        "one reset lapses in eight minutes, to the second",
        windows=(_five_hour(55), _weekly(38)),
        credits=(CreditStart(8 * _MINUTE), _THREE_CREDITS[2]),
    ),
    Scenario(
        "empty-bank",
        "the 5-hour limit is near and no reset is banked",
        windows=(_five_hour(88), _weekly(52)),
    ),
    Scenario(
        "many",
        "twelve resets, of which the service lists five; a model with a limit of its own",
        windows=(
            _five_hour(76),
            _weekly(81),
            WindowStart(WindowKind.FIVE_HOUR, 12, _FIVE_HOURS_LEFT, SPARK_LIMIT),
        ),
        credits=tuple(CreditStart(day * DAY + day * 7 * _MINUTE) for day in range(2, 26, 2)),
        list_cap=5,
    ),
    Scenario(
        "unknown",
        "a plan, a limit and credits of kinds that no version knows yet",
        plan="galaxy_brain",
        credits=(
            CreditStart(20 * DAY, title=None, description=None, granted_by=None),
            CreditStart(None, title="[red]永久 \u001b[31mreset\u001b[0m[/red]"),
            CreditStart(5 * DAY, reset_type="moon_phase", title="Moon reset"),
            CreditStart(6 * DAY, status="paused"),
            CreditStart(7 * DAY, status="redeeming"),
            CreditStart(8 * DAY, supported=False, title="Full reset for another plan"),
        ),
        extras=_UNKNOWN_EXTRAS,
    ),
    Scenario(
        "flaky",
        "busy, on a service that fails every third reading and often refuses the list of resets",
        windows=(_five_hour(93), _weekly(41)),
        credits=_THREE_CREDITS,
        faults=(
            RecurringFault("/usage", "status:503", 3),
            RecurringFault("/rate-limit-reset-credits", "status:429", 2),
            RecurringFault("/usage", "drop_before", 5),
            RecurringFault("/usage", "garbage", 7),
        ),
    ),
    Scenario(
        "weekly-stays",
        "at the limit, and a spent reset clears the week without moving its date",
        windows=(_five_hour(100), _weekly(43)),
        credits=_THREE_CREDITS,
        switches=Switches(weekly_moves=False),
    ),
    Scenario(
        "five-hour-stays",
        "at the limit, and a spent reset clears the week alone",
        windows=(_five_hour(100), _weekly(43)),
        credits=_THREE_CREDITS,
        switches=Switches(clears_five_hour=False),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})

OTHER_ACCOUNT_START: Final = Scenario(
    "other",
    "the second account of every scenario",
    windows=(_five_hour(0, None), _weekly(5)),
    credits=(CreditStart(12 * DAY),),
)
