"""Limits, windows and what stops their use, from whichever interface: each spells one set of fields in its own way.

The quota endpoint writes `primary_window` and seconds, a rollout `primary` and minutes, the app-server the same in
camel case, which `snake` undoes (README.md, "Usage", "App-server", "Rollouts").
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.domain.snapshot import PaidCredits, SpendControl
from tui.domain.windows import MAIN_LIMIT, Limit, Window
from tui.wire.fields import FieldReader

LONGEST_ID: Final = 120
"""Characters of a limit's id or name that are kept."""

MOST_LIMITS: Final = 50
"""Limits of one answer that are read; more is a flood."""

_LONGEST_WINDOW: Final = 10 * 366 * 24 * 60 * 60.0
_LENGTHS: Final = {"limit_window_seconds": 60.0, "window_minutes": 1.0, "window_duration_mins": 1.0}
"""Where a window's length may stand, and how many of that key's units make a minute."""
_SNAKE_LEVELS: Final = 12
"""Nothing that is read lies deeper; what is nested without end would exhaust the stack."""
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")


def snake_word(word: str) -> str:
    """A word of the app-server as the other interfaces spell it."""
    return _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", word)


def snake(value: object, levels: int = _SNAKE_LEVELS) -> object:
    """An object of the app-server with its keys as the other interfaces spell them, as deep as anything is read."""
    if levels and isinstance(value, dict):
        return {snake_word(key): snake(item, levels - 1) for key, item in value.items()}
    return [snake(item, levels - 1) for item in value] if levels and isinstance(value, list) else value


def read_limit(
    reader: FieldReader,
    fields: Mapping[str, object],
    observed_at: datetime,
    default_id: str = MAIN_LIMIT,
    name: str | None = None,
) -> Limit:
    """Read one limit in snake case; `default_id` and `name` hold where it does not say its own."""
    limit_id = reader.text(fields.get("limit_id"), "the id of a limit", LONGEST_ID) or default_id
    name = reader.text(fields.get("limit_name"), "the name of a limit", LONGEST_ID) or name
    windows = [
        _window(reader, fields.get(key), f"the {slot} window of {limit_id}", limit_id, name, observed_at)
        for slot in ("primary", "secondary")
        for key in (f"{slot}_window", slot)
        if fields.get(key) is not None
    ]
    return Limit(
        limit_id,
        name,
        reader.word(fields.get("allowed"), f"whether {limit_id} allows use"),
        # The slot that a window came in means nothing.
        tuple(sorted((window for window in windows if window is not None), key=lambda w: w.minutes or math.inf)),
        read_reached_type(reader, fields.get("rate_limit_reached_type")),
        reader.word(fields.get("limit_reached"), f"whether {limit_id} is reached"),
    )


def _window(
    reader: FieldReader, value: object, what: str, limit_id: str, name: str | None, observed_at: datetime
) -> Window | None:
    """None for no window, for a disabled one, whose length is zero, and for what says nothing."""
    fields = reader.mapping(value, what, vital=True)
    if fields is None:
        return None
    key, per_minute = next(((key, unit) for key, unit in _LENGTHS.items() if fields.get(key) is not None), ("", 1.0))
    length = reader.number(fields.get(key), f"the length of {what}", _LONGEST_WINDOW)
    if length == 0:
        return None
    if not key:
        reader.note(f"{what} has no length")
    share = reader.percent(fields.get("used_percent"), f"the use of {what}")
    if fields.get("used_percent") is None:
        reader.note(f"the use of {what} was not given")
    if length is None and share is None:
        reader.unclear = True
        return None
    minutes = None if length is None else math.ceil(length / per_minute)
    return Window(limit_id, name, minutes, share, read_reset(reader, fields, what, observed_at))


def read_reset(reader: FieldReader, fields: Mapping[str, object], what: str, observed_at: datetime) -> datetime | None:
    """When a window or a cap starts anew, by this machine's clock.

    The seconds until then hold whatever that clock says; without them the date of the answer shows how wrong it is.
    """
    date = fields.get("reset_at") if fields.get("resets_at") is None else fields.get("resets_at")
    seconds = fields.get("reset_after_seconds")
    if seconds is None:
        seconds = fields.get("resets_in_seconds")  # before autumn 2025
    resets_at = reader.moment(date, f"the reset time of {what}")
    after = reader.number(seconds, f"the time until the reset of {what}", _LONGEST_WINDOW)
    if after is None:
        if resets_at is None or reader.answered_ahead is None or abs(reader.answered_ahead) <= CLOCKS_AGREE:
            return resets_at
        reader.clock_ahead = reader.answered_ahead
        return resets_at + reader.answered_ahead
    by_duration = observed_at + timedelta(seconds=after)
    ahead = None if resets_at is None else by_duration - resets_at
    if ahead is not None and abs(ahead) <= CLOCKS_AGREE:
        return resets_at  # to the second, and the same in every answer
    reader.clock_ahead = ahead or reader.clock_ahead
    return by_duration


