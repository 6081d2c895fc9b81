"""Exit codes and texts hold whoever reads: nobody, a full disk, a terminal of an old encoding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import over_http, resetbank
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE

OUTPUTS = {
    "closed pipe": "set -o pipefail; {} | true",
    "full disk": "{} >/dev/full",
    "full disk for both": "{} >/dev/full 2>&1",
    "closed output": "{} >&-",
    "closed errors": "{} 2>&-",
    "everything closed": "{} <&- >&- 2>&-",
}
at_every_output = pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)


def shell(output: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = " ".join(f"'{word}'" for word in (sys.executable, "-W", "error", "-m", "tui", *words))
    script = output.format(command)
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=DEADLINE, env=os.environ.copy()
    )


@at_every_output
def test_the_limit_is_told_whoever_reads(stub: StubProcess, output: str) -> None:
    stub.set_scenario("at-limit")
    for words in (("status",), ("status", "--json")):
        done = shell(output, *words, *over_http(stub))
        assert done.returncode == 11
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1


@at_every_output
def test_a_refusal_is_told_whoever_reads(stub: StubProcess, output: str) -> None:
    done = shell(output, "spend", *over_http(stub))
    assert done.returncode == 23
    assert "Traceback" not in done.stderr
    assert stub.requests("/consume") == 0


@at_every_output
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("status", "--help"), ("keys",), ("ledger", "--json")])
def test_printing_succeeds_whoever_reads(output: str, words: tuple[str, ...]) -> None:
    done = shell(output, *words)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@at_every_output
def test_a_mistake_is_told_whoever_reads(output: str) -> None:
    assert shell(output, "status", "--jsno").returncode == 2
    assert shell(output, "watch", "--thread").returncode == 2


def test_no_file_takes_the_place_of_a_closed_output(stub: StubProcess) -> None:
    """What is printed would else land in the database that got the number of the closed descriptor."""
    for _ in range(2):
        assert shell("{} >&- 2>&-", "status", *over_http(stub)).returncode == 10
    assert resetbank("ledger", "--json").code == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp932", "utf-8"])
def test_every_encoding_will_do(stub: StubProcess, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tui", "status", *over_http(stub)],
        capture_output=True,
        timeout=DEADLINE,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    assert (done.returncode, done.stderr) == (10, b"")
    assert "resets" in done.stdout.decode(encoding)


def test_the_posix_locale_will_do(stub: StubProcess) -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert resetbank("status", *over_http(stub), **plain).code == 10


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_json_stays_json_in_every_encoding(stub: StubProcess, encoding: str) -> None:
    stub.set_scenario("many")
    as_it_is = resetbank("status", "--json", *over_http(stub)).json
    done = resetbank("status", "--json", *over_http(stub), PYTHONIOENCODING=encoding)
    assert done.json["resets"] == as_it_is["resets"]
    ledger = resetbank("ledger", "--json", PYTHONIOENCODING=encoding).out
    assert ledger.isascii()
    assert json.loads(ledger) == resetbank("ledger", "--json").json


@pytest.mark.parametrize("output", ["closed pipe", "full disk"])
def test_watch_ends_when_nobody_reads(stub: StubProcess, output: str) -> None:
    stub.set_scenario("at-limit")
    done = shell(OUTPUTS[output], "watch", *over_http(stub))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_no_escape_code_passes(tmp_path: Path) -> None:
    """Paths come from outside too: a folder may be called anything."""
    home = tmp_path / "a\x1b]0;b\x07\u202e\x9b31m\rc"
    home.mkdir()
    text = resetbank("doctor", "--codex-home", str(home), RESETBANK_HOME=str(home))
    assert text.code == 1
    assert all(c.isprintable() or c == "\n" for c in text.out + text.err)
    document = resetbank("doctor", "--json", "--codex-home", str(home), RESETBANK_HOME=str(home))
    assert all(c.isprintable() or c == "\n" for c in document.out)
    assert document.json["settings"]["path"] == str(home / "settings.toml")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_complaint_is_there_at_once_whoever_reads(unbuffered: str) -> None:
    code = "import os; from tui.cli import complain; from tui.cli.output import forgive_output; forgive_output();"
    code += "complain('a line'); os._exit(0)"  # nothing is flushed at such an end
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=DEADLINE, env=environment)
    assert done.stderr == b"resetbank: a line\n"
