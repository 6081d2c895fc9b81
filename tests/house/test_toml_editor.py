"""A value is set or taken out, and every other letter of the text stays."""

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.toml_editor import CannotEdit, inline, set_value

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from('"\\\t\n#=[]'), max_size=8
)
VALUES = st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | WORDS | st.lists(WORDS, max_size=3)
SECTIONS = ["limits", "ask", "keys", "a b", "é"]
NAMES = ["near", "bell", "x.y", "deep"]
COMMENTS = st.sampled_from(["", "# why", '  # it said "no" = 3', "# [limits]", "\t#"])
BLANKS = st.sampled_from(["", "\n", "# a note\n", "\n# two\n\n"])


@st.composite
def written(draw: st.DrawFn) -> str:
    """A settings file as people write them."""

    def pair(name: str) -> str:
        value = draw(VALUES)
        form = inline(value)
        if isinstance(value, str) and "'''" not in value and draw(st.booleans()) and value.isprintable():
            form = f"'''\n{value} '''"
        elif isinstance(value, list) and value and draw(st.booleans()):
            form = "[ # first\n  " + ",\n  ".join(map(inline, value)) + ", # last\n]"
        return (
            f"{draw(st.sampled_from(['', '  ']))}{name}{draw(st.sampled_from([' = ', '=']))}{form} {draw(COMMENTS)}\n"
        )

    parts = [draw(BLANKS), *(pair(name) for name in draw(st.sets(st.sampled_from(["theme", "top.in"]))))]
    for section in draw(st.lists(st.sampled_from(SECTIONS), unique=True)):
        name = section if section.isascii() and section.isalpha() else json.dumps(section, ensure_ascii=False)
        form = draw(st.sampled_from(["table", "table", "dotted"]))
        pairs = [(key, draw(BLANKS)) for key in draw(st.lists(st.sampled_from(NAMES), unique=True))]
        if form == "table":
            parts += [draw(BLANKS), f"[{name}] {draw(COMMENTS)}\n", *(pair(key) + blank for key, blank in pairs)]
        else:  # only possible before the first header
            parts[1:1] = [pair(f"{name}.{key}") for key, _ in pairs]
    text = "".join(parts)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


PATHS = st.builds(lambda *names: names, st.sampled_from(SECTIONS), st.sampled_from(["near", "bell", "new"])) | st.just(
    ("theme",)
)


def value_at(text: str, path: tuple[str, ...]) -> Any:
    value: Any = tomllib.loads(text)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


@given(written(), PATHS, VALUES)
def test_the_value_is_set_and_every_other_line_stays(text: str, path: tuple[str, ...], value: object) -> None:
    changed = set_value(text, path, value)
    assert value_at(changed, path) == value
    if value_at(text, path) is None:  # nothing but lines was added
        left = iter(changed.splitlines())
        assert all(line in left for line in text.splitlines())
        assert len(changed.splitlines()) - len(text.splitlines()) <= 3
    former = value_at(text, path)
    back = set_value(changed, path, former)
    assert value_at(back, path) == former
    if former is not None:  # in its place: what stands before and behind it is untouched
        start = next((n for n, (a, b) in enumerate(zip(text, changed, strict=False)) if a != b), len(text))
        assert text[:start].count("\n") == changed[:start].count("\n")
        assert [line for line in changed.splitlines() if line.strip().startswith("#")] == [
            line for line in back.splitlines() if line.strip().startswith("#")
        ]


@given(written(), PATHS)
def test_setting_what_holds_changes_no_comment_and_no_other_value(text: str, path: tuple[str, ...]) -> None:
    value = value_at(text, path)
    if value is None or isinstance(value, dict):
        return
    changed = set_value(text, path, value)
    assert tomllib.loads(changed) == tomllib.loads(text)
    assert set_value(changed, path, value) == changed


@given(written(), PATHS)
def test_what_is_taken_out_is_gone_and_the_rest_is_there(text: str, path: tuple[str, ...]) -> None:
    changed = set_value(text, path, None)
    assert value_at(changed, path) is None
    left = iter(text.splitlines())
    assert all(line in left for line in changed.splitlines())
    if value_at(text, path) is None:
        assert changed == text


@pytest.mark.parametrize(
    ("text", "path", "value", "changed"),
    [
        ("", ("limits", "near"), 4, "[limits]\nnear = 4\n"),
        ("# mine\n\n[a]\n", ("theme",), "x", '# mine\n\ntheme = "x"\n\n[a]\n'),
        ("[a]\nb = 1  # one\n# about c\n[c]\n", ("a", "d"), True, "[a]\nb = 1  # one\nd = true\n# about c\n[c]\n"),
        ("a = { b = 1, c = 2 }  # x\n", ("a", "b"), 3, "a = { b = 3, c = 2 }  # x\n"),
        ("a = { b = 1 }\n", ("a", "c"), "q", 'a = { b = 1, c = "q" }\n'),
        ("a.b = 1\n", ("a", "c"), 2, "a.b = 1\na.c = 2\n"),
        ("[a.b]\nc = 1\n", ("a", "d"), 2, "[a.b]\nc = 1\n\n[a]\nd = 2\n"),
        ('["a"]\n"b" = 1', ("a", "b"), 2, '["a"]\n"b" = 2'),
        ("[[x]]\nb = 1\n[a]\nb = 1\n", ("a", "b"), 2, "[[x]]\nb = 1\n[a]\nb = 2\n"),
        ("a = 1979-05-27\nb = 1\n", ("b",), 2, "a = 1979-05-27\nb = 2\n"),
        ('a = """x"""" # "\nb = 1\n', ("b",), 2, 'a = """x"""" # "\nb = 2\n'),
    ],
)
def test_where_it_is_put(text: str, path: tuple[str, ...], value: object, changed: str) -> None:
    assert set_value(text, path, value) == changed


@pytest.mark.parametrize("text", ["a = 3\n", "a = [1]\n", "[[a]]\nx = 1\n", "a = { b = 1979-05-27 }\n"])
def test_what_cannot_be_changed_in_place_is_refused(text: str) -> None:
    with pytest.raises(CannotEdit):
        set_value(text, ("a", "c"), 1)
