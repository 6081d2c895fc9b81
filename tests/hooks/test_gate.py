import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.hooks import GateMode, GateState
from tui.errors import HooksError
from tui.hooks.gate import Gate, gate_folder

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
MOMENTS = st.integers(10**12, 4 * 10**12).map(
    lambda ms: datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
)
STATES = st.builds(
    GateState,
    mode=st.sampled_from(GateMode),
    open_since=st.none() | MOMENTS,
    resets_at=st.none() | MOMENTS.map(lambda at: at.replace(microsecond=0)),
    account=st.none() | WORDS,
    providers=st.lists(WORDS, max_size=3).map(tuple),
    default_provider=st.booleans(),
    before_credits=st.booleans(),
    note=st.none() | WORDS,
)


@given(STATES)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, state: GateState) -> None:
    gate = Gate(tmp_path_factory.mktemp("gate", numbered=True))
    gate.write(state)
    assert gate.read() == state


def test_nothing_from_outside_makes_a_line_of_its_own(gate: Gate) -> None:
    gate.write(GateState(GateMode.CLOSED, account="a\nstate pass", providers=("x y", "z"), note="one\ntwo\x1b[31m"))
    assert gate.read() == GateState(GateMode.CLOSED, providers=("z",), note="one two[31m")


def test_the_folders_are_the_persons_alone(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "new" / "gate")
    gate.make()
    gate.beat(1)
    gate.write(GateState(GateMode.OPEN))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in gate.folder.rglob("*")}
    assert modes == {"waiting": 0o700, "attempts": 0o700, "gate": 0o600, "heartbeat": 0o600}
    assert stat.S_IMODE(gate.folder.stat().st_mode) == 0o700


def test_one_codex_home_has_one_gate(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    assert gate_folder(tmp_path, home) == gate_folder(tmp_path, tmp_path / "link")
    assert gate_folder(tmp_path, home) != gate_folder(tmp_path, other)


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    gate = Gate(tmp_path / "file")
    for attempt in (gate.make, lambda: gate.beat(1), lambda: gate.write(GateState(GateMode.OPEN))):
        with pytest.raises(HooksError):
            attempt()
    assert (gate.read(), gate.waiters(), gate.take_attempts()) == (None, (), ())
    gate.end()
