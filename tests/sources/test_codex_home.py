import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.conftest import AUTH, CodexFolder, good_claims, jwt
from tests.support.clocks import START
from tui.errors import NotViable, UsageError
from tui.paths import resetbank_paths
from tui.sources.base_url import OFFICIAL
from tui.sources.codex_home import (
    CodexConfig,
    CodexHome,
    allow_link,
    find_codex_home,
    outside_link,
    parse_auth,
    read_auth_file,
    read_config,
)
from tui.sources.login import Claims, Login, Token, read_claims


def refusal(codex: CodexFolder) -> str:
    with pytest.raises(NotViable) as caught:
        read_auth_file(codex.home, START)
    return str(caught.value)


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_codex_home().path == tmp_path / "codex-home"
    assert find_codex_home(tmp_path).path == tmp_path
    monkeypatch.delenv("CODEX_HOME")
    assert find_codex_home().path == tmp_path / "home" / ".codex"


def test_a_chosen_folder_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        find_codex_home(tmp_path / "nowhere")


def test_a_whole_login(codex: CodexFolder) -> None:
    codex.auth()
    login = read_auth_file(codex.home, START)
    assert login is not None
    assert (login.account_id, login.plan, login.email, login.fedramp) == ("acc1", "plus", "me@example.com", False)
    assert login.expires_at == START + timedelta(days=9)


def test_no_file_is_no_login(codex: CodexFolder) -> None:
    assert read_auth_file(codex.home, START) is None
    assert read_auth_file(CodexHome(codex.home.path / "missing"), START) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"auth_mode":"chatgpt","tok', "is damaged: is not valid JSON"),
        (b"\xff\xfe\x00", "is damaged"),
        (b"[1]", "is damaged: is not a JSON object"),
        (b"null", "is damaged"),
        (b"{}", "holds no ChatGPT login"),
        (b'{"OPENAI_API_KEY":"sk-secret"}', "by an API key"),
        (b'{"auth_mode":"apikey","OPENAI_API_KEY":"sk-secret"}', "by apikey"),
        (b'{"auth_mode":"agentIdentity\\u001b[2J"}', "by agentIdentity[2J"),
        (b'{"auth_mode":"chatgpt","tokens":{}}', "holds no access token"),
        (b'{"auth_mode":"chatgpt","tokens":{"access_token":7}}', "holds no access token"),
        (b'{"tokens":{"access_token":"a b\\nsecret"}}', "token is malformed"),
        (b" " * (1 << 20) + b" {}", "larger than 1 MiB"),
    ],
)
def test_each_broken_login_is_one_clear_line(codex: CodexFolder, content: bytes, reason: str) -> None:
    codex.home.auth_file.write_bytes(content)
    line = refusal(codex)
    assert reason in line
    assert line.isprintable()
    assert "secret" not in line


def test_an_expired_login_says_when_and_what_to_do(codex: CodexFolder) -> None:
    codex.signed_in(jwt(**good_claims(exp=START.timestamp())))
    assert refusal(codex) == "the login expired at 2026-11-23 14:07 UTC; run codex once to refresh it"


def test_a_folder_or_pipe_in_its_place(codex: CodexFolder) -> None:
    codex.home.auth_file.mkdir()
    assert "is not a file" in refusal(codex)
    codex.home.auth_file.rmdir()
    os.mkfifo(codex.home.auth_file)
    assert "is not a file" in refusal(codex)


def test_one_that_may_not_be_read(codex: CodexFolder) -> None:
    codex.auth()
    codex.home.auth_file.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        line = refusal(codex)
    finally:
        if root:
            os.seteuid(0)
    assert line == f"cannot read {codex.home.auth_file}: Permission denied; check who owns it"


def test_claims_stand_in_for_the_account_id(codex: CodexFolder) -> None:
    codex.signed_in(jwt(**good_claims("acc7")), account=None)
    login = read_auth_file(codex.home, START)
    assert login is not None
    assert login.account_id == "acc7"


def test_an_account_id_that_is_no_header_is_not_sent(codex: CodexFolder) -> None:
    codex.signed_in("opaque", account="a\r\nX-Evil: 1")
    login = read_auth_file(codex.home, START)
    assert login is not None
    assert login.account_id is None


def test_fedramp_accounts_are_told_apart() -> None:
    claims = good_claims() | {AUTH: {"chatgpt_account_id": "a", "chatgpt_account_is_fedramp": True}}
    assert read_claims(jwt(**claims)).fedramp


def test_the_profile_names_the_address() -> None:
    claims = {"https://api.openai.com/profile": {"email": "p@example.com"}, "exp": 1790000000}
    assert read_claims(jwt(**claims)) == Claims(
        email="p@example.com", expires_at=datetime.fromtimestamp(1790000000, UTC)
    )


