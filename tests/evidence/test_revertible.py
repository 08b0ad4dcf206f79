"""What keeps a run from being reverted, each by name, and what a revert undoes where nothing does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runner.evidence.attempts import Standing
from runner.evidence.manifest import Previous
from runner.evidence.revertible import irreversible, undone, why_not
from runner.ledger.bodies import Rollback, Status
from runner.plan.run import Run
from runner.runbook.reader import read
from runner.runbook.runbook import Runbook
from tests.builders import A_LOSS, A_START, a_plan, a_run
from tests.runbook.notebooks import code, notebook, raw
from tests.test_lifecycle import FINISH, RESOLVE

HEADER = "---\ntitle: Free disk space\nowner: '@ops'\nrisk: high\ntarget: prod\n---"


def runbook(*cells: tuple[str, str], header: str = HEADER) -> Runbook:
    content = notebook([raw(header), *(code(source, role) for role, source in cells)])
    return read(content, name="x", path="runbooks/x.ipynb", commit="0" * 40, beside=lambda _path: None)


TWO = runbook(("change", "#| step: one\n1"), ("rollback", "1"), ("change", "#| step: two\n2"), ("rollback", "2"))
ONE_ID, TWO_ID = (cell.id for cell in TWO.cells if cell.role and cell.role.value == "change")


def left(*begun: str, **more: Any) -> Standing:
    values: dict[str, Any] = {"done": {}, "records": {}, "doubts": (), "previous": Previous(attempt=1, manifest=None)}
    return Standing(begun=dict.fromkeys(begun, 1), **(values | more))


def run(*later: Any, **changes: Any) -> Run:
    finish = msgspec.structs.replace(FINISH, **changes)
    return a_run(A_START, *(later or (finish,))).run


def refusals(one: Run, *, of: Runbook = TWO, standing: Standing | None = None, **plan: Any) -> str:
    return "; ".join(why_not(one, a_plan(**plan), runbook=of, standing=standing or left(ONE_ID)))


def test_a_run_that_succeeded_is_reverted_from_its_last_change_back() -> None:
    standing = left(ONE_ID, TWO_ID)
    assert refusals(run(), standing=standing) == ""
    assert [cell.name for cell in undone(TWO.cells, standing)] == ["two", "one"]


def test_a_run_that_failed_with_its_changes_in_place_is_reverted_too() -> None:
    assert refusals(run(outcome=Status.FAILED, rollback=Rollback.NOT_NEEDED)) == ""


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (a_run().run, "it is planned; only a run that has ended"),
        (a_run(A_START).run, "it is started"),
        (a_run(A_START, A_LOSS).run, "it is interrupted"),
        (a_run(A_START, A_LOSS, RESOLVE).run, "its owner was lost"),
        (run(outcome=Status.FAILED, rollback=Rollback.COMPLETE), "its changes were undone when it ended"),
    ],
)
def test_a_run_that_left_nothing_certain_is_not_reverted(one: Run, why: str) -> None:
    assert why in refusals(one)


def test_a_run_that_changed_nothing_one_in_doubt_and_a_revert_are_not_reverted() -> None:
    assert refusals(run(), standing=left()) == "it changed nothing"
    assert refusals(run(), standing=left(ONE_ID, doubts=("nobody knows",))) == "nobody knows"
    assert "it is itself the revert of other" in refusals(run(), revert_of="other")


def test_every_step_that_cannot_be_undone_is_named() -> None:
    of = runbook(
        ("change", "#| step: one\n1"),
        ("rollback", "1"),
        ("change", "#| step: two\n#| irreversible: mails are out\n2"),
        ("change", "#| step: three\n3"),
    )
    begun = left(*(cell.id for cell in of.cells if cell.role and cell.role.value == "change"))
    assert refusals(run(), of=of, standing=begun) == "three has no rollback cell; two is irreversible: mails are out"
    assert refusals(run(), of=of, standing=left(of.cells[1].id)) == "", "what never began is in nobody's way"
    whole = runbook(("change", "1"), ("rollback", "1"), header=HEADER.replace("risk", "irreversible: all of it\nrisk"))
    assert "the runbook is irreversible: all of it" in refusals(run(), of=whole, standing=left(whole.cells[1].id))


def test_what_the_undoing_itself_cannot_take_back_is_said() -> None:
    assert irreversible(TWO, left(ONE_ID)) is None
