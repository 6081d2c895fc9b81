"""The figures behind a verdict: what a block costs this person, and how many dearer ones are to be expected.

A banked reset is best spent at the dearest blocks of its life. A block costs the working hours in it, by the person's
own weeks, but no more than the fresh windows would last. Whether to spend is a matter of rank: the person's own blocks
say how many dearer ones are to be expected before the resets lapse; with more resets than such blocks, this one is due.
"""

from math import exp, inf
from typing import Final

import msgspec

from tui.domain.advice import DAY, HOUR, LIKELY, Advice, Facts, Took, decide
from tui.domain.forecast import Forecast, Forecaster
from tui.domain.plan import Planned, plan
from tui.domain.reading import CreditReading, Reading
from tui.domain.use import BIN, DAY_BINS, HOUR_BINS, WEEK_BINS, UseRecord, WindowUse

_FRESH: Final = 45 * 60.0
"""A reading counts for so many seconds."""

_WEEKS_BACK: Final = 6
_LOOK_BACK: Final = 42 * DAY
_ASSUMED_HOURS: Final = 8.0
"""Before anything is known, a dear block costs so many working hours ..."""

_ASSUMED_BLOCKS: Final = 0.5
"""... and so many of them are expected in six weeks."""

_DEARER: Final = 1.25
"""A block counts as dearer from so many times the hours on: the estimates are not finer."""

_NEXT_GRANT: Final = 18 * DAY
_GRANT_COUNTS: Final = 0.5
"""A reset expected to be granted counts half."""

_FREE_PER_WEEK: Final = 26 / 15
"""Resets for everybody from June to September 2026 (public counts)."""

_FREE_WEIGHT: Final = 0.5
"""That count weighs like so many weeks of the own record."""

_SAFE: Final = 1.5
_LAPSE_LOOK: Final = 36 * HOUR


class PastBlock(msgspec.Struct, frozen=True):
    """A block that began, with what it would have cost to its natural end."""

    at: float
    hours: float
    minutes: int


