"""Every figure in one run: `uv run --all-groups python -m tests.bench`. Nothing here passes or fails."""

from tests.bench import (
    bench_commands,
    bench_foresight,
    bench_hooks,
    bench_interruption,
    bench_keys,
    bench_referrals,
    bench_release,
    bench_sessions,
    bench_start,
    bench_stub,
)

for title, measure in (
    ("One-shot commands", bench_commands.measure),
    ("The screen", bench_start.measure),
    ("Its keys", bench_keys.measure),
    ("The stub", bench_stub.measure),
    ("The stub's referrals", bench_referrals.measure),
    ("Live sessions", bench_sessions.measure),
    ("A stop of the real Codex", bench_interruption.measure),
    ("The hooks", bench_hooks.measure),
    ("The answer", bench_release.measure),
    ("Looking ahead, with a million readings", bench_foresight.measure),
):
    print(title)
    for line in measure():
        print(f"  {line}", flush=True)
