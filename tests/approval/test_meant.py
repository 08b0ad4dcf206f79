"""Which run a command speaks of: never a guess between two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.approval.meant import Known, RefusedError, meant
from runner.ledger.bodies import Resolution
from runner.request.arguments import Answer, Approve, Cancel, Leave, Resolve
from tests.builders import A_QUESTION, A_START, a_plan, a_run

OTHER = "20261123T120000Z-other-7k3q2x2m"


def runs(*known: Known) -> tuple[Known, ...]:
    """Several runs of one issue, each with an id of its own."""
    ids = (a_plan().run, OTHER)
    return tuple(replace(one, run=replace(one.run, id=name)) for one, name in zip(known, ids, strict=False))


ASKING = a_run(A_START, A_QUESTION)


def test_a_digest_means_the_plan_that_begins_with_it() -> None:
    args = Approve(digest=a_plan().digest[:12])
    assert meant(args, runs(a_run())).run.digest == a_plan().digest
    with pytest.raises(RefusedError, match="fits 2 plans"):
        meant(args, runs(a_run(), a_run()))
    with pytest.raises(RefusedError, match="no plan of this issue begins with"):
        meant(Approve(digest="0" * 12), runs(a_run()))


def test_a_run_is_meant_by_its_id() -> None:
    args = Resolve(run=OTHER, decision=Resolution.COMPLETED, reason="seen")
    assert meant(args, runs(a_run(), a_run())).run.id == OTHER
    with pytest.raises(RefusedError, match="no run of this issue is"):
        meant(args, runs(a_run()))


def test_cancel_may_leave_out_the_only_run_that_is_not_over() -> None:
    args = Cancel(which="", mode=Leave.LEAVE)
    assert meant(args, runs(a_run())).run.id == a_plan().run
    with pytest.raises(RefusedError, match="has to name the run"):
        meant(args, runs(a_run(), a_run()))


def test_answer_may_leave_out_the_only_run_that_asks() -> None:
    args = Answer(which="", question=0, text="yes")
    assert meant(args, runs(a_run(A_START), ASKING)).run.id == OTHER
    assert meant(Answer(which=OTHER, question=0, text="yes"), runs(ASKING, ASKING)).run.id == OTHER
    with pytest.raises(RefusedError, match="nothing is asked on this issue now"):
        meant(args, runs(a_run(A_START)))
    with pytest.raises(RefusedError, match=f"has to name the run before the answer.*{OTHER}"):
        meant(args, runs(ASKING, ASKING))
