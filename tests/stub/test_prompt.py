import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stub.test_endpoints import MODEL, Start
from tui.stub.model import ToolCall, next_tool_call, read_request, thread_of

KEYS = st.sampled_from(["input", "role", "content", "text", "type"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.just("user")
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "ok"}


def request(prompt: str, done: int = 0) -> bytes:
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    before = [{"type": "message", "role": "user", "content": "run: earlier"}, OUTPUT, OUTPUT]
    return json.dumps({"model": "m", "input": [*before, asked, *([{"type": "function_call"}, OUTPUT] * done)]}).encode()


def test_each_line_is_one_call_in_order() -> None:
    prompt = 'Please\nrun: echo one; true\nnot run: x\ncall: mcp__app__spend {"n": 1}\ncall: view_image\nThanks'
    assert [next_tool_call(read_request(request(prompt, done))) for done in range(4)] == [
        ToolCall("exec_command", '{"cmd":"echo one; true"}'),
        ToolCall("spend", '{"n": 1}', "mcp__app"),
        ToolCall("view_image", "{}"),
        None,
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"input": 3}', b'{"input": [3, {"role": "user"}]}'])
def test_what_makes_no_sense_asks_for_nothing(body: bytes) -> None:
    assert next_tool_call(read_request(body)) is None


@given(VALUES)
def test_no_request_breaks_it(value: object) -> None:
    prompt = read_request(json.dumps(value).encode())
    found = next_tool_call(prompt)
    assert found is None or found.name
    assert isinstance(thread_of(prompt), str | None)


async def test_a_limit_fills_in_the_middle_of_a_turn(embedded: Start) -> None:
    served = embedded("busy")  # 93 %, 3 a request
    statuses = []
    for done in range(4):
        answer = await served.client.post(MODEL, content=request("run: a\nrun: b\nrun: c", done))
        statuses.append((answer.status_code, '"function_call"' in answer.text))
    assert statuses == [(200, True), (200, True), (200, True), (429, False)]
