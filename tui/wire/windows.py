"""What the quota endpoint and the app-server have in common: windows, limits, paid credits, in domain values."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from tui.domain.snapshot import PaidCredits
from tui.domain.windows import MAIN_LIMIT, Limit, Window
from tui.wire.fields import FieldReader

LONGEST_ID: Final = 120
"""Characters of a limit's id or name that are kept."""

MOST_LIMITS: Final = 50
"""Limits of one answer that are read; more is a flood."""

_LONGEST_WINDOW_MINUTES: Final = 10 * 366 * 24 * 60


def read_window(
    reader: FieldReader,
    value: object,
    what: str,
    *,
    limit_id: str,
    limit_name: str | None,
    length: tuple[str, float],
    used: str,
    resets: str,
    resets_after: str | None,
    observed_at: datetime,
) -> Window | None:
    """Read one window.

    Args:
        reader: Collects what makes no sense.
        value: The window as it was decoded; null is no window.
        what: The window's name in notes.
        limit_id: The limit it belongs to.
        limit_name: That limit's name.
        length: The key of its length, and how many of that key's units make a minute.
        used: The key of its share.
        resets: The key of its reset time.
        resets_after: The key of the seconds until then, which stands in where the time itself is missing.
        observed_at: When the answer arrived.

    Returns:
        None for no window, for a disabled one (no length, wire.md 1.6), and for one that cannot be told apart from
        others because its length is unknown.
    """
    fields = reader.mapping(value, what)
    if fields is None:
        return None
    key, per_minute = length
    raw_length = fields.get(key)
    if isinstance(raw_length, int | float) and not isinstance(raw_length, bool) and raw_length <= 0:
        return None
    units = reader.number(raw_length, f"the length of {what}", _LONGEST_WINDOW_MINUTES * per_minute)
    if units is None:
        if raw_length is None:
            reader.note(f"{what} has no length")
        return None
    minutes = math.ceil(units / per_minute)
    if minutes == 0:
        return None
    share = reader.percent(fields.get(used), f"the use of {what}")
    if share is None and fields.get(used) is None:
        reader.note(f"the use of {what} was not given")
    resets_at = reader.moment(fields.get(resets), f"the reset time of {what}")
    if resets_at is None and resets_after is not None:
        seconds = reader.number(
            fields.get(resets_after), f"the time until the reset of {what}", _LONGEST_WINDOW_MINUTES * 60.0
        )
        resets_at = None if seconds is None else observed_at + timedelta(seconds=seconds)
    return Window(limit_id, limit_name, minutes, share, resets_at)


def arrange_windows(*windows: Window | None) -> tuple[Window, ...]:
    """The windows that are there, shortest first; the slot they came in means nothing (wire.md 1.6)."""
    return tuple(sorted((window for window in windows if window is not None), key=lambda window: window.minutes))


def arrange_limits(reader: FieldReader, limits: list[Limit]) -> tuple[Limit, ...]:
    """The limits, the main one first; of two with one id the first is believed."""
    by_id: dict[str, Limit] = {}
    for limit in limits:
        if limit.limit_id in by_id:
            reader.note(f"the limit {limit.limit_id} came twice")
        else:
            by_id[limit.limit_id] = limit
    return tuple(sorted(by_id.values(), key=lambda limit: limit.limit_id != MAIN_LIMIT))


def read_reached_type(reader: FieldReader, value: object) -> str | None:
    """The service's word for what was reached: text, or an object with `type` (wire.md 1.4)."""
    what = "the kind of limit reached"
    if isinstance(value, str):
        return reader.text(value, what, LONGEST_ID)
    fields = reader.mapping(value, what)
    return None if fields is None else reader.text(fields.get("type"), what, LONGEST_ID)


def read_paid(reader: FieldReader, value: object, has_credits: str) -> PaidCredits | None:
    """Bought credits; null means that the service told nothing about them."""
    fields: Mapping[str, object] | None = reader.mapping(value, "the paid credits")
    if fields is None:
        return None
    return PaidCredits(
        has_credits=reader.flag(fields.get(has_credits), "whether there are paid credits"),
        unlimited=reader.flag(fields.get("unlimited"), "whether paid credits are unlimited"),
        balance=reader.decimal(fields.get("balance"), "the balance of paid credits"),
    )
