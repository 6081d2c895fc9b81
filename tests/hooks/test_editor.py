import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import HooksError
from tui.hooks.editor import (
    HookEntry,
    HooksFile,
    hook_command,
    parse_hooks,
    read_hooks_file,
    script_name,
    write_hooks_file,
)

HOLD = hook_command(Path("/home/me/rb/hold.sh"), Path("/home/me/gates/a b"))
ELSEWHERE = hook_command(Path("/old/hold.sh"), Path("/old/gate"))
GUARD = hook_command(Path("/home/me/rb/guard.sh"), Path("/home/me/gates/a b"))
ENTRIES = (
    HookEntry("PreModelRequest", HOLD, 700_000, "waits at the limit"),
    HookEntry("PreCompact", HOLD, 700_000, "waits at the limit"),
)
EVENTS = st.sampled_from(["PreModelRequest", "PreCompact", "PreToolUse", "Stop"])
FOREIGN_HOOKS = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.text(max_size=9) | st.just("héllo \\ \"'")},
    optional={"timeout": st.integers(0, 99), "x": st.none() | st.floats(allow_nan=False, allow_infinity=False)},
)
GROUPS = st.fixed_dictionaries(
    {"hooks": st.lists(FOREIGN_HOOKS, max_size=2)}, optional={"matcher": st.text(max_size=5)}
)
FILES = st.fixed_dictionaries(
    {}, optional={"hooks": st.dictionaries(EVENTS, st.lists(GROUPS, min_size=1, max_size=3)), "other": st.text()}
)
FORMS: Any = st.sampled_from(
    [{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"indent": 1, "ensure_ascii": False}]
)


def texts() -> st.SearchStrategy[str]:
    def write(value: Any, form: dict[str, Any], windows: bool, blank: str) -> str:
        text = blank + json.dumps(value, **form) + blank
        return text.replace("\n", "\r\n") if windows else text

    return st.builds(write, FILES, FORMS, st.booleans(), st.sampled_from(["", "\n", " \n"]))


def foreign(file: HooksFile) -> dict[tuple[str, int], str]:
    """Every hook that is not ours, by its event and position, letter for letter."""
    return {
        (event, place): file.text[span.start : span.end]
        for event in file.events()
        for place, span in enumerate(file.groups(event))
        if span.value["hooks"] and not any(script_name(hook.get("command")) for hook in span.value["hooks"])
    }


@given(texts())
def test_foreign_groups_keep_their_place_and_their_letters(text: str) -> None:
    before = parse_hooks(text.encode(), "hooks.json")
    added = before.add("hold", ENTRIES)
    assert parse_hooks(added.text.encode(), "hooks.json") == added
    assert foreign(added) == foreign(before)
    assert [(event, group) for event, _, group in added.find("hold")] == [
        (event, entry.group()) for event in added.events() for entry in ENTRIES if entry.event == event
    ]
    for entry in ENTRIES:
        assert added.groups(entry.event)[-1].value == entry.group()
    assert added.add("hold", ENTRIES) == added


@given(texts())
def test_adding_and_taking_out_leaves_every_byte(text: str) -> None:
    before = parse_hooks(text.encode(), "hooks.json")
    after = before.add("hold", ENTRIES).add("guard", (HookEntry("PreToolUse", GUARD, 60, matcher="^Bash$"),))
    after = after.remove("hold").remove("guard")
    assert after.find("hold") == after.find("guard") == []
    if "hooks" in json.loads(text):
        assert after.text == before.text
    assert json.loads(after.text) == {"hooks": {}, **json.loads(text)}
    assert after.remove("hold") == after


@given(texts(), st.data())
def test_what_came_after_ours_keeps_its_place(text: str, data: st.DataObject) -> None:
    value = json.loads(parse_hooks(text.encode(), "hooks.json").add("hold", ENTRIES).text)
    for event in data.draw(st.sets(st.sampled_from(["PreModelRequest", "PreCompact"]), min_size=1)):
        value["hooks"][event].extend(data.draw(st.lists(GROUPS, min_size=1, max_size=2)))
    later = parse_hooks(json.dumps(value, indent=data.draw(st.sampled_from([None, 4]))).encode(), "hooks.json")
    assert foreign(later.remove("hold")) == foreign(later)
    assert foreign(later.remove("hold").add("hold", ENTRIES)) == foreign(later)
    assert later.remove("hold").find("hold") == []


