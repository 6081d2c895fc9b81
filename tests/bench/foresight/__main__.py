"""The back-test: `python -m tests.bench.foresight [SEED [PEOPLE [forecasts]]]`. Nothing here passes or fails.

Seeds for tuning are `tune` and `suite`; whatever is quoted comes from another word (`report`). A seed that begins with
`others` draws people of another character (`others-report`). Misses are counted over all moments of active use, and
apart over the `likely` ones: those whose forecast gives the limit a tenth or more before the reset. An upper end is
open where it is not before the reset; the limit can come where it did in a tenth of the person's own like moments.

With `forecasts` the advice is carried out but not scored, which takes a small part of the time. Where the advice loses
waiting against the oracle is in `regret`.
"""

import sys

from tests.bench.foresight.scoring import Scores, ratio, resampled, saved, score


def main(seed: str = "report", count: str = "28", only: str = "") -> None:
    """Print every figure with its goal."""
    people: list[Scores] = []
    for number in range(int(count)):
        people.append(score(seed, number, advice=only != "forecasts"))
        print(f"\r{number + 1} of {count} people", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{len(people)} people, {sum(p.weeks for p in people):.0f} user-weeks, seed {seed}")
    if only != "forecasts":
        _advice(people)
    warned = resampled(people, lambda some: sum(p.warned for p in some) / max(1, sum(p.hits for p in some)))
    false = resampled(people, lambda some: sum(p.false for p in some) / sum(p.weeks for p in some))
    print(f"hits warned 5 to 30 min before: {warned}  goal >= 0.85")
    print(f"warnings without a hit within the hour, a user-week: {false}  goal <= 0.5")
    for window in ("300", "300, half used", "10080", "10080, half used"):
        for below in ("line", "average"):
            print(f"{window}: error of the {below} over ours: {resampled(people, ratio(window, below, 'error'))}")
        for name in ("early", "late", "low", "high"):
            print(f"{window}: {name} misses: {resampled(people, ratio(window, name, 'count'))}")
        for name in ("likely_early", "likely_late"):
            print(f"{window}: {name} misses: {resampled(people, ratio(window, name, 'likely'))}")
        print(
            f"{window}: open ends where the limit can come: {resampled(people, ratio(window, 'alike_open', 'alike'))}"
        )
        print(f"{window}: width over that of own past errors: {resampled(people, ratio(window, 'width', 'own'))}")


def _advice(people: list[Scores]) -> None:
    for way, goal in (("advice", ">= 0.80"), ("advice, nobody at night", ">= 0.72")):
        print(f"waiting saved, {way}: {resampled(people, saved(way))}  goal {goal}")
    for way in ("every hit", "before expiry"):
        print(f"waiting saved, {way}: {resampled(people, saved(way))}")
    worse = sum(p.waiting["advice"] > p.waiting["never"] + 0.05 for p in people)
    print(f"people who waited more than without any spend: {worse}  goal 0")
    lapsed = sum(p.lapsed for p in people) / max(1, sum(p.oracle_used for p in people))
    print(f"resets lapsed that the oracle used: {lapsed:.2f}  goal <= 0.10")


if __name__ == "__main__":
    main(*sys.argv[1:])
