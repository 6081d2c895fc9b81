"""Keeping the one State, and telling whoever listens when it differs."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tui.companion.state import State


class Publisher:
    """Holds the newest State."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._listeners: list[Callable[[State], None]] = []

    @property
    def state(self) -> State:
        """The newest State."""
        return self._state

    def listen(self, on_state: Callable[[State], None]) -> Callable[[], None]:
        """Be told of every new State, on the loop.

        Returns:
            A function that ends the telling.
        """
        self._listeners.append(on_state)
        return lambda: self._listeners.remove(on_state) if on_state in self._listeners else None

    def publish(self, **changes: Any) -> None:
        """Put changes into the State and tell of it, if it differs."""
        state = replace(self._state, **changes)
        if state == self._state:
            return
        self._state = state
        for listener in tuple(self._listeners):
            listener(state)
