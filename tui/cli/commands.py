"""Every command in one table: what it does, two examples, its exit codes. Reading it imports nothing.

A command `name` is the module `tui/cli/name.py` with two functions: `add_arguments(parser)` and `run(arguments)`.
"""

from tui import __version__

SOURCE = ("source", "codex_home", "base_url", "account")
"""The options of commands that read the service."""

HOME = ("codex_home", "account")
"""The options of commands that only look into Codex's folder."""

KEPT = ("account",)
"""The option of commands that print what was kept."""

LOCAL = ()
"""Commands for which it makes no difference where the truth comes from."""


class Command:
    """One command.

    Args:
        line: What it does, one line of `--help`.
        examples: Two calls, each with what it is good for.
        takes: Which of the options SOURCE it heeds; the others are accepted, but not shown in its `--help`.
        codes: Exit codes beyond 0 success, 1 failure and 2 usage.
        module: Its module's name, where that is not the command's.
    """

    __slots__ = ("codes", "examples", "line", "module", "takes")

    def __init__(
        self,
        line: str,
        *examples: tuple[str, str],
        takes: tuple[str, ...] = SOURCE,
        codes: str = "",
        module: str = "",
    ) -> None:
        self.line = line
        self.examples = examples
        self.takes = takes
        self.codes = codes
        self.module = module


GROUPS = {
    "limits and resets": {
        "status": Command(
            "print the limits and the bank once",
            ("resetbank status", "the limits and the bank as text"),
            ("resetbank status --json | jq '.windows[].used_percent'", "for scripts"),
            codes="0 below the warning level, 10 near, 11 limit reached, 12 unknown or stale",
        ),
        "line": Command(
            "print one line from the last reading, for tmux, prompts and status bars; asks nobody",
            ("resetbank line --format tmux --refresh 120", "in tmux's status-right"),
            ("resetbank line --format '{glyph} {five_hour}'", "a template of your own"),
            takes=KEPT,
            codes="without --format, or with --exit-code, as status",
        ),
        "spend": Command(
            "spend one reset: shows what it would do and asks for a typed code",
            ("resetbank spend", "shows the proposal, then asks"),
            ("resetbank spend --credit ID --json", "a reset of your choice; the result as JSON"),
            codes="0 spent, 20 nothing to reset, 21 no reset available, 22 outcome unknown, 23 refused or no consent",
        ),
        "queue": Command(
            "spend up to N resets until a time, each at a real limit; asks first, then stays",
            ("resetbank queue --upto 2 --until 07:00", "for a night; stays in the foreground, Ctrl-C ends it"),
            ("resetbank queue --cancel", "takes out what is queued, wherever that was done"),
            codes="0 over or cancelled, 21 no reset available, 23 refused or no consent",
        ),
        "advice": Command(
            "say whether a reset is worth spending now, with the arithmetic",
            ("resetbank advice", "the verdict and what it rests on"),
            ("resetbank advice --json | jq -r .headline", "one line for a prompt"),
            codes="12 if too little is known",
        ),
        "history": Command(
            "print every kept reading of every window, oldest first",
            ("resetbank history --since 2026-11-01", "readings as text"),
            ("resetbank history --csv", "for a spreadsheet"),
            takes=KEPT,
        ),
        "ledger": Command(
            "print every event of the ledger, oldest first",
            ("resetbank ledger", "what happened to resets and windows"),
            ("resetbank ledger --csv > ledger.csv", "for a spreadsheet"),
            takes=KEPT,
        ),
    },
    "sessions": {
        "sessions": Command(
            "print every live session of Codex on this machine",
            ("resetbank sessions", "one line per session, the thread id first"),
            ("resetbank sessions --json | jq '.sessions[].state'", "for scripts"),
        ),
        "watch": Command(
            "print one line per event, as it happens; no screen",
            ("resetbank watch --json", "one JSON object per line"),
            ("resetbank watch --once; echo $?", "wait until a limit is near or a session is interrupted"),
            codes="with --once: 10 near, 11 interrupted",
        ),
        "continue": Command(
            "tell the sessions that stopped at a limit to go on, each once",
            ("resetbank continue", "every session that stopped at a limit"),
            ("resetbank continue THREAD --message 'Go on.'", "one session, with your own words"),
            codes="1 if the command to type is printed instead",
            module="carry_on",
        ),
        "hold": Command(
            "on, off or status: Codex waits at a limit instead of failing",
            ("resetbank hold on", "add the hook to Codex's hooks.json"),
            ("resetbank hold status --json", "whether it is there, and whether Codex trusts it"),
            takes=HOME,
            codes="status: 0 where it protects, 1 where it does not",
            module="hook_switch",
        ),
        "guard": Command(
            "on, off or status: Codex refuses an agent's own way to spend a reset",
            ("resetbank guard on", "add the hook to Codex's hooks.json"),
            ("resetbank guard status --json", "whether it is there, and whether Codex trusts it"),
            takes=HOME,
            codes="status: 0 where it protects, 1 where it does not",
            module="hook_switch",
        ),
    },
    "invites": {
        "invite": Command(
            "print the offer to invite friends, or invite one by e-mail; asks for a typed code",
            ("resetbank invite", "the offer in the service's own words"),
            ("resetbank invite ada@example.com", "one invite"),
            codes="0 sent, 22 outcome unknown, 23 refused or not offered",
        ),
        "invites": Command(
            "print every invite and its state",
            ("resetbank invites", "one line per invite"),
            ("resetbank invites --json", "for scripts"),
        ),
    },
    "set-up": {
        "notify": Command(
            "say where notices go outside the screen, and try every channel",
            ("resetbank notify", "the channels of the settings"),
            ("resetbank notify --test", "send a test by each of them"),
            takes=LOCAL,
            codes="with --test: 1 if a channel failed",
        ),
        "metrics": Command(
            "print limits, bank, sessions and spends as OpenMetrics, or serve them",
            ("resetbank metrics", "once"),
            ("resetbank metrics --serve 9464", "for Prometheus, at http://127.0.0.1:9464/metrics"),
        ),
        "config": Command(
            "get, set or path: the settings, where each comes from; changes one in its file",
            ("resetbank config get", "every setting, its value and where that comes from"),
            ("resetbank config set limits.near_percent 80", "change one; comments in the file stay"),
            codes="23 refused or no consent",
        ),
        "doctor": Command(
            "say which sources can be used and why the others cannot",
            ("resetbank doctor", "sources, hooks, files and versions"),
            ("resetbank doctor --json", "for a bug report"),
            codes="0 if a source can be used and the local files are fine",
        ),
        "login": Command(
            "store a token for a quota service of your own in the system's keyring",
            ("resetbank login --base-url https://quota.example.com/api", "asks for the token"),
            ("resetbank login --base-url https://quota.example.com/api --forget", "removes it"),
            takes=("base_url",),
        ),
        "keys": Command(
            "print the key table",
            ("resetbank keys", "every key, with your own settings applied"),
            ("resetbank keys | grep -i spend", "the key that spends"),
            takes=LOCAL,
        ),
        "replay": Command(
            "play a recording or rollouts: forecasts, warnings and advice as they would have been",
            ("resetbank replay ~/.codex/sessions", "what would have been said about your own past"),
            ("resetbank replay - --json", "a recording on standard input, answered line by line"),
            takes=LOCAL,
            codes="1 also where a line made no sense and was left out",
        ),
        "completion": Command(
            "print completions for bash, zsh or fish, or the manual page",
            ("resetbank completion fish > ~/.config/fish/completions/resetbank.fish", "for fish"),
            ("resetbank completion man | man -l -", "the manual page"),
            takes=LOCAL,
        ),
        "stub": Command(
            "run a quota service on this machine, which the real Codex CLI can run against",
            ("resetbank stub --port 8899 --sandbox ~/sandbox", "a service, and a CODEX_HOME for it"),
            ("resetbank stub --scenario at-limit", "start at the limit"),
            takes=LOCAL,
        ),
    },
}
"""The commands in the order of `--help`."""

COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}

OPTIONS = (
    ("--source NAME", "where the truth comes from: auto (default), daemon, codex, http or stub"),
    ("--codex-home DIR", "Codex's folder (default: $CODEX_HOME or ~/.codex)"),
    ("--base-url URL", "a quota service of your own; https or this machine"),
    ("--account NAME", "one of the settings' [accounts]"),
    ("--demo [SCENARIO]", "open the screen on the built-in service"),
    ("--plain", "no screen: sentences, each said once, for screen readers"),
    ("--version", "print the version"),
    ("-h, --help", "print this, or the help of a command"),
)

EXAMPLES = (
    ("resetbank", "the screen, beside Codex"),
    ("resetbank --demo at-limit", "try it without an account"),
)


def overview() -> str:
    """What `resetbank --help` prints."""
    lines = [
        "usage: resetbank [OPTIONS] [COMMAND]",
        "",
        "A terminal companion for banked Codex rate-limit resets. Without a command it",
        "opens the screen.",
    ]
    for title, group in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<11} {command.line}" for name, command in group.items()]
    lines += ["", "options:", *(f"  {option:<18} {text}" for option, text in OPTIONS)]
    lines += ["", "examples:", *example_lines(EXAMPLES)]
    lines += [
        "",
        "exit codes: 0 success, 1 failure, 2 usage; those of a command: resetbank COMMAND --help.",
        "RESETBANK_HOME moves all settings and state.",
    ]
    return "\n".join(lines) + "\n"


def closing(name: str) -> str:
    """The end of a command's own help: its examples and its exit codes."""
    command = COMMANDS[name]
    codes = f"{command.codes}, 1 failure, 2 usage" if command.codes else "0 success, 1 failure, 2 usage"
    return "\n".join(["examples:", *example_lines(command.examples), "", f"exit codes: {codes}"])


def example_lines(examples: tuple[tuple[str, str], ...]) -> list[str]:
    """Examples with what they are good for, aligned."""
    width = max(len(call) for call, _ in examples)
    return [f"  {call:<{width}}  {what}" for call, what in examples]


VERSION = f"resetbank {__version__}\n"
