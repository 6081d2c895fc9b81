"""`resetbank login`: keep a token for a quota service of one's own in the system's keyring."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--account", metavar="ID", help="the account id to send with it (default: the token's own)")
    parser.add_argument("--forget", action="store_true", help="remove the stored token instead")


def run(arguments: argparse.Namespace) -> int:
    """Ask for the token, or read it from a pipe, and store it; it is never printed."""
    from tui.agent import refuse_under_codex
    from tui.errors import UsageError

    refuse_under_codex("'resetbank login'")
    if not arguments.base_url:
        raise UsageError(
            "login needs --base-url URL, the service that the token is for",
            "for OpenAI's own service run 'codex login' instead",
        )
    import asyncio

    from tui.sources.base_url import parse_base_url
    from tui.sources.login import Token
    from tui.sources.secrets import forget_login, store_login

    base_url = parse_base_url(arguments.base_url)
    if arguments.forget:
        known = asyncio.run(forget_login(base_url))
        print(f"The token for {base_url} is forgotten." if known else f"No token was stored for {base_url}.")
        return 0
    token = _ask(str(base_url))
    if not token:
        raise UsageError("no token was given; nothing is stored", "paste it at the question, or pipe it in")
    asyncio.run(store_login(base_url, Token(token), arguments.account))
    print(f"Stored. Use it with: resetbank --base-url {base_url}")
    return 0


def _ask(base_url: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    from getpass import getpass

    return getpass(f"Token for {base_url} (not shown): ").strip()
