import json

import pytest

from tests.sources.conftest import CodexFolder, MemoryKeyring, good_claims, jwt
from tests.support.clocks import ManualClock
from tui.errors import NotViable, UsageError
from tui.sources.base_url import OFFICIAL, parse_base_url
from tui.sources.login import Login, Token
from tui.sources.logins import Logins, choose_base_url
from tui.sources.secrets import store_login

FOREIGN = "https://quota.example.com/backend-api"
SANDBOX = "http://127.0.0.1:1/backend-api"


async def login_for(url: str, codex: CodexFolder, *, own: bool = True) -> Login:
    return await Logins(codex.home, parse_base_url(url), own, ManualClock())()


def test_a_base_url_of_one_s_own_wins(codex: CodexFolder) -> None:
    codex.config(f'chatgpt_base_url = "{SANDBOX}"')
    assert choose_base_url(FOREIGN, codex.home) == (parse_base_url(FOREIGN), True)
    assert choose_base_url(None, codex.home) == (parse_base_url(SANDBOX), False)
    with pytest.raises(UsageError):
        choose_base_url("http://quota.example.com", codex.home)


def test_without_a_word_it_is_the_official_service(codex: CodexFolder) -> None:
    assert choose_base_url(None, codex.home) == (parse_base_url(OFFICIAL), False)


async def test_codex_s_login_never_goes_to_a_foreign_host(codex: CodexFolder, memory_keyring: MemoryKeyring) -> None:
    codex.auth()
    with pytest.raises(NotViable, match=r"there is no login for quota\.example\.com; run `resetbank login"):
        await login_for(FOREIGN, codex)
    assert memory_keyring.entries == {}


async def test_codex_s_login_goes_where_codex_is_configured_to(codex: CodexFolder) -> None:
    codex.auth()
    codex.config(f'chatgpt_base_url = "{FOREIGN}/"')
    assert (await login_for(FOREIGN, codex)).origin == str(codex.home.auth_file)
    assert (await login_for(FOREIGN, codex, own=False)).account_id == "acc1"


@pytest.mark.parametrize("config", [f'chatgpt_base_url = "{SANDBOX}"', "chatgpt_base_url = 7", ""])
async def test_codex_s_login_goes_only_where_codex_would_send_it(
    codex: CodexFolder, memory_keyring: MemoryKeyring, config: str
) -> None:
    codex.auth()
    codex.config(config)
    own = {f'chatgpt_base_url = "{SANDBOX}"': SANDBOX, "": OFFICIAL}.get(config)
    for url in (
        SANDBOX,
        f"{SANDBOX}/",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/other",
        "http://127.0.0.1:2/backend-api",
        OFFICIAL,
        FOREIGN,
    ):
        if own is not None and parse_base_url(url) == parse_base_url(own):
            assert (await login_for(url, codex)).account_id == "acc1"
        else:
            with pytest.raises(NotViable):
                await login_for(url, codex)


async def test_a_stored_login_goes_to_its_own_address_only(codex: CodexFolder, memory_keyring: MemoryKeyring) -> None:
    await store_login(parse_base_url(FOREIGN), Token("opaque"), "acc5")
    login = await login_for(FOREIGN, codex)
    assert (login.access_token, login.account_id, login.origin) == (Token("opaque"), "acc5", "resetbank login")
    with pytest.raises(NotViable):
        await login_for("https://other.example.com", codex)


async def test_a_stored_login_goes_to_a_server_that_codex_does_not_name(
    codex: CodexFolder, memory_keyring: MemoryKeyring
) -> None:
    codex.auth()
    await store_login(parse_base_url(SANDBOX), Token("opaque"), None)
    assert (await login_for(SANDBOX, codex)).access_token == Token("opaque")


async def test_a_stored_jwt_names_its_account(codex: CodexFolder, memory_keyring: MemoryKeyring) -> None:
    await store_login(parse_base_url(FOREIGN), Token(jwt(**good_claims("acc8"))), None)
    assert (await login_for(FOREIGN, codex)).account_id == "acc8"


async def test_the_environment_s_token_is_for_one_s_own_address(
    codex: CodexFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    codex.auth()
    monkeypatch.setenv("RESETBANK_TOKEN", " from-environment\n")
    assert (await login_for(FOREIGN, codex)).access_token == Token("from-environment")
    assert (await login_for(OFFICIAL, codex, own=False)).access_token != Token("from-environment")


async def test_without_login_and_keyring_every_reason_is_named(codex: CodexFolder) -> None:
    codex.config(f'chatgpt_base_url = "{SANDBOX}"')
    with pytest.raises(NotViable) as caught:
        await login_for(SANDBOX, codex)
    line = str(caught.value)
    assert "no keyring backend on this machine" in line
    assert f"there is no {codex.home.auth_file}" in line
    assert "RESETBANK_TOKEN" in line


@pytest.mark.parametrize("store", ["keyring", "auto"])
async def test_codex_s_login_in_the_keyring(codex: CodexFolder, memory_keyring: MemoryKeyring, store: str) -> None:
    codex.config(f'cli_auth_credentials_store = "{store}"')
    codex.auth()
    memory_keyring.set_password("Codex Auth", codex.home.keyring_user, codex.home.auth_file.read_text())
    codex.home.auth_file.unlink()
    assert (await login_for(OFFICIAL, codex, own=False)).origin == "Codex's keyring entry"


async def test_an_empty_keyring_says_so(codex: CodexFolder, memory_keyring: MemoryKeyring) -> None:
    codex.config('cli_auth_credentials_store = "keyring"')
    codex.auth()
    with pytest.raises(NotViable, match="Codex has no login in the keyring"):
        await login_for(OFFICIAL, codex, own=False)


async def test_a_login_kept_in_memory_is_out_of_reach(codex: CodexFolder) -> None:
    codex.config('cli_auth_credentials_store = "ephemeral"')
    with pytest.raises(NotViable, match="in memory only; use --source daemon or --source codex"):
        await login_for(OFFICIAL, codex, own=False)


async def test_the_login_is_found_afresh_each_time(codex: CodexFolder) -> None:
    codex.auth()
    find = Logins(codex.home, parse_base_url(OFFICIAL), False, ManualClock())
    before = await find()
    codex.home.auth_file.write_text(json.dumps({"tokens": {"access_token": "renewed"}}))
    assert (await find()).access_token == Token("renewed") != before.access_token
