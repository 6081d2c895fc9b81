import asyncio

import pytest

from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeRequest
from tui.errors import NotViable, SourceDown, UsageError
from tui.sources.base import Source, SourceName, SourceOption, SourceStatus
from tui.sources.chain import Chain


class Opened:
    """A source that only opens and closes."""

    def __init__(self, name: SourceName) -> None:
        self.name: SourceName = name
        self.closed = False

    async def read(self, *, with_credits: bool) -> Snapshot:
        raise NotImplementedError

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        raise NotImplementedError

    async def changed(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.closed = True


def opens(source: Opened) -> SourceOption:
    async def open_() -> Source:
        return source

    return SourceOption(source.name, open_)


def fails(name: SourceName, error: Exception) -> SourceOption:
    async def open_() -> Source:
        raise error

    return SourceOption(name, open_)


def hangs(name: SourceName) -> SourceOption:
    async def open_() -> Source:
        await asyncio.Event().wait()
        raise AssertionError

    return SourceOption(name, open_)


async def test_the_first_viable_one_is_taken_and_the_rest_not_asked() -> None:
    codex = Opened("codex")
    http = fails("http", AssertionError("was asked"))
    source = await Chain([fails("daemon", NotViable("no socket", "start codex")), opens(codex), http]).open()
    assert source is codex
    assert not codex.closed


async def test_none_viable_names_every_reason_in_one_line() -> None:
    chain = Chain(
        [fails("daemon", NotViable("no socket")), fails("codex", SourceDown("broke off")), hangs("http")], deadline=0.01
    )
    with pytest.raises(NotViable) as caught:
        await chain.open()
    line = str(caught.value)
    assert "daemon: no socket · codex: broke off · http: it did not answer within 0.01 s" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("error", "reason"), [(PermissionError(13, "Permission denied"), "Permission denied"), (EOFError(), None)]
)
async def test_the_machine_s_own_errors_are_reasons_and_ours_are_not(error: Exception, reason: str | None) -> None:
    chain = Chain([fails("codex", error)])
    with pytest.raises(NotViable if reason else EOFError, match=reason):
        await chain.open()


async def test_a_wrong_command_line_is_not_passed_over() -> None:
    with pytest.raises(UsageError):
        await Chain([fails("http", UsageError("not a URL")), opens(Opened("stub"))]).open()


async def test_a_probe_asks_all_and_keeps_none() -> None:
    sources = [Opened("daemon"), Opened("http")]
    candidates = [opens(sources[0]), fails("codex", UsageError("odd")), opens(sources[1])]
    statuses = await Chain(candidates).probe()
    assert statuses == (
        SourceStatus("daemon", True, "can be used"),
        SourceStatus("codex", False, "odd"),
        SourceStatus("http", True, "can be used"),
    )
    assert all(source.closed for source in sources)


async def test_a_preferred_source_that_comes_later_is_found_and_only_that_one() -> None:
    daemon, codex, http = Opened("daemon"), Opened("codex"), Opened("http")
    later = SourceOption("daemon", opens(daemon).open, comes_later=True)
    chain = Chain([later, opens(codex), opens(http)])
    assert await chain.upgrade("http") is daemon
    assert await chain.upgrade("daemon") is None
    assert await Chain([opens(codex), opens(http)]).upgrade("http") is None
    assert await Chain([fails("daemon", NotViable("no socket")), opens(http)]).upgrade("http") is None
