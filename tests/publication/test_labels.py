from __future__ import annotations

import pytest

from runner.label_names import STATES, LabelNames, read
from runner.ledger import bodies
from runner.ledger.bodies import Rollback, Status
from runner.publication.labels import SCOPE, Label, change, label_of
from tests.builders import A_LOSS, A_START, a_plan, a_run, some_words

DIGEST = a_plan().digest

FINISH = bodies.Finish(
    start=3,
    outcome=Status.SUCCEEDED,
    rollback=Rollback.NOT_NEEDED,
    exit_reason="all_cells_ran",
    manifest=DIGEST,
    seconds=1.0,
)
RESOLVE = bodies.Resolve(
    interrupt=4, decision=bodies.Resolution.COMPLETED, said=some_words("carol", "7/1"), reason="saw it"
)
CANCEL = bodies.Cancel(plan_digest=DIGEST, mode="leave", said=some_words("alice", "7/1"))
REJECT = bodies.Reject(plan_digest=DIGEST, said=some_words("bob", "7/1"), reason="no")


@pytest.mark.parametrize(
    ("events", "label"),
    [
        ((), Label.PLANNED),
        ((A_START,), Label.STARTED),
        ((A_START, FINISH), Label.SUCCEEDED),
        ((A_START, A_LOSS), Label.INTERRUPTED),
        ((A_START, A_LOSS, RESOLVE), Label.RESOLVED),
        ((CANCEL,), Label.CANCELLED),
        ((REJECT,), Label.REJECTED),
        ((bodies.Expire(plan_digest=DIGEST),), Label.EXPIRED),
    ],
)
def test_a_label_follows_from_the_record(events: tuple[bodies.Body, ...], label: Label) -> None:
    assert label_of(a_run(*events).run) is label


@pytest.mark.parametrize("status", list(Status))
def test_every_outcome_has_its_own_label(status: Status) -> None:
    finish = bodies.Finish(
        start=3,
        outcome=status,
        rollback=Rollback.NOT_NEEDED,
        exit_reason="x",
        manifest=DIGEST,
        seconds=1.0,
    )
    assert label_of(a_run(A_START, finish).run).value == SCOPE + status.value


def test_an_allowed_plan_that_waits_says_so_and_only_a_plan_does() -> None:
    assert label_of(a_run().run, allowed=True) is Label.APPROVED
    assert label_of(a_run(A_START).run, allowed=True) is Label.STARTED


OURS = LabelNames()


def test_only_labels_of_our_scope_are_touched() -> None:
    current = frozenset({"bug", "runbook::planned", "runbook::failed", "change::complete", "C1"})
    add, remove = change(current, Label.STARTED, risk="high", names=OURS)
    assert add == {"runbook::started"}
    assert remove == {"runbook::planned", "runbook::failed"}


def test_a_label_that_is_there_alone_changes_nothing() -> None:
    has = frozenset({"bug", "runbook::started"})
    assert change(has, Label.STARTED, names=OURS) == (frozenset(), frozenset())


def test_every_state_has_its_label_and_every_label_its_state() -> None:
    assert {label.value for label in Label} == {SCOPE + state for state in STATES}


def test_the_practice_of_gitlab_has_the_state_and_how_critical_it_is() -> None:
    names, _ = read("change-management")
    has = frozenset({"bug", "runbook::planned", "change::unscheduled", "C3"})
    add, remove = change(has, Label.STARTED, risk="high", names=names)
    assert add == {"change::in-progress", "C1"}
    assert remove == {"runbook::planned", "change::unscheduled", "C3"}
    add, remove = change(frozenset({"change::complete", "C3"}), Label.SUCCEEDED, risk="low", names=names)
    assert not add
    assert not remove
    add, remove = change(frozenset({"C3"}), Label.EXPIRED, risk="odd", names=names)
    assert (set(add), set(remove)) == ({"change::aborted"}, {"C3"}), "a risk that has no label takes the old one off"


def test_names_that_were_ours_once_go_and_new_ones_come() -> None:
    names, wrong = read({"planned": "team::planned", "former": ["ops::planned", "change-management"]})
    assert wrong == []
    has = frozenset({"ops::planned", "change::in-progress", "C1", "ops::other"})
    add, remove = change(has, Label.PLANNED, risk="high", names=names)
    assert add == {"team::planned"}
    assert remove == {"ops::planned", "change::in-progress", "C1"}
