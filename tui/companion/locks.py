"""One driver of an open spend at a time, across processes: a lock that the kernel lets go when its holder dies."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from tui.errors import StoreReadOnly
from tui.paths import private_folder


class AccountLocks:
    """A lock file an account; one that cannot be made raises `StoreReadOnly`."""

    def __init__(self, folder: Path | None) -> None:
        """Create nothing yet; None is for a database in memory, which nobody else can see."""
        self._folder = folder
        self._held: set[str] = set()
        self._kept = ExitStack()

    def keep(self, process: str) -> None:
        """Let other processes see that this one lives, until `close`."""
        if self._folder is None or process in self._held:
            return
        if self._kept.enter_context(file_lock(self._folder, process)):
            self._held.add(process)

    def lives(self, process: str | None) -> bool:
        """Whether a process that keeps its lock runs; what a dead one left behind is removed."""
        if self._folder is None or process is None:
            return False
        path = lock_path(self._folder, process)
        if process in self._held or not path.exists():
            return process in self._held
        with suppress(StoreReadOnly), file_lock(self._folder, process) as free:
            if free:
                path.unlink(missing_ok=True)
            return not free
        return False

    def close(self) -> None:
        """Let go of what is kept; fine to call twice."""
        self._kept.close()

    @contextmanager
    def try_hold(self, account: str) -> Iterator[bool]:
        """Hold an account's lock for a while, if it is free: else somebody drives a spend, and nothing may be sent."""
        if account in self._held:
            yield False
            return
        self._held.add(account)
        try:
            if self._folder is None:
                yield True
            else:
                with file_lock(self._folder, account) as free:
                    yield free
        finally:
            self._held.discard(account)


def lock_path(folder: Path, what: str) -> Path:
    """Where the lock file of a thing lies."""
    return folder / f"{sha256(what.encode()).hexdigest()[:16]}.lock"


@contextmanager
def file_lock(folder: Path, what: str) -> Iterator[bool]:
    """Hold a lock file of the folder, if it is free; yields whether it was.

    Raises:
        StoreReadOnly: It cannot be made.
    """
    from filelock import FileLock, Timeout  # 10 ms that only a spend pays

    lock = FileLock(lock_path(folder, what), timeout=0, thread_local=False, mode=0o600)
    try:
        private_folder(folder)
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        hint = "check its permissions, or set RESETBANK_HOME"
        raise StoreReadOnly(f"{folder} cannot be written: {error.strerror}", hint) from error
    try:
        yield True
    finally:
        lock.release()
