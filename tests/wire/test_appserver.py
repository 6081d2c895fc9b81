import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.samples import APP_SERVER_LIMITS, CODEX
from tests.wire.test_fields import ANY_JSON
from tui.domain.credits import Credit, CreditStatus
from tui.domain.snapshot import PaidCredits, Snapshot, SpendControl
from tui.domain.spend import ConsumeCode, ConsumeRequest
from tui.domain.windows import WindowKind, WindowState
from tui.errors import BadPayload
from tui.wire.appserver import (
    Login,
    consume_params,
    decode_login,
    decode_rate_limits,
    http_status,
    initialize_params,
    wants_login,
)
from tui.wire.consume import decode_consume
from tui.wire.jsonrpc import News, Refusal, Result, decode_message, encode_notification, encode_request

ME = Login("chatgpt", "me@example.com", "plus")


def limits(**changes: object) -> Snapshot:
    return decode_rate_limits(json.dumps(json.loads(APP_SERVER_LIMITS) | changes).encode(), CODEX, ME)


def test_requests_are_exact() -> None:
    assert encode_request(3, "account/read", {"refreshToken": False}) == (
        b'{"id":3,"method":"account/read","params":{"refreshToken":false}}'
    )
    assert encode_request(4, "account/rateLimits/read") == b'{"id":4,"method":"account/rateLimits/read"}'
    assert encode_request(5, "account/rateLimits/read", None).endswith(b'"params":null}')
    assert encode_notification("initialized") == b'{"method":"initialized"}'


def test_the_handshake_names_the_program() -> None:
    assert initialize_params("1.2.3")["clientInfo"] == {"name": "resetbank", "title": "resetbank", "version": "1.2.3"}


def test_consume_parameters_are_exact() -> None:
    assert consume_params(ConsumeRequest("k", "c", "acc")) == {"idempotencyKey": "k", "creditId": "c"}
    assert consume_params(ConsumeRequest("k", None, "acc")) == {"idempotencyKey": "k"}


def test_the_full_result() -> None:
    seen = limits()
    assert (seen.account.id, seen.account.plan, seen.account.email) == ("acc1", "plus", "me@example.com")
    assert seen.ordinary_usage_allowed is False
    assert [limit.limit_id for limit in seen.limits] == ["codex"]
    assert seen.limits[0].allowed is False
    assert [(w.kind, w.used_percent, w.resets_at) for w in seen.windows] == [
        (WindowKind.FIVE_HOUR, 100.0, datetime.fromtimestamp(1791207908, UTC)),
        (WindowKind.WEEKLY, 96.0, datetime.fromtimestamp(1791613576, UTC)),
    ]
    assert seen.bank.available == 1
    assert seen.bank.credits_observed_at == CODEX.observed_at
    assert seen.bank.credits == (
        Credit(
            id="RateLimitResetCredit_1",
            type="codex_rate_limits",
            status=CreditStatus.AVAILABLE,
            granted_at=datetime.fromtimestamp(1790102050, UTC),
            expires_at=datetime.fromtimestamp(1792694050, UTC),
            title="Full reset (Weekly + 5 hr)",
        ),
    )
    assert seen.paid == PaidCredits(False, False, "0")
    assert seen.spend_control is None
    assert seen.unknowns == ()


def test_details_not_loaded_leave_the_count() -> None:
    seen = limits(rateLimitResetCredits={"availableCount": 3, "credits": None})
    assert (seen.bank.available, seen.bank.credits, seen.bank.credits_observed_at) == (3, None, None)


def test_other_limits_follow_the_main_one() -> None:
    spark = {"limitId": "spark", "limitName": "Spark", "primary": {"usedPercent": 1, "windowDurationMins": 300}}
    seen = limits(rateLimitsByLimitId={"a_first": {}, "spark": spark, "codex": {"primary": {"usedPercent": 0}}})
    assert [(limit.limit_id, limit.name, limit.allowed) for limit in seen.limits] == [
        ("codex", None, False),
        ("spark", "Spark", None),
    ]
    assert seen.limits[0].windows[0].used_percent == 100.0


