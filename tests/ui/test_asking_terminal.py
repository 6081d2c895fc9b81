"""What a question tells the terminal itself: the bell, its title, its clipboard."""

import base64

from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.ui import live_states, states
from tests.ui.asked import asked, companion_of
from tests.ui.live_states import API, DOCS
from tests.ui.showing import press_alone, running, screen_text, settle, top, words
from tui.errors import SourceDown
from tui.settings import AskSettings, Settings
from tui.ui.dialogs.question import QuestionDialog


async def test_it_rings_once_and_gives_the_title_back(clock: ManualClock, written: list[str]) -> None:
    companion = companion_of(clock)
    title = "\x1b[22;2t\x1b]2;resetbank: api-server stopped, 5-hour limit\x07"
    async with asked(companion, clock) as (pilot, _, _):
        for _ in range(3):
            companion.stir()
            await settle(pilot)
        assert written.count("\x07") == 1
        assert written.count(title) == 1
        await pilot.press("w")
        await settle(pilot)
        assert written.count("\x1b]2;resetbank\x07\x1b[23;2t") == 1
    assert sum("]2;" in text for text in written) == 2


async def test_titles_are_saved_and_given_back_in_pairs(clock: ManualClock, written: list[str]) -> None:
    companion = companion_of(clock, live_states.about_question())
    async with asked(companion, clock) as (pilot, _, _):
        companion.publish(live_states.several_question())
        await settle(pilot)
        titles = [text for text in written if "]2;" in text]
        assert "about to stop, 5-hour limit in about 8 min" in titles[0]
        assert "3 sessions stopped" in titles[-1]
        await pilot.press("escape")
        await settle(pilot)
        everything = "".join(written)
        assert everything.count("[22;2t") == everything.count("[23;2t") > 0
        assert everything.rindex("[23;2t") > everything.rindex("3 sessions stopped, ")


async def test_an_answered_question_is_titled_as_one_and_gives_the_terminal_its_title_back(
    clock: ManualClock, written: list[str]
) -> None:
    async with asked(companion_of(clock), clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letters[0])
        await settle(pilot)
        assert "Answered: api-server stopped: 5-hour limit reached" in words(app)
        assert [text for text in written if "]2;" in text][-1] == "\x1b]2;resetbank\x07\x1b[23;2t"
    assert sum("[23;2t" in text for text in written) == 1


async def test_leaving_the_program_gives_the_title_back(clock: ManualClock, written: list[str]) -> None:
    async with asked(companion_of(clock), clock) as (_, app, _):
        app.exit()
    assert sum("[23;2t" in text for text in written) == 1


async def test_the_bell_can_be_turned_off(clock: ManualClock, written: list[str]) -> None:
    companion = companion_of(clock)
    async with running(companion, clock, settings=Settings(ask=AskSettings(bell=False))) as (pilot, app, _):
        assert isinstance(top(app), QuestionDialog)
        companion.publish(live_states.announced())
        await settle(pilot)
    assert "\x07" not in written


async def test_a_hostile_name_is_shown_harmlessly(clock: ManualClock, written: list[str]) -> None:
    companion = companion_of(clock, live_states.hostile_question())
    async with asked(companion, clock) as (_, app, _):
        assert "b]]0;x stopped: 5-hour limit" in screen_text(app)
        (title,) = (text for text in written if "[22;2t" in text)
        assert title == "\x1b[22;2t\x1b]2;resetbank: b]]0;x stopped, 5-hour limit\x07"
        assert not any("\x1b]0;x" in text for text in written)


async def test_the_command_goes_to_the_clipboard_once_and_exactly(clock: ManualClock, written: list[str]) -> None:
    companion = companion_of(clock, live_states.several_question())
    companion.source.refuses = SourceDown("no Codex daemon takes messages here")
    async with asked(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        companion.stir()
        await settle(pilot)
        assert f"codex resume {API}" in screen_text(app)
        assert f"codex resume {DOCS}" in screen_text(app)
        assert "the first was copied to the clipboard" in words(app)
        encoded = base64.b64encode(f"codex resume {API}".encode()).decode()
        assert [text for text in written if "]52;" in text] == [f"\x1b]52;c;{encoded}\a"]


async def test_a_command_never_carries_a_hostile_id(clock: ManualClock, written: list[str]) -> None:
    evil = "x; rm -rf ~"
    hostile = replace(live_states.stopped(API, "/home/me/api", 3), thread_id=evil)
    companion = companion_of(
        clock, live_states.asked(replace(states.at_limit(), sessions={evil: hostile}, watches_sessions=True))
    )
    companion.source.refuses = SourceDown("no Codex daemon takes messages here")
    async with asked(companion, clock) as (pilot, app, dialog):
        await press_alone(pilot, clock, dialog.letter)
        assert "codex resume" not in words(app)  # the ledger's line may name it: that is no command
        assert not any("]52;" in text for text in written)
