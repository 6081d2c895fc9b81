"""The invite panel: the offer, every invite, and what can be done with the one that is selected."""

import math
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.events import Resize
from textual.screen import Screen

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.domain.invites import InviteRecord
from tui.domain.referral import OfferStatus
from tui.errors import ResetbankError
from tui.ui.commands import CONSENTING, INVITES
from tui.ui.dialogs.dialog import Dialog
from tui.ui.messages import Noted
from tui.ui.screens.moving import scroll
from tui.ui.view.chrome import demo_line
from tui.ui.view.invites import detail_lines, earned_lines, invite_rows, panel_keys, panel_status, selected
from tui.ui.view.offer import CODEX_PAGE, offer_lines
from tui.ui.view.text import Line, plain
from tui.ui.view.times import REDRAW_EVERY, counts_seconds
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Draw, KeyLine, Lines

REFRESH_EVERY: Final = timedelta(seconds=60)
"""Between two looks while the panel is open."""

LEAST_GAP: Final = 0.4
"""Seconds between two presses that are not one key held down."""

SECOND_PRESS: Final = 10.0
"""Seconds within which a second press forgets."""

_OF_THE_CHOSEN: Final = ("#invites", "#detail", "#brief", "#keys")
"""What another choice changes."""

_TALL_ROWS: Final = 18
_ROWS_FOR_ALL: Final = 30
_WIDE_COLUMNS: Final = 100
_BRIEF_ROWS: Final = 3


