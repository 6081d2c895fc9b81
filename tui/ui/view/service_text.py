"""Other people's addresses: whole where they are needed, masked in every picture of the screen."""

from tui.domain.referral import masked, without_addresses
from tui.ui.view.text import clean
from tui.ui.view.view_state import ViewState


def shown_address(view: ViewState, address: str | None) -> str:
    """An address, where one is the point."""
    if address is None:
        return "address unknown"
    return clean(masked(address) if view.masked else address)


def service_text(view: ViewState, text: str | None) -> str:
    """The service's own words about an invite or an offer, which may quote addresses; without a final period."""
    words = clean(text or "").rstrip(".")
    return without_addresses(words) if view.masked else words
