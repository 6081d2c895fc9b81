"""A small app-server that follows a script: run as a child process, or served over a real Unix socket.

Each method has a list of answers; the last one repeats. An answer is a JSON object with `result` or `error`, or a word:
`silence`, `exit`, `garbage`, `flood`. Everything it hears is written to a log, one line a message.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMITS = {
    "accountId": "acc1",
    "ordinaryUsageAllowed": True,
    "rateLimits": {
        "limitId": "codex",
        "primary": {"usedPercent": 7, "windowDurationMins": 300, "resetsAt": 1791207908},
    },
    "rateLimitResetCredits": {"availableCount": 1, "credits": []},
}
GOOD: dict[str, list[Any]] = {
    "initialize": [{"result": {"userAgent": "scripted"}}],
    "account/read": [{"result": {"account": {"type": "chatgpt", "email": "me@example.com", "planType": "plus"}}}],
    "account/rateLimits/read": [{"result": LIMITS}],
    "account/rateLimitResetCredit/consume": [{"result": {"outcome": "reset"}}],
}


def answers(script: dict[str, list[Any]], line: bytes) -> Iterator[str]:
    """What to say to one message; words are passed on for the caller to act out."""
    message = json.loads(line)
    if "id" not in message:
        return
    steps = script[message["method"]]
    step = steps.pop(0) if len(steps) > 1 else steps[0]
    for one in step if isinstance(step, list) else [step]:
        if isinstance(one, str):
            yield one
        else:
            yield json.dumps(one if "method" in one else {"id": message["id"]} | one)


def main() -> None:
    script, log = json.loads(sys.argv[1]), Path(sys.argv[2])
    print("noise on stderr " * 10_000, file=sys.stderr, flush=True)
    for line in sys.stdin.buffer:
        with log.open("ab") as heard:
            heard.write(line)
        for word in answers(script, line):
            match word:
                case "silence":
                    pass
                case "exit":
                    sys.exit(7)
                case "garbage":
                    print("this is no JSON", flush=True)
                case "flood":
                    while True:
                        sys.stdout.write("x" * 65_536)
                case _:
                    print(word, flush=True)


if __name__ == "__main__":
    main()
