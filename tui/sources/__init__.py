"""Ways to learn the truth about limits and the bank; `base` is what the rest of the program knows of them."""

import sys

# httpx loads its own command line with click and rich where they are installed, a third of its import time, and goes
# without it where they are not. This package runs before `http_asker` imports httpx.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
