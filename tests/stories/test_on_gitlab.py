"""The story on GitLab: asked in an issue there, approved in a comment, executed once, told once, sealed in Git."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.clients import git
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.place import Place, founded
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT
from tests.gitlab.served import asked, at_gitlab, digest, served, waited

NEEDED = Counter(
    {
        "GET issues": 3,
        "GET issues/N": 1,
        "GET issues/N/notes": 6,
        "GET members/all": 3,
        "GET freeze_periods": 2,
        "POST issues/N/notes": 3,
        "PUT issues/N": 3,
        "PUT issues/N/notes/N": 1,
    }
)
"""What a run of a moment asks GitLab for, from the request to the closed issue."""
AGAIN = 3
"""How often each may be asked for again where a moment takes long: answers grow old, and a status comment too."""
__all__ = ["at_gitlab", "digest", "served", "waited"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path, documented=True) as made:
        yield made


def test_a_request_on_gitlab_ends_as_evidence_and_a_closed_issue_woken_by_deliveries_alone(place: Place) -> None:
    with served(place) as running:
        requests_of_it = asked(place)
        issue = at_gitlab(place, "alice").issues.create({"title": "Count, please", "description": place.ask()})
        waited(lambda: place.said(issue.iid))
        at_gitlab(place, "bob").issues.get(issue.iid).notes.create({"body": f"/runbook approve {digest(place)}"})
        waited(lambda: place.issue(issue.iid).state == "closed")
        waited(running.idle)
    assert place.times() == 1
    plan, status, result = place.said(issue.iid)
    assert plan.startswith("- **Plan:**")
    assert "succeeded" in status
    assert result.startswith("- **Result:** `succeeded`")
    assert f"{place.server.base}/ops/runbooks/-/blob/" in result
    assert place.issue(issue.iid).labels == ["runbook::succeeded"]
    needed = requests_of_it()
    assert NEEDED.total() < 25
    # A run that is over before its status comment was due for an edit has none.
    assert needed.keys() | {"PUT issues/N/notes/N"} == NEEDED.keys(), needed
    assert all(needed[kind] <= NEEDED[kind] + AGAIN for kind in needed), needed
    assert (needed["POST issues/N/notes"], needed["PUT issues/N"]) == (3, 3), "three comments; three labels and the end"
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out


def test_only_whom_policy_names_and_only_words_that_stand_as_they_were_written_count(place: Place) -> None:
    alice, bob, dave = (at_gitlab(place, name) for name in ("alice", "bob", "dave"))
    issue = alice.issues.create({"title": "Count, please", "description": place.ask()})
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    yes = f"/runbook approve {digest(place)}"
    alice.issues.get(issue.iid).notes.create({"body": yes})
    dave.issues.get(issue.iid).notes.create({"body": yes})
    edited = bob.issues.get(issue.iid).notes.create({"body": "I am looking at it"})
    edited.body = yes
    edited.save()
    bob.issues.get(issue.iid).notes.create({"body": f"```\n{yes}\n```"})
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    refusals = [said for said in place.said(issue.iid) if "was not carried out" in said]
    assert len(refusals) == 3
    assert any("edited comment never counts" in said for said in refusals)
    assert place.times() == 0
    person = place.server.site.named("bob")
    assert person is not None
    bob.issues.get(issue.iid).notes.create({"body": yes})
    del place.seeded.project.members[person.id]
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    assert place.times() == 0, "whoever has left approves nothing"


def ledger(place: Place) -> str:
    """The titles of the ledger's commits on the remote."""
    return Repository(place.seeded.project.folder).git("log", "--format=%s", "evidence")


def test_gitlab_is_away_during_the_run_and_the_result_is_told_later_once(place: Place) -> None:
    issue = at_gitlab(place, "alice").issues.create({"title": "Count, please", "description": place.ask()})
    place.cli(BOT, "reconcile", "--once")
    at_gitlab(place, "bob").issues.get(issue.iid).notes.create({"body": f"/runbook approve {digest(place)}"})
    # From the first word about the run on, the API is away; Git is not.
    away = place.server.faults.order(Fault(kind=Kind.STATUS, method="POST", path="/notes", status=503, times=1_000_000))
    assert place.cli(BOT, "reconcile", "--once").code == 5, "it started, and could not say so"
    waited(lambda: place.times() == 1)
    waited(lambda: place.cli(BOT, "reconcile", "--once").code == 5 and "finish: count" in ledger(place))
    assert len(place.said(issue.iid)) == 1
    away.times = 0
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert place.times() == 1
    assert [said.startswith("- **Result:**") for said in place.said(issue.iid)].count(True) == 1
    assert place.issue(issue.iid).state == "closed"
    doctor = place.cli(BOT, "doctor")
    assert doctor.code == 0, f"carried by the least token in a project as documented: {doctor.out}"


def reconciled(place: Place, *, lost: int) -> None:
    """Reconcile until nothing is left, with the answers to the first comments lost after they were written."""
    fault = place.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/notes", times=lost))
    for _ in range(lost + 1):
        place.cli(BOT, "reconcile", "--once")
    fault.times = 0


def test_answers_that_were_lost_after_the_effect_double_nothing(place: Place) -> None:
    issue = at_gitlab(place, "alice").issues.create({"title": "Count, please", "description": place.ask()})
    reconciled(place, lost=2)
    at_gitlab(place, "bob").issues.get(issue.iid).notes.create({"body": f"/runbook approve {digest(place)}"})
    reconciled(place, lost=3)
    waited(lambda: place.cli(BOT, "reconcile", "--once").code == 0)
    assert place.times() == 1
    assert [said.split(":")[0] for said in place.said(issue.iid)].count("- **Plan") == 1
    assert [said.split(":")[0] for said in place.said(issue.iid)].count("- **Result") == 1
    assert place.issue(issue.iid).state == "closed"
