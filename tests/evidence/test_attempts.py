"""What earlier attempts left: folded from events and files, with a doubt wherever nobody can know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from runner.digest import Json, canonical
from runner.evidence import layout
from runner.evidence.attempts import Attempted, attempts, standing
from runner.evidence.manifest import make
from runner.execution.outcome import Answered, CellFate, ExitReason, Fate, Redaction
from runner.execution.outputs import RECORD
from runner.execution.transcript import Line
from runner.ledger import bodies
from runner.ledger.bodies import Body, QuestionKind, Resolution, Rollback, Status
from runner.ledger.event import Event
from tests.builders import A_START, a_plan, a_run, an_outcome, some_words

PLAN = a_plan()
CAROL = some_words("carol@example.org", "7/9")
OK, FAILED, UNKNOWN, NOT_RUN = Fate.OK, Fate.FAILED, Fate.UNKNOWN, Fate.NOT_RUN


def cell(name: str, fate: Fate = OK, *, role: str = "change", phase: str = "forward") -> CellFate:
    return CellFate(index=1, id=name, role=role, name=f"step {name}", phase=phase, fate=fate)


def tried(number: int, *cells: CellFate, **more: Any) -> Attempted:
    return Attempted(number=number, cells=cells, **({"rollback": Rollback.NOT_POSSIBLE} | more))


def test_only_changes_that_were_answered_ok_are_done_and_everything_that_began_is_begun() -> None:
    left = standing([tried(1, cell("a"), cell("b", FAILED), cell("c", NOT_RUN), cell("v", role="verify"))])
    assert (left.done, left.begun, left.doubts) == ({"a": 1}, {"a": 1, "b": 1}, ())
    assert left.previous
    assert (left.previous.attempt, left.previous.done) == (1, {"a": 1})


def test_each_attempt_adds_to_what_is_done_and_records_are_kept_by_their_last_value() -> None:
    first = tried(1, cell("a"), cell("b", FAILED), records={"x": 1, "y": 1})
    second = tried(2, cell("a", Fate.SKIPPED), cell("b"), records={"x": 2})
    left = standing([first, second])
    assert left.done == {"a": 1, "b": 2}
    assert left.records == {"x": 2, "y": 1}


def test_what_was_undone_is_not_in_place_any_more() -> None:
    undone = tried(1, cell("a"), cell("r", role="rollback", phase="rollback"), rollback=Rollback.COMPLETE)
    assert standing([undone]).begun == {}
    reverted = tried(1, cell("a"), rollback=None, resolution=Resolution.REVERTED)
    assert (standing([reverted]).done, standing([reverted]).doubts) == ({}, ())


def test_the_rollback_cells_of_a_revert_are_what_it_does() -> None:
    assert standing([tried(1, cell("r", role="rollback"))]).done == {"r": 1}


@pytest.mark.parametrize(
    ("found", "doubt"),
    [
        ([Attempted(number=1)], "nothing is on record that says which cells of attempt 1"),
        ([Attempted(number=1, resolution=Resolution.PARTIALLY_APPLIED)], "nothing is on record"),
        ([tried(1, cell("a"), resolution=Resolution.DID_NOT_RUN)], "did_not_run, and its record says that step a"),
        ([tried(1, cell("a")), tried(2, resolution=Resolution.REVERTED)], "whether that holds for earlier attempts"),
        ([tried(1, cell("a"), rollback=Rollback.PARTIAL)], "the rollback of attempt 1 is partial"),
        ([tried(1, cell("u", UNKNOWN, role="rollback", phase="rollback"), rollback=None)], "while it undid"),
        ([tried(1, cell("a"), unkept="the outputs are withheld")], "the outputs are withheld"),
    ],
)
def test_what_nobody_can_know_is_a_doubt(found: list[Attempted], doubt: str) -> None:
    assert any(doubt in one for one in standing(found).doubts)


def test_a_run_that_did_not_run_and_one_without_anything_done_leave_no_doubt() -> None:
    assert standing([Attempted(number=1, resolution=Resolution.DID_NOT_RUN)]).doubts == ()
    assert standing([tried(1, unkept="the outputs are withheld")]).doubts == ()


def events(*later: Body) -> list[Event]:
    run = a_run(*later)
    return [replace(run.run.planned, seq=seq, body=body) for seq, _, body in run.events]


def finish(**changes: Any) -> bodies.Finish:
    values: dict[str, Any] = {
        "start": 3,
        "outcome": Status.FAILED,
        "rollback": Rollback.NOT_POSSIBLE,
        "exit_reason": "cell_error",
    }
    return bodies.Finish(**(values | {"manifest": PLAN.digest, "seconds": 1.0} | changes))


def manifest(**changes: Any) -> bytes:
    start = events(A_START)[-1]
    outcome = an_outcome(status=Status.FAILED, rollback=Rollback.NOT_POSSIBLE, **changes)
    return make(PLAN, digest=PLAN.digest, start=start, approvals=(), outcome=outcome, files={}).to_bytes()


def files(data: Mapping[str, bytes]) -> Any:
    return data.get


MANIFEST, TRANSCRIPT = layout.manifest_file(PLAN.run, 1), layout.transcript_file(PLAN.run, 1)


def test_an_attempt_that_ended_is_known_by_its_manifest() -> None:
    data = manifest(records={"old": "blue"})
    (found,) = attempts(events(A_START, finish()), files({MANIFEST: data}))
    assert (found.number, found.records, found.rollback) == (1, {"old": "blue"}, Rollback.NOT_POSSIBLE)
    assert standing([found]).done == {"c3": 1}
    (unread,) = attempts(events(A_START, finish()), files({}))
    assert unread.cells is None


ANSWERED = Answered(
    ordinal=1,
    event=5,
    by="bob@example.org",
    kind=QuestionKind.ASK,
    asked_by="c3",
    parameter="batch",
    value=5,
    index=3,
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"withheld": True}, "are withheld"),
        ({"exit_reason": ExitReason.INTERNAL_ERROR}, "the worker of attempt 1 failed itself"),
        ({"redactions": (Redaction(rule="PW", count=1, where=("record of cell 3",)),)}, "is masked on record"),
        ({"redactions": (Redaction(rule="PW", count=1, where=("cell 3",)),)}, ""),
        ({"answers": (ANSWERED,)}, "a value that somebody answered"),
        ({"answers": (msgspec.structs.replace(ANSWERED, parameter=""),)}, ""),
    ],
)
def test_records_that_are_not_as_they_were_are_no_ground_for_another_attempt(changes: dict[str, Any], why: str) -> None:
    (found,) = attempts(events(A_START, finish()), files({MANIFEST: manifest(**changes)}))
    assert why in found.unkept if why else found.unkept == ""


def test_a_lost_attempt_is_known_by_its_transcript_and_by_what_a_person_found_out() -> None:
    record: dict[str, Json] = {"output_type": "display_data", "data": {RECORD: {"name": "old", "value": 7}}}
    lines = [
        Line(at=0.0, opened="nonce"),
        Line(at=0.1, cell=cell("a")),
        Line(at=0.2, outputs=[record], of="a"),
        Line(at=0.3, cell=cell("b", Fate.RUNNING)),
    ]
    data = b"".join(canonical(line) + b"\n" for line in lines)
    lost = bodies.Interrupt(start=3, reason="silent", observer="host")
    said = bodies.Resolve(interrupt=4, decision=Resolution.PARTIALLY_APPLIED, said=CAROL, reason="looked")
    (found,) = attempts(events(A_START, lost, said), files({TRANSCRIPT: data}))
    left = standing([found])
    assert (left.done, left.begun, left.records, left.doubts) == ({"a": 1}, {"a": 1, "b": 1}, {"old": 7}, ())
    assert left.previous
    assert left.previous.manifest is None