def _has_browser() -> bool:
    """Whether there is a desktop; without one a browser in the terminal would paint over this screen."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class InviteScreen(Screen[None]):
    """Shows and changes nothing by itself: every e-mail has a dialog of its own."""

    CSS_PATH = Path(__file__).with_name("invites.tcss")
    place = INVITES

    def __init__(self, view: ViewState, companion: Companion, clock: Clock, letters: Callable[[int], str]) -> None:
        super().__init__()
        self._view = view
        self._companion = companion
        self._clock = clock
        self._letters = letters
        self._chosen: str | None = None
        self._short = False
        self._looked_at: datetime | None = None
        self._looked_for: str | None = None
        self._to_forget: tuple[str, float] | None = None
        self._drawn_at = view.now
        self._has_seconds = False
        self._rows: tuple[int, tuple[Line, ...]] | None = None

    def compose(self) -> ComposeResult:
        """The offer, the list, and the one that is selected."""
        yield Lines(lambda width: (demo_line(self._view, width),), id="band")
        with VerticalScroll(id="body", can_focus=False):
            yield self._panel(
                "offer",
                "Offer, in the service's words",
                lambda width: offer_lines(self._view, width, short=self._short),
            )
            with Container(id="pair"):
                yield self._panel("invites", "Invites", self._draw_invites)
                yield self._panel("detail", "Chosen", self._draw_chosen)
        # Where rows are scarce, what happens next with the one that is selected stays in sight.
        yield Lines(lambda width: self._draw_chosen(width, short=True)[:_BRIEF_ROWS], id="brief")
        yield Lines(lambda width: (panel_status(self._view, width),), id="status")
        yield KeyLine(lambda width: panel_keys(self._view, self.chosen, width))

    def _panel(self, name: str, title: str, draw: Draw) -> Lines:
        panel = Lines(draw, id=name)
        panel.add_class("panel")
        panel.border_title = title
        return panel

    def on_mount(self) -> None:
        """Look at once."""
        self._adapt(self.app.size.width, self.app.size.height)
        self.refresh_now()

    def on_resize(self, event: Resize) -> None:
        """Lay out for the new size."""
        self._adapt(event.size.width, event.size.height)

    def _adapt(self, width: int, height: int) -> None:
        self._short = height < _TALL_ROWS
        self.set_class(self._short, "-short")
        self.set_class(width >= _WIDE_COLUMNS and not self._short, "-wide")
        body, pair = self.query_one("#body"), self.query_one("#pair")
        if height >= _ROWS_FOR_ALL:
            body.move_child(pair, after=self.query_one("#offer"))
        else:  # where not everything fits, the invites come first
            body.move_child(pair, before=self.query_one("#offer"))
        self._redraw()

    @property
    def chosen(self) -> InviteRecord | None:
        """The invite that is selected."""
        records = self._view.state.invites.shown
        return next((record for record in records if record.key == self._chosen), records[0] if records else None)

    def _draw_invites(self, width: int) -> tuple[Line, ...]:
        if self._rows is None or self._rows[0] != width:
            self._rows = width, invite_rows(self._view, width)
        rows, records = self._rows[1], self._view.state.invites.shown
        number = next((n for n, record in enumerate(records) if record.key == self._chosen), None)
        rows = rows if number is None else selected(self._view, rows, number)
        return (*rows, *earned_lines(self._view, width))

    def _draw_chosen(self, width: int, *, short: bool = False) -> tuple[Line, ...]:
        chosen = self.chosen
        return detail_lines(self._view, chosen, width, short=short) if chosen else ()

    def show(self, view: ViewState) -> None:
        """Show this scene from now on, and look again now and then; where only time went by, little is drawn anew."""
        before, self._view = self._view, view
        only_time = replace(before, now=view.now) == view and before.state is view.state
        if only_time and not self._has_seconds and timedelta(0) <= view.now - self._drawn_at < REDRAW_EVERY:
            self.query_one("#status", Lines).redraw()
        else:
            self._redraw()
        is_other = view.state.account_key != self._looked_for
        due = is_other or self._looked_at is None or view.now - self._looked_at >= REFRESH_EVERY
        if due and view.state.invites.status is not OfferStatus.NOT_ASKED:
            self.refresh_now()

    def _redraw(self) -> None:
        self._rows = None
        chosen = self.chosen
        self._chosen = chosen.key if chosen else None
        self.set_class(chosen is None, "-none")
        self.set_class(self._view.has_band, "-demo")
        self._drawn_at = self._view.now
        self._has_seconds = False
        for lines in self.query(Lines).results():
            lines.redraw()
            self._has_seconds |= lines.id != "status" and counts_seconds(plain(lines.lines))

    def refresh_now(self) -> None:
        """Look again at once."""
        self._looked_at, self._looked_for = self._clock.now(), self._view.state.account_key
        self.app.run_worker(self._companion.inviter.refresh(), name="invites", group="invites", exit_on_error=False)

    def press(self, command: str) -> bool:
        """Carry out a command of the panel; tells whether it is one."""
        if command == "back":
            self.dismiss()
        elif self._view.is_read_only and command in CONSENTING:
            self._say(f"read-only under Codex ({self._view.read_only} is set)")
        elif command in ("previous", "next"):
            self._move(1 if command == "next" else -1)
        elif command.startswith("invite_"):
            getattr(self, f"action_{command}")()
        else:
            return scroll(self.query_one("#body", VerticalScroll), command)
        return True

    def _move(self, step: int) -> None:
        """Go to another invite, and keep it in sight."""
        keys = [record.key for record in self._view.state.invites.shown]
        if not keys:
            return
        index = (keys.index(self._chosen) + step) % len(keys) if self._chosen in keys else 0
        self._choose(keys[index])

    def action_pick(self, number: int) -> None:
        """Go to the invite that was clicked."""
        records = self._view.state.invites.shown
        if number < len(records):
            self._choose(records[number].key)

    def _choose(self, key: str) -> None:
        self._chosen, self._to_forget = key, None
        for lines in self.query(", ".join(_OF_THE_CHOSEN)).results(Lines):
            lines.redraw()
            self._has_seconds |= lines.id != "invites" and counts_seconds(plain(lines.lines))
        page, rows = self.query_one("#body", VerticalScroll), self.query_one("#invites", Lines)
        row = [record.key for record in self._view.state.invites.shown].index(key)
        top = rows.virtual_region.y + row
        if not page.scroll_offset.y <= top < page.scroll_offset.y + page.size.height:
            page.scroll_to(y=max(0, top - page.size.height // 2), animate=False)

    def action_invite_send(self) -> None:
        """Invite one friend, where that is offered."""
        book = self._view.state.invites
        if book.status is not OfferStatus.OFFERED or book.offer is None:
            self._say("nothing is offered here, so nothing can be sent")
        elif book.offer.sends_left == 0:
            self._say("no invites are left; nothing was sent")
        else:
            from tui.ui.dialogs.inviting import SendDialog

            self._open(SendDialog(self._companion, self._clock))

    def action_invite_copy(self) -> None:
        """Copy the link."""
        if (link := self._link()) is not None:
            self.app.copy_to_clipboard(link)
            self._say("the link was copied, where the terminal allows that")

    def action_invite_qr(self) -> None:
        """Show the link as a QR code."""
        if (link := self._link()) is not None:
            from tui.ui.view.qr import qr_lines

            self._open_page("Invite link", partial(qr_lines, link))

    def action_invite_message(self) -> None:
        """Compose a message, and copy it."""
        if self._link() is not None and (chosen := self.chosen) is not None:
            from tui.ui.view.inviting import message_lines, message_text

            text = message_text(chosen, self._view.state.invites.offer)
            self.app.copy_to_clipboard(text)
            self._open_page("Message to paste", lambda width, _: message_lines(text, width))

    def _open_page(self, title: str, draw: Callable[[int, int], tuple[Line, ...]]) -> None:
        from tui.ui.screens.page import DrawnPage

        self.app.push_screen(DrawnPage(self._view, title, draw))

    def action_invite_resend(self) -> None:
        """Have the e-mail sent once more."""
        if (chosen := self._require_one()) is not None:
            from tui.ui.dialogs.inviting import ResendDialog

            self._open(ResendDialog(self._companion, self._clock, chosen))

    def action_invite_note(self) -> None:
        """Write down an invite that was made elsewhere."""
        from tui.ui.dialogs.inviting import NoteDialog

        self._open(NoteDialog(self._companion, self._clock))

    def _open(self, dialog: Dialog) -> None:
        from tui.ui.screens.consent import ConsentScreen

        self.app.push_screen(ConsentScreen(dialog, self._view, self._clock, self._letters))

    def action_invite_forget(self) -> None:
        """Delete what only this machine knows."""
        chosen = self._require_one()
        if chosen is None:
            return
        if not chosen.can_be_forgotten(self._clock.now()):
            self._say("the service knows of that invite; it cannot be forgotten here")
        elif not self._is_second_press(chosen.key):
            key = self._view.keys.get("invite_forget", "d")
            self._say(f"{key} once more within {SECOND_PRESS:g} s forgets the chosen invite, with its address")
        else:
            self._to_forget = None
            self.app.run_worker(self._delete(chosen.key), name="invite", group="invite", exit_on_error=False)

    def _is_second_press(self, key: str) -> bool:
        """Whether forgetting was asked for a short while ago; not by a key that is held down."""
        first, now = self._to_forget, self._clock.monotonic()
        since = now - first[1] if first is not None and first[0] == key else math.inf
        if since > SECOND_PRESS:
            self._to_forget = key, now
        return LEAST_GAP <= since <= SECOND_PRESS

    async def _delete(self, key: str) -> None:
        try:
            await self._companion.inviter.forget(key)
        except ResetbankError as error:
            self._say(str(error))
        else:
            self._say("the invite was forgotten, with its address")

    def action_invite_app(self) -> None:
        """Open Codex's own page; where there is no browser, copy its address."""
        if _has_browser():
            self.app.open_url(CODEX_PAGE)
            self._say(f"{CODEX_PAGE} was opened in the browser")
        else:
            self.app.copy_to_clipboard(CODEX_PAGE)
            self._say(f"no browser here; copied: {CODEX_PAGE}")

    def _require_one(self) -> InviteRecord | None:
        if self.chosen is None:
            self._say("there is no invite yet")
        return self.chosen

    def _link(self) -> str | None:
        chosen = self._require_one()
        link = chosen.shareable_link if chosen else None
        if chosen is not None and link is None:
            why = "no link of it is known here" if chosen.is_pending else "nothing can come of it any more"
            self._say(f"there is no link to hand on: {why}")
        return link

    def _say(self, text: str) -> None:
        self.app.post_message(Noted(text))
