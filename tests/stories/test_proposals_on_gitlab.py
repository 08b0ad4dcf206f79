"""Stories of changes that people merge on GitLab: one merge request for each, and its merge is the approval."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab.clients import git
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.place import Place, founded
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT
from tests.gitlab.served import at_gitlab
from tests.gitlab.site import Level, MergeRequest, Rule, Tier
from tests.stories.proposals import AFTER, BEFORE, ONLY, SERVE, ZONE


@pytest.fixture(params=[Tier.FREE])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path, tier=request.param) as made:
        files: dict[str, bytes | None] = {
            ZONE: BEFORE.encode(),
            "runbooks/serve.ipynb": SERVE,
            "runbooks/only.ipynb": ONLY,
            "CODEOWNERS": b"/infra/dns/ @carol @alice\n",
        }
        repository(made).write("main", files, start="main", message="Zones", by=("Bob", "bob@example.org"))
        yield made


def repository(place: Place) -> Repository:
    return Repository(place.seeded.project.folder)


def asked(place: Place, runbook: str = "serve", *, host: str = "web-1") -> int:
    words = place.ask(runbook).replace("parameters:\n", f"parameters:\n  host: {host}\n")
    made = at_gitlab(place, "alice").issues.create({"title": "Please", "description": words})
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3, 5}
    return int(made.iid)


def requests(place: Place) -> list[MergeRequest]:
    return list(place.seeded.project.merge_requests.values())


def as_seen_by(place: Place, name: str, number: int = 1) -> Any:
    return at_gitlab(place, name).mergerequests.get(number)


@pytest.mark.parametrize("place", [Tier.PREMIUM], indirect=True)
def test_a_request_becomes_a_merge_request_whose_merge_starts_the_run(place: Place) -> None:
    carol = place.server.site.named("carol")
    assert carol
    rule = Rule(id=place.server.site.number(), name="Zone owners", required=1, users=[carol])
    place.seeded.project.rules[rule.id] = rule
    # Once the branch is pushed GitLab is away, then its answer is lost: the same as being killed there.
    place.server.faults.order(Fault(kind=Kind.STATUS, status=503, method="POST", path="/merge_requests", times=1))
    issue = asked(place)
    assert (requests(place), place.said(issue)) == ([], [])
    place.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/merge_requests", times=1))
    assert place.cli(BOT, "reconcile", "--once").code == 5
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    (request,) = requests(place)
    assert request.reviewers == [carol], "owners of the files, without whoever asked"
    assert request.description.startswith(f"Related to #{issue}\n")
    assert [file["new_path"] for file in repository(place).diffs(request.base, request.sha)] == [ZONE]
    (plan,) = place.said(issue)
    assert f"{place.server.base}/ops/runbooks/-/merge_requests/1" in plan
    related = at_gitlab(place, "bob").issues.get(issue).related_merge_requests()
    assert [one["iid"] for one in related] == [1]
    at_gitlab(place, "bob").issues.get(issue).notes.create({"body": f"/runbook approve {digest(plan)}"})
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    assert place.times() == 0, "a yes in a comment alone starts nothing"
    as_seen_by(place, "carol").approve()
    as_seen_by(place, "bob").merge(squash=True)
    done = place.cli(BOT, "reconcile", "--once")
    assert done.code == 0, done.out + done.err
    assert place.times() == 1
    assert (place.traces / "served").read_text() == AFTER
    assert any(said.startswith("- **Result:** `succeeded`") for said in place.said(issue))
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    shown = place.cli("alice", "log", "--json").out
    run = shown[shown.index('"run": "') + 8 :].split('"')[0]
    told = place.cli("alice", "show", run).out
    assert "!1 by bob" in told
    assert "carol" in told
    assert request.merge_commit
    assert request.merge_commit in told
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out


def test_a_merge_that_is_not_enough_an_altered_branch_and_a_closed_one_start_nothing(place: Place) -> None:
    own, altered, closed, withdrawn = (asked(place, host=f"web-{number}") for number in range(4))
    # The requester merges, as her role in GitLab lets her; policy asks for somebody else.
    alice = place.server.site.named("alice")
    assert alice
    place.seeded.project.members[alice.id] = Level.MAINTAINER
    as_seen_by(place, "alice", 1).merge()
    # Somebody pushes to the branch, has that approved, and takes it back.
    written = repository(place).resolve(f"refs/heads/{requests(place)[1].source}")
    clone = place.folder / "carol"
    for words in (
        ("fetch", "-q", "origin"),
        ("checkout", "-q", "-B", "work", f"origin/{requests(place)[1].source}"),
        ("commit", "-q", "--allow-empty", "-m", "more"),
        ("push", "-q", "origin", f"work:{requests(place)[1].source}"),
        ("push", "-q", "--force", "origin", f"{written}:refs/heads/{requests(place)[1].source}"),
    ):
        assert git(*words, at=clone, certificate=place.certificate).returncode == 0
    request = as_seen_by(place, "bob", 3)
    request.state_event = "close"
    request.save()
    at_gitlab(place, "alice").issues.get(withdrawn).notes.create({"body": "/runbook cancel --leave not needed"})
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    assert "its change was merged by alice, and that is not the approval that policy asks for" in place.said(own)[-1]
    assert "its branch held something else than what was planned" in place.said(altered)[-1]
    assert "closed !3 without merging it" in place.said(closed)[-1]
    assert "rejected" in place.said(closed)[-1]
    assert "cancelled" in place.said(withdrawn)[-1]
    assert [one.state for one in requests(place)] == ["merged", "opened", "closed", "closed"]
    told = [len(place.said(one)) for one in (own, altered, closed, withdrawn)]
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    assert [len(place.said(one)) for one in (own, altered, closed, withdrawn)] == told, "each is told once"
    assert place.times() == 0


def digest(plan: str) -> str:
    return plan.split("/runbook reject ")[1].split(maxsplit=1)[0]
