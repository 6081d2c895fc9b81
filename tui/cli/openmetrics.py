"""The State and the journal as OpenMetrics, with the account's id and the source on each number; no address."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.openmetrics.exposition import generate_latest

from tui.domain.sessions import SessionState, live
from tui.domain.snapshot import Account
from tui.domain.spend import Outcome, Spend
from tui.domain.windows import Window, WindowState

if TYPE_CHECKING:
    from tui.companion.state import State

__all__ = ("CONTENT_TYPE", "openmetrics")


def openmetrics(state: "State", spends: Iterable[Spend], now: datetime) -> bytes:
    """Everything as one OpenMetrics document; what is unknown is left out, never 0."""
    document: bytes = generate_latest(_Once(_metrics(state, tuple(spends), now)))  # type: ignore[no-untyped-call]
    return document


class _Once:
    """What the library calls a registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _metrics(state: "State", spends: tuple[Spend, ...], now: datetime) -> Iterator[Metric]:
    snapshot = state.snapshot
    yield _gauge("resetbank_up", "1 if the last reading succeeded", (), [((), float(_is_up(state)))])
    if snapshot is None:
        return
    labels = (_account(snapshot.account), snapshot.provenance.source)
    names = ("account", "source")

    def one(name: str, help_text: str, value: float | None) -> Metric:
        return _gauge(name, help_text, names, [(labels, value)])

    yield one("resetbank_reading_timestamp_seconds", "When it was read", snapshot.provenance.observed_at.timestamp())
    current = WindowState.UNKNOWN if state.is_stale(now) else snapshot.state(now, state.near_percent)
    yield _gauge(
        "resetbank_limit_state",
        "1 for the state of ordinary use",
        (*names, "state"),
        [((*labels, kind), float(kind is current)) for kind in WindowState],
    )
    yield from _window_metrics(state, labels)
    yield one("resetbank_resets_available", "Resets that can be spent", snapshot.bank.usable(now))
    expiries = [credit.expires_at for credit in snapshot.bank.spendable(now) if credit.expires_at is not None]
    lapse = min(expiries).timestamp() if expiries else None
    yield one("resetbank_reset_next_lapse_timestamp_seconds", "When the next reset lapses", lapse)
    if state.watches_sessions:
        counted = Counter(session.state for session in live(state.sessions, now))
        yield _gauge(
            "resetbank_sessions",
            "Live sessions by state",
            ("account", "state"),
            [((labels[0], kind), counted[kind]) for kind in SessionState if kind is not SessionState.GONE],
        )
    outcomes = Counter(Outcome.UNKNOWN if spend.outcome is None else spend.outcome for spend in spends)
    total = CounterMetricFamily("resetbank_spends", "Consented spends by outcome", labels=("account", "outcome"))
    for outcome in Outcome:
        total.add_metric((labels[0], outcome), outcomes[outcome])
    yield total
    saved = CounterMetricFamily(
        "resetbank_waiting_saved_seconds", "Waiting that spent resets saved", labels=("account",), unit="seconds"
    )
    saved.add_metric((labels[0],), sum(map(_waiting_saved, spends), timedelta(0)).total_seconds())
    yield saved


def _window_metrics(state: "State", labels: tuple[str, str]) -> Iterator[Metric]:
    snapshot = state.snapshot
    assert snapshot is not None
    names = ("account", "source", "limit", "kind", "minutes")

    def labels_of(window: Window) -> tuple[str, ...]:
        return (*labels, window.limit_id, window.kind, str(window.minutes or ""))

    yield _gauge(
        "resetbank_window_used_ratio",
        "Share of the window that is used, 1 when full",
        names,
        [(labels_of(w), None if w.used_percent is None else w.used_percent / 100) for w in snapshot.windows],
    )
    yield _gauge(
        "resetbank_window_reset_timestamp_seconds",
        "When the window is reset by itself",
        names,
        [(labels_of(w), w.resets_at.timestamp() if w.resets_at else None) for w in snapshot.windows],
    )
    if state.outlook is None or snapshot.main_limit is None:
        return
    expected = []
    for window in snapshot.main_limit.windows:
        forecast = state.outlook.forecast_of(window.minutes)
        limit = forecast.limit_at if forecast else None
        if limit is not None:
            for name, value in (("0.1", limit.p10), ("0.5", limit.p50), ("0.9", limit.p90)):
                expected.append(((*labels_of(window), name), value))
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


def _account(account: Account) -> str:
    """A name for an account that holds no address."""
    if account.id is not None:
        return account.id if "@" not in account.id else _hidden(account.id)
    return _hidden(account.email) if account.email else "unknown"


def _hidden(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def _waiting_saved(spend: Spend) -> timedelta:
    """How long work would have stood still without it."""
    if spend.outcome is not Outcome.RESET:
        return timedelta(0)
    full = [w.resets_at for w in spend.before if (w.used_percent or 0) >= 100 and w.resets_at is not None]
    return max(timedelta(0), max(full) - spend.journaled_at) if full else timedelta(0)
