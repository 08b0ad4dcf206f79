"""The view on a terminal: a bar for each run that is at work, and above it what its steps said and how they ended."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from runner.cli.keyboard import Keyboard
from runner.cli.output import console
from runner.cli.steps import Moment, Steps, What, ending, well
from runner.execution import progress as executions
from runner.execution.outcome import Fate
from runner.ledger.bodies import Question
from runner.supervisor.watcher import Watcher, nobody


@contextmanager
def screen(*, log: bool) -> Iterator[Watcher]:
    """A watcher that draws. Words go through the same console as the bar, or each would write over the other.

    Args:
        log: show what the cells say, too.
    """
    with _Bars(console(stderr=True)) as bars:
        view = _View(bars, log=log)
        typed = view.keyboard.typed if sys.stdin.isatty() else nobody
        yield Watcher(say=view.say, progress=view.show, typed=typed)


class _Bars(Progress):
    """Bars, and under them the line that the running cell has begun and not ended."""

    def __init__(self, on: Console) -> None:
        self.begun = ""
        columns = (TextColumn("  {task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        super().__init__(*columns, TimeElapsedColumn(), console=on, transient=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, then that line, which is cut to the terminal's width."""
        yield from super().get_renderables()
        if self.begun:
            yield Text(f"    │ {self.begun}…", style="dim", no_wrap=True, overflow="ellipsis")


class _View:
    """Draws runs on bars."""

    def __init__(self, bars: _Bars, *, log: bool) -> None:
        self._bars, self._log = bars, log
        self._steps: dict[str, Steps] = {}
        self._tasks: dict[str, TaskID] = {}
        self._headed: set[tuple[str, str, str]] = set()
        self.keyboard = Keyboard(show=self._ask, hide=bars.start)

    def say(self, words: str) -> None:
        """Write a line above the bars."""
        self._print(Text(f"  {words}"))

    def show(self, run: str, progress: executions.Progress) -> None:
        """Draw what is new of one run."""
        if progress.asked is None:
            self.keyboard.gone(run)
        steps = self._steps.setdefault(progress.key, Steps())
        for moment in steps.take(progress):
            self._moment(progress.key, moment)
        self._bars.begun = steps.begun_line(progress) if self._log else ""
        self._bar(run, progress)

    def _ask(self, run: str, question: Question) -> None:
        """Show a question; the bars make room, since what is typed stands where they would be drawn."""
        self._bars.stop()
        self._print(Text.assemble(("  ? ", "bold yellow"), (question.text, "bold"), (f"  ({run})", "dim")))
        accepted = "yes or no, and a reason" if not question.parameter else f"a value for {question.parameter}"
        self._print(Text(f"    {accepted}; until {question.until}", style="dim"))
        self._bars.console.print("  > ", end="")

    def _bar(self, run: str, progress: executions.Progress) -> None:
        cells, done = len(progress.forward), progress.done
        if done == cells:
            # Nothing of it is under way: what comes next of this run begins a bar of its own.
            if progress.key in self._tasks:
                self._bars.remove_task(self._tasks.pop(progress.key))
            return
        if progress.key not in self._tasks:
            self._tasks[progress.key] = self._bars.add_task(run, total=cells)
            self._task(progress.key).start_time = self._bars.get_time() - progress.seconds
        at_work = progress.at_work
        name = at_work.name if at_work else run
        rehearsal = "rehearsal: " if progress.key.endswith("/rehearsal") else ""
        self._bars.update(self._tasks[progress.key], completed=done, total=cells, description=f"{rehearsal}{name}")

    def _task(self, key: str) -> Task:
        return next(task for task in self._bars.tasks if task.id == self._tasks[key])

    def _moment(self, key: str, moment: Moment) -> None:
        cell = moment.cell
        match moment.what:
            case What.WORDS if self._log:
                place = key, cell.phase, cell.id
                if place not in self._headed:
                    self._headed.add(place)
                    self._print(Text(f"  ▸ {cell.name}", style="bold"))
                self._print(Text(f"    │ {moment.line}", style="dim"))
            case What.ENDED if cell.fate is Fate.OK:
                took = f"  {cell.seconds:.1f} s" if cell.seconds is not None else ""
                took += f", {cell.tries} tries" if cell.tries > 1 else ""
                self._print(Text.assemble(("  ✓ ", "green"), cell.name, (took, "dim")))
            case What.ENDED:
                mark = ("  - ", "dim") if well(moment) else ("  ✗ ", "red")
                self._print(Text.assemble(mark, f"{cell.name}  {ending(moment)}"))
            case _:
                return

    def _print(self, line: Text) -> None:
        self._bars.console.print(line, soft_wrap=True)
