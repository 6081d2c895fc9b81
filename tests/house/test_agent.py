import pytest

from tui.agent import MARKS, mark_of_codex, refuse_under_codex
from tui.errors import EXIT_REFUSED, UnderCodex


@pytest.mark.parametrize("name", [*MARKS, "CODEX_SANDBOX_NETWORK_DISABLED"])
def test_what_codex_sets_for_its_agent_is_a_mark(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mark_of_codex({name: "1"}) == name
    monkeypatch.setenv(name, "x")
    with pytest.raises(UnderCodex, match=f"spending is refused under Codex .{name}") as refused:
        refuse_under_codex("spending")
    assert refused.value.exit_code == EXIT_REFUSED


def test_what_people_set_is_none() -> None:
    assert mark_of_codex({"CODEX_HOME": "/x", "CODEX_CI": "", "CODEX_MANAGED_BY_NPM": "1", "CI": "1"}) is None
