from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.audit.index import Index
from runner.audit.query import changes, describe, find, log
from runner.audit.rows import Changed, Filter
from runner.errors import RequestError
from runner.ledger.bodies import Reject, Status
from tests.audit.ledgers import ALICE, BEGIN, BOB, History, a_history


def make(history: History) -> None:
    history.whole()
    history.whole(Status.FAILED)
    history.host = "web-2"
    history.lost()
    plan = history.plan()
    history.about(plan, Reject(plan_digest=plan.digest, said=history.said(BOB, "no", number=1), reason="not today"))
    history.plan(by=BOB)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    made = a_history(tmp_path_factory.mktemp("query"), make=make)
    yield made
    made.close()


@pytest.fixture
def index(history: History, tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index.sqlite")
    made.update(history.objects.repository, branch="evidence")
    yield made
    made.close()


def test_the_log_has_every_run_newest_first(history: History, index: Index) -> None:
    rows = log(index, Filter())
    assert [row.run for row in rows] == history.runs[::-1]
    assert [row.state for row in rows] == ["planned", "rejected", "resolved", "finished", "finished"]
    assert [row.outcome for row in rows] == [None, None, None, "failed", "succeeded"]
    assert rows[-1].approvers == (BOB,)
    assert rows[-1].targets == ("prod/web-1",)
    assert rows[-1].seconds == 1.5
    assert rows[1].message == "not today"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(target="prod/web-2"), [4, 3, 2]),
        (Filter(runbook="disk-cleanup", limit=2), [4, 3]),
        (Filter(runbook="another"), []),
        (Filter(person=BOB), [4, 2, 1, 0]),
        (Filter(person=ALICE), [3, 2, 1, 0]),
        (Filter(issue="8"), [1]),
        (Filter(outcome="failed"), [1]),
        (Filter(since=BEGIN + timedelta(hours=1)), []),
        (Filter(until=BEGIN), []),
        (Filter(since=BEGIN, until=BEGIN + timedelta(hours=1), target="prod/web-1", outcome="succeeded"), [0]),
    ],
)
def test_the_log_is_filtered(*, history: History, index: Index, wanted: Filter, expected: list[int]) -> None:
    assert [history.runs.index(row.run) for row in log(index, wanted)] == expected


def test_a_time_filter_tells_runs_apart(history: History, index: Index) -> None:
    rows = log(index, Filter())
    second = rows[-2].planned_at
    at = datetime.fromisoformat(second)
    assert {row.run for row in log(index, Filter(since=at))} == set(history.runs[1:])
    assert [row.run for row in log(index, Filter(until=at))] == [history.runs[0]]


def test_a_change_is_an_attempt_whose_change_cells_began(history: History, index: Index) -> None:
    rows = changes(index, target="prod/web-1")
    assert [row.run for row in rows] == history.runs[1::-1]
    assert [row.changed for row in rows] == [Changed.YES, Changed.YES]
    assert rows[1].approvers == (BOB,)
    assert rows[0].outcome == "failed"
    assert rows[0].rollback == "failed"
    assert changes(index, target="prod/web-1", since=BEGIN + timedelta(days=1)) == ()
    assert len(changes(index, target="prod/web-1", limit=1)) == 1


def test_what_a_person_found_not_to_have_run_changed_nothing(index: Index) -> None:
    assert changes(index, target="prod/web-2") == ()


def test_an_attempt_that_still_runs_may_have_changed_something(tmp_path: Path) -> None:
    def begin(history: History) -> None:
        plan = history.plan()
        history.start(plan, approvals=(history.approve(plan).seq,))

    made = a_history(tmp_path, make=begin)
    index = Index(tmp_path / "index.sqlite")
    index.update(made.objects.repository, branch="evidence")
    assert [row.changed for row in changes(index, target="prod/web-1")] == [Changed.UNKNOWN]
    index.close()
    made.close()


def test_a_run_is_found_by_the_end_of_its_id(history: History, index: Index) -> None:
    assert find(index, history.runs[2][-8:]) == history.runs[2]
    with pytest.raises(RequestError, match="there is none"):
        find(index, "nothing")
    with pytest.raises(RequestError, match="may mean"):
        find(index, "2026")
    with pytest.raises(RequestError, match="there is none"):
        find(index, "%")


def test_a_run_is_described_whole(history: History, index: Index) -> None:
    found = describe(index, history.objects, history.runs[0])
    assert [event.type for event in found.events] == ["plan", "approve", "start", "finish"]
    assert [event.by for event in found.events] == [ALICE, BOB, None, None]
    assert found.plan.digest == found.row.plan_digest
    assert [manifest.attempt for manifest in found.manifests] == [1]
    assert found.events[-1].commit == found.row.commit
