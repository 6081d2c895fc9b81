"""Choosing some of several sessions: which are chosen, where the hand is, and how that looks."""

from dataclasses import dataclass, replace

from tui.ui.view.scene import Scene
from tui.ui.view.sessions import names_of, state_words
from tui.ui.view.text import Level, Line, Span, cells, clip, left


@dataclass(frozen=True, slots=True)
class Picked:
    """Some of several threads; all of them at first."""

    threads: tuple[str, ...]
    left_out: frozenset[str] = frozenset()
    cursor: int = 0

    @property
    def chosen(self) -> tuple[str, ...]:
        """The chosen ones, in their order."""
        return tuple(thread for thread in self.threads if thread not in self.left_out)

    def among(self, threads: tuple[str, ...]) -> "Picked":
        """The same choice, where the threads are these now."""
        return replace(self, threads=threads, cursor=min(self.cursor, max(0, len(threads) - 1)))

    def moved(self, step: int) -> "Picked":
        """The hand on another thread, round the ends."""
        return replace(self, cursor=(self.cursor + step) % len(self.threads)) if self.threads else self

    def toggled(self) -> "Picked":
        """The thread under the hand in or out."""
        if not self.threads:
            return self
        return replace(self, left_out=self.left_out ^ {self.threads[self.cursor]})


def picking_lines(picked: Picked, scene: Scene, width: int) -> tuple[Line, ...]:
    """One line a thread, with its mark; a single one needs neither mark nor hand.

    Args:
        picked: The threads and the choice.
        scene: Tells what they are doing.
        width: Columns to stay within.
    """
    names = names_of(scene.state.sessions, picked.threads)
    widest = max(map(cells, names.values()), default=0)
    lines = []
    for number, thread in enumerate(picked.threads):
        hand = Span("▸ " if number == picked.cursor else "  ", Level.ACCENT)
        mark = Span("[ ] " if thread in picked.left_out else "[x] ", Level.KEY)
        session = scene.state.sessions.get(thread)
        sign, level, words = state_words(scene, session) if session else ("?", Level.UNKNOWN, "not seen any more")
        start = (hand, mark) if len(picked.threads) > 1 else ()
        name = Span(left(names[thread], widest), Level.STRONG)
        lines.append(clip((*start, name, Span(f"  {sign} {words}", level)), width))
    return tuple(lines)
