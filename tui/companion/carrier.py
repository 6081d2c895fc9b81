"""Carrying interrupted threads on: claimed before the message goes out, sent once, done when seen at work again."""

import uuid
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec.structs import replace

from tui.clock import Clock
from tui.domain.account_state import AccountState
from tui.domain.limit_stops import LimitStop
from tui.domain.resuming import ResumeLog, claimed, not_sent, sent
from tui.errors import ResetbankError
from tui.sources.base import CarriesOn

ChangeDesk: TypeAlias = Callable[[Callable[[AccountState], AccountState]], Awaitable[AccountState]]
"""Changes the desk of the account in use, on the disk, and returns it."""


class Carrier:
    """Hands messages to threads through whatever can; where nothing can, the person gets the command instead."""

    def __init__(self, clock: Clock, message: str, handler: Callable[[], CarriesOn | None], change: ChangeDesk) -> None:
        """Tie the parts together.

        Args:
            clock: The time.
            message: What an interrupted thread is told.
            handler: The open source, if it can hand messages over.
            change: Changes the desk.
        """
        self._clock = clock
        self._message = message
        self._handler = handler
        self._change = change

    async def carry(self, stop: LimitStop, message: str | None = None) -> bool:
        """Tell one thread to go on, unless somebody did for this stop.

        Args:
            stop: The thread and when it stopped.
            message: Another message than the usual one.

        Returns:
            Whether this call was the one that did it.
        """
        mine = False

        def claim(desk: AccountState) -> AccountState:
            nonlocal mine
            mine = desk.carries.of(stop) is None
            return desk if not mine else _with(desk, claimed(desk.carries, stop, self._clock.now()))

        await self._change(claim)
        if not mine:
            return False
        reason = await self._send(stop.thread_id, message or self._message)
        if reason is None:
            await self._change(lambda desk: _with(desk, sent(desk.carries, stop)))
        else:
            await self._change(lambda desk: _with(desk, not_sent(desk.carries, stop, reason)))
        return True

    async def _send(self, thread_id: str, message: str) -> str | None:
        """Hand the message over; why that was not possible, or None."""
        handler = self._handler()
        if handler is None:
            return "no Codex daemon takes messages here"
        try:
            await handler.carry_on(thread_id, message, str(uuid.uuid4()))
        except ResetbankError as error:
            return str(error)
        return None


def _with(desk: AccountState, carries: ResumeLog) -> AccountState:
    return replace(desk, carries=carries)