class Adviser:
    """Advice on one record.

    Args:
        record: What was read; the caller adds to it.
        forecaster: Forecasts of the same record.
    """

    def __init__(self, record: UseRecord, forecaster: Forecaster) -> None:
        self._record = record
        self._forecaster = forecaster
        self._past: list[PastBlock] = []
        self._noted: float | None = None

    def note(self, reading: Reading) -> None:
        """Remember a block that began with this reading."""
        block = self._record.block
        if block is None or block.start == self._noted or block.natural_end is None:
            return
        self._noted = block.start
        hours = self._cost(block.start, block.natural_end, block.minutes)
        self._past.append(PastBlock(reading.at, hours + self._date_hours(reading.at, block.minutes), block.minutes))

    def advise(self, now: float, took: tuple[Took, ...] = ()) -> Advice:
        """The verdict at a moment, not before the last reading; `took` is what sessions took, as far as is known."""
        facts = self.facts(now)
        return decide(msgspec.structs.replace(facts, took=took) if took else facts)

    def facts(self, now: float) -> Facts:
        """Everything that a verdict rests on."""
        record = self._record
        last = record.last
        if last is None or now - last.at > _FRESH or (last.allowed is None and not record.windows):
            return Facts(now, False, None)
        held = sorted(last.credits or (), key=lambda c: c.expires_at or inf)
        held = [c for c in held if c.expires_at is None or c.expires_at > now]
        soonest = held[0] if held else None
        available = last.available
        if available is None and last.credits is not None:
            available = len(held)
        if available is not None and last.credits is not None and len(held) < len(last.credits):
            available = max(0, available - (len(last.credits) - len(held)))
        block = record.block
        week = self._week()
        facts = Facts(
            now=now,
            known=True,
            available=available,
            credit_id=soonest.id if soonest else None,
            expires_at=soonest.expires_at if soonest else None,
            used=tuple((w.minutes, w.used) for w in sorted(record.windows.values(), key=lambda w: w.minutes)),
            week_resets_at=week.resets_at if week else None,
            week_used=week.used if week else None,
            week_minutes=week.minutes if week else 10080,
            utc_offset=record.offset,
            days_known=record.watched_days,
            hits_lately=sum(b.at > now - 28 * DAY for b in self._past),
            session_hour=record.session_hour,
            work_hour=self._demand_per_hour() or None,
            free_within_day=1 - exp(-self._free_rate() / 7),
        )
        if block is not None:
            facts = msgspec.structs.replace(facts, blocked_minutes=block.minutes, blocked_until=block.natural_end)
            if block.natural_end is None or not available:
                return facts
            return self._weighed(facts, now, block.natural_end, block.minutes)
        if not available:
            return facts
        return self._with_hit(self._with_lapse(facts), held)

    def plan(self, now: float) -> tuple[Planned, ...]:
        """The resets in the bank laid against the days to come."""
        last = self._record.last
        if last is None or last.credits is None:
            return ()
        days = max(7.0, min(_LOOK_BACK / DAY, self._record.watched_days))
        blocks = sum(block.at > now - _LOOK_BACK for block in self._past) + _ASSUMED_BLOCKS
        known = self._record.watched_days >= 7
        return plan(last.credits, now, blocks / days if known else inf, self.presence)

    # -- what a block costs ------------------------------------------------------------------------------------------

    def _weighed(self, facts: Facts, at: float, until: float, minutes: int) -> Facts:
        """Add what a block from one moment to another costs, and its rank."""
        hours = self._cost(at, until, minutes)
        date = self._date_hours(at, minutes)
        dearer, resets = self._rank(at, hours + date)
        return msgspec.structs.replace(
            facts, saved_hours=hours, date_hours=date, dearer_blocks=dearer, resets_for_them=resets
        )

    def _cost(self, start: float, end: float, minutes: int) -> float:
        """Working hours in a span, but no more than a fresh window would last."""
        hours = self.presence(start, end)
        pace = self._demand_per_hour()
        share = self._record.share_of(minutes) if minutes else None
        if pace > 0 and share is not None:
            hours = min(hours, 100.0 / share / pace)
        return hours

    def presence(self, start: float, end: float) -> float:
        """Working hours to be expected in a span, by the same hours of the last weeks."""
        record = self._record
        top = len(record.present) - 1
        hours = max(0.0, end - start) / HOUR
        step = WEEK_BINS if top >= WEEK_BINS else DAY_BINS
        first, last = record.bin_of(start), record.bin_of(start) + round((end - start) / BIN)
        found = []
        for back in range(1, _WEEKS_BACK + 1):
            begin, stop = first - back * step, last - back * step
            if begin >= 0 and stop <= top:
                found.append((record.present[stop] - record.present[begin]) / HOUR_BINS)
        if found:
            return sum(found) / len(found)
        # Too little is known of the person: a part of the time counts as working time.
        return hours * (0.6 if hours <= 6 else 0.25)

    def _demand_per_hour(self) -> float:
        """Demand in one working hour of the last fortnight; 0 where unknown."""
        record = self._record
        top = len(record.present) - 1
        before = max(0, top - 2 * WEEK_BINS)
        hours = (record.present[top] - record.present[before]) / HOUR_BINS
        return (record.sums[top] - record.sums[before]) / hours if hours > 2 else 0.0

    def _date_hours(self, at: float, minutes: int) -> float:
        """Working hours won, or lost if below zero, since the week begins anew at a spend.

        With R days to its reset R/7 of a week is won, less what is likely to be used up in these days, half as much
        again to be safe: what else is unused is lost at the reset in any case. It counts as far as the weeks of this
        person run out at all.
        """
        week = self._week()
        if week is None or week.resets_at is None or week.minutes == minutes:
            return 0.0
        share = self._record.share_of(week.minutes)
        pace = self._demand_per_hour()
        if share is None or pace <= 0:
            return 0.0
        lasts = 100.0 / share / pace
        unused = lasts * (1 - min(100.0, week.used) / 100)
        ahead = lasts * max(0.0, week.resets_at - at) / (week.minutes * 60.0)
        return (ahead - min(unused, _SAFE * self.presence(at, week.resets_at))) * self._weeks_run_out(at)

    def _weeks_run_out(self, at: float) -> float:
        """The share of this person's weeks that run out."""
        weeks = max(1.0, min(_LOOK_BACK / DAY, self._record.watched_days) / 7)
        hits = sum(b.minutes > 2 * 1440 and b.at > at - _LOOK_BACK for b in self._past)
        return min(1.0, (hits + 0.3) / weeks)

    def _rank(self, at: float, hours: float) -> tuple[float, float]:
        """(dearer blocks to be expected, resets to be had for them), for the credit life where they differ most."""
        last = self._record.last
        assert last is not None
        days = max(7.0, min(_LOOK_BACK / DAY, self._record.watched_days))
        dearer = sum(b.hours > _DEARER * hours and at - _LOOK_BACK < b.at < at - HOUR for b in self._past)
        daily = (dearer + _ASSUMED_BLOCKS * (1.0 if hours < _ASSUMED_HOURS else 0.3)) / days
        lives = sorted((c.expires_at or inf) - at for c in last.credits or ())
        lives = [life for life in lives if life > 0] or [15 * DAY] * (last.available or 1)
        best = (inf, 1.0)
        for place, life in enumerate(lives, 1):
            counted = min(life, 60 * DAY)
            best = min(best, (daily * counted / DAY, float(place)), key=lambda pair: pair[0] / pair[1])
        counted = min(lives[-1], 60 * DAY)
        granted = len(lives) + _GRANT_COUNTS * counted / _NEXT_GRANT
        return min(best, (daily * counted / DAY, granted), key=lambda pair: pair[0] / pair[1])

    # -- the next hit ------------------------------------------------------------------------------------------------

    def _with_hit(self, facts: Facts, held: list[CreditReading]) -> Facts:
        now = facts.now
        found: tuple[float, Forecast] | None = None
        for minutes, window in self._record.windows.items():
            if window.used < (30 if minutes > 1440 else 10):
                continue
            forecast = self._forecaster.forecast(minutes, now)
            if forecast is None or forecast.limit_at is None or (forecast.chance or 0.0) < LIKELY:
                continue
            at = forecast.limit_at.p50 or forecast.limit_at.p10 or forecast.resets_at
            if at is not None and at - now < 16 * HOUR and (found is None or at < found[0]):
                found = (at, forecast)
        if found is None or found[1].resets_at is None:
            return facts
        at, forecast = found
        until = found[1].resets_at
        facts = msgspec.structs.replace(
            facts, hit_minutes=forecast.minutes, hit_at=at, hit_until=until, hit_chance=forecast.chance or 0.0
        )
        if held:
            left = [credit for credit in held if credit.expires_at is None or credit.expires_at > at]
            facts = msgspec.structs.replace(facts, hit_credit_id=left[0].id if left else None, lapsed_by_then=not left)
        return self._weighed(facts, at, until, forecast.minutes)

    # -- the one that lapses -----------------------------------------------------------------------------------------

    def _with_lapse(self, facts: Facts) -> Facts:
        now, expires = facts.now, facts.expires_at
        if expires is None or expires - now > _LAPSE_LOOK:
            return facts
        if expires - now > 1200 and self.presence(now + 1200, expires - 600) > 0.2:
            return facts
        return msgspec.structs.replace(facts, last_chance=True, lapse_gain_hours=self._date_hours(now, 0))

    def _week(self) -> WindowUse | None:
        longest = max(self._record.windows.values(), key=lambda w: w.minutes, default=None)
        return longest if longest is not None and longest.minutes > 2 * 1440 else None

    def _free_rate(self) -> float:
        """Resets for everybody a week: the own record, with the public count as a weak start."""
        record = self._record
        seen = len({int(r.at // HOUR) for r in record.resets if not r.natural and r.spent is False})
        return (_FREE_PER_WEEK * _FREE_WEIGHT + seen) / (_FREE_WEIGHT + record.watched_days / 7)
