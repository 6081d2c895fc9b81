"""The worlds that the service can start in; pure data.

Every payload of every scenario is one that the real Codex CLI decodes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tui.domain.windows import WindowKind
from tui.errors import UsageError
from tui.settings import nearest
from tui.stub.campaigns import CREDITS, ENDED_PILOT, RUNNING_PILOT
from tui.stub.grants import GrantSource, Price, Programme
from tui.stub.programme import CREDIT_LIFETIME, DAY, ScenarioFlags
from tui.stub.scenario import CreditStart, InviteStart, RecurringFault, Scenario, WindowStart

DEFAULT_SCENARIO: Final = "busy"
MAIN_ACCOUNT: Final = "acc1"
OTHER_ACCOUNT: Final = "acc2"
"""A second, quiet account that every scenario has, so that mixed-up logins can be shown to change nothing."""

SPARK_LIMIT: Final = "codex_bengalfox"
SPARK_NAME: Final = "GPT-5.3-Codex-Spark"

_HOUR = 3_600
_MINUTE = 60
_WEEK_LEFT = 3 * DAY + 17 * _HOUR + 52 * _MINUTE + 29
_FIVE_HOURS_LEFT = 3 * _HOUR + 12 * _MINUTE + 29


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
    CreditStart(29 * DAY + 4 * _HOUR + 26 * _MINUTE + 29, granted_by="@friend", source=GrantSource.REFERRAL),
)

_COMPLIMENTARY = CreditStart(float(CREDIT_LIFETIME), source=GrantSource.PROGRAMME)

_INVITES = (
    InviteStart("margaret@example.org", sent=8.5, opened=8.2),
    InviteStart("ada@example.com", sent=8, opened=7.5, friend="ada", joined=7.4, messaged=6),
    InviteStart("joan@example.org", sent=7.5, opened=7, friend="joan", joined=7, messaged=6.5, reversed=5),
    InviteStart("linus@example.com", sent=6, opened=5.8, friend="linus", joined=5.8, used=12),
    InviteStart("grace@example.com", sent=5, opened=3.1, friend="grace", joined=3),
    InviteStart("dennis@example.org", sent=4),
    InviteStart("barbara@example.com", sent=2, opened=1),
)
"""Expired, rewarded, reversed, ineligible, joined, hanging, and opened."""

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
        "banner",
        "the 5-hour limit is reached, and Codex itself offers one of three resets",
        windows=(_five_hour(100), _weekly(43)),
        credits=_THREE_CREDITS,
        shows_banner=True,
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
        "a plan with one monthly window",
        plan="go",
        windows=(WindowStart(WindowKind.MONTHLY, 72, 11 * DAY),),
        credits=(CreditStart(9 * DAY, title="Full reset (Monthly)", description=None),),
        has_history=False,
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
        campaign=None,
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
        switches=ScenarioFlags(weekly_moves=False),
    ),
    Scenario(
        "five-hour-stays",
        "at the limit, and a spent reset clears the week alone",
        windows=(_five_hour(100), _weekly(43)),
        credits=_THREE_CREDITS,
        switches=ScenarioFlags(clears_five_hour=False),
    ),
    Scenario(
        "pilot",
        "the referral pilot under way: invites in every state, one of them rewarded",
        windows=(_five_hour(61), _weekly(34)),
        credits=_THREE_CREDITS[1:2],
        campaign=RUNNING_PILOT,
        invites=_INVITES,
    ),
    Scenario(
        "pilot-start",
        "the referral pilot has just begun: no invites yet, one complimentary reset",
        windows=(_five_hour(0, None), _weekly(12)),
        credits=(_COMPLIMENTARY,),
    ),
    Scenario(
        "pilot-credits",
        "a referral offer of credits in place of resets, on a service of the former contract",
        windows=(_five_hour(22), _weekly(30)),
        credits=(_COMPLIMENTARY,),
        campaign=CREDITS,
    ),
    Scenario(
        "pilot-ended",
        "the referral pilot is over; one invite of it still hangs",
        windows=(_five_hour(22), _weekly(30)),
        credits=(_COMPLIMENTARY,),
        campaign=ENDED_PILOT,
        invites=(InviteStart("grace@example.com", sent=4),),
    ),
    Scenario(
        "business",
        "a business plan with one reset, which the referral pilot is not offered to",
        plan="business",
        windows=(_five_hour(47), _weekly(58)),
        credits=(_COMPLIMENTARY,),
    ),
    Scenario(
        "rollout",
        "the programme arrives: Go at once, Plus after one hour, Pro after two, Business after three",
        windows=(_five_hour(71), _weekly(36)),
        programme=Programme(
            reaches=MappingProxyType({"go": 0.0, "plus": 1.0 * _HOUR, "pro": 2.0 * _HOUR, "business": 3.0 * _HOUR}),
            begins_with_it=False,
        ),
    ),
    Scenario(
        "priced",
        "the 5-hour limit is reached and the bank is empty, but a single reset can be bought",
        windows=(_five_hour(100), _weekly(43)),
        programme=Programme(purchase=Price("4.00", "USD")),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})

OTHER_ACCOUNT_START: Final = Scenario(
    "other",
    "the second account of every scenario",
    windows=(_five_hour(0, None), _weekly(5)),
    credits=(CreditStart(12 * DAY),),
)
