"""A link as a QR code in half blocks, two rows of modules a line."""

from typing import Final

from tui.ui.view.text import Level, Line, Span, wrap

QUIET: Final = (4, 2)
"""Light modules around the code: as many as the standard wants, or as readers make do with where there is less room."""

_BLOCKS: Final = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Upper and lower module, light or not: light ones are drawn, so that a dark terminal without colour shows it right."""


def qr_lines(link: str, width: int, height: int) -> tuple[Line, ...]:
    """The code of a link of visible ASCII; or a word on the room that it needs."""
    import segno  # 40 ms that only somebody who wants a code pays

    code = segno.make_qr(link, error="l")
    for quiet in QUIET:
        modules = [list(row) for row in code.matrix_iter(border=quiet)]
        columns, rows = len(modules[0]), (len(modules) + 1) // 2
        if columns <= width and rows <= height:
            break
    else:
        text = f"the code needs {columns} columns and {rows} rows here; make the terminal larger, or copy the link"
        return wrap((Span("! ", Level.NEAR), Span(text)), width, indent=2)
    if len(modules) % 2:
        modules.append([0] * columns)
    return tuple(
        (Span("".join(_BLOCKS[not above, not below] for above, below in zip(*pair, strict=True)), Level.CODE),)
        for pair in zip(modules[::2], modules[1::2], strict=True)
    )