def test_a_workspace_cap() -> None:
    main = {
        "limitId": "codex",
        "spendControlReached": True,
        "individualLimit": {"remainingPercent": 30, "resetsAt": 1790000000},
    }
    assert limits(rateLimits=main).spend_control == SpendControl(True, 70.0, datetime.fromtimestamp(1790000000, UTC))


def test_any_word_of_the_app_server_stops_use() -> None:
    fine = {"primary": {"usedPercent": 10, "windowDurationMins": 300, "resetsAt": 1900000000}}
    free = {"rateLimits": fine, "ordinaryUsageAllowed": None, "rateLimitsByLimitId": None}
    assert limits(**free).state(CODEX.observed_at) is WindowState.OK
    full = {"primary": {"usedPercent": 100, "windowDurationMins": 300, "resetsAt": 1900000000}}
    for word in (
        {"ordinaryUsageAllowed": False},
        {"ordinaryUsageAllowed": "false"},
        {"rateLimits": fine | {"rateLimitReachedType": "rate_limit_reached"}},
        {"rateLimits": fine | {"spendControlReached": True}},
        {"rateLimitsByLimitId": {"codex": full}},
        {"rateLimitsByLimitId": {"codex": fine | {"rateLimitReachedType": "primary"}}},
        {"rateLimitsByLimitId": {"codex": fine | {"spendControlReached": True}}},
        {"rateLimitsByLimitId": {"codex": fine | {"individualLimit": {"usedPercent": 100}}}},
    ):
        assert limits(**(free | word)).state(CODEX.observed_at) is WindowState.REACHED, word
    for odd in (
        {"ordinaryUsageAllowed": "perhaps"},
        {"rateLimits": "odd"},
        {"rateLimitsByLimitId": {"codex": 7}},
        {"rateLimitsByLimitId": [fine]},
    ):
        assert limits(**(free | odd)).state(CODEX.observed_at) is WindowState.UNKNOWN, odd


def test_of_two_windows_of_one_length_the_fuller_one_is_believed() -> None:
    """Every answer tells the main limit twice; where lengths are not told, they name no window."""
    for minutes, used in ((None, (100, 10)), (300, (100, 10)), (None, (10, 100))):
        first, second = ({"usedPercent": u, "windowDurationMins": minutes} for u in used)
        main = {"primary": first, "secondary": second}
        seen = limits(rateLimits=main, rateLimitsByLimitId={"codex": main}, ordinaryUsageAllowed=None)
        assert seen.state(CODEX.observed_at) is WindowState.REACHED
    short = {"primary": {"usedPercent": 10, "windowDurationMins": 300}}
    both = short | {"secondary": {"usedPercent": 95, "windowDurationMins": 10080}}
    seen = limits(rateLimits=short, rateLimitsByLimitId={"codex": both}, ordinaryUsageAllowed=None)
    assert seen.state(CODEX.observed_at) is WindowState.NEAR


def test_an_old_server_that_tells_little() -> None:
    seen = decode_rate_limits(b'{"rateLimits":{}}', CODEX, ME)
    assert (seen.account.plan, seen.bank.available, seen.ordinary_usage_allowed) == ("plus", None, None)
    assert "the service did not say how many resets are banked" in seen.unknowns


KEYS = st.sampled_from(sorted(json.loads(APP_SERVER_LIMITS)))


@given(st.dictionaries(KEYS, ANY_JSON))
def test_any_mixture_of_odd_fields_is_read(changes: dict[str, object]) -> None:
    seen = limits(**changes)
    if seen.bank.available == 0:
        bank = changes["rateLimitResetCredits"]
        assert bank is None or (isinstance(bank, dict) and "availableCount" in bank)


def test_a_null_bank_is_empty_and_an_absent_one_unknown() -> None:
    assert limits(rateLimitResetCredits=None).bank.available == 0
    assert decode_rate_limits(b'{"rateLimits":{}}', CODEX, ME).bank.available is None


def test_a_service_without_limits_leaves_none() -> None:
    assert limits(rateLimits={"limitId": "codex"}, ordinaryUsageAllowed=None).limits == ()


