import re

from tests.ui.make_assets import ASSETS, pictures


async def test_the_pictures_name_no_host_and_show_the_screen_as_it_is() -> None:
    for name, svg in (await pictures()).items():
        hosts = set(re.findall(r"(?:https?:)?//([\w.-]+)", svg))
        assert hosts == {"www.w3.org"}, name
        assert "resetbank" in svg
        assert _texts((ASSETS / name).read_text("utf-8")) == _texts(svg), f"{name}: run python -m tests.ui.make_assets"


def test_no_picture_asks_another_host_or_runs_anything() -> None:
    kept = sorted(ASSETS.glob("*.svg"))
    assert {"main.svg", "show.svg", "day.svg"} <= {path.name for path in kept}
    for path in kept:
        svg = path.read_text("utf-8")
        assert not re.search(r"(?:href|src)=|url\((?!#)|@import|<script", svg), path.name


def _texts(svg: str) -> list[str]:
    """What is written, without the ids that Rich draws from the content."""
    return re.findall(r">([^<>]+)</text>", svg)
