from datetime import timedelta

from msgspec.structs import replace

from tests.support.clocks import START
from tui.domain.pauses import Pause, PauseKind
from tui.store.database import Database
from tui.store.pauses import KEPT, Pauses

HOUR = timedelta(hours=1)
STOP = Pause("t", PauseKind.STOPPED, START, None, START + 2 * HOUR)


def test_a_pause_is_kept_with_its_first_end_whoever_writes_it(database: Database) -> None:
    table, other = Pauses(database), Pauses(database)
    for each in (table, other):
        each.save("acc1", [STOP])
    assert table.open("acc1") == (STOP,)
    table.save("acc1", [replace(STOP, until=START + HOUR)])
    other.save("acc1", [replace(STOP, until=START + 2 * HOUR)])
    assert table.open("acc1") == ()
    assert other.since("acc1", START) == (replace(STOP, until=START + HOUR),)


def test_accounts_are_kept_apart_and_old_ones_left_out(database: Database) -> None:
    table = Pauses(database)
    held = Pause("u", PauseKind.HELD, START - 3 * HOUR, START - 2 * HOUR)
    table.save("acc1", [STOP, held])
    table.save("acc2", [replace(held, thread_id="v")])
    assert table.since("acc1", START - HOUR) == (STOP,)
    assert table.since("acc1", START - 2 * HOUR) == (held, STOP)
    assert [pause.thread_id for pause in table.since(None, START - 9 * HOUR)] == ["u", "v", "t"]
    assert table.open("acc2") == ()


def test_what_is_too_old_goes(database: Database) -> None:
    table = Pauses(database)
    table.save("acc1", [STOP])
    table.save("acc1", [replace(STOP, thread_id="u", since=START + KEPT + HOUR)])
    assert [pause.thread_id for pause in table.since("acc1", START)] == ["u"]
