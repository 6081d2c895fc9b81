"""The scenarios that the service can start in; pure data.

Every payload of every scenario is one that the real Codex CLI decodes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from tui.domain.credits import Price
from tui.domain.referral import REFERRER, WORKSPACE
from tui.domain.windows import WindowKind
from tui.errors import UsageError
from tui.settings import nearest
from tui.stub.rules.grants import GrantSource, ResetRules
from tui.stub.rules.invites import Campaign, Reward
from tui.stub.rules.resets import CREDIT_LIFETIME, ScenarioFlags
from tui.stub.rules.windows import DAY
from tui.stub.scenario import PILOT, CreditStart, InviteStart, RecurringFault, Scenario, SessionStart, WindowStart

MAIN_ACCOUNT: Final = "acc1"
OTHER_ACCOUNT: Final = "acc2"
"""A second, quiet account that every scenario has, so that mixed-up logins can be shown to change nothing."""

MODEL: Final = "gpt-5.5"
SPARK_LIMIT: Final = "codex_bengalfox"
SPARK_NAME: Final = "GPT-5.3-Codex-Spark"

_HOUR = 3_600
_MINUTE = 60
_WEEK_LEFT = 3 * DAY + 17 * _HOUR + 52 * _MINUTE + 29
_FIVE_HOURS_LEFT = 3 * _HOUR + 12 * _MINUTE + 29


def find_scenario(name: str) -> Scenario:
    """The scenario of this name; `UsageError` names the nearest where there is none."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise UsageError(f"there is no scenario {name!r}", nearest(name, list(SCENARIOS))) from None


def _weekly(used: float) -> WindowStart:
    return WindowStart(WindowKind.WEEKLY, used, _WEEK_LEFT)


def _both(five_hour: float, weekly: float) -> tuple[WindowStart, ...]:
    return WindowStart(WindowKind.FIVE_HOUR, five_hour, _FIVE_HOURS_LEFT), _weekly(weekly)


def _idle(weekly: float) -> tuple[WindowStart, ...]:
    """Five hours that have not begun."""
    return WindowStart(WindowKind.FIVE_HOUR, 0, None), _weekly(weekly)


_THREE = (
    CreditStart(2 * DAY + 19 * _HOUR + 31 * _MINUTE + 29),
    CreditStart(16 * DAY + 9 * _HOUR + 52 * _MINUTE + 29),
    CreditStart(29 * DAY + 4 * _HOUR + 26 * _MINUTE + 29, granted_by="@friend", source=GrantSource.REFERRAL),
)

_COMPLIMENTARY = (CreditStart(float(CREDIT_LIFETIME), source=GrantSource.PROGRAMME),)

_INVITES = (
    InviteStart("margaret@example.org", sent=8.5, opened=8.2),
    InviteStart("ada@example.com", sent=8, opened=7.5, friend="ada", joined=7.4, messaged=6),
    InviteStart("joan@example.org", sent=7.5, opened=7, friend="joan", joined=7, messaged=6.5, reversed=5),
    InviteStart("linus@example.com", sent=6, opened=5.8, friend="linus", joined=5.8, used=12),
    InviteStart("grace@example.com", sent=5, opened=3.1, friend="grace", joined=3),
    InviteStart("dennis@example.org", sent=4),
    InviteStart("barbara@example.com", sent=2, opened=1),
)
"""Expired, rewarded, reversed, ineligible, joined, waiting, and opened."""

_RUNNING_PILOT = replace(
    PILOT,
    rules=("You can invite up to ten friends; three invites are rewarded.", *PILOT.rules[1:]),
    starts_in=-9.0 * DAY,
    send_capacity=10,
)
"""The pilot after nine of its days, with more invites to send."""

CREDITS: Final = Campaign(
    id="credits_500",
    title="Invite friends, earn credits",
    description="You get 500 credits when your friend sends their first Codex message.",
    rules=(
        "Your friend must not have used Codex in the last 60 days.",
        "You get 500 credits when your friend's first Codex message completes.",
        "Credits are no cash and cannot be passed on.",
    ),
    send_capacity=5,
    rewards=(Reward(REFERRER, "personal_credits", 500),),
    friend_plans=("free", "go", "plus", "pro"),
)
"""Credits for the one who invites alone."""

_TEAMMATES = replace(
    CREDITS,
    id="workspace_500",
    title="Invite teammates, earn credits",
    description="Your workspace gets 500 credits when your teammate sends their first Codex message.",
    plans=("team", "business", "enterprise", "edu"),
    program=WORKSPACE,
    rewards=(Reward(REFERRER, "workspace_credits", 500),),
    friend_plans=("free", "go", "plus", "pro", "team", "business"),
)
"""The programme for members of a workspace."""

_UNKNOWN_EXTRAS = MappingProxyType(
    {
        "rate_limit": None,
        "spend_control": {"reached": False, "individual_limit": None},
        "rate_limit_upsell": {"banner_type": "lunar_tide", "ctas": []},
        "promo": {
            "campaign_id": "c",
            "title": "[b]A title[/b]",
            "description": "With \u001b[31mescape codes\u001b[0m.",
        },
    }
)