def test_an_entry_of_another_form_is_changed_in_its_place() -> None:
    old = tuple(HookEntry(event, ELSEWHERE, 5) for event in ("PreModelRequest", "PreCompact", "Stop"))
    file = parse_hooks(b'{"hooks":{"Stop":[{"hooks":[]}]}}', "x").add("hold", old)
    again = json.loads(file.text)
    again["hooks"]["PreCompact"] += [
        {"hooks": [{"type": "command", "command": "theirs"}]},
        again["hooks"]["PreCompact"][0],
    ]
    file = parse_hooks(json.dumps(again).encode(), "x").add("hold", ENTRIES)
    assert [(event, place) for event, place, _ in file.find("hold")] == [("PreModelRequest", 0), ("PreCompact", 0)]
    assert len(file.groups("PreCompact")) == 2
    assert len(file.groups("Stop")) == 1


def test_a_group_that_a_person_shares_with_us_is_theirs() -> None:
    ours = {"type": "command", "command": HOLD}
    shared = json.dumps({"hooks": {"PreModelRequest": [{"hooks": [ours, {"type": "command", "command": "x"}]}]}})
    file = parse_hooks(shared.encode(), "x")
    assert (file.find("hold"), file.remove("hold")) == ([], file)


def test_the_form_of_a_file_is_kept() -> None:
    text = '{\n  "hooks": {\n    "PreModelRequest": [\n      {"hooks": []}\n    ]\n  }\n}\n'
    added = parse_hooks(text.encode(), "x").add("hold", ENTRIES[:1]).text
    assert added.replace(json.dumps(ENTRIES[0].group()), "OURS") == text.replace(
        '{"hooks": []}', '{"hooks": []},\n      OURS'
    )


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "not in the form"),
        (b'{"hooks":[]}', "not in the form"),
        (b'{"hooks":{"Stop":{}}}', "not in the form"),
        (b'{"hooks":{},"hooks":{}}', "a key stands in it twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":1}x', "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'\xef\xbb\xbf{"hooks":{}}', "byte-order mark"),
        (b'{"a":"\xff"}', "not UTF-8"),
    ],
)
def test_what_codex_cannot_read_is_not_edited(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "hooks.json"
    path.write_bytes(data)
    with pytest.raises(HooksError, match=word):
        read_hooks_file(path)
    assert path.read_bytes() == data


def test_writing_keeps_permissions_links_and_the_former_file(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text('{"hooks": {}}')
    real.chmod(0o644)
    path = tmp_path / "hooks.json"
    path.symlink_to(real)
    before = read_hooks_file(path)
    assert not write_hooks_file(path, before, before)
    after = before.add("hold", ENTRIES)
    assert write_hooks_file(path, before, after)
    assert path.is_symlink()
    assert real.read_text() == after.text
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
    assert (tmp_path / "dotfiles.json.before-resetbank").read_text() == before.text
    assert {each.name for each in tmp_path.iterdir()} == {real.name, path.name, "dotfiles.json.before-resetbank"}
    with pytest.raises(HooksError, match="another program"):
        write_hooks_file(path, before, before.add("hold", ENTRIES[:1]))


def test_a_new_file_is_the_persons_alone(tmp_path: Path) -> None:
    path = tmp_path / "hooks.json"
    before = read_hooks_file(path)
    write_hooks_file(path, before, before.add("hold", ENTRIES))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [event for event, _, _ in read_hooks_file(path).find("hold")] == ["PreModelRequest", "PreCompact"]


@pytest.mark.parametrize("path", ["/a'b", "/a\\b", "/a\nb", "relative"])
def test_a_path_that_a_shell_may_misread_is_refused(path: str) -> None:
    with pytest.raises(HooksError):
        hook_command(Path(path) / "hold.sh", Path("/gate"))
