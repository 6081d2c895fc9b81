import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hooks.scripts import HeldHook, Workbench
from tui.hooks.gate import Gate

SHELLS = [["dash"], ["bash"], ["busybox", "sh"]]


@pytest.fixture(params=SHELLS, ids=lambda words: words[0])
def shell(request: pytest.FixtureRequest) -> list[str]:
    words: list[str] = request.param
    found = shutil.which(words[0])
    if found is None and words[0] == "busybox":
        pytest.skip("busybox is not on this machine; dash and bash must be")
    assert found, f"{words[0]} is needed"
    return [found, *words[1:]]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    gate = Gate(tmp_path / "a gate")
    gate.make()
    return gate


@pytest.fixture
def bench(tmp_path: Path, gate: Gate) -> Iterator[Workbench]:
    """The hook of the shell `dash`, quick; `bench.shell` is another's."""
    bench = Workbench(tmp_path, gate)
    yield bench
    for hook in bench.started:
        hook.end()


Start = Callable[..., HeldHook]
