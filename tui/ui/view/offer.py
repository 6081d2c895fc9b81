"""The offer to invite friends, in the service's own words; or why there is none."""

from collections.abc import Iterator
from typing import Final

from tui.domain.masking import masked, without_addresses
from tui.domain.referral import RESET_CREDIT, Offer, OfferStatus, Reward
from tui.ui.view.text import Level, Line, Span, clean, wrap
from tui.ui.view.times import age, countdown, full
from tui.ui.view.view_state import ViewState
from tui.ui.view.words import counted

CODEX_PAGE: Final = "https://chatgpt.com/codex/settings/usage"
"""Codex's own page, as Codex itself names it at a limit (wire/README.md, "Codex at the limit")."""


def shown_address(view: ViewState, address: str | None) -> str:
    """An address, where one is the point."""
    if address is None:
        return "address unknown"
    return clean(masked(address) if view.masked else address)


def service_text(view: ViewState, text: str | None) -> str:
    """The service's own words about an invite or an offer, which may quote addresses; without a final period."""
    words = clean(text or "").rstrip(".")
    return without_addresses(words) if view.masked else words


def offer_lines(view: ViewState, width: int, *, short: bool = False) -> tuple[Line, ...]:
    """How things stand with the offer; the title and what is left alone where the room is short."""
    book = view.state.invites
    if book.reading and book.read_at is None:
        return ((Span("asking what is offered…", Level.DIM),),)
    if book.status is OfferStatus.OFFERED and book.offer is not None:
        return tuple(_offered(view, book.offer, width, short))
    lines: list[Line] = list(wrap(status_line(view), width))
    if book.status in (OfferStatus.NOT_ASKED, OfferStatus.FORBIDDEN, OfferStatus.NOT_OFFERED) and not short:
        lines += _elsewhere(view, width)
    if book.status is OfferStatus.UNREACHABLE and book.offer is not None:
        lines += [(Span(line[0].text, Level.DIM),) for line in _offered(view, book.offer, width, True) if line]
    return tuple(lines)


def status_line(view: ViewState) -> Line:
    """How things stand where nothing is offered, and why."""
    book = view.state.invites
    reason = service_text(view, book.reason)
    match book.status:
        case OfferStatus.UNREAD:
            return (Span("not asked yet", Level.DIM),)
        case OfferStatus.NOT_ASKED | OfferStatus.FORBIDDEN:
            because = f": {reason}" if reason else ""
            return (Span("Not offered to this client; open the Codex app", Level.NEAR), Span(because))
        case OfferStatus.NOT_OFFERED:
            return (Span("Not offered to this account", Level.NEAR), Span(f": {reason}" if reason else ""))
        case OfferStatus.UNREACHABLE:
            return (Span("The offer could not be read", Level.NEAR), Span(f": {reason}" if reason else ""))
        case OfferStatus.OFFERED:
            return (Span("offered, but the service does not say what", Level.UNKNOWN),)


def _elsewhere(view: ViewState, width: int) -> Iterator[Line]:
    app, note = view.keys.get("invite_app"), view.keys.get("invite_note")
    if app:
        yield from wrap((Span(app, Level.KEY), Span(f" opens {CODEX_PAGE} in the browser")), width, indent=2)
    if note:
        words = " writes down an invite that you made there; a reset that it earns is recognised in the bank"
        yield from wrap((Span(note, Level.KEY), Span(words)), width, indent=2)


def _offered(view: ViewState, offer: Offer, width: int, short: bool) -> Iterator[Line]:
    title = service_text(view, offer.title) or "Invite friends to Codex"
    yield from wrap((Span(title, Level.STRONG),), width)
    if not short:
        if offer.description:
            yield from wrap((Span(service_text(view, offer.description)),), width)
        for rule in offer.rules:
            yield from wrap((Span("· ", Level.DIM), Span(service_text(view, rule))), width, indent=2)
    facts = _left(view, offer) if short else offer_facts(view, offer)
    yield from wrap((Span(" · ".join(facts), Level.DIM),), width)


def offer_facts(view: ViewState, offer: Offer) -> list[str]:
    """What each side gets, and how many are left."""
    return [*_rewards(offer.rewards), *_left(view, offer)]


def _rewards(rewards: tuple[Reward, ...]) -> Iterator[str]:
    """The rewards as the service states them, promised by it and by nobody here."""
    for reward in rewards:
        whose = {"referrer": "you get", "friend": "your friend gets"}.get(
            reward.recipient, f"{clean(reward.recipient)}:"
        )
        yield f"{whose} {reward_text(reward)}"


def reward_text(reward: Reward) -> str:
    """A reward in a few words."""
    amount = "?" if reward.amount is None else f"{reward.amount:,}"
    if reward.kind == RESET_CREDIT:
        return f"{amount} banked reset{'' if reward.amount == 1 else 's'}"
    return f"{amount} {clean(reward.kind).replace('_', ' ')}"


def _left(view: ViewState, offer: Offer) -> list[str]:
    facts = []
    if offer.sends_left is not None:
        facts.append(f"{counted(offer.sends_left, 'invite')} left")
    if offer.rewards_left is not None:
        facts.append(f"{counted(offer.rewards_left, 'reward')} left")
    if offer.plans:
        facts.append(f"for {' and '.join(clean(plan) for plan in offer.plans)}")
    if offer.ends_at is not None:
        ends = countdown(offer.ends_at - view.now)
        facts.append(f"ends {full(offer.ends_at, view.now, view.zone)} ({ends})")
    return facts or ["how many are left is unknown"]


def read_text(view: ViewState) -> str:
    """When offer and list were read; and what they should have said and did not."""
    book = view.state.invites
    if book.reading:
        return "reading…"
    if book.status is OfferStatus.NOT_ASKED:
        return "nobody was asked"
    if book.unknowns:
        return f"? {service_text(view, book.unknowns[0])}"
    if book.listed_at is not None:
        return f"list read {age(view.now - book.listed_at)}"
    return "" if book.read_at is None else f"offer read {age(view.now - book.read_at)}; no list"
