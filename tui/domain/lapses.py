"""Which banked resets are about to lapse, in steps that are each said once."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tui.domain.credits import Bank, Credit

STEPS: Final = (timedelta(hours=1), timedelta(hours=24), timedelta(days=3), timedelta(days=7))
"""How long before it lapses a reset is spoken of; once for each step."""

ASKED: Final = STEPS[:2]
"""The steps that are worth a question."""


class Lapse(msgspec.Struct, frozen=True):
    """A reset that lapses within a step."""

    credit: Credit
    expires_at: datetime
    step: timedelta
    """The shortest step that holds."""

    @property
    def key(self) -> str:
        """The same in every process: the reset and the step."""
        return f"{self.credit.id} {self.step // timedelta(hours=1)}"

    def left_text(self, now: datetime) -> str:
        """How long it still is, in whole units, which say so where they are rounded."""
        minutes = max(0, (self.expires_at - now) // timedelta(minutes=1))
        if minutes == 0:
            return "less than a minute"
        for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
            if minutes >= 2 * size or size == 1:
                number = round(minutes / size)
                rounded = "about " if minutes % size else ""
                return f"{rounded}{number} {unit}{'' if number == 1 else 's'}"
        raise AssertionError


def lapses(bank: Bank, now: datetime) -> tuple[Lapse, ...]:
    """The resets that lapse within the longest step, the soonest first."""
    found = []
    for credit in bank.spendable(now) if bank.available != 0 else ():
        left = None if credit.expires_at is None else credit.expires_at - now
        step = next((step for step in STEPS if left is not None and left <= step), None)
        if step is not None and credit.expires_at is not None:
            found.append(Lapse(credit, credit.expires_at, step))
    return tuple(found)
