"""The plans: their windows, what a turn costs in each, and whether they bank resets.

Which windows a plan has is what was seen in autumn 2026; the allowances are the stub's own, so that a dearer plan
lasts longer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from tui.domain.windows import WindowKind


class Plan(msgspec.Struct, frozen=True):
    """One plan."""

    name: str
    turn_costs: Mapping[WindowKind, float]
    """Its windows, in the order of their slots, each with the share that one model turn uses, in per cent."""
    banks: bool = True
    """Whether its accounts hold banked resets."""

    @property
    def windows(self) -> tuple[WindowKind, ...]:
        """Its windows, in the order of their slots."""
        return tuple(self.turn_costs)

    @property
    def reset_title(self) -> str:
        """What a banked reset of it is called."""
        names = {WindowKind.WEEKLY: "Weekly", WindowKind.FIVE_HOUR: "5 hr", WindowKind.MONTHLY: "Monthly"}
        return f"Full reset ({' + '.join(names[kind] for kind in reversed(self.windows))})"


def _both(five_hour: float, weekly: float) -> Mapping[WindowKind, float]:
    return {WindowKind.FIVE_HOUR: five_hour, WindowKind.WEEKLY: weekly}


_ALL = (
    Plan("free", {WindowKind.MONTHLY: 4.0}, banks=False),
    Plan("go", {WindowKind.MONTHLY: 2.0}),
    Plan("plus", _both(3.0, 0.5)),
    Plan("pro", {WindowKind.WEEKLY: 0.1}),
    Plan("prolite", {WindowKind.WEEKLY: 0.2}),
    Plan("promax", {WindowKind.WEEKLY: 0.05}),
    Plan("team", _both(3.0, 0.5)),
    Plan("self_serve_business_prolite", {WindowKind.WEEKLY: 0.2}),
    Plan("self_serve_business_usage_based", _both(2.0, 0.4)),
    Plan("business", _both(2.5, 0.4)),
    Plan("ent26", _both(2.0, 0.3), banks=False),
    Plan("enterprise_cbp_automation", _both(1.0, 0.2), banks=False),
    Plan("enterprise_cbp_usage_based", _both(1.0, 0.2), banks=False),
    Plan("enterprise", _both(2.0, 0.3), banks=False),
    Plan("edu", _both(3.0, 0.5), banks=False),
    Plan("edu_plus", _both(3.0, 0.5), banks=False),
    Plan("edu_pro", {WindowKind.WEEKLY: 0.1}, banks=False),
)

PLANS: Final[Mapping[str, Plan]] = MappingProxyType({plan.name: plan for plan in _ALL})


def plan_named(name: str) -> Plan:
    """The plan of this name; one that no version knows yet meters like Plus, and banks nothing new."""
    return PLANS.get(name) or Plan(name, PLANS["plus"].turn_costs, banks=False)
