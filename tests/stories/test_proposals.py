"""Stories of changes that people merge, on plain Git: the merge is the approval, and what was merged is what runs."""

from __future__ import annotations

from runner.approval.decide import Verdict
from runner.evidence import layout
from runner.ledger.bodies import Start, Status
from runner.plan.run import RunState
from tests.stories.proposals import AFTER, BEFORE, SERVE, ZONE
from tests.stories.world import BOB, World, git


def repository(world: World) -> None:
    world.commit({ZONE: BEFORE, "runbooks/serve.ipynb": SERVE})


def branch(world: World, issue: str) -> str:
    return f"runbook/{world.run(issue).id}"


def merge(world: World, issue: str, *, person: str = "bob", how: tuple[str, ...] = ("--no-ff", "-S")) -> str:
    """Merge the proposed change as people do on plain Git, signed with the person's own key."""
    clone = world.clone(person)
    git(clone, "fetch", "-q", "origin")
    git(clone, "checkout", "-q", "-B", "main", "origin/main")
    git(clone, "merge", "-q", *how, "-m", "Merge it", f"origin/{branch(world, issue)}")
    git(clone, "push", "-q", "origin", "HEAD:main")
    return git(clone, "rev-parse", "HEAD").decode().strip()


def verdict(world: World, issue: str) -> tuple[Verdict, str]:
    known = next(one for one in world.reconcile(issue=issue).runs if one.run.plan.issue == issue)
    assert known.decision is not None
    return known.decision.verdict, "\n".join(known.decision.reasons)


def test_a_change_is_proposed_merged_and_then_carried_out_with_what_was_merged(world: World) -> None:
    repository(world)
    issue = world.planned("serve")
    run = world.run(issue)
    assert run.state is RunState.PLANNED
    assert git(world.remote, "show", f"{branch(world, issue)}:{ZONE}").decode() == AFTER
    told = world.words(issue)
    assert f"git merge --no-ff -S origin/{branch(world, issue)}" in told
    assert "-web-1 A 10.0.0.1" in told
    world.approve(issue)
    assert verdict(world, issue)[0] is Verdict.PENDING, "a yes in a comment is not enough"
    assert "the merge of that change is its approval" in world.words(issue)
    commit = merge(world, issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED), world.words(issue)
    assert (world.traces / "served").read_text() == AFTER
    assert run.start
    body = run.start.body
    assert isinstance(body, Start)
    assert body.merged
    assert (body.merged.commit, body.merged.by) == (commit, BOB)
    assert len(body.approvals) == 1
    record = world.manifest(run)
    assert record.merged == body.merged
    assert f"merged by `{BOB}`" in world.evidence(layout.summary_file(run.id, 1)).decode()
    shown = world.cli("alice", "show", run.id).out
    assert commit in shown
    assert ZONE in shown
    verified = world.cli("alice", "verify")
    assert verified.code == 0, verified.out
    world.check()
