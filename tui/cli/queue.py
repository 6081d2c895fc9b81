"""`resetbank queue`: one consent to up to N resets until a time, which this process alone spends, while it runs."""

import argparse
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from tui.cli.oneshot import read_once, run_with_companion
from tui.errors import NoCredit, OutcomeUnknown, StoreError, UsageError

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.companion.state import State
    from tui.companion.watch_events import WatchEvent
    from tui.domain.credits import Bank
    from tui.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--upto", metavar="N", type=int, help="how many may be spent at most (default: 1)")
    parser.add_argument("--until", metavar="TIME", help="HH:MM here, or a date with a time (default: 07:00)")
    parser.add_argument(
        "--before-lapse", action="store_true", help="also spend it 15 min before it lapses (see [spend] before_lapse)"
    )
    parser.add_argument("--cancel", action="store_true", help="take out what is queued; spends nothing")


def run(arguments: argparse.Namespace) -> int:
    """Queue and stay until it is over, or take out what is queued."""
    return run_with_companion(arguments, _queue, watches=True, asks=True)


async def _queue(companion: "Companion", settings: "Settings", arguments: argparse.Namespace) -> int:
    from tui.agent import refuse_under_codex

    before_lapse = settings.spend.before_lapse
    refuse_under_codex("'resetbank queue'")
    if arguments.cancel:
        if arguments.upto is not None or arguments.until is not None or arguments.before_lapse:
            raise UsageError("--cancel takes out all that is queued", "leave the other options out")
        return await _cancel(companion)
    if arguments.before_lapse:
        if arguments.upto is not None or arguments.until is not None:
            raise UsageError("--before-lapse is for one reset, until it lapses", "leave --upto and --until out")
        if before_lapse <= 0:
            why = "the settings do not allow to spend a reset before it lapses"
            raise UsageError(why, "set [spend] before_lapse to the share that must be used, such as 50")
        return await _arm_for_the_lapse(companion, before_lapse)
    return await _arm_and_stay(companion, 1 if arguments.upto is None else arguments.upto, arguments.until or "07:00")


async def _cancel(companion: "Companion") -> int:
    await read_once(companion)
    await companion.records.in_hand()
    if companion.state.queued is None:
        print("nothing is queued")
        return 0
    await companion.questions.cancel_queue()
    print("what was queued was taken out; nothing is spent")
    return 0


async def _arm_and_stay(companion: "Companion", number: int, time: str) -> int:
    from tui.clock import LocalZone
    from tui.ui.view.times import brief
    from tui.ui.view.words import resets

    if number < 1:
        raise UsageError(f"--upto takes a number from 1 on, not {number}")
    until = moment_of(time, companion.clock.now())
    bank = await _read_bank(companion)
    usable = bank.usable(companion.clock.now()) if bank else None
    if usable is not None and usable < number:
        raise NoCredit(f"the bank has {resets(usable)}, and {number} cannot be queued", "queue fewer")
    when = brief(until, companion.clock.now(), LocalZone())
    print(f"Up to {resets(number)} will be spent until {when}, without a further question:")
    print("  one at a time, the soonest to lapse first; each only when the service refuses use")
    print("  and a session of Codex is held or stopped, never within 5 minutes of the natural")
    print("  reset. Every session that the limit stopped then goes on. Only while this command")
    print("  runs: Ctrl-C, or 'resetbank queue --cancel' elsewhere, ends it.")
    await _consent(f"queue up to {resets(number)}")
    await companion.questions.queue(True, number, until)
    return await _stay(companion, f"up to {resets(number)}, until {when}")


