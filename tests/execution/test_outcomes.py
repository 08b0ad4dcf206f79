"""Making the outcome: its files agree with it, and what may not leave is withheld without lying about the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from runner.digest import parse, sha256
from runner.execution.executed import Shown
from runner.execution.fingerprint import fingerprint
from runner.execution.order import Mode
from runner.execution.outcome import CellFate, ExitReason, Fate, Outcome
from runner.execution.outcomes import EXECUTED, OUTCOME, Ending, files, refused, status, without_outputs
from runner.execution.outputs import Kept
from runner.execution.redact import Masker
from runner.ledger.bodies import Rollback, Status

from .conftest import notebook, order_for

NOW = datetime(2026, 11, 23, 2, 30, 28, tzinfo=UTC)
TOKEN = "glpat-" + "a1B2" * 5
BOOK = notebook(("plan", "print('3 rows')"), ("change", "print('on')"))
ORDER = order_for(BOOK)


def shown(text: str) -> Shown:
    return Shown(outputs=({"output_type": "stream", "name": "stdout", "text": text},), count=1)


def fate(cell: str, state: Fate = Fate.OK, error: str = "") -> CellFate:
    return CellFate(index=int(cell[1:]), id=cell, role="change", name=cell, phase="forward", fate=state, error=error)


GOOD = Ending(
    reason=None,
    message="",
    rollback=Rollback.NOT_NEEDED,
    moved="",
    cells=(fate("c0"), fate("c1")),
    shown={"c0": shown("3 rows\n"), "c1": shown("on\n")},
    plan_outputs={"c0": "3 rows"},
    isolation="subreaper",
    started=NOW,
    finished=NOW + timedelta(seconds=4),
    seconds=4.00049,
)


def kept(*artifacts: bytes) -> Kept:
    made = Kept(masker=Masker({"PW": "correct-horse-battery"}))
    made.files.update({f"artifacts/{sha256(data)}.txt": data for data in artifacts})
    return made


def test_a_good_end_is_told_with_files_that_agree_with_it() -> None:
    outcome, made = files(ORDER, BOOK, ending=GOOD, kept=kept(b"a"))
    assert parse(Outcome, made[OUTCOME]) == outcome
    assert outcome.notebook == sha256(made[EXECUTED])
    assert made.keys() == {OUTCOME, EXECUTED, f"artifacts/{sha256(b'a')}.txt"}
    assert (outcome.status, outcome.exit_reason, outcome.withheld) == (
        Status.SUCCEEDED,
        ExitReason.ALL_CELLS_RAN,
        False,
    )
    assert outcome.fingerprint == fingerprint({"c0": "3 rows"})
    assert (outcome.started_at, outcome.finished_at) == ("2026-11-23T02:30:28Z", "2026-11-23T02:30:32Z")
    assert outcome.seconds == 4.0
    assert b"3 rows" in made[EXECUTED]


@pytest.mark.parametrize("reason", ExitReason)
def test_only_all_cells_ran_is_success(reason: ExitReason) -> None:
    assert (status(reason) is Status.SUCCEEDED) is (reason is ExitReason.ALL_CELLS_RAN)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (ExitReason.CELL_TIMEOUT, Status.TIMED_OUT),
        (ExitReason.RUN_TIMEOUT, Status.TIMED_OUT),
        (ExitReason.CANCELLED, Status.CANCELLED),
        (ExitReason.KERNEL_DIED, Status.FAILED),
        (ExitReason.STATE_MOVED, Status.FAILED),
    ],
)
def test_each_reason_belongs_to_one_way_of_ending(reason: ExitReason, expected: Status) -> None:
    assert status(reason) is expected


LEAKY = replace(GOOD, shown={"c1": shown(f"{TOKEN}\n")}, message="words", moved="words", cells=(fate("c1", error="E"),))


@pytest.mark.parametrize(
    ("ending", "mode", "expected"),
    [
        (LEAKY, Mode.RUN, Status.SUCCEEDED),
        (LEAKY, Mode.REHEARSE, Status.FAILED),
        (replace(LEAKY, reason=ExitReason.CELL_TIMEOUT), Mode.RUN, Status.TIMED_OUT),
    ],
)
def test_outputs_with_a_credential_are_withheld_and_the_end_stays_true(
    ending: Ending, mode: Mode, expected: Status
) -> None:
    outcome, made = files(structs.replace(ORDER, mode=mode), BOOK, ending=ending, kept=kept(b"harmless"))
    assert outcome.withheld
    assert outcome.status is expected
    assert made.keys() == {OUTCOME, EXECUTED}
    assert not any(TOKEN.encode() in data for data in made.values())
    assert "gitlab-token" in outcome.message
    assert (outcome.moved, outcome.plan_outputs, outcome.fingerprint, outcome.records) == ("", {}, None, {})
    assert [(cell.id, cell.fate, cell.error) for cell in outcome.cells] == [("c1", Fate.OK, "left out")]
    assert [found.rule for found in outcome.redactions] == ["gitlab-token"]


@pytest.mark.parametrize("where", ["artifact", "message", "moved", "record"])
def test_it_does_not_matter_where_the_credential_is(where: str) -> None:
    one = kept(TOKEN.encode()) if where == "artifact" else kept()
    if where == "record":
        one.records["x"] = {"deep": [TOKEN]}
    ending = replace(GOOD, message=TOKEN) if where == "message" else GOOD
    ending = replace(GOOD, moved=f"+{TOKEN}") if where == "moved" else ending
    outcome, made = files(ORDER, BOOK, ending=ending, kept=one)
    assert outcome.withheld
    assert not any(TOKEN.encode() in data for data in made.values())


def test_a_full_disk_ends_small_and_never_as_success() -> None:
    outcome, made = without_outputs(ORDER, BOOK, ending=GOOD, kept=kept(b"a" * 1000))
    assert (outcome.status, outcome.exit_reason) == (Status.FAILED, ExitReason.INTERNAL_ERROR)
    assert "disk is full" in outcome.message
    assert made.keys() == {OUTCOME, EXECUTED}
    assert outcome.cells == GOOD.cells
    timed_out = replace(GOOD, reason=ExitReason.RUN_TIMEOUT)
    assert without_outputs(ORDER, BOOK, ending=timed_out, kept=kept())[0].status is Status.TIMED_OUT


def test_an_order_that_is_refused_has_an_outcome_in_which_nothing_ran() -> None:
    outcome, made = refused("not signed by the supervisor", now=NOW)
    assert (outcome.status, outcome.cells, outcome.message) == (Status.FAILED, (), "not signed by the supervisor")
    assert outcome.notebook == sha256(made[EXECUTED])
    assert json.loads(made[EXECUTED])["cells"] == []
