"""Whether a review is, and was merged as, what was planned: exactly those files and bytes, and never anything else.

What was merged is what was planned if the merged commit, beside its first parent, changes exactly the planned files to
exactly the planned bytes: squashes, rebases, merge commits and fast-forwards of the planned commit all do. And the
branch may never have held anything else, whatever it holds now: people may have said yes to that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from runner.approval.merging import ABSENT, Stage, Standing
from runner.errors import RunbookError
from runner.plan.plan import Plan, Proposal
from runner.plan.proposal import differences
from runner.ports.review import Head, Review, ReviewState
from runner.repository import refs
from runner.supervisor import proposed, tree
from runner.supervisor.desk import Desk

_SHOWN = 40
"""Lines of a difference that are told."""


def standing(desk: Desk, plan: Plan, review: Review | None) -> Standing:
    """Where a plan's proposal stands, with all that is wrong with it."""
    if plan.proposal is None or review is None:
        return ABSENT
    where = f"{review.id} {review.url}"
    if review.state is ReviewState.CLOSED:
        return Standing(stage=Stage.CLOSED, where=where, by=review.closed_by or "")
    strays = tuple(_strays(desk, plan.proposal, review))
    if review.merge is None:
        return Standing(stage=Stage.OPEN, where=where, wrong=strays)
    wrong = (*strays, *_misfits(desk, plan, plan.proposal, commit=review.merge.commit), *review.unmet)
    return Standing(stage=Stage.MERGED, where=where, by=review.merge.by, wrong=wrong)


def _strays(desk: Desk, made: Proposal, review: Review) -> Iterator[str]:
    """Commits that the branch has held and that are not the planned change, whatever it holds now."""
    for head in review.heads:
        if not _faithful(desk, made, head):
            yield f"its branch held something else than what was planned ({head.commit[:12]}): a new plan is needed"


def _faithful(desk: Desk, made: Proposal, head: Head) -> bool:
    """Whether a commit is the planned change and nothing else, perhaps on a newer commit of the other branch."""
    objects = desk.workspace.objects
    if objects.commit(head.commit) is None and not _fetched(desk, head.commit):
        return False
    commit = objects.commit(head.commit)
    if commit is None or len(commit.parents) != 1 or commit.parents[0] != (head.base or commit.parents[0]):
        return False
    on = refs.is_ancestor(objects.repository, commit.parents[0], desk.workspace.main)
    same = not differences(made, tree.at(objects, head.commit))
    return on and same and not list(_changed_otherwise(desk, made, head.commit))


def _fetched(desk: Desk, commit: str) -> bool:
    try:
        return refs.fetch_commit(desk.workspace.repository, commit)
    except RunbookError:
        return False


def _misfits(desk: Desk, plan: Plan, made: Proposal, *, commit: str) -> Iterator[str]:
    """What keeps a merged commit from being what was planned."""
    objects, main = desk.workspace.objects, _newest(desk, made, commit)
    if main is None:
        yield f"the merged commit {commit[:12]} is not on {made.into}"
        return
    yield from _changed_otherwise(desk, made, commit)
    for path in differences(made, tree.at(objects, commit)):
        yield f"what was merged at {path} is not what was planned:\n{_difference(desk, plan, commit, path=path)}"
    since = differences(made, tree.at(objects, main))
    if since:
        yield f"it is not on {made.into} any more as it was planned: {', '.join(since)}"


def _newest(desk: Desk, made: Proposal, commit: str) -> str | None:
    """The newest commit of the branch that something was merged into; None if the merged one is not on it."""
    objects = desk.workspace.objects
    for main in (desk.workspace.main, None):
        if main is None:  # it may have been merged after this round had asked
            refs.fetch(objects.repository, made.into)
        tip = main or objects.tip(made.into)
        if tip and objects.commit(commit) and refs.is_ancestor(objects.repository, commit, tip):
            return tip
    return None


def _changed_otherwise(desk: Desk, made: Proposal, commit: str) -> Iterator[str]:
    """Files that a commit changes beside its first parent and should not, or should and does not."""
    objects = desk.workspace.objects
    found = objects.commit(commit)
    planned = {one.path for one in made.files}
    changed = set(objects.changed(found.parents[0], commit)) if found and found.parents else set()
    for path in sorted(changed - planned):
        yield f"the merged commit {commit[:12]} also changes {path}, which was not planned"
    for path in sorted(planned - changed):
        yield f"the merged commit {commit[:12]} does not change {path}: somebody else has"


def _difference(desk: Desk, plan: Plan, commit: str, *, path: str) -> str:
    merged = desk.workspace.objects.read(commit, path) or b""
    planned = proposed.stored(desk, plan).get(path) or b""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (planned, merged))
    lines = difflib.unified_diff(old, new, f"planned/{path}", f"merged/{path}", lineterm="", n=2)
    return "\n".join(list(lines)[:_SHOWN])