async def _arm_for_the_lapse(companion: "Companion", share: float) -> int:
    from tui.clock import LocalZone
    from tui.domain.queue import BEFORE_LAPSE
    from tui.domain.spend import choose_credit
    from tui.ui.view.times import brief

    bank = await _read_bank(companion)
    now = companion.clock.now()
    credit = choose_credit(bank, now) if bank else None
    if isinstance(credit, str):
        raise NoCredit(credit)
    if credit is None or credit.expires_at is None:
        raise NoCredit("when the next reset lapses is not known", "queue it for the limit: resetbank queue --upto 1")
    when = brief(credit.expires_at, now, LocalZone())
    is_soon = credit.expires_at - now <= BEFORE_LAPSE
    at = "at once" if is_soon else f"{BEFORE_LAPSE.seconds // 60} min before that"
    print(f"One reset lapses {when}. It will be spent {at}, without a further")
    print(f"  question, if at least {share:g} % of a window is used by then; or before that, when the")
    print("  service refuses use and a session of Codex is held or stopped. Only while this command")
    print("  runs: Ctrl-C, or 'resetbank queue --cancel' elsewhere, ends it.")
    await _consent("queue this reset")
    await companion.questions.queue(True, before_lapse=share)
    return await _stay(companion, f"1 reset, until it lapses {when}")


async def _read_bank(companion: "Companion") -> "Bank | None":
    """The bank as it is now, if a person can be asked and nothing is queued yet."""
    from tui.cli.terminal import require_terminal

    require_terminal("resets are only queued with consent", "queued", sys.stdout)
    snapshot = (await read_once(companion)).snapshot
    await companion.records.in_hand()
    if companion.state.queued is not None:
        raise UsageError("something is queued already", "resetbank queue --cancel takes it out")
    return snapshot.bank if snapshot else None


async def _consent(what: str) -> None:
    from tui.cli.terminal import require_code

    await require_code(what, "queued", sys.stdout)


async def _stay(companion: "Companion", queued_now: str) -> int:
    """Follow until nothing is queued here any more; whatever ends this process takes out what is left."""
    import asyncio
    from contextlib import suppress

    from tui.cli.watching import print_event
    from tui.companion.watch_events import WatchEvents
    from tui.concurrency import first_of

    print(f"queued: {queued_now}; this window has to stay open", flush=True)
    over = asyncio.Event()
    last: datetime | None = None

    def on_state(state: "State") -> None:
        nonlocal last
        queued = state.queued
        is_ours = queued is not None and queued.is_armed
        if is_ours and queued is not None and queued.armed_at != last:
            last = queued.armed_at
            print(f"left in the queue: {queued.left}", flush=True)
        if not is_ours and not state.spending and state.open_spend is None:
            over.set()

    def on_event(event: "WatchEvent") -> None:
        if event.lapse is None:  # no news of the queue
            print_event(event, as_json=False)

    WatchEvents(companion.store, companion.records, companion.clock, on_event)
    on_state(companion.state)
    forget = companion.listen(on_state)
    is_broken_off = False
    try:
        for ended in await first_of(companion.run(), over.wait()):
            ended.result()
        queued = companion.state.queued
        print("the queue is over" if queued is None else "another resetbank has taken the queue over", flush=True)
        return 0
    except asyncio.CancelledError:
        is_broken_off = True
        raise
    finally:
        forget()
        if (queued := companion.state.queued) is not None and queued.is_armed:
            with suppress(StoreError):  # it stays written down, and nobody spends it without a new yes
                await companion.questions.cancel_queue()
        if is_broken_off and (kept := companion.state.open_spend) is not None:
            why = f"broken off while a reset was being spent; the spend {kept.key} is kept, its outcome unknown"
            raise OutcomeUnknown(why, "'resetbank spend' finishes it with its own key")


def moment_of(text: str, now: datetime) -> datetime:
    """What a time on the command line means: the next HH:MM here, or a date with a time.

    Raises:
        UsageError: It is no time, it has passed, or it is more than a week away.
    """
    import re
    from datetime import UTC, timedelta

    from tui.clock import LocalZone
    from tui.ui.view.times import next_at

    clock_time = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if clock_time is not None:
        return next_at(int(clock_time[1]), int(clock_time[2]), now, LocalZone())
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--until does not understand {text!r}", "write 07:00, or 2026-12-01 07:00") from None
    if not now < moment <= now + timedelta(days=7):
        raise UsageError("--until names a time within the next seven days", "write 07:00, or 2026-12-01 07:00")
    return moment
