"""A session whose every text attacks; for the screen, and as a program of its own on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import themes
from collectors.samples import Baseline, Mark, MarkKind, Sample
from collectors.text import sanitise
from tests.faults.hostile_texts import PAYLOADS, SINKS, marked, samples
from tui.app import FlashpointApp
from tui.export.about import About
from tui.keeping import Written, _tell
from tui.looking import Looking
from tui.model.phase import Phase, RunFacts
from tui.model.timeline import Timeline
from tui.operator import Operator
from tui.screens.ask import AskScreen
from tui.watched import Offer

START: Final = 100.0


class HostileSession:
    """A run that has ended, with one payload in every text.

    Args:
        payload: The payload.
    """

    def __init__(self, payload: str) -> None:
        self.payload = payload
        self.now = START + 2.0
        self.timeline = Timeline(START)
        self.phase = Phase.STOPPED
        self.aborted = False
        self.leaving = False
        self.operator: Operator | None = None
        self.no_control_reason = self._text("control reason")
        self.run_name = "run 1"
        self.off_cpu = False
        self.done: list[str] = []
        self.kept: list[Sample] = []
        self.offers = (
            Offer(self._text("offer title"), self._text("offer help"), lambda: self._note("offer")),
        )
        for at in (START + 1.0, START + 2.0):
            for sample in samples(payload, at):
                self.append(sample)
        self.append(Mark(self.now, MarkKind.NOTE, self._text("note")))
        self.append(Baseline(self.now, self._text("baseline", 60), START, self.now))

    def _text(self, sink: str, limit: int = 120) -> str:
        return sanitise(marked(sink, self.payload), limit)

    def _note(self, what: str) -> None:
        self.done.append(what)

    def clock(self) -> float:
        """Time stands still."""
        return self.now

    def append(self, sample: Sample) -> None:
        """Take a sample."""
        self.kept.append(sample)
        self.timeline.append(sample)

    def facts(self) -> RunFacts:
        """Return what the status lines say."""
        return RunFacts(
            phase=self.phase,
            elapsed_s=2.0,
            duration_s=None,
            script=self._text("script name", 60),
            k6_version=self._text("k6 version", 40),
            vus=2,
            vus_max=2,
            target=self._text("target name", 200),
            profiler=self._text("profiler", 80),
            note=self._text("note of the run", 80),
            no_control_reason=self.no_control_reason,
        )

    def about(self) -> About:
        """Return what exports tell."""
        return About(
            script=self._text("script name"),
            target=self._text("target name"),
            control="as written",
            profiler="",
            k6_version="",
            flashpoint_version="0",
            machine="",
            wall_offset_s=0.0,
        )

    def start_load(self) -> None:
        """Note it."""
        self._note("start")

    def stop_load(self) -> None:
        """Note it."""
        self._note("stop")

    def rebuild(self) -> str:
        """Note it."""
        self._note("rebuild")
        return ""

    def toggle_off_cpu(self) -> str:
        """Note it."""
        self._note("off-cpu")
        return ""


class HostileApp(FlashpointApp):
    """The application, noting what it is made to do."""

    CSS_PATH = str(Path(themes.__file__).with_name("monitor.tcss"))

    def __init__(self, session: HostileSession) -> None:
        super().__init__(session)
        self.asked: list[str] = []
        self.attacks = 0

    async def action_quit(self) -> None:
        """Note it."""
        self.asked.append("quit")

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Note it."""
        self.asked.append(url)

    def attack(self, session: HostileSession, *, is_told: bool = True) -> None:
        """Show another session, as if this one had never been; with toasts or without."""
        self.session = session
        self.looking = Looking(session.timeline, session.clock, session.append)
        self._told.clear()
        self._marks_told = 0
        self.clear_notifications()
        if not is_told:
            self._marks_told = len(session.timeline.marks)
            statuses = session.timeline.statuses.items()
            self._told = {name: (each.state, each.message) for name, each in statuses}
        self.action_command("view.threads")

    def tell_paths(self, payload: str) -> None:
        """Tell of files that were written, and of one that was not."""
        _tell(self, Written((Path(marked("path toast", payload)),)))
        _tell(self, Written(problem=sanitise(marked("problem toast", payload), 300)))

    def ask(self, payload: str) -> None:
        """Ask with a payload in the question, the example and the suggestion."""
        question = sanitise(marked("question", payload), 120)
        self.push_screen(AskScreen(question, "", _refuse, marked("suggestion", payload)))

    def close_question(self) -> None:
        """Answer nothing."""
        if isinstance(self.screen, AskScreen):
            self.screen.action_answer(None)


def _refuse(text: str) -> str:
    for sink in ("suggestion", "pasted"):
        text = text.removeprefix(SINKS[sink].mark)
    raise ValueError(f"{SINKS['pattern error'].mark}{text}")


def main() -> None:
    """Show one session after another on the terminal, each with another payload."""
    app = HostileApp(HostileSession(""))
    app.call_later(_walk, app)
    app.run()
    sys.stdout.write(f"{app.attacks} attacks\n")


async def _walk(app: HostileApp) -> None:
    """Go through the panes with each payload, and leave."""
    left: list[Callable[[], object]] = [lambda: app.action_command("panel.log")]
    for payload in PAYLOADS.values():
        left += [
            partial(app.attack, HostileSession(payload)),
            partial(app.tell_paths, payload),
            partial(app.ask, payload),
            partial(app.close_question),
        ]
    left.append(app.exit)

    def next_one() -> None:
        left.pop(0)()
        app.attacks += 1
        if left:
            app.set_timer(0.03, next_one)

    app.set_timer(0.03, next_one)


if __name__ == "__main__":
    main()
