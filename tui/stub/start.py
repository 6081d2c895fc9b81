"""How a scenario's world comes about in the database: its accounts, what they hold, what became of their invites."""

from collections.abc import Sequence

from msgspec.structs import replace

from tui.stub import invites, rows
from tui.stub.grants import Grant, GrantSource, complimentary, had_before
from tui.stub.plans import plan_named
from tui.stub.programme import DAY, MeteredWindow, fresh_window
from tui.stub.referral import Campaign, Invite, Refusal
from tui.stub.rows import Account
from tui.stub.scenario import CreditStart, InviteStart, Scenario, WindowStart
from tui.stub.scenarios import MAIN_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT_START
from tui.stub.world import StubDatabase, Transaction

_FRIENDS_PLAN = "plus"
_TABLES = ("account", "usage_window", "credit", "grant", "invite", "thread")


def begin(world: StubDatabase, moment: Transaction, scenario: Scenario) -> None:
    """Put another world in place of what is there; the clock goes on, and redemptions stay remembered."""
    moment = world.turn_to(moment, scenario)
    for table in _TABLES:
        moment.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    starts = (MAIN_ACCOUNT, "me@example.com", scenario), (OTHER_ACCOUNT, "other@example.com", OTHER_ACCOUNT_START)
    for account_id, email, start in starts:
        account = Account(account_id, start.plan, email, moment.now, moment.now)
        rows.add_account(moment, account, [_window(window, moment.now) for window in start.windows])
        _give(moment, account_id, start.credits)
    for invite in scenario.invites:
        if scenario.campaign is not None:
            _replay(moment, scenario.campaign, invite)


def _window(start: WindowStart, now: float) -> MeteredWindow:
    resets_at = None if start.resets_in is None else float(int(now + start.resets_in))
    return MeteredWindow(start.kind, start.used_percent, resets_at, start.limit_id)


def _give(moment: Transaction, account: str, starts: Sequence[CreditStart]) -> None:
    for number, start in enumerate(starts):
        life = None if start.expires_in is None else start.granted_ago + start.expires_in
        if start.source is GrantSource.PROGRAMME:
            grant = replace(complimentary(account), life=life)
        else:
            grant = Grant(f"start:{account}:{number}", start.source, start.granted_by or "Unknown", life=life)
        rows.land(moment, account, grant, at=moment.now - start.granted_ago, start=start)
    if moment.scenario.programme.begins_with_it:
        rows.land(moment, account, had_before(account))


def _replay(moment: Transaction, campaign: Campaign, start: InviteStart) -> None:
    """Let an invite go through what it went through, each at its own moment and by the rules."""

    def before(days: float) -> Transaction:
        return replace(moment, now=moment.now - days * DAY)

    referrer = rows.find_account(moment, MAIN_ACCOUNT)
    invite = invites.send(before(start.sent), campaign, referrer, start.address)
    if isinstance(invite, Refusal):
        raise ValueError(f"{start.address} cannot be invited in {moment.scenario.name}: {invite}")
    if start.opened is not None:
        invite = invites.open_link(before(start.opened), invite)
    if start.friend is not None and start.joined is not None:
        invite = _join(before(start.joined), campaign, invite, start, moment.now)
    if start.friend is not None and start.messaged is not None:
        invites.note_turn(before(start.messaged), start.friend)
    if start.reversed is not None:
        invite = invites.find(moment, referral_id=invite.id)
        invites.take_back(before(start.reversed), campaign, invite)


def _join(moment: Transaction, campaign: Campaign, invite: Invite, start: InviteStart, began: float) -> Invite:
    used_at = None if start.used is None else began - start.used * DAY
    friend = Account(start.friend or "", _FRIENDS_PLAN, start.address, moment.now, used_at)
    windows = [fresh_window(kind, began) for kind in plan_named(_FRIENDS_PLAN).windows]
    rows.add_account(moment, friend, windows)
    rows.land(moment, friend.id, had_before(friend.id))
    return invites.join(moment, campaign, invite, friend)
