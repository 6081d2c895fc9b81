from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding, BindingsMap

from tests.support.clocks import ManualClock
from tests.ui import invite_states, states
from tests.ui.scene import Scene
from tests.ui.showing import make_app, running, screen_text, settle, words
from tui.errors import SettingsError
from tui.ui.app import ResetbankApp
from tui.ui.commands import COMMANDS, INVITES, OF_THE_APP, PARTS, PLACES, commands_of, shown_key
from tui.ui.keymap import normal_key, resolve_keys
from tui.ui.screens.consent import ConsentScreen
from tui.ui.screens.moving import place_of
from tui.ui.view.help import LETTER, key_table
from tui.ui.view.text import plain


def test_defaults_stand() -> None:
    defaults = {command.id: command.key for command in COMMANDS}
    assert resolve_keys({}) == resolve_keys({"ledger": "l"}) == defaults


@pytest.mark.parametrize("command", sorted(OF_THE_APP))
def test_the_application_has_an_action_for_each_of_its_commands(command: str) -> None:
    assert callable(getattr(ResetbankApp, f"action_{command}", None))


def test_a_key_is_replaced_and_normalised() -> None:
    table = resolve_keys({"spend": "s, $", "help": "f12"})
    assert table["spend"] == "s,dollar_sign"
    assert table["help"] == "f12"


def test_two_commands_may_swap_their_keys() -> None:
    table = resolve_keys({"spend": "l", "ledger": "r"})
    assert (table["spend"], table["ledger"]) == ("l", "r")


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ({"spnd": "s"}, r"unknown command keys.spnd; did you mean 'spend'\?"),
        ({"ledger": "r"}, r"'r' is given to both spend and ledger; give keys.ledger another key"),
        ({"spend": "x", "ledger": "x"}, "'x' is given to both"),
        ({"ledger": "ctrl+c"}, "it copies and quits"),
        ({"ledger": "ctrl+q"}, "it always quits"),
        ({"ledger": "ctrl+p"}, "it opens the palette"),
        ({"ledger": "ctrl+i"}, "it moves the focus"),
        ({"ledger": "escape"}, "it leaves dialogs"),
        ({"invite_copy": "q"}, "is given to both"),
        ({"invite_copy": "pagedown"}, "is given to both"),
        ({"spend": "enter"}, "pressed blindly"),
        ({"spend": "space"}, "pressed blindly"),
        ({"spend": "ctrl+m"}, "pressed blindly"),
        ({"spend": "ctrl+j"}, "pressed blindly"),
        ({"spend": "shift+enter"}, "pressed blindly"),
        ({"ledger": "ctlr+r"}, "unknown key 'ctlr\\+r'"),
        ({"ledger": "quesion_mark"}, "did you mean 'question_mark'"),
        ({"ledger": ""}, "unknown key ''; write a letter"),
        ({"ledger": "a,,b"}, "unknown key ''"),
    ],
)
def test_mistakes_are_named(custom: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resolve_keys(custom)


@given(st.characters(min_codepoint=33, max_codepoint=126))
def test_keys_are_named_as_textual_names_them(character: str) -> None:
    if character == ",":
        return
    (name,) = BindingsMap([Binding(character, "x", "x")]).key_to_bindings
    assert normal_key(character) == name


@given(st.dictionaries(st.sampled_from([c.id for c in COMMANDS]), st.text(max_size=12)))
def test_a_resolved_table_never_shares_a_key_within_a_place(custom: dict[str, str]) -> None:
    try:
        table = resolve_keys(custom)
    except SettingsError:
        return
    for place in PLACES:
        keys = [key for command in commands_of(place) for key in table[command.id].split(",")]
        assert len(keys) == len(set(keys))


def test_a_key_may_mean_one_thing_in_each_place() -> None:
    table = resolve_keys({"invite_copy": "y", "ledger": "y"})
    assert (table["invite_copy"], table["ledger"]) == ("y", "y")
    with pytest.raises(SettingsError, match="'c' is given to both invite_copy and invite_qr"):
        resolve_keys({"invite_qr": "c"})


def test_keys_are_shown_short() -> None:
    assert [shown_key(key) for key in ("question_mark,f1", "f5,ctrl+r", "r")] == ["?", "F5", "r"]


def test_a_key_that_decides_something_means_that_alone_in_every_place() -> None:
    meanings: dict[str, set[str]] = {}
    for command in COMMANDS:
        for key in command.key.split(","):
            meanings.setdefault(key, set()).add(command.decides)
    assert {key: found for key, found in meanings.items() if len(found) > 1} == {}
    assert meanings["n"] == meanings["escape"] == {"leaves"}


def key_table_markdown() -> str:
    """The table of the default keys, as README has it."""
    rows = ["| where | key | does |", "|---|---|---|"]
    for part, title in PARTS.items():
        for command in COMMANDS:
            if command.place == part:
                keys = " ".join(f"`{shown_key(key)}`" for key in command.key.split(","))
                rows.append(f"| {title} | {keys} | {command.help} |")
                title = ""
    return "\n".join([*rows, f"| Dialogs that spend or send | `A` … `Z` | {LETTER} |"])


def test_every_command_stands_in_the_table_once_under_its_heading() -> None:
    assert {command.place for command in COMMANDS} == set(PARTS)
    listed = plain(key_table(resolve_keys({}), 100))
    markdown = key_table_markdown()
    for command in COMMANDS:
        assert listed.count(f"[{command.id}]") == 1
        assert markdown.count(f"| {command.help} |") == 1


def test_readme_has_the_table_of_keys() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert key_table_markdown() in readme


async def test_the_palette_finds_the_link_of_an_invite_from_the_main_screen(clock: ManualClock) -> None:
    companion = Scene(invite_states.every(), clock)
    async with running(companion, clock, size=(100, 30)) as (pilot, app, _):
        await pilot.press("ctrl+p", *"link")
        await pilot.pause()
        await settle(pilot)
        assert "Invites: Copy" in screen_text(app)
        await pilot.press("escape")
        await app.perform_in_panel("invite_copy")
        await settle(pilot)
        assert place_of(app.screen) == INVITES
        assert "link" in words(app)


async def test_a_click_on_the_footer_follows_the_rules_of_the_key(clock: ManualClock) -> None:
    companion = Scene(states.at_limit(), clock)
    app = make_app(companion, clock)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.click("#keys", offset=(1, 0))
        await settle(pilot)
        assert isinstance(app.screen, ConsentScreen)
    read_only = make_app(Scene(states.at_limit(), clock), clock, read_only="CODEX_THREAD_ID")
    async with read_only.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "Spend" not in screen_text(read_only).splitlines()[-1]
        await read_only.run_action("app.give('spend')")
        await settle(pilot)
        assert not isinstance(read_only.screen, ConsentScreen)
        assert "read-only under Codex" in words(read_only)
