"""The pictures of the README, from fixed states and a clock that stands still.

`python -m tests.ui.make_assets` writes them into `assets/`; they name no host, so that looking at them asks nobody.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tests.support.clocks import ManualClock
from tests.ui import invite_states, live_states, states
from tests.ui.scene import Scene
from tests.ui.showing import drawn, running, settle
from tui.companion.state import State
from tui.domain.pictures import Pictures
from tui.settings import Settings

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_COMMENTS: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_FONTS: Final = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def without_hosts(svg: str) -> str:
    """The picture with the reader's own monospaced font instead of one fetched from elsewhere."""
    svg = _COMMENTS.sub("", _FONTS.sub("", svg)).replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas")
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


async def picture(
    name: str,
    state: Callable[[], State],
    *keys: str,
    theme: str = "resetbank-dark",
    weeks: Pictures | None = None,
    rows: int = 26,
) -> tuple[str, str]:
    """File name and SVG of one picture, taken after these keys; `weeks` are the readings behind it."""
    clock = ManualClock()
    companion = Scene(state(), clock)
    settings = Settings(theme=theme)
    async with running(companion, clock, size=(112, rows), settings=settings, letters=drawn("ABCDEFG")) as (
        pilot,
        app,
        _,
    ):
        app.theme = theme  # also where this terminal has only 16 colours
        await settle(pilot)
        if weeks is not None:
            app.present(replace(app.view, pictures=weeks))
        if keys:
            await pilot.press(*keys)
            await settle(pilot)
        return f"{name}.svg", without_hosts(app.export_screenshot(title="resetbank"))


async def pictures() -> dict[str, str]:
    """Every picture by its file name."""
    return dict(
        [
            await picture("main", live_states.working, weeks=live_states.PICTURES, rows=34),
            await picture("light", live_states.working, theme="resetbank-light", weeks=live_states.PICTURES, rows=34),
            await picture("spend", states.at_limit, "r"),
            await picture("invite", invite_states.two, "i", "down"),
        ]
    )


def main() -> None:
    ASSETS.mkdir(exist_ok=True)
    for name, svg in asyncio.run(pictures()).items():
        (ASSETS / name).write_text(svg, "utf-8")
        print(f"assets/{name}: {len(svg) // 1024} KiB")


if __name__ == "__main__":
    main()