@pytest.mark.parametrize(
    ("body", "login"),
    [
        (b'{"account":null,"requiresOpenaiAuth":true}', Login(None)),
        (b"{}", Login(None)),
        (b'{"account":{"type":"apiKey"}}', Login("apiKey")),
        (b'{"account":{"type":"chatgpt","email":"me@example.com","planType":"plus"}}', ME),
        (b'{"account":{"type":"chatgpt","email":null,"planType":7}}', Login("chatgpt")),
        (b'{"account":{}}', Login("unknown")),
    ],
)
def test_how_it_is_signed_in(body: bytes, login: Login) -> None:
    assert decode_login(body) == login


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("reset", ConsumeCode.RESET),
        ("nothingToReset", ConsumeCode.NOTHING_TO_RESET),
        ("noCredit", ConsumeCode.NO_CREDIT),
        ("alreadyRedeemed", ConsumeCode.ALREADY_REDEEMED),
        ("unknown", ConsumeCode.UNRECOGNISED),
    ],
)
def test_each_outcome(outcome: str, code: ConsumeCode) -> None:
    assert decode_consume(json.dumps({"outcome": outcome}).encode(), "outcome").code is code


@pytest.mark.parametrize("body", [b"null", b"{}", b'{"outcome":null}', b"[]"])
def test_a_result_without_an_outcome_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        decode_consume(body, "outcome")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id":2,"result":{"a":1}}', Result(2, b'{"a":1}')),
        (b'{"id":2,"result":null}', Result(2, b"null")),
        (b'{"id":2}', Result(2, b"null")),
        (b'{"id":2,"error":{"code":-32600,"message":"no"}}', Refusal(2, -32600, "no")),
        (b'{"id":2,"error":"odd"}', Refusal(2, -32603, "")),
        (b'{"method":"account/updated","params":{},"emittedAtMs":1}', News("account/updated", b"{}")),
        (b'{"id":7,"method":"item/commandExecution/requestApproval","params":{}}', None),
        (b'{"id":"x","result":1}', None),
        (b'{"id":1.5,"result":1}', None),
        (b"[]", None),
        (b"7", None),
    ],
)
def test_each_kind_of_message(line: bytes, message: object) -> None:
    assert decode_message(line) == message


@pytest.mark.parametrize(
    "line", [b"", b"hello", b"HTTP/1.1 400 Bad Request", b'{"id":1', b'{"id":1,"result":' + b"[" * 200_000]
)
def test_what_is_not_json_is_another_protocol(line: bytes) -> None:
    with pytest.raises(BadPayload):
        decode_message(line)


@given(ANY_JSON)
def test_any_json_is_a_message_or_none_of_our_business(value: object) -> None:
    decode_message(json.dumps(value, allow_nan=False, default=str).encode() if _finite(value) else b"null")


def _finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (
            "failed to fetch codex rate limits: GET http://x/usage failed: 503 Service Unavailable; body=failed: 401",
            503,
        ),
        ("failed to consume rate limit reset: POST http://x failed: 429 Too Many Requests", 429),
        ("rate limit reset consume timed out", None),
        ("failed: 99999", None),
    ],
)
def test_the_status_inside_an_error_text(text: str, status: int | None) -> None:
    assert http_status(text) == status


def test_a_refusal_for_want_of_a_login() -> None:
    assert wants_login(Refusal(1, -32600, "codex account authentication required to read rate limits"))
    assert not wants_login(Refusal(1, -32600, "idempotencyKey must not be empty"))


@pytest.mark.parametrize("depth", [50, 600, 900, 5_000, 100_000])
def test_what_is_nested_without_end_is_passed_over_or_is_no_answer(depth: int) -> None:
    for begin, end in (("[", "]"), ('{"a":', "}")):
        nested = f"{begin * depth}1{end * depth}"
        for body in (
            f'{{"rateLimits":{{"x":{nested}}}}}',
            f'{{"rateLimitResetCredits":{nested}}}',
            f'{{"rateLimitsByLimitId":{{"codex":{nested}}}}}',
        ):
            try:
                assert decode_rate_limits(body.encode(), CODEX, ME).state(CODEX.observed_at) is WindowState.UNKNOWN
            except BadPayload:
                assert depth > 500
