"""The only place that reads a clock. Everything else is handed a `Clock`, so that a test can own the time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for measuring ages and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(max(0.0, seconds))


class LocalZone(tzinfo):
    """The machine's own time zone with its rules for every date, unlike the fixed offset of `astimezone().tzinfo`."""

    def utcoffset(self, moment: datetime | None, /) -> timedelta | None:
        """The offset that holds here at that local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _moment: datetime | None, /) -> timedelta | None:
        """Unknown; the offset is the whole truth."""
        return None

    def tzname(self, moment: datetime | None, /) -> str | None:
        """The zone's short name at that local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime, /) -> datetime:
        """Local time of a moment given in UTC."""
        return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)
