"""The dialogs that the application opens over its main screen; each is loaded when its key is pressed."""

from functools import partial
from typing import TYPE_CHECKING

from tui.ui.messages import Noted
from tui.ui.pages import PagedApp
from tui.ui.view.resuming import limit_stands
from tui.ui.view.view_state import Holds

if TYPE_CHECKING:
    from tui.companion.companion import Companion
    from tui.ui.dialogs.dialog import Dialog


class DialogApp(PagedApp):
    """Opens dialogs; none of them spends or sends anything without its letter."""

    def _read_matters(self) -> None:
        """What happened while nobody looked was read."""
        raise NotImplementedError

    async def perform(self, command: str) -> bool:
        """Carry out a command; tells whether it can be given here."""
        raise NotImplementedError

    def _open_dialog(self, dialog: "Dialog") -> None:
        from tui.ui.screens.consent import ConsentScreen

        self.push_screen(ConsentScreen(dialog, self._view, self._clock, self._letters))

    async def _perform_in_panel(self, command: str) -> None:
        """Open the invite panel and carry out a command of it there."""
        await self.perform("invite")
        self.call_after_refresh(self.perform, command)

    def action_spend(self) -> None:
        """Ask whether to spend one reset."""
        companion = self._free_companion()
        if companion is not None and not self._asks_about_stopped(companion):
            from tui.ui.dialogs.spend import SpendDialog

            self._open_dialog(SpendDialog(companion, self._clock))

    def action_spend_one(self, credit_id: str) -> None:
        """Ask whether to spend the reset that was clicked."""
        if self._view.is_read_only:
            self.post_message(Noted(f"read-only under Codex ({self._view.read_only} is set)"))
        elif (companion := self._free_companion()) is not None:
            from tui.ui.dialogs.spend import SpendDialog

            self._open_dialog(SpendDialog(companion, self._clock, credit_id))

    def _asks_about_stopped(self, companion: "Companion") -> bool:
        """Open the question instead, where a session is stopped at the limit: it can go on with the spend."""
        stopped = limit_stands(self._view) and bool(companion.resumer.limit_stops())
        return stopped and companion.questions.reopen() is not None

    def action_finish(self) -> None:
        """Finish the open spend with its own key."""
        companion, spend = self._free_companion(), self._view.state.open_spend
        if companion is None:
            return
        if spend is None:
            self.post_message(Noted("no spend is open"))
            return
        from tui.ui.dialogs.spend import FinishDialog

        self._open_dialog(FinishDialog(companion, self._clock, spend))

    def action_queue(self) -> None:
        """Queue resets for the limit after asking; take what is queued out at once."""
        companion, queued = self._free_companion(), self._view.state.queued
        if companion is None:
            return
        if queued is not None and not queued.needs_fresh_yes:
            self._work(partial(self._take_out, companion), "queue")
            return
        from tui.ui.dialogs.queue import QueueDialog

        arm = companion.questions.confirm_queue if queued is not None else None
        whom = queued.whom if queued is not None else True
        self._open_dialog(QueueDialog(companion, self._clock, self._view, arm, whom))

    async def _take_out(self, companion: "Companion") -> None:
        from tui.ui.dialogs.queue import TAKEN_OUT

        await companion.questions.cancel_queue()
        self.post_message(Noted(TAKEN_OUT, Holds.NOT_QUEUED))

    def action_continue(self) -> None:
        """Carry on the sessions that a limit stopped, after showing which."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.dialogs.resume import ResumeDialog

            self._open_dialog(ResumeDialog(companion, self._clock, self._view))

    def action_answer(self) -> None:
        """Open the closed question again, while it is still true."""
        companion = self._free_companion()
        if companion is not None and companion.questions.reopen() is None:
            self.post_message(Noted("no question is open: nothing is stopped or about to stop"))

    def action_dismiss(self) -> None:
        """Dismiss the notice, or wait no longer."""
        if (companion := self._free_companion()) is not None:
            has_matters, told, questions = bool(self._view.matters), companion.state.announcement, companion.questions
            if has_matters:
                self._read_matters()
            if told is not None or not has_matters:
                self._work(questions.dismiss_notice if told is not None else questions.cancel_wait, "dismiss")
