"""Long runs with the real Codex: `uv run --all-groups python -m tests.soak [SEED]`.

A promise that breaks ends it with an error; the seed repeats a run.
"""

import random
import sys

from tests.bench import bench_hooks
from tests.soak import hold

seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1_000_000)
print(f"seed {seed}")
print(hold.random_answers(seed), flush=True)
print(hold.kills(seed), flush=True)
for line in bench_hooks.measure():
    print(line, flush=True)
