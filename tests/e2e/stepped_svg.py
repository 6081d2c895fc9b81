"""Terminal pictures as one SVG that shows them in turn, without script and without any host."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.text import Text

from tests.ui.make_assets import without_hosts

SECONDS_A_STEP = 4.0
_VIEW = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


@dataclass(frozen=True)
class Frame:
    """One step: what stood in two panes, with ANSI colours, and what it shows."""

    caption: str
    left: str
    right: str


def stepped_svg(frames: Sequence[Frame], left: int, columns: int) -> str:
    """Draw the frames.

    Args:
        frames: The steps.
        left: The width of the left pane.
        columns: The width of both with the line between them.
    """
    return stepped([_picture(number, frame, left, columns) for number, frame in enumerate(frames)])


def stepped(pictures: Sequence[str]) -> str:
    """Show SVG pictures of one size in turn."""
    view = _VIEW.search(pictures[0])
    assert view
    share = 100 / len(pictures)
    rules = [
        ".step { opacity: 0; animation: step linear infinite; "
        f"animation-duration: {SECONDS_A_STEP * len(pictures):g}s; }}",
        f"@keyframes step {{ 0%, {share:.3f}% {{ opacity: 1; }} {share + 0.001:.3f}%, 100% {{ opacity: 0; }} }}",
        # Where animations are not wanted the last step stays.
        "@media (prefers-reduced-motion: reduce) { .step { animation: none; } .step:last-of-type { opacity: 1; } }",
    ]
    steps = [
        f'<g class="step" style="animation-delay: {SECONDS_A_STEP * number:g}s">\n{picture}</g>'
        for number, picture in enumerate(pictures)
    ]
    body = "\n".join(steps)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {view[1]} {view[2]}">\n'
        f"<style>\n{chr(10).join(rules)}\n</style>\n{body}\n</svg>\n"
    )


def _picture(number: int, frame: Frame, left: int, columns: int) -> str:
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    # One decoder a pane: tmux writes a colour once and lets it stand over many lines.
    panes = (AnsiDecoder().decode(frame.left), AnsiDecoder().decode(frame.right))
    for mine, theirs in zip(*panes, strict=True):
        mine.truncate(left, pad=True)
        theirs.truncate(columns - left - 1, pad=True)
        console.print(Text.assemble(mine, ("│", "bright_black"), theirs), no_wrap=True, crop=True, overflow="crop")
    return without_hosts(console.export_svg(title=f"{number + 1}. {frame.caption}", unique_id=f"step{number}"))