CLOCKS_AGREE: Final = timedelta(minutes=1)
"""A difference of two clocks that is not worth a word."""


def arrange_limits(limits: list[Limit]) -> tuple[Limit, ...]:
    """The limits, the main one first; where one is given twice, the one that stops use counts."""
    by_id: dict[str, Limit] = {}
    for limit in limits:
        known = by_id.get(limit.limit_id)
        by_id[limit.limit_id] = limit if known is None else _stricter(known, limit)
    return tuple(sorted(by_id.values(), key=lambda limit: limit.limit_id != MAIN_LIMIT))


def _stricter(one: Limit, other: Limit) -> Limit:
    windows: dict[int | None, Window] = {}
    for window in (*one.windows, *other.windows):
        known = windows.get(window.minutes)
        if known is None or (window.used_percent or 0.0) > (known.used_percent or 0.0):
            windows[window.minutes] = window
    return replace(
        one,
        allowed=other.allowed if other.allowed is False or one.allowed is None else one.allowed,
        windows=tuple(sorted(windows.values(), key=lambda w: w.minutes or math.inf)),
        reached_type=one.reached_type or other.reached_type,
        reached=one.reached or other.reached,
    )


def read_reached_type(reader: FieldReader, value: object) -> str | None:
    """The service's word for what was reached: text, or an object with `type`."""
    what = "the kind of limit reached"
    if not isinstance(value, str):
        fields = reader.mapping(value, what, vital=True)
        value = None if fields is None else fields.get("type")
    word = reader.text(value, what, LONGEST_ID)
    reader.unclear = reader.unclear or (word is None and value not in (None, ""))
    return word


def read_paid(reader: FieldReader, value: object) -> PaidCredits | None:
    """Bought credits; null means that the service said nothing about them."""
    fields = reader.mapping(value, "the paid credits")
    if fields is None:
        return None
    has_credits = reader.flag(fields.get("has_credits"), "whether there are paid credits")
    over = reader.flag(fields.get("overage_limit_reached"), "whether the paid credits' own limit is reached")
    return PaidCredits(
        has_credits=False if over else has_credits,
        unlimited=reader.flag(fields.get("unlimited"), "whether paid credits are unlimited"),
        balance=reader.decimal(fields.get("balance"), "the balance of paid credits"),
    )


def read_spend_control(
    reader: FieldReader, reached: object, individual_limit: object, observed_at: datetime
) -> SpendControl | None:
    """A workspace's cap on one member; where two of its numbers disagree, the worse is believed."""
    word = reader.word(reached, "whether the workspace's cap is reached")
    limit = reader.mapping(individual_limit, "the workspace's cap on you", vital=True)
    if limit is None:
        return None if word is None else SpendControl(word, None, None)
    what = "the workspace's cap"
    remaining = reader.number(limit.get("remaining_percent"), f"the rest of {what}", 100.0)
    used = reader.decimal(limit.get("used"), f"what is used of {what}")
    total = reader.decimal(limit.get("limit"), f"the limit of {what}")
    if remaining is None:
        remaining = _share(reader.decimal(limit.get("remaining"), f"what is left of {what}"), total)
    shares = [
        reader.percent(limit.get("used_percent"), f"the use of {what}"),
        None if remaining is None else max(0.0, 100.0 - remaining),
        _share(used, total),
    ]
    known = [share for share in shares if share is not None]
    reader.unclear = reader.unclear or not known  # there is a cap, and nobody knows how near it is
    return SpendControl(word, max(known, default=None), read_reset(reader, limit, what, observed_at), used, total)


def _share(used: str | None, total: str | None) -> float | None:
    try:
        share = float(used or "") / float(total or "") * 100
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return share if 0 <= share < math.inf else None


def offers_reset(banner: object) -> bool:
    """Whether the banner that Codex shows at a limit offers to use a reset; one that makes no sense offers nothing."""
    actions = banner.get("ctas") if isinstance(banner, dict) else None
    return isinstance(actions, list) and any(
        isinstance(action, dict) and action.get("action") == "reset_usage" for action in actions
    )
