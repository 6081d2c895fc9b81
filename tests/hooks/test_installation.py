import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.codex_cli import private_folder
from tests.support.commands import resetbank
from tui.domain.hooks import HookState
from tui.errors import HooksError
from tui.hooks.installation import Installation
from tui.hooks.scripts import script_path
from tui.wire.hooks import ListedHook, decode_hooks, definition_hash, trust_key

TOOLS = ("mcp__*__consume_usage_reset",)


@pytest.fixture
def home() -> Iterator[Path]:
    with private_folder() as folder:
        (folder / "codex").mkdir()
        yield folder


def install(home: Path, tools: tuple[str, ...] = TOOLS) -> Installation:
    return Installation(home / "codex", home / "state" / "hooks", home / "state" / "gates", tools)


def trust(installation: Installation, name: str, **more: object) -> None:
    lines = []
    for event, place, group in found(installation, name):
        known = {"trusted_hash": definition_hash(event, group)} | more
        lines.append(f"[hooks.state.{json.dumps(trust_key(str(installation.hooks_file), event, place))}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in known.items() if value is not None]
    (installation.hooks_file.parent / "config.toml").write_text("\n".join(lines) + "\n")


def found(installation: Installation, name: str) -> list[tuple[str, int, dict[str, object]]]:
    from tui.hooks.editor import read_hooks_file

    return read_hooks_file(installation.hooks_file).find(name)


def test_the_hash_is_what_codex_shows() -> None:
    """Seen on 0.163 and 0.169."""
    hook = {"type": "command", "command": "/root/hk/dump.sh"}
    held = hook | {"timeout": 90000, "statusMessage": "held: see resetbank"}
    assert [
        definition_hash("PreToolUse", {"matcher": "^Bash$", "hooks": [hook]}),
        definition_hash("PreModelRequest", {"hooks": [held]}),
    ] == [
        "sha256:4907907ed1e8feb488435dc28a7bab5e47077aa5f1f3dff0a59dfa9c72928979",
        "sha256:f3ae34b3be6f6d78319b8ec4cd588df2e20a11573301f89ee4e9c49df7e8612c",
    ]


@pytest.mark.parametrize("name", ["hold", "guard"])
def test_a_life_read_from_the_files(home: Path, name: str) -> None:
    hooks = install(home)
    states = [hooks.status(name).state]
    assert hooks.turn_on(name, []).changed
    assert not hooks.turn_on(name, []).changed
    states.append(hooks.status(name).state)
    trust(hooks, name)
    states.append(hooks.status(name).state)
    assert hooks.status(name).protects
    trust(hooks, name, enabled=False)
    states.append(hooks.status(name).state)
    trust(hooks, name, trusted_hash="sha256:0")
    states.append(hooks.status(name).state)
    trust(hooks, name)
    script = script_path(home / "state" / "hooks", name)
    script.chmod(0o700)
    script.write_text("#!/bin/sh\n")
    states.append(hooks.status(name).state)
    assert hooks.turn_off(name).changed
    states.append(hooks.status(name).state)
    assert states == [
        HookState.NOT_INSTALLED,
        HookState.UNTRUSTED,
        HookState.TRUSTED,
        HookState.DISABLED,
        HookState.MODIFIED,
        HookState.MODIFIED,
        HookState.NOT_INSTALLED,
    ]


def test_a_part_of_it_is_not_all(home: Path) -> None:
    hooks = install(home)
    hooks.turn_on("hold", [])
    hooks.hooks_file.write_text(hooks.hooks_file.read_text().replace("PreCompact", "Stop"))
    trust(hooks, "hold")
    assert hooks.status("hold").state is HookState.MODIFIED
    other = install(home, ("mcp__mine__spend",))
    other.turn_on("guard", [])
    assert hooks.status("guard").state is HookState.MODIFIED
    assert other.status("guard").state is HookState.UNTRUSTED


@pytest.mark.parametrize(
    ("trust_word", "enabled", "state"),
    [
        ("trusted", True, HookState.TRUSTED),
        ("managed", True, HookState.TRUSTED),
        ("untrusted", True, HookState.UNTRUSTED),
        ("modified", True, HookState.MODIFIED),
        ("of a later day", True, HookState.UNTRUSTED),
        ("trusted", False, HookState.DISABLED),
    ],
)
def test_codex_knows_better_than_its_files(home: Path, trust_word: str, enabled: bool, state: HookState) -> None:
    hooks = install(home)
    hooks.turn_on("guard", [])
    ((event, _, group),) = found(hooks, "guard")
    command = group["hooks"][0]["command"]  # type: ignore[index]
    listed = (ListedHook(event, command, "key", "hash", trust_word, enabled),)
    status = hooks.status("guard", listed)
    assert (status.state, status.checked) == (state, True)
    assert hooks.status("guard", ()).state is HookState.UNSUPPORTED


def test_a_list_of_hooks_that_makes_no_sense_names_none() -> None:
    rows = [None, 3, {"eventName": "preToolUse"}, {"eventName": 3, "command": "x"}]
    body = {"data": [{"hooks": rows}, {"hooks": 3}, 5]}
    assert decode_hooks(json.dumps(body).encode()) == ()


def test_a_broken_file_is_told_and_kept(home: Path) -> None:
    hooks = install(home)
    hooks.hooks_file.write_text("{")
    status = hooks.status("hold")
    assert status.state is HookState.NOT_INSTALLED
    assert "not valid JSON" in str(status.problem)
    with pytest.raises(HooksError, match="not valid JSON"):
        hooks.turn_on("hold", [])
    assert hooks.hooks_file.read_text() == "{"
    assert not (home / "state").exists()


def test_a_tools_name_is_no_pattern_of_its_own(home: Path) -> None:
    with pytest.raises(HooksError, match="no name of a tool"):
        install(home, ("mcp__x)|(.*",)).turn_on("guard", [])


def test_a_trusted_workspace_around_the_scripts_is_refused(home: Path) -> None:
    hooks = install(home)
    (home / "codex" / "config.toml").write_text(f'[projects."{home}"]\ntrust_level = "trusted"\n')
    with pytest.raises(HooksError, match="lies in the workspace"):
        hooks.turn_on("hold", [])
    assert not hooks.hooks_file.exists()


@pytest.mark.parametrize("words", [("hold", "on"), ("hold", "off"), ("guard", "on"), ("guard", "off")])
def test_an_agent_is_refused(home: Path, words: tuple[str, str]) -> None:
    place = ("--codex-home", str(home / "codex"))
    done = resetbank(*words, *place, RESETBANK_HOME=str(home / "state"), CODEX_THREAD_ID="t")
    assert (done.code, done.out) == (23, "")
    assert done.err.count("\n") == 1
    assert "is refused under Codex" in done.err
    assert list((home / "codex").iterdir()) == []


def test_the_commands_say_what_they_write_and_what_is_left_to_do(home: Path) -> None:
    place = ("--codex-home", str(home / "codex"))

    def run(*words: str, code: int = 0) -> str:
        done = resetbank(*words, *place, RESETBANK_HOME=str(home / "state"))
        assert (done.code, done.err) == (code, "")
        return done.out

    (home / "state").mkdir()
    (home / "state" / "settings.toml").write_text('[codex]\ncommand = "no-such-codex"\n')
    assert run("hold", "status", code=1).startswith("Hold: not installed, so not protected; 'resetbank hold on'")
    told = run("hold", "on")
    assert f"{home / 'codex' / 'hooks.json'}: added: PreModelRequest, PreCompact\n" in told
    assert "Hold: not protected yet: you have not trusted it in Codex" in told
    assert "/hooks" in told
    assert "already there" in run("hold", "on")
    assert "Hold       not protected yet: you have not trusted it" in run("doctor", "--source", "http", code=1)
    report = json.loads(run("doctor", "--json", "--source", "http", code=1))
    assert [(hook["hook"], hook["state"]) for hook in report["hooks"]] == [
        ("hold", "untrusted"),
        ("guard", "not installed"),
    ]
    assert "taken out: PreModelRequest, PreCompact\n" in run("hold", "off")
    assert json.loads((home / "codex" / "hooks.json").read_text()) == {"hooks": {}}
    assert "nothing to take out" in run("hold", "off")


def test_the_place_is_refused_before_anything_is_written(home: Path, tmp_path: Path) -> None:
    place = ("--codex-home", str(home / "codex"))
    done = resetbank("hold", "on", *place, RESETBANK_HOME=str(tmp_path / "state"))
    assert (done.code, done.out) == (1, "")
    assert "lies under the temporary folder" in done.err
    assert list((home / "codex").iterdir()) == []
    assert not (tmp_path / "state").exists()
    done = resetbank("guard", "on", "--codex-home", str(home / "codex" / "no"), RESETBANK_HOME=str(home / "state"))
    assert "is not a folder" in done.err
