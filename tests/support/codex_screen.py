"""Typing into the real Codex: what it paints it does not always listen to yet, so each key waits for its answer."""

import re
from collections.abc import Callable

from tests.support.pty import Terminal
from tests.support.waiting import DEADLINE

_PATIENCE = 3.0
"""Seconds in which a key is answered where it was taken."""
COMPOSER = "Ask Codex to do anything"
"""What Codex paints where a prompt is typed, while there is none."""


def say(codex: Terminal, prompt: str, answer: str) -> str:
    """Type a prompt and send it, until its answer is on screen; returns the screen."""
    codex.wait_for(COMPOSER)
    _repeat(codex, prompt, f"› {prompt}", lambda text: COMPOSER in text)
    # A return that follows too soon is taken for a line of pasted text: then the prompt stands there still.
    return _repeat(codex, "\r", answer, lambda text: _typed(text) == prompt)


def choose(codex: Terminal, number: str, answer: str) -> str:
    """Choose from a menu by its number, until the answer is on screen; returns the screen.

    A number that came before the menu took keys stands in the composer: it is taken back, and pressed again. Nothing is
    ever pressed twice into a menu.
    """

    def strayed(text: str) -> bool:
        if _typed(text) != number:
            return False
        codex.type("\x7f")
        codex.wait_for(lambda text: _typed(text) != number)
        return True

    return _repeat(codex, number, answer, strayed)


def _repeat(codex: Terminal, keys: str, answer: str, is_lost: Callable[[str], bool]) -> str:
    codex.type(keys)
    for _ in range(int(DEADLINE / _PATIENCE)):
        if codex.shows(answer, _PATIENCE):
            return codex.text
        if is_lost(codex.text):
            codex.type(keys)
    raise AssertionError(f"never answered: {keys!r}\n{codex.text}")


def _typed(text: str) -> str | None:
    """What stands in the composer: the last line that begins as its first does."""
    lines = re.findall(r"^› (.*)$", text, re.MULTILINE)
    return lines[-1].strip() if lines else None
