"""One driver of an open spend at a time, across processes: a lock that the kernel lets go when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tui.errors import StoreReadOnly
from tui.paths import private_folder


class AccountLocks:
    """A lock file an account."""

    def __init__(self, folder: Path | None) -> None:
        """Create nothing yet.

        Args:
            folder: Where the lock files lie; None where the database is in memory and nobody else can see it.
        """
        self._folder = folder
        self._held: set[str] = set()

    @contextmanager
    def try_hold(self, account: str) -> Iterator[bool]:
        """Hold an account's lock for a while.

        Yields:
            Whether it was free; when not, somebody else drives a spend and nothing may be sent.

        Raises:
            StoreReadOnly: The lock file cannot be made.
        """
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


@contextmanager
def file_lock(folder: Path, what: str) -> Iterator[bool]:
    """Hold a lock file of the folder, if it is free.

    Yields:
        Whether it was.

    Raises:
        StoreReadOnly: It cannot be made.
    """
    from filelock import FileLock, Timeout  # 10 ms that only a spend pays

    name = sha256(what.encode()).hexdigest()[:16]
    lock = FileLock(folder / f"{name}.lock", timeout=0, thread_local=False, mode=0o600)
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
