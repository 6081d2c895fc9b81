"""Other people's addresses: on the panel alone, and in no picture of the screen."""

import re

from msgspec.structs import replace
from textual.widgets import Input

from tests.support.clocks import ManualClock
from tests.ui import invite_states
from tests.ui.invite_panel import panel, type_and_show
from tests.ui.invite_states import OFFER, offered
from tests.ui.showing import press_alone, running, screen_text, settle, words
from tui.ui.screens.consent import TypedLine

ADDRESS = re.compile(r"[\w.]{2,}@example\.(?:com|org)")


def shown_in(picture: str) -> set[str]:
    """The addresses in a picture's texts."""
    texts = re.findall(r">([^<>]+)</text>", picture)
    return set(ADDRESS.findall("\n".join(texts).replace("&#160;", " "))) - {"me@example.com"}


async def test_no_picture_of_the_screen_shows_an_address(clock: ManualClock) -> None:
    told = replace(OFFER, description="ask mallory@example.org for one")
    async with panel(offered(*invite_states.EVERY, offer=told), clock) as (pilot, app, companion):
        assert ADDRESS.search(screen_text(app))
        assert shown_in(app.export_screenshot()) == set()
        assert "dan@example.com" in screen_text(app)  # the screen itself goes on as it was
        dialog = await type_and_show(pilot, "new@example.com")
        assert "new@example.com" in screen_text(app)
        assert shown_in(app.export_screenshot()) == set()
        await settle(pilot)  # the picture drew the question anew, and that is guarded like any change
        await press_alone(pilot, clock, dialog.letter)
        assert companion.service.mails == ["new@example.com"]
        assert shown_in(app.export_screenshot()) == set()


async def test_what_is_being_typed_is_hidden_in_a_picture_too(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, _):
        await pilot.press("a", *"new@example.com")
        await settle(pilot)
        assert "new@example.com" in screen_text(app)
        assert shown_in(app.export_screenshot()) == set()
        assert not app.screen.query_one(TypedLine).password


async def test_what_is_typed_into_the_palette_is_hidden_in_a_picture_too(clock: ManualClock) -> None:
    async with panel(offered(), clock) as (pilot, app, _):
        await pilot.press("ctrl+p", *"new@example.com")
        await settle(pilot)
        assert "new@example.com" in screen_text(app)
        assert shown_in(app.export_screenshot()) == set()
        assert not app.screen.query_one(Input).password


async def test_the_main_screen_tells_no_address(clock: ManualClock) -> None:
    async with running(invite_states.every(), clock) as (_, app, _):
        assert set(ADDRESS.findall(screen_text(app))) == {"me@example.com"}
        assert "7 invites under way, 2 waiting !" in words(app)
