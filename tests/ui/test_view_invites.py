"""What the invite panel says: the service's words, the next step, and nothing that is not known."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.clocks import START
from tests.ui import invite_states, states
from tests.ui.invite_states import EVERY, LINK, OFFER, local, offered, tracked
from tests.ui.states import NOW, ZONE, at
from tui.companion.state import State
from tui.domain.invites import InviteRecord, Resend, ResendStage, SendStage
from tui.domain.referral import InviteStatus, OfferStatus, Reward
from tui.ui.view.invites import (
    detail_lines,
    earned_lines,
    email_text,
    invite_rows,
    invites_line,
    listed_lines,
    next_step,
    panel_keys,
    panel_status,
    selected,
)
from tui.ui.view.inviting import message_text
from tui.ui.view.offer import offer_lines, read_text, reward_text, service_text, shown_address
from tui.ui.view.text import Level, Line, line_width, plain
from tui.ui.view.view_state import ViewState

STEPS = {
    "k1": "your friend opens the link",
    "k2": "your friend, who has opened the link, joins",
    "k3": "your friend's first message to Codex earns the reward",
    "k4": "the first message was sent, and no reward has come for it: All three rewards are used up",
    "k5": "this reset came from it: in the bank, lapses Tue 22 Dec 18:34 (29 d)",
    "k6": "its time is over",
    "k7": "it earns nothing: Used Codex lately",
    "k8": "its reward was taken back: The account was closed",
    "k9": "the service says 'lunar_tide', which is not known here",
    "l1": "its answer never came: the list of invites will show whether it arrived; it is never sent twice",
    "l2": "it did not arrive: the service does not list it; it can be sent again",
    "l3": "made elsewhere; a reset that it earns is recognised when it arrives",
}


def view(state: State, **changes: object) -> ViewState:
    return replace(ViewState(NOW, ZONE, state), **changes)


def record(key: str) -> InviteRecord:
    return next(entry for entry in EVERY if entry.key == key)


def says(lines: tuple[Line, ...]) -> str:
    return " ".join(plain(lines).split())


@pytest.mark.parametrize("key", STEPS)
def test_every_state_says_what_happens_next(key: str) -> None:
    assert next_step(view(invite_states.every()), record(key)) == STEPS[key]


def test_a_reward_is_matched_as_surely_as_it_is_known() -> None:
    shown = view(invite_states.every())
    guessed = replace(record("k5"), credit_is_certain=False)
    assert next_step(shown, guessed).startswith("this reset came from it, probably: in the bank")
    spent = replace(record("k5"), credit_id="gone")
    assert next_step(shown, spent) == "this reset came from it: no longer in the bank"
    unnamed = tracked("k5", "ada@example.com", InviteStatus.REWARDED, at(17, 9))
    assert next_step(shown, unnamed) == "it was rewarded; which reset came for it is unknown"


def test_other_rewards_are_told_as_they_are() -> None:
    entry = record("k5")
    assert entry.tracked is not None
    in_credits = replace(entry.tracked, rewards=(Reward("referrer", "personal_credits", 500),))
    paid = replace(entry, tracked=in_credits, credit_id=None)
    assert next_step(view(invite_states.every()), paid) == "it earned 500 personal credits"
    assert reward_text(Reward("friend", "moon_dust", None)) == "? moon dust"


def test_the_offer_is_told_in_the_services_words_with_what_is_left() -> None:
    text = says(offer_lines(view(offered()), 200))
    assert "Invite friends, bank resets You and your friend each get one banked reset" in text
    assert "· Your friend must not have used Codex in the last 60 days" in text
    left = "2 invites left · 3 rewards left · for plus and pro · ends Mon 07 Dec 14:00 (13 d)"
    assert f"you get 1 banked reset · your friend gets 1 banked reset · {left}" in text


def test_what_an_offer_does_not_tell_is_not_invented() -> None:
    bare = replace(OFFER, title=None, description=None, rules=(), rewards=(), plans=(), ends_at=None)
    text = says(offer_lines(view(offered(offer=replace(bare, sends_left=None, rewards_left=None))), 200))
    assert text == "Invite friends to Codex how many are left is unknown"
    assert "no invites left" in says(offer_lines(view(offered(offer=replace(OFFER, sends_left=0))), 200))


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (invite_states.not_asked(), "Not offered to this client; open the Codex app: the official service"),
        (invite_states.forbidden(), "Not offered to this client; open the Codex app: 127.0.0.1:8899 answers"),
        (invite_states.not_offered(), "Not offered to this account: This offer is for Plus and Pro plans"),
        (invite_states.unreachable(), "The offer could not be read: 127.0.0.1:8899 answers 503"),
        (states.busy(), "not asked yet"),
    ],
)
def test_where_nothing_is_offered_it_says_why(state: State, text: str) -> None:
    assert says(offer_lines(view(state), 200)).startswith(text)


def test_how_fresh_it_is() -> None:
    later = NOW + timedelta(minutes=3)
    assert read_text(view(offered(), now=later)) == "list read 3 min ago"
    assert read_text(view(offered(listed_at=None), now=later)) == "offer read 3 min ago; no list"
    assert read_text(view(offered(reading=True))) == "reading…"
    assert read_text(view(offered(unknowns=("the list of invites is odd",)))) == "? the list of invites is odd"
    assert read_text(view(invite_states.not_asked())) == "nobody was asked"


def test_reminders_say_what_waits_and_what_can_be_done() -> None:
    keys = {"invite_message": "m"}
    shown = view(invite_states.every(), keys=keys)
    assert "has joined and sent no message yet, which earns the reward; it was sent 4 d 5 h ago; m composes" in says(
        detail_lines(shown, record("k3"), 200)
    )
    assert "waiting" not in says(invite_rows(view(offered(record("k1"))), 80))
    patient = view(invite_states.every(), remind_after=timedelta(days=30))
    assert "!" not in says(detail_lines(patient, record("k3"), 200))
    ending = tracked("k1", "bea@example.com", InviteStatus.SENT, at(23, 9), ends=NOW + timedelta(hours=5))
    assert "its time is over in 5 h 00 min" in says(detail_lines(view(offered(ending)), ending, 200))


def test_when_an_email_can_go_out_again() -> None:
    shown = view(invite_states.every())
    assert email_text(shown, record("k1")) == "can be sent again from Tue 24 Nov 09:00 (18 h 52 min)"
    assert email_text(shown, record("k3")) == "can be sent again now"
    lost = replace(record("k3"), resend=Resend(ResendStage.UNKNOWN, NOW, "the connection broke"))
    assert email_text(shown, lost) == (
        "asked at 14:07 to send it again, and no answer came;"
        " cannot be sent again: whether the last one went out is not known yet"
    )
    refused = replace(record("k3"), resend=Resend(ResendStage.REFUSED, NOW, "too many"))
    assert email_text(shown, refused) == "not sent again at 14:07: too many; can be sent again now"


def test_an_end_that_has_passed_is_not_called_expired_before_the_service_does() -> None:
    over = tracked("k1", "bea@example.com", InviteStatus.SENT, at(1, 9), ends=NOW - timedelta(hours=1))
    text = says(detail_lines(view(offered(over)), over, 200))
    assert "○ sent" in text
    assert "over by its date; the service has not said so" in text


def test_earned_resets_are_shown_where_no_invite_claims_them() -> None:
    assert says(earned_lines(view(invite_states.not_asked()), 200)) == (
        "◆ earned by an invite (@friend): in the bank, lapses Tue 22 Dec 18:34"
    )
    claimed = invite_states.not_asked()
    book = replace(claimed.invites, records=(record("k5"),))
    assert earned_lines(view(replace(claimed, invites=book)), 200) == ()


def test_the_bank_s_line_counts_and_names_nobody() -> None:
    assert says(invites_line(view(invite_states.every(), keys={"invite": "i"}), 80)) == (
        "7 invites under way, 2 waiting ! (i shows them)"
    )
    assert says(invites_line(view(offered(record("k1"))), 80)) == "1 invite under way"
    assert invites_line(view(offered(record("k5"), record("k6"))), 80) == ()


@pytest.mark.parametrize(
    ("state", "key", "shown", "hidden"),
    [
        (invite_states.two(), "k1", {"a Invite", "c Copy"}, {"e E-mail again", "d Forget", "o Codex app"}),
        (invite_states.two(), "k3", {"e E-mail again", "s QR code"}, {"d Forget"}),
        (invite_states.two(), "k5", {"a Invite"}, {"c Copy", "m Message", "e E-mail again"}),
        (invite_states.every(), "l2", {"d Forget"}, {"c Copy", "e E-mail again"}),
        (invite_states.not_asked(), "l3", {"o Codex app", "p Put down"}, {"a Invite"}),
        (offered(offer=replace(OFFER, sends_left=0)), "k1", {"c Copy"}, {"a Invite"}),
    ],
)
def test_only_keys_that_do_something_are_shown(state: State, key: str, shown: set[str], hidden: set[str]) -> None:
    text = says((panel_keys(view(state), record(key), 200),))
    assert {word for word in shown | hidden if word in text} == shown
    assert text.endswith("? Help esc Back")


def test_on_a_narrow_screen_help_and_the_way_back_stay() -> None:
    line = panel_keys(view(invite_states.two()), record("k3"), 40)
    assert line_width(line) <= 40
    assert says((line,)).endswith("? Help esc Back")


def test_the_message_quotes_and_promises_nothing() -> None:
    text = message_text(record("k1"), OFFER)
    assert LINK in text
    assert "bea@example.com" not in text
    assert text.endswith(f'What the offer says: "{OFFER.description}"')
    assert message_text(record("k1"), None).endswith(LINK)


def test_a_picture_shows_no_address() -> None:
    masked = view(invite_states.every(), masked=True)
    assert shown_address(masked, "bea@example.com") == "b…@example.com"
    assert (
        service_text(masked, "Ask <bea@example.com>, or cyd@example.org.") == "Ask <b…@example.com>, or c…@example.org"
    )
    assert service_text(view(invite_states.every()), "Ask bea@example.com.") == "Ask bea@example.com"
    for entry in EVERY:
        everything = (*invite_rows(masked, 120), *detail_lines(masked, entry, 120))
        assert (entry.address or "?") not in plain((*everything, *listed_lines(masked, 120)))


RECORDS = st.sampled_from(EVERY) | st.builds(
    lambda name, stage, reason: local("x", f"{name}@example.com", stage, START, reason=reason),
    st.text(min_size=1, max_size=60),
    st.sampled_from(SendStage),
    st.none() | st.text(max_size=80),
)
DRAWN: tuple[Callable[[ViewState, InviteRecord, int], tuple[Line, ...]], ...] = (
    lambda shown, _, width: selected(shown, invite_rows(shown, width), 0),
    lambda shown, entry, width: detail_lines(shown, entry, width),
    lambda shown, entry, width: detail_lines(shown, entry, width, short=True),
    lambda shown, _, width: offer_lines(shown, width),
    lambda shown, _, width: offer_lines(shown, width, short=True),
    lambda shown, _, width: earned_lines(shown, width),
    lambda shown, _, width: invites_line(shown, width),
    lambda shown, entry, width: (panel_keys(shown, entry, width), panel_status(shown, width)),
)


@given(
    st.lists(RECORDS, min_size=1, max_size=4),
    st.integers(28, 200),
    st.booleans(),
    st.sampled_from(DRAWN),
    st.sampled_from(OfferStatus),
    st.text(max_size=120),
)
def test_nothing_is_wider_than_the_screen(
    records: list[InviteRecord],
    width: int,
    masked: bool,
    draw: Callable[[ViewState, InviteRecord, int], tuple[Line, ...]],
    status: OfferStatus,
    text: str,
) -> None:
    offer = replace(OFFER, title=text, description=text, rules=(text, text), plans=(text,))
    shown = view(offered(*records, offer=offer, status=status, reason=text), masked=masked)
    for line in draw(shown, records[0], width):
        assert line_width(line) <= width
        assert not any(ord(character) < 32 for span in line for character in span.text)


def test_what_cannot_be_read_again_is_dimmed() -> None:
    gone = invite_states.unreachable()
    for lines in (selected(view(gone), invite_rows(view(gone), 80), 0), detail_lines(view(gone), record("l1"), 80)):
        assert {span.level for line in lines for span in line} == {Level.DIM}
    assert {span.level for line in invite_rows(view(invite_states.two()), 80) for span in line} > {Level.DIM}


@pytest.mark.parametrize("number", range(2))
def test_selecting_changes_one_row_alone(number: int) -> None:
    shown = view(invite_states.two())
    rows = invite_rows(shown, 80)
    chosen = selected(shown, rows, number)
    assert [at for at, (row, before) in enumerate(zip(chosen, rows, strict=True)) if row is not before] == [number]
    assert plain((chosen[number],)).startswith("▸ ")
    assert plain((chosen[number],))[2:] == plain((rows[number],))[2:]