@given(st.text() | st.binary().map(lambda raw: f"a.{raw.hex()}.c"))
def test_an_opaque_token_says_nothing(token: str) -> None:
    assert read_claims(token) == Claims()


@given(
    st.dictionaries(st.sampled_from(["auth_mode", "OPENAI_API_KEY", "tokens"]), st.none() | st.text() | st.integers())
)
def test_any_auth_file_is_a_login_or_one_line(fields: dict[str, object]) -> None:
    with pytest.raises(NotViable) as caught:
        parse_auth(json.dumps(fields).encode(), START, "auth.json")
    assert str(caught.value).replace("\u200c", "").replace("\u200d", "").isprintable()


def test_a_token_never_shows_itself() -> None:
    login = Login(Token("very-secret"), "acc1")
    for shown in (repr(login), str(login), f"{login.access_token}", repr([login]), str(login.access_token)):
        assert "secret" not in shown
    with pytest.raises(TypeError):
        login.access_token.__reduce__()


def test_without_config_codex_s_defaults_hold(codex: CodexFolder) -> None:
    assert read_config(codex.home) == CodexConfig(OFFICIAL, "file")


def test_config(codex: CodexFolder) -> None:
    codex.config('chatgpt_base_url = "http://127.0.0.1:1/"\ncli_auth_credentials_store = "keyring"\n[unknown]\na = 1\n')
    config = read_config(codex.home)
    assert (config.base_url().url, config.credentials_store) == ("http://127.0.0.1:1", "keyring")


@pytest.mark.parametrize("text", ["a = ", "\x00", "chatgpt_base_url = 7", "cli_auth_credentials_store = []"])
def test_a_broken_config_is_one_clear_line(codex: CodexFolder, text: str) -> None:
    codex.config(text)
    with pytest.raises(NotViable, match="mend it"):
        read_config(codex.home)


def test_a_config_that_points_nowhere_safe(codex: CodexFolder) -> None:
    codex.config('chatgpt_base_url = "http://evil.example"')
    with pytest.raises(NotViable, match=r"config\.toml: .*neither https nor on this machine"):
        read_config(codex.home).base_url()


def test_the_keyring_user_follows_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    users = {CodexHome(tmp_path / name).keyring_user for name in ("real", "link")}
    assert len(users) == 1
    assert len(users.pop()) == len("cli|") + 16


def test_a_login_that_a_link_leads_to_elsewhere_needs_a_yes(codex: CodexFolder, tmp_path: Path) -> None:
    codex.auth()
    elsewhere, other = tmp_path / "theirs.json", tmp_path / "others.json"
    codex.home.auth_file.rename(elsewhere)
    other.write_bytes(elsewhere.read_bytes())
    codex.home.auth_file.symlink_to(elsewhere)
    assert outside_link(codex.home) == elsewhere
    with pytest.raises(NotViable, match=r"is a link out of its folder, to .*theirs\.json; run resetbank on a terminal"):
        read_auth_file(codex.home, START)
    allow_link(codex.home, elsewhere)
    assert resetbank_paths().links.stat().st_mode & 0o777 == 0o600
    assert read_auth_file(codex.home, START) is not None
    codex.home.auth_file.unlink()
    codex.home.auth_file.symlink_to(other)
    with pytest.raises(NotViable, match="others"):
        read_auth_file(codex.home, START)


def test_a_link_inside_of_its_folder_and_a_linked_folder_are_fine(codex: CodexFolder, tmp_path: Path) -> None:
    codex.auth()
    codex.home.auth_file.rename(codex.home.path / "real.json")
    codex.home.auth_file.symlink_to("real.json")
    assert read_auth_file(codex.home, START) is not None
    (tmp_path / "link").symlink_to(codex.home.path)
    assert read_auth_file(CodexHome(tmp_path / "link"), START) is not None


def test_a_byte_order_mark_is_read_as_codex_reads_it(codex: CodexFolder) -> None:
    codex.home.config_file.write_bytes(b'\xef\xbb\xbfchatgpt_base_url = "http://127.0.0.1:1/backend-api"\n')
    assert read_config(codex.home).chatgpt_base_url == "http://127.0.0.1:1/backend-api"


def test_which_providers_the_plan_pays(codex: CodexFolder) -> None:
    codex.config("[model_providers.mine]\nrequires_openai_auth = true\n[model_providers.ollama]\nname = 'o'\n")
    paid = {name: codex.home.pays_plan(name) for name in (None, "openai", "mine", "ollama", "other")}
    assert paid == {None: True, "openai": True, "mine": True, "ollama": False, "other": False}
    codex.config("model_providers = 7")
    assert (codex.home.pays_plan("openai"), codex.home.pays_plan("mine")) == (True, False)
    codex.config("[broken")
    assert (codex.home.pays_plan("openai"), codex.home.pays_plan("mine")) == (True, False)
