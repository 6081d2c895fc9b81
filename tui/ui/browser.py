"""Whether a browser can be opened beside the screen."""

import os
import sys


def can_open() -> bool:
    """Whether there is a desktop; without one a browser in the terminal would paint over this screen."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
