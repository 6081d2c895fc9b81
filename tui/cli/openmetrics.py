"""The State and the journal as OpenMetrics, with the account's id and the source on each number; no address."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.openmetrics.exposition import generate_latest

from tui.domain.findings import waiting_saved
from tui.domain.sessions import SessionState, live
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import Outcome, Spend
from tui.domain.windows import Window, WindowState

if TYPE_CHECKING:
    from tui.companion.state import State

__all__ = ("CONTENT_TYPE", "openmetrics")


def openmetrics(states: "Sequence[State]", spends: Mapping[str, Sequence[Spend]], now: datetime) -> bytes:
    """Everything as one document, the journals by their accounts' keys; what is unknown is left out, never 0."""
    registry = SimpleNamespace(collect=lambda: _metrics(states, spends, now))
    document: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return document


class _Known:
    """One account with a reading, and the labels of its numbers."""

    def __init__(self, state: "State", snapshot: Snapshot, spends: Sequence[Spend] | None) -> None:
        self.state = state
        self.snapshot = snapshot
        self.spends = spends
        """None where they could not be read: then none are counted, rather than 0."""
        self.account = _account(snapshot.account, state.account_name)
        self.labels = (self.account, snapshot.provenance.source)


def _metrics(states: "Sequence[State]", spends: Mapping[str, Sequence[Spend]], now: datetime) -> Iterator[Metric]:
    up = [(state, float(_is_up(state))) for state in states]
    named = [state for state in states if state.account_name]
    names: tuple[str, ...] = ("name",) if named else ()
    values = [((state.account_name,) if named else (), value) for state, value in up]
    yield _gauge("resetbank_up", "1 if the last reading succeeded", names, values)
    known: dict[str, _Known] = {}
    for state in states:
        if state.snapshot is not None:  # two homes may be signed in to one account: its numbers stand there once
            one = _Known(state, state.snapshot, spends.get(state.snapshot.account.key))
            known.setdefault(one.account, one)
    if known:
        whose = [
            (account := _account(state.snapshot.account, state.account_name), state.account_name or account)
            for state in states
            if state.snapshot
        ]
        yield _gauge(
            "resetbank_account", "1 for each name of an account", ("account", "name"), [(w, 1.0) for w in whose]
        )
        yield from _readings(tuple(known.values()), now)
        yield from _window_metrics(tuple(known.values()))
        yield from _of_sessions(tuple(known.values()), now)
        yield from _of_spends(tuple(known.values()))


def _readings(known: tuple[_Known, ...], now: datetime) -> Iterator[Metric]:
    names = ("account", "source")

    def each(name: str, help_text: str, value: "Callable[[Snapshot], float | None]") -> Metric:
        return _gauge(name, help_text, names, [(one.labels, value(one.snapshot)) for one in known])

    yield each(
        "resetbank_reading_timestamp_seconds", "When it was read", lambda s: s.provenance.observed_at.timestamp()
    )
    current = {one: _state(one, now) for one in known}
    yield _gauge(
        "resetbank_limit_state",
        "1 for the state of ordinary use",
        (*names, "state"),
        [((*one.labels, kind), float(kind is current[one])) for one in known for kind in WindowState],
    )
    yield each("resetbank_resets_available", "Resets that can be spent", lambda s: s.bank.usable(now))

    def lapse(snapshot: Snapshot) -> float | None:
        expiries = [credit.expires_at for credit in snapshot.bank.spendable(now) if credit.expires_at is not None]
        return min(expiries).timestamp() if expiries else None

    yield each("resetbank_reset_next_lapse_timestamp_seconds", "When the next reset lapses", lapse)


def _state(one: _Known, now: datetime) -> WindowState:
    return WindowState.UNKNOWN if one.state.is_stale(now) else one.snapshot.state(now, one.state.near_percent)


def _of_sessions(known: tuple[_Known, ...], now: datetime) -> Iterator[Metric]:
    values = []
    for one in known:
        if one.state.watches_sessions:
            counted = Counter(session.state for session in live(one.state.sessions, now))
            kinds = [kind for kind in SessionState if kind is not SessionState.GONE]
            values += [((one.account, kind), float(counted[kind])) for kind in kinds]
    if values:
        yield _gauge("resetbank_sessions", "Live sessions by state", ("account", "state"), values)


def _of_spends(known: tuple[_Known, ...]) -> Iterator[Metric]:
    total = CounterMetricFamily("resetbank_spends", "Consented spends by outcome", labels=("account", "outcome"))
    saved = CounterMetricFamily(
        "resetbank_waiting_saved_seconds", "Waiting that spent resets saved", labels=("account",), unit="seconds"
    )
    for one in known:
        if one.spends is None:
            continue
        outcomes = Counter(Outcome.UNKNOWN if spend.outcome is None else spend.outcome for spend in one.spends)
        for outcome in Outcome:
            total.add_metric((one.account, outcome), outcomes[outcome])
        saved.add_metric((one.account,), sum(map(waiting_saved, one.spends), timedelta(0)).total_seconds())
    yield total
    yield saved


def _window_metrics(known: tuple[_Known, ...]) -> Iterator[Metric]:
    names = ("account", "source", "limit", "kind", "minutes")

    def labels_of(one: _Known, window: Window) -> tuple[str, ...]:
        return (*one.labels, window.limit_id, window.kind, str(window.minutes or ""))

    windows = [(labels_of(one, window), window) for one in known for window in one.snapshot.windows]
    yield _gauge(
        "resetbank_window_used_ratio",
        "Share of the window that is used, 1 when full",
        names,
        [(labels, None if w.used_percent is None else w.used_percent / 100) for labels, w in windows],
    )
    yield _gauge(
        "resetbank_window_reset_timestamp_seconds",
        "When the window is reset by itself",
        names,
        [(labels, w.resets_at.timestamp() if w.resets_at else None) for labels, w in windows],
    )
    expected = []
    for one in known:
        main = one.snapshot.main_limit
        for window in main.windows if main is not None and one.state.outlook is not None else ():
            forecast = one.state.outlook.forecast_of(window.minutes) if one.state.outlook else None
            limit = forecast.limit_at if forecast else None
            if limit is not None:
                for name, value in (("0.1", limit.p10), ("0.5", limit.p50), ("0.9", limit.p90)):
                    expected.append(((*labels_of(one, window), name), value))
    if any(one.state.outlook is not None for one in known):
        yield _gauge(
            "resetbank_forecast_limit_timestamp_seconds",
            "When the window is expected to be full; not observed",
            (*names, "quantile"),
            expected,
        )


def _gauge(
    name: str, help_text: str, names: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float | None]]
) -> Metric:
    gauge = GaugeMetricFamily(name, help_text, labels=names)
    for labels, value in values:
        if value is not None:
            gauge.add_metric(labels, value)
    return gauge


def _is_up(state: "State") -> bool:
    return state.snapshot is not None and state.link.failure is None


def _account(account: Account, name: str) -> str:
    """What tells an account from others and holds no address; its name in the settings where nothing else is known."""
    if account.id is None and account.email:
        return _hidden(account.email)
    known = account.id or name or "unknown"
    return known if "@" not in known else _hidden(known)


def _hidden(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]
