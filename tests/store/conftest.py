from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.store.ledger import Ledger
from tui.store.schema import open_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "resetbank.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(open_database(path), path)
    yield ledger
    ledger.close()
