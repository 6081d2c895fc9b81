"""Choosing some of several sessions: which are chosen, where the hand is, and how that looks."""

import msgspec
from msgspec.structs import replace

from tui.ui.view.sessions import names_of, state_words
from tui.ui.view.text import Level, Line, Span, cells, clip, left
from tui.ui.view.view_state import ViewState


class Selection(msgspec.Struct, frozen=True):
    """Some of several threads; all of them at first."""

    threads: tuple[str, ...]
    left_out: frozenset[str] = frozenset()
    cursor: int = 0

    @property
    def chosen(self) -> tuple[str, ...]:
        """The chosen ones, in their order."""
        return tuple(thread for thread in self.threads if thread not in self.left_out)

    def among(self, threads: tuple[str, ...]) -> "Selection":
        """The same choice, where the threads are these now."""
        return replace(self, threads=threads, cursor=min(self.cursor, max(0, len(threads) - 1)))

    def moved(self, step: int) -> "Selection":
        """The hand on another thread, round the ends."""
        return replace(self, cursor=(self.cursor + step) % len(self.threads)) if self.threads else self

    def toggled(self) -> "Selection":
        """The selected thread in or out."""
        if not self.threads:
            return self
        return replace(self, left_out=self.left_out ^ {self.threads[self.cursor]})

    def after(self, command: str) -> "Selection":
        """The choice after a command of the table; the same after any other."""
        match command:
            case "toggle":
                return self.toggled()
            case "previous" | "next":
                return self.moved(1 if command == "next" else -1)
        return self


def picking_lines(selection: Selection, view: ViewState, width: int) -> tuple[Line, ...]:
    """One line a thread, with its mark; a single one needs neither mark nor hand."""
    names = names_of(view.state.sessions, selection.threads)
    widest = max(map(cells, names.values()), default=0)
    lines = []
    for number, thread in enumerate(selection.threads):
        hand = Span("▸ " if number == selection.cursor else "  ", Level.ACCENT)
        mark = Span("[ ] " if thread in selection.left_out else "[x] ", Level.KEY)
        session = view.state.sessions.get(thread)
        sign, level, words = state_words(view, session) if session else ("?", Level.UNKNOWN, "not seen any more")
        start = (hand, mark) if len(selection.threads) > 1 else ()
        name = Span(left(names[thread], widest), Level.STRONG)
        lines.append(clip((*start, name, Span(f"  {sign} {words}", level)), width))
    return tuple(lines)
