"""What fifty accounts cost beside one, on a real terminal. `python -m tests.bench.bench_accounts [--quick]`."""

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.bench_start import ROUNDS, Start, _environment, _idle, _run
from tests.support.stub_process import start_stub

ACCOUNTS = 50
SETTLED_SECONDS = 30.0


def measure(*, quick: bool = False) -> list[str]:
    """Start-up and idle of one account and of fifty, over the same service; interleaved."""
    rounds = 3 if quick else ROUNDS
    with TemporaryDirectory() as name, start_stub(scenario="calm", sandbox=Path(name) / "sandbox") as stub:
        folder = Path(name)
        homes = {"a0": stub.codex_home}
        for number in range(1, ACCOUNTS):
            box = stub.add_account(f"many-{number}")
            assert box is not None
            homes[f"a{number}"] = box / "codex-home"
        command = [sys.executable, "-m", "tui", "--source", "http"]
        one = _environment(folder / "one") | {"CODEX_HOME": str(stub.codex_home)}
        many = _environment(folder / "many") | {"CODEX_HOME": str(stub.codex_home)}
        settings = folder / "many" / "resetbank" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("[accounts]\n" + "".join(f'{name} = "{home}"\n' for name, home in homes.items()))
        start = Start("the screen", command, b"Limits", b"banked")
        for environment in (one, many):  # writes the bytecode, and what is remembered
            _run(start, environment)
        runs = [(_run(start, one), _run(start, many)) for _ in range(rounds)]
        shares = [_idle(start, environment, SETTLED_SECONDS) for environment in (one, many)]
    lines = []
    for title, unit, index in (("first content", "ms", 0), ("data shown", "ms", 1), ("resident", "MiB", 2)):
        theirs, mine = (median(run[which][index] for run in runs) for which in (0, 1))
        lines.append(f"{title}: {mine:.0f} {unit}, one account {theirs:.0f} {unit}, ratio {mine / theirs:.2f}")
    lines.append(f"idle: {shares[1] * 100:.2f} % of one core, one account {shares[0] * 100:.2f} %")
    return lines


if __name__ == "__main__":
    print("\n".join(measure(quick="--quick" in sys.argv)))
