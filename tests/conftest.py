"""Fixtures for every test: none of them ever touches the machine's own files, keyring or Codex."""

import gc
import importlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.clocks import ManualClock
from tests.support.stub_process import StubProcess, start_stub
from tui.agent import MARKS

# The many processes that the tests start would otherwise compile everything anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Few examples while one works, all of them before a change lands (.ci/run sets HYPOTHESIS_PROFILE=full). A busy machine
# must not fail a property: Hypothesis judges no time here, and pytest's time-out, which it would take for an unsteady
# strategy, does not apply to it (see below).
settings.register_profile("full", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", settings.get_profile("full"), max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect without looking for garbage, as all that is made stays; of the whole suite, share out the compiling."""
    gc.disable()
    worker = getattr(session.config, "workerinput", None)
    if worker and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        _compile(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
    yield
    gc.freeze()
    gc.enable()


def _compile(number: int, workers: int) -> None:
    """Import this worker's share of the tests, whose compiled form then serves all.

    On a fresh clone each worker would else compile them all, at the same time as the others.
    """
    root = Path(__file__).parents[1]
    for path in sorted(root.glob("tests/*/test_*.py"))[number::workers]:
        with suppress(Exception, pytest.skip.Exception):  # said when it is collected
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


@pytest.hookimpl(trylast=True)  # Hypothesis has marked its tests by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("hypothesis") is not None:
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(autouse=True)
def isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, folder in (("HOME", "home"), ("RESETBANK_HOME", "resetbank-home"), ("CODEX_HOME", "codex-home")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in (
        "COLORFGBG",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_DATA_HOME",
        "XDG_CACHE_HOME",
        "NO_COLOR",
        *MARKS,
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubProcess]:
    """The real service in a process of its own, in the scenario `busy`, with a sandbox for the real Codex CLI."""
    with start_stub(sandbox=tmp_path / "sandbox") as process:
        yield process
