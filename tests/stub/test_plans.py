import pytest

from tui.domain.windows import WindowKind
from tui.stub.rules.plans import PLANS, plan_named
from tui.stub.rules.windows import LENGTHS
from tui.stub.scenario import Scenario
from tui.stub.scenarios import OTHER_ACCOUNT_START, SCENARIOS

KNOWN = (
    "free, go, plus, pro, prolite, promax, team, self_serve_business_prolite, self_serve_business_usage_based,"
    " business, ent26, enterprise_cbp_automation, enterprise_cbp_usage_based, enterprise, edu, edu_plus, edu_pro"
)


def test_every_plan_of_the_wire_is_there() -> None:
    assert list(PLANS) == KNOWN.split(", ")


def test_the_tiers() -> None:
    assert [name for name in ("free", "go", "plus", "pro", "business") if PLANS[name].banks] == [
        "go",
        "plus",
        "pro",
        "business",
    ]
    assert dict(PLANS["plus"].turn_costs) == {WindowKind.FIVE_HOUR: 3.0, WindowKind.WEEKLY: 0.5}
    assert PLANS["pro"].turn_costs[WindowKind.WEEKLY] < PLANS["plus"].turn_costs[WindowKind.WEEKLY]
    assert PLANS["free"].turn_costs[WindowKind.MONTHLY] > PLANS["go"].turn_costs[WindowKind.MONTHLY] == 2.0


def test_every_plan_meters_something() -> None:
    for plan in PLANS.values():
        assert plan.windows
        assert set(plan.windows) <= set(LENGTHS)
        assert all(0 < cost < 100 for cost in plan.turn_costs.values())


def test_a_plan_that_nobody_knows() -> None:
    plan = plan_named("galaxy_brain")
    assert (plan.name, plan.banks, bool(plan.windows)) == ("galaxy_brain", False, True)


@pytest.mark.parametrize(
    ("plan", "title"),
    [("plus", "Full reset (Weekly + 5 hr)"), ("pro", "Full reset (Weekly)"), ("go", "Full reset (Monthly)")],
)
def test_a_reset_is_called_by_what_it_resets(plan: str, title: str) -> None:
    assert PLANS[plan].reset_title == title


@pytest.mark.parametrize("scenario", [*SCENARIOS.values(), OTHER_ACCOUNT_START], ids=lambda scenario: scenario.name)
def test_scenarios_have_the_windows_of_their_plan(scenario: Scenario) -> None:
    kinds = tuple(window.kind for window in scenario.windows if window.limit_id == "codex")
    assert kinds == plan_named(scenario.plan).windows or scenario.plan not in PLANS
