"""Other people's addresses: whole where they are needed, masked in every picture of the screen."""

from tui.domain.referral import masked, without_addresses
from tui.ui.view.scene import Scene
from tui.ui.view.text import clean


def shown_address(scene: Scene, address: str | None) -> str:
    """An address, where one is the point."""
    if address is None:
        return "address not told"
    return clean(masked(address) if scene.masked else address)


def told(scene: Scene, text: str | None) -> str:
    """The service's own words about an invite or an offer, which may quote addresses; without a final period."""
    words = clean(text or "").rstrip(".")
    return without_addresses(words) if scene.masked else words
