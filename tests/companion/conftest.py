from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.companion.invite_world import Inviting
from tests.companion.inviting import ScriptedReferrals
from tests.support.clocks import ManualClock


@pytest.fixture
def service(clock: ManualClock) -> ScriptedReferrals:
    return ScriptedReferrals(clock)


@pytest.fixture
async def world(clock: ManualClock, tmp_path: Path, service: ScriptedReferrals) -> AsyncIterator[Inviting]:
    world = Inviting(clock, tmp_path, service)
    await world.companion.poller.poll()
    yield world
    await world.companion.aclose()
