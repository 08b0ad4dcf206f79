"""Stories of changes that people merge: the merge is the approval, and what was merged is what runs."""

from __future__ import annotations

from runner.approval.decide import Verdict
from runner.evidence import layout
from runner.ledger.bodies import Rollback, Start, Status
from runner.plan.run import RunState
from tests.stories.proposals import AFTER, BEFORE, ONLY, SERVE, ZONE
from tests.stories.world import World, git


def repository(world: World) -> None:
    world.commit({ZONE: BEFORE, "runbooks/serve.ipynb": SERVE})


def by_hand(world: World, issue: str, *, person: str, how: tuple[str, ...]) -> None:
    """Merge on plain Git in some other way than one should."""
    clone = world.clone(person)
    git(clone, "fetch", "-q", "origin")
    git(clone, "checkout", "-q", "-B", "main", "origin/main")
    git(clone, "merge", "-q", *how, "-m", "Merge it", f"origin/{world.branch(issue)}")
    git(clone, "push", "-q", "origin", "HEAD:main")


def verdict(world: World, issue: str) -> tuple[Verdict, str]:
    known = next(one for one in world.reconcile(issue=issue).runs if one.run.plan.issue == issue)
    assert known.decision is not None
    return known.decision.verdict, "\n".join(known.decision.reasons)


def test_a_change_is_proposed_merged_and_then_carried_out_with_what_was_merged(world: World) -> None:
    repository(world)
    issue = world.planned("serve")
    run = world.run(issue)
    assert run.state is RunState.PLANNED
    assert git(world.remote, "show", f"{world.branch(issue)}:{ZONE}").decode() == AFTER
    told = world.words(issue)
    assert ("/-/merge_requests/1" if world.on_gitlab else f"git merge --no-ff -S origin/{world.branch(issue)}") in told
    assert "-web-1 A 10.0.0.1" in told
    status = world.cli("alice", "status").out
    assert "runbook approve" not in status
    assert ("/-/merge_requests/1" if world.on_gitlab else "Next: git merge --no-ff -S origin/runbook/") in status
    world.approve(issue)
    assert verdict(world, issue)[0] is Verdict.PENDING, "a yes in a comment is not enough"
    assert "the merge of that change is its approval" in world.words(issue)
    commit = world.merge(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED), world.words(issue)
    assert (world.traces / "served").read_text() == AFTER
    assert run.start
    body = run.start.body
    assert isinstance(body, Start)
    assert body.merged
    assert (body.merged.commit, body.merged.by) == (commit, world.id("bob"))
    assert len(body.approvals) == 1
    record = world.manifest(run)
    assert record.merged == body.merged
    assert f"merged by `{world.id('bob')}`" in world.evidence(layout.summary_file(run.id, 1)).decode()
    shown = world.cli("alice", "show", run.id).out
    assert commit in shown
    assert ZONE in shown
    verified = world.cli("alice", "verify")
    assert verified.code == 0, verified.out
    world.check()


def test_what_is_reverted_opens_the_reverse_change_and_proves_what_was_before(world: World) -> None:
    repository(world)
    issue = world.planned("serve")
    world.merge(issue)
    world.reconcile()
    old = world.run(issue)
    assert old.outcome is Status.SUCCEEDED, world.words(issue)
    world.say("alice", issue, f"/runbook revert {old.id} the address is wrong")
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.plan.revert_of) == (RunState.PLANNED, old.id)
    assert git(world.remote, "show", f"{world.branch(issue)}:{ZONE}").decode() == BEFORE
    world.merge(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED), world.words(issue)
    assert git(world.remote, "show", f"main:{ZONE}").decode() == BEFORE
    assert (world.traces / "served").read_text() == BEFORE
    record = world.manifest(run)
    assert (record.reverts, record.result.restored) == (old.id, True)
    verified = world.cli("alice", "verify")
    assert verified.code == 0, verified.out
    # What was reverted is there to be proposed again, by name.
    world.commit({ZONE: "; somebody else's\n"})
    world.say("alice", issue, f"/runbook revert {old.id} again")
    world.reconcile()
    assert f"run {run.id} has reverted it" in world.words(issue)
    world.check()


def test_a_runbook_that_acts_by_the_merge_alone_ends_with_its_verification(world: World) -> None:
    world.commit({"runbooks/only.ipynb": ONLY})
    issue = world.planned("only")
    world.merge(issue)
    world.reconcile()
    old = world.run(issue)
    assert (old.outcome, old.rollback) == (Status.SUCCEEDED, Rollback.NOT_NEEDED), world.words(issue)
    assert world.times() == 1
    world.say("alice", issue, f"/runbook revert {old.id}")
    world.reconcile()
    assert world.run(issue).plan.revert_of == old.id, world.words(issue)
    world.merge(issue)
    world.reconcile()
    assert world.run(issue).outcome is Status.SUCCEEDED, world.words(issue)
    assert ZONE not in git(world.remote, "ls-tree", "-r", "--name-only", "main").decode()
    verified = world.cli("alice", "verify")
    assert verified.code == 0, verified.out
    world.check()


def test_what_was_altered_or_merged_by_the_wrong_people_starts_nothing_and_says_why(world: World) -> None:
    repository(world)
    altered, forwarded, strange, unwanted = (world.planned("serve", host=f"web-{number}") for number in range(4))
    # Somebody adds to the branch: people see it at once, and merging it changes nothing about that.
    clone = world.clone("mallory")
    git(clone, "fetch", "-q", "origin")
    git(clone, "checkout", "-q", "-B", "work", f"origin/{world.branch(altered)}")
    (clone / ZONE).write_text(AFTER + "evil A 6.6.6.6\n")
    git(clone, "commit", "-q", "-a", "-m", "a small addition")
    git(clone, "push", "-q", "origin", f"work:{world.branch(altered)}")
    world.reconcile()
    assert world.words(altered).count("held something else than what was planned") == 1
    world.merge(altered)
    world.reconcile()
    said = world.words(altered)
    assert "what was merged at infra/dns/lab.zone is not what was planned" in said
    assert "evil" in said
    world.commit({ZONE: BEFORE})
    # Nobody's name is on a fast-forward, and Mallory is in no list.
    world.commit({"README.md": "x"})
    for issue, person, how in ((forwarded, "bob", ()), (strange, "mallory", ("--no-ff", "-S"))):
        fetched = world.clone(person)
        git(fetched, "fetch", "-q", "origin")
        if not how:
            git(fetched, "checkout", "-q", "-B", "work", f"origin/{world.branch(issue)}")
            git(fetched, "rebase", "-q", "origin/main")
            git(fetched, "push", "-q", "--force", "origin", f"work:{world.branch(issue)}")
        by_hand(world, issue, person=person, how=how or ("--ff-only",))
        world.reconcile()
        assert "merged by somebody whom nothing proves, and that is not the approval" in world.words(issue)
        world.commit({ZONE: BEFORE})
    # And a no takes the branch away.
    world.say("bob", unwanted, f"/runbook reject {world.run(unwanted).digest[:12]} not today")
    world.reconcile()
    assert world.run(unwanted).state is RunState.REJECTED
    assert world.branch(unwanted) not in git(world.remote, "branch", "--format=%(refname:short)").decode().split()
    assert world.times() == 0
    assert {run.state for run in world.runs()} == {RunState.PLANNED, RunState.REJECTED}
    world.check()
