from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.store.database import Database
from tui.store.events import EventLog
from tui.store.spends import SpendJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "resetbank.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def journal(database: Database) -> SpendJournal:
    return SpendJournal(database)


@pytest.fixture
def log(database: Database) -> EventLog:
    return EventLog(database)
