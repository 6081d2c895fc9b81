"""Long runs with the real Codex: `uv run --all-groups python -m tests.soak [SEED]`.

A promise that breaks ends it with an error; the seed repeats a run.
"""

import multiprocessing
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from tests.bench import bench_hooks
from tests.soak import hold


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1_000_000)
    started = perf_counter()
    print(f"seed {seed}", flush=True)
    # Each has a service and a Codex home of its own, and mostly waits: they run beside each other.
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        answers = [pool.submit(hold.run_into_the_limit, seed + part, hold.TURNS // 2) for part in range(2)]
        kills = pool.submit(hold.kill_them, seed, hold.KILLS)
        print(hold.told_of_kills(kills.result()), flush=True)
        print(hold.told_of_answers([part.result() for part in answers]), flush=True)
    for line in bench_hooks.measure(turns=1):  # alone: it measures
        print(line, flush=True)
    print(f"the whole: {perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
