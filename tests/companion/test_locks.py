"""The locks between processes: one holder at a time, let go by a death, and told apart from a folder that fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE
from tui.companion.locks import AccountLocks, lock_path
from tui.errors import StoreReadOnly

_HOLDER = """
import sys
from pathlib import Path
from tui.companion.locks import AccountLocks
with AccountLocks(Path(sys.argv[1])).try_hold("account") as free:
    print(free, flush=True)
    sys.stdin.read()
"""


def test_another_process_holds_a_lock_until_it_dies(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with AccountLocks(tmp_path).try_hold("account") as free:
            assert not free
        with AccountLocks(tmp_path).try_hold("another account") as free:
            assert free
        holder.kill()
        holder.wait(DEADLINE)
    with AccountLocks(tmp_path).try_hold("account") as free:
        assert free


def test_one_process_holds_a_lock_once(tmp_path: Path) -> None:
    locks, others = AccountLocks(tmp_path), AccountLocks(tmp_path)
    with locks.try_hold("account") as free, locks.try_hold("account") as again, others.try_hold("account") as beside:
        assert (free, again, beside) == (True, False, False)
    with others.try_hold("account") as free:
        assert free


def test_a_lock_that_cannot_be_made_is_an_error_and_follows_no_link(tmp_path: Path) -> None:
    lock_path(tmp_path, "account").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreReadOnly, match="cannot be written"), AccountLocks(tmp_path).try_hold("account"):
        pytest.fail("it was held")
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_file_is_its_owners_alone(tmp_path: Path) -> None:
    with AccountLocks(tmp_path).try_hold("account"):
        assert lock_path(tmp_path, "account").stat().st_mode & 0o777 == 0o600
