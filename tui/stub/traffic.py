"""What came in, and which of the coming requests a fault will hit."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from tui.stub.scenario import RecurringFault

_MAX_PATHS: Final = 1_000
"""So many different paths are counted one by one; what a port scanner asks beyond them is lumped together."""


class ArmedFault(msgspec.Struct):
    """A fault that waits for its requests."""

    path: str
    """The end of the request's path; empty matches all."""
    kind: str
    remaining: int


class FaultState:
    """Counts per path and armed faults, for the life of one server."""

    def __init__(self, recurring: Iterable[RecurringFault] = ()) -> None:
        self.served: Counter[str] = Counter()
        self.armed: list[ArmedFault] = []
        self.closing = asyncio.Event()
        """Set when the server ends, so that no delayed answer holds it up."""
        self._recurring: list[tuple[RecurringFault, int]] = []
        self.restart(recurring)

    def restart(self, recurring: Iterable[RecurringFault]) -> None:
        """Forget every armed fault and take up a scenario's own."""
        self.armed.clear()
        self._recurring = [(fault, 0) for fault in recurring]

    def arm(self, path: str, kind: str, count: int) -> None:
        """Let a fault hit the next so many requests of a path; several are worked off in their order."""
        self.armed.append(ArmedFault(path, kind, count))

    def disarm(self, path: str) -> None:
        """Forget the armed faults of a path; empty forgets all."""
        self.armed[:] = [fault for fault in self.armed if path and fault.path != path]

    def arrive(self, path: str) -> str | None:
        """Count a request; the kind of fault that hits it, or None."""
        known = path in self.served or len(self.served) < _MAX_PATHS
        self.served[path if known else "(other)"] += 1
        hit = self._recur(path)
        for fault in self.armed:
            if path.endswith(fault.path):
                fault.remaining -= 1
                if fault.remaining == 0:
                    self.armed.remove(fault)
                return fault.kind
        return hit

    def _recur(self, path: str) -> str | None:
        hit = None
        for index, (fault, seen) in enumerate(self._recurring):
            if path.endswith(fault.path):
                self._recurring[index] = (fault, seen + 1)
                if hit is None and (seen + 1) % fault.every == 0:
                    hit = fault.kind
        return hit
