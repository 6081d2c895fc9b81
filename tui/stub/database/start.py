"""How a scenario comes about in the database: its accounts, what they hold, what became of their invites."""

from collections.abc import Sequence

from msgspec.structs import replace

from tui.stub.database import accounts, grants, invites
from tui.stub.database.accounts import Account
from tui.stub.database.transactions import StubDatabase, Transaction
from tui.stub.rules.grants import Grant, GrantSource, complimentary, had_before
from tui.stub.rules.invites import AddressRefusal, Campaign, Invite
from tui.stub.rules.plans import plan_named
from tui.stub.rules.windows import DAY, MeteredWindow, fresh_window
from tui.stub.scenario import CreditStart, InviteStart, Scenario, WindowStart
from tui.stub.scenarios import MAIN_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT_START

_FRIENDS_PLAN = plan_named("plus")
_TABLES = ("account", "usage_window", "credit", "grant", "invite", "thread")


def begin(database: StubDatabase, transaction: Transaction, scenario: Scenario) -> None:
    """Put a scenario in place of what is there; the clock goes on, and redemptions stay remembered."""
    transaction = database.turn_to(transaction, scenario)
    for table in _TABLES:
        transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    starts = (MAIN_ACCOUNT, "me@example.com", scenario), (OTHER_ACCOUNT, "other@example.com", OTHER_ACCOUNT_START)
    for account_id, email, start in starts:
        account = Account(account_id, start.plan, email, transaction.now, transaction.now)
        accounts.add_account(transaction, account, [_window(window, transaction.now) for window in start.windows])
        _give(transaction, account, start.credits)
    for invite in scenario.invites:
        if scenario.campaign is not None:
            _replay(transaction, scenario.campaign, invite)


def _window(start: WindowStart, now: float) -> MeteredWindow:
    resets_at = None if start.resets_in is None else float(int(now + start.resets_in))
    return MeteredWindow(start.kind, start.used_percent, resets_at, start.limit_id)


def _give(transaction: Transaction, account: Account, starts: Sequence[CreditStart]) -> None:
    for number, start in enumerate(starts):
        life = None if start.expires_in is None else start.granted_ago + start.expires_in
        if start.source is GrantSource.PROGRAMME:
            grant = replace(complimentary(account.id), life=life)
        else:
            grant = Grant(f"start:{account.id}:{number}", start.source, start.granted_by or "Unknown", life=life)
        grants.land(transaction, account.id, grant, account.terms, at=transaction.now - start.granted_ago, start=start)
    if transaction.scenario.resets.had_before:
        grants.land(transaction, account.id, had_before(account.id), account.terms)


def _replay(transaction: Transaction, campaign: Campaign, start: InviteStart) -> None:
    """Let an invite go through what it went through, each at its own moment and by the rules."""

    def before(days: float) -> Transaction:
        return replace(transaction, now=transaction.now - days * DAY)

    referrer = accounts.find_account(transaction, MAIN_ACCOUNT)
    invite = invites.send(before(start.sent), campaign, referrer, start.address)
    if isinstance(invite, AddressRefusal):
        raise ValueError(f"{start.address} cannot be invited in {transaction.scenario.name}: {invite}")
    if start.opened is not None:
        invite = invites.open_link(before(start.opened), invite)
    if start.friend is not None and start.joined is not None:
        invite = _join(before(start.joined), campaign, invite, start, transaction.now)
    if start.friend is not None and start.messaged is not None:
        invites.note_turn(before(start.messaged), start.friend)
    if start.reversed is not None:
        invites.take_back(before(start.reversed), campaign, invites.find(transaction, referral_id=invite.id))


def _join(transaction: Transaction, campaign: Campaign, invite: Invite, start: InviteStart, began: float) -> Invite:
    used_at = None if start.used is None else began - start.used * DAY
    friend = Account(start.friend or "", _FRIENDS_PLAN.name, start.address, transaction.now, used_at)
    accounts.add_account(transaction, friend, [fresh_window(kind, began) for kind in _FRIENDS_PLAN.windows])
    grants.land(transaction, friend.id, had_before(friend.id), _FRIENDS_PLAN)
    return invites.join(transaction, campaign, invite, friend)
