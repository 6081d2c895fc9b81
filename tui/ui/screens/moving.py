"""Scrolling by the commands of the table, the same on every screen."""

from textual.containers import VerticalScroll


def scroll(page: VerticalScroll, command: str) -> bool:
    """Scroll, if that is what the command does; tells whether it is."""
    rows = max(1, page.size.height - 1)
    steps = {"previous": -1, "next": 1, "page_up": -rows, "page_down": rows}
    if command in steps:
        page.scroll_relative(y=steps[command], animate=False)
    elif command == "first":
        page.scroll_home(animate=False)
    elif command == "last":
        page.scroll_end(animate=False)
    else:
        return False
    return True
