"""The record of an attempt: what is durable when, which reason counts, and what the transcript says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.digest import Json
from runner.execution import transcript
from runner.execution.listener import Ended
from runner.execution.live import Live
from runner.execution.outcome import ExitReason, Fate
from runner.execution.outputs import Kept
from runner.execution.phases import Step
from runner.execution.record import ALWAYS, FORWARD, ROLLBACK, Record
from runner.execution.redact import Masker
from runner.execution.replies import Verdict
from runner.execution.stopping import Cause, Stopping
from runner.execution.transcript import Transcript
from runner.ports import live_log
from runner.ports.live_log import LiveLog

VALUE = "correct-horse-battery"
OK = Verdict(fate=Fate.OK)
FAILED = Verdict(fate=Fate.FAILED, reason=ExitReason.CELL_ERROR, error=f"ValueError: {VALUE}")


class Bench:
    """A record in a folder, with a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0
        self.transcript = Transcript(folder / transcript.NAME, make_room=lambda: None)
        self.record = Record(
            self.transcript,
            kept=Kept(masker=Masker({"PW": VALUE})),
            stopping=Stopping(folder, clock=lambda: self.now),
            clock=lambda: self.now,
            cell_timeout=40.0,
            live=Live(LiveLog(folder / live_log.NAME), masker=Masker({"PW": VALUE}), clock=lambda: self.now),
        )

    def lines(self) -> tuple[transcript.Line, ...]:
        return transcript.lines((self.folder / transcript.NAME).read_bytes())

    def run(self, step: Step, verdict: Verdict = OK, text: str = "") -> None:
        self.record.began(step)
        outputs: tuple[dict[str, Json], ...] = (
            ({"output_type": "stream", "name": "stdout", "text": text},) if text else ()
        )
        self.now += 2
        self.record.ended(step, Ended(verdict=verdict, outputs=outputs, count=1))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    with made.transcript:
        yield made


def step(index: int, role: str = "change", *, timeout: float | None = None, normalise: tuple[str, ...] = ()) -> Step:
    return Step(
        index=index, id=f"c{index}", role=role, name=f"{role} {index}", source="1", timeout=timeout, normalise=normalise
    )


def test_every_cell_that_may_run_is_written_before_any_does(bench: Bench) -> None:
    bench.record.open(nonce="n", injected="x = 1", planned=[(FORWARD, step(0)), (ALWAYS, step(1))])
    opening, *cells = bench.lines()
    assert (opening.opened, opening.injected) == ("n", "x = 1")
    assert [(line.cell.id, line.cell.phase, line.cell.fate) for line in cells if line.cell] == [
        ("c0", FORWARD, Fate.NOT_RUN),
        ("c1", ALWAYS, Fate.NOT_RUN),
    ]


def test_a_cell_is_known_to_run_before_it_is_sent_and_a_change_to_have_begun(bench: Bench) -> None:
    bench.record.began(step(3))
    last = bench.lines()[-1].cell
    assert last is not None
    assert (last.id, last.fate) == ("c3", Fate.RUNNING)
    assert bench.record.begun_changes == [3]
    bench.record.began(step(4, "read"))
    assert bench.record.begun_changes == [3]


def test_how_a_cell_ended_is_durable_with_what_it_showed_masked(bench: Bench) -> None:
    bench.run(step(0), FAILED, text=f"login with {VALUE}\n")
    fate = bench.record.fates[FORWARD, "c0"]
    assert (fate.fate, fate.started, fate.seconds, fate.error) == (Fate.FAILED, 0.0, 2.0, "ValueError: [redacted:PW]")
    assert bench.record.shown["c0"].outputs[0]["text"] == "login with [redacted:PW]\n"
    assert (bench.record.reason, bench.record.message) == (ExitReason.CELL_ERROR, "change 0: ValueError: [redacted:PW]")
    assert VALUE not in (bench.folder / transcript.NAME).read_text()


def test_the_first_reason_counts_and_later_ones_are_only_said(bench: Bench) -> None:
    bench.record.stop(ExitReason.CELL_TIMEOUT, "first")
    bench.record.stop(ExitReason.KERNEL_DIED, f"second {VALUE}")
    assert (bench.record.reason, bench.record.message) == (ExitReason.CELL_TIMEOUT, "first")
    assert [line.said for line in bench.lines()] == ["cell_timeout: first", "kernel_died: second [redacted:PW]"]


def test_only_plan_cells_make_the_fingerprint_and_in_their_normalised_text(bench: Bench) -> None:
    bench.run(step(0, "read"), text="1")
    bench.run(step(1, "plan", normalise=("numbers",)), text="3 rows\n")
    assert bench.record.plan_outputs == {"c1": "[number] rows"}


def test_the_same_cell_in_two_phases_has_two_fates_and_shows_the_first(bench: Bench) -> None:
    bench.run(step(0, "setup"), text="forward")
    bench.record.phase = ROLLBACK
    bench.run(step(0, "setup"), FAILED, text="again")
    assert {phase: fate.fate for (phase, _), fate in bench.record.fates.items()} == {
        FORWARD: Fate.OK,
        ROLLBACK: Fate.FAILED,
    }
    assert bench.record.shown["c0"].outputs[0]["text"] == "forward"
    assert bench.record.passed([step(0)], phase=FORWARD)
    assert not bench.record.passed([step(0)], phase=ROLLBACK)


def test_what_was_not_reached_has_not_passed(bench: Bench) -> None:
    assert bench.record.passed([], phase=FORWARD)
    assert not bench.record.passed([step(0)], phase=FORWARD)


def test_a_cell_has_its_own_limit_or_the_runs(bench: Bench) -> None:
    assert bench.record.timeout(step(0, timeout=3.0)) == 3.0
    assert bench.record.timeout(step(0)) == 40.0


def test_a_cancelled_run_begins_no_cell_and_says_why_but_still_undoes(bench: Bench) -> None:
    assert bench.record.cause(step(0), since=None) is None
    (bench.folder / "cancel").write_text("rollback")
    assert bench.record.cause(step(0), since=None) is Cause.CANCELLED
    assert bench.record.reason is ExitReason.CANCELLED
    bench.record.phase = ROLLBACK
    assert bench.record.cause(step(1, "rollback"), since=None) is None


def test_a_running_cell_is_stopped_by_its_time_and_the_reason_is_left_to_its_end(bench: Bench) -> None:
    bench.now += 40
    assert bench.record.cause(step(0), since=100.0) is Cause.CELL_TIMEOUT
    assert bench.record.reason is None


def test_on_a_full_disk_nothing_new_begins(bench: Bench) -> None:
    bench.transcript.full = True
    assert bench.record.cause(step(0), since=None) is Cause.NO_ROOM
    assert (bench.record.reason, bench.record.message) == (ExitReason.INTERNAL_ERROR, "the disk is full")
    bench.record.phase = ALWAYS
    assert bench.record.cause(step(1, "always"), since=None) is None


def test_a_worker_that_breaks_does_not_know_how_the_running_cell_ended(bench: Bench) -> None:
    bench.run(step(0))
    bench.record.began(step(1))
    bench.record.broke(RuntimeError(f"lost {VALUE}"))
    assert [fate.fate for fate in bench.record.fates.values()] == [Fate.OK, Fate.UNKNOWN]
    assert bench.record.reason is ExitReason.INTERNAL_ERROR
    assert bench.record.message == "the worker failed: RuntimeError: lost [redacted:PW]"