_ALL = (
    Scenario("calm", "low use, two resets, nothing to do", _idle(12), _THREE[1:]),
    Scenario("busy", "5 hours at 93 %, three resets, one of them lapses within three days", _both(93, 41), _THREE),
    Scenario(
        "at-limit",
        "the 5-hour limit is reached, three resets are banked; in a demo a session is held until the answer",
        _both(100, 43),
        _THREE,
        sessions=(SessionStart("Mend the login page on small screens", "/home/you/website", requests=6, every=2.0),),
    ),
    Scenario(
        "banner",
        "the 5-hour limit is reached, and Codex itself offers one of three resets",
        _both(100, 43),
        _THREE,
        shows_banner=True,
    ),
    Scenario(
        "held",
        "the 5-hour limit fills in the middle of a turn; in a demo two sessions are held, and go on after the answer",
        _both(90, 43),
        _THREE,
        sessions=(
            SessionStart("Port the importer to the new schema", "/home/you/importer", requests=12, every=2.0),
            SessionStart("Find out why the nightly build is slow", "/home/you/website", requests=9, every=3.0),
        ),
    ),
    Scenario(
        "afternoon",
        "a busy afternoon with five weeks behind it: in a demo two sessions run into the limit and are held",
        _both(70, 41),
        _THREE,
        sessions=(
            SessionStart("Port the importer to the new schema", "/home/you/importer", requests=14, every=1.8),
            SessionStart("Find out why the nightly build is slow", "/home/you/website", requests=10, every=2.6),
        ),
        has_past=True,
    ),
    Scenario(
        "weekly-wall",
        "the week is used up while 5 hours are nearly unused; redeemed resets stay listed",
        _both(4, 100),
        _THREE[:2],
        lists_redeemed=True,
    ),
    Scenario("weekly-only", "a plan with one weekly window, in the first slot", (_weekly(64),), _THREE[1:], "pro"),
    Scenario(
        "monthly",
        "a plan with one monthly window",
        (WindowStart(WindowKind.MONTHLY, 72, 11 * DAY),),
        (CreditStart(9 * DAY, title="Full reset (Monthly)", description=None),),
        "go",
        has_history=False,
    ),
    Scenario(
        "expiring",
        "one reset lapses in eight minutes, to the second",
        _both(55, 38),
        (CreditStart(8 * _MINUTE), _THREE[2]),
    ),
    Scenario("empty-bank", "the 5-hour limit is near and no reset is banked", _both(88, 52)),
    Scenario(
        "many",
        "twelve resets, of which the service lists five; a model with a limit of its own",
        (*_both(76, 81), WindowStart(WindowKind.FIVE_HOUR, 12, _FIVE_HOURS_LEFT, SPARK_LIMIT)),
        tuple(CreditStart(day * DAY + day * 7 * _MINUTE) for day in range(2, 26, 2)),
        list_cap=5,
    ),
    Scenario(
        "unknown",
        "a plan, a limit and credits of kinds that no version knows yet",
        (),
        (
            CreditStart(20 * DAY, title=None, description=None, granted_by=None),
            CreditStart(None, title="[red]永久 \u001b[31mreset\u001b[0m[/red]"),
            CreditStart(5 * DAY, reset_type="moon_phase", title="Moon reset"),
            CreditStart(6 * DAY, status="paused"),
            CreditStart(7 * DAY, status="redeeming"),
            CreditStart(8 * DAY, supported=False, title="Full reset for another plan"),
        ),
        "galaxy_brain",
        extras=_UNKNOWN_EXTRAS,
        campaign=None,
    ),
    Scenario(
        "flaky",
        "busy, on a service that fails every third reading and often refuses the list of resets",
        _both(93, 41),
        _THREE,
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
        _both(100, 43),
        _THREE,
        flags=ScenarioFlags(weekly_moves=False),
    ),
    Scenario(
        "five-hour-stays",
        "at the limit, and a spent reset clears the week alone",
        _both(100, 43),
        _THREE,
        flags=ScenarioFlags(clears_five_hour=False),
    ),
    Scenario(
        "pilot",
        "the referral pilot under way: invites in every state, one of them rewarded",
        _both(61, 34),
        _THREE[1:2],
        campaign=_RUNNING_PILOT,
        invites=_INVITES,
    ),
    Scenario(
        "pilot-start",
        "the referral pilot has just begun: no invites yet, one complimentary reset",
        _idle(12),
        _COMPLIMENTARY,
    ),
    Scenario(
        "pilot-credits",
        "a referral offer of credits in place of resets",
        _both(22, 30),
        _COMPLIMENTARY,
        campaign=CREDITS,
    ),
    Scenario(
        "pilot-ended",
        "the referral pilot is over; one invite of it is still waiting",
        _both(22, 30),
        _COMPLIMENTARY,
        campaign=replace(PILOT, starts_in=-15.0 * DAY),
        invites=(InviteStart("grace@example.com", sent=4),),
    ),
    Scenario(
        "business",
        "a business plan with one reset, which the referral pilot is not offered to",
        _both(47, 58),
        _COMPLIMENTARY,
        "business",
    ),
    Scenario(
        "workspace",
        "a business plan whose members may invite teammates, for credits of the workspace",
        _both(47, 58),
        _COMPLIMENTARY,
        "business",
        campaign=_TEAMMATES,
    ),
    Scenario(
        "rollout",
        "the programme arrives: Go at once, Plus after one hour, Pro after two, Business after three",
        _both(71, 36),
        resets=ResetRules({"go": 0.0, "plus": 1.0 * _HOUR, "pro": 2.0 * _HOUR, "business": 3.0 * _HOUR}, False),
    ),
    Scenario(
        "priced",
        "the 5-hour limit is reached and the bank is empty, but a single reset can be bought",
        _both(100, 43),
        resets=ResetRules(purchase=Price("4.00", "USD")),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})

OTHER_ACCOUNT_START: Final = Scenario(
    "other", "the second account of every scenario", _idle(5), (CreditStart(12 * DAY),)
)
