"""The QR code on the screen is read back by a decoder."""

import string

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.budget import budget
from tests.support.clocks import ManualClock
from tests.ui import invite_states
from tests.ui.invite_states import LINK
from tests.ui.scene import Scene
from tests.ui.showing import running, screen_text, settle
from tui.ui.view.qr import qr_lines
from tui.ui.view.text import Level, line_width, plain

LIGHT = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
PIXELS = 4
"""A module's width and height in the picture that the decoder is given."""


def read(rows: list[str], *, inverted: bool = False) -> list[str]:
    """What a camera would read off these rows of the terminal."""
    width = max(map(len, rows))
    modules = [[LIGHT[cell][half] is not inverted for cell in row.ljust(width)] for row in rows for half in (0, 1)]
    picture = bytes(
        255 if light else 0 for line in modules for _ in range(PIXELS) for light in line for _ in range(PIXELS)
    )
    image = memoryview(picture).cast("B", (len(modules) * PIXELS, width * PIXELS))
    return [code.text for code in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("inverted", [False, True], ids=["dark terminal", "light terminal without colour"])
def test_the_code_says_the_link(inverted: bool) -> None:
    assert read(plain(qr_lines(LINK, 80, 24)).split("\n"), inverted=inverted) == [LINK]


@settings(max_examples=budget(40))
@given(st.text(string.ascii_letters + string.digits + "-_./?=&%~", min_size=1, max_size=200))
def test_any_link_decodes_back(path: str) -> None:
    link = f"https://example.com/{path}"
    lines = qr_lines(link, 200, 100)
    assert {line_width(line) for line in lines} == {line_width(lines[0])}
    assert {span.level for line in lines for span in line} == {Level.CODE}
    assert read(plain(lines).split("\n")) == [link]


@pytest.mark.parametrize(("width", "height"), [(32, 24), (80, 16), (10, 3)])
def test_without_room_it_says_how_much_it_needs(width: int, height: int) -> None:
    text = " ".join(plain(qr_lines(LINK, width, height)).split())
    assert "the code needs 33 columns and 17 rows here" in text


async def test_the_screen_shows_a_code_that_can_be_read(clock: ManualClock) -> None:
    async with running(Scene(invite_states.two(), clock), clock) as (pilot, app, _):
        await pilot.press("i", "s")
        await settle(pilot)
        rows = [line.removeprefix("│ ").rstrip("│ ") for line in screen_text(app).split("\n")[1:18]]
        assert read(rows) == [LINK]
