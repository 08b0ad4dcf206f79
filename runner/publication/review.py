"""The words of a review: title and description of the proposed change, and the message of its commit."""

from __future__ import annotations

from dataclasses import dataclass

from runner.digest import SHORT, Digest
from runner.plan.plan import Plan, Proposed
from runner.publication import comments
from runner.publication.views import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A proposal, as its reviewers see it. `acts` says that cells change something after the merge."""

    run: str
    runbook: str
    targets: tuple[str, ...]
    requester: str
    issue: str
    digest: Digest
    files: tuple[Pair, ...]
    acts: bool

    @property
    def short(self) -> str:
        """The digits of the digest that people write."""
        return self.digest[:SHORT]


def title(plan: Plan) -> str:
    """One line without anything that a forge would act on; it never begins with a word that marks a draft."""
    return f"Runbook {_plain(plan.runbook.name)}: {_plain(plan.title)}"[:200]


def description(plan: Plan, *, digest: Digest, acts: bool) -> str:
    """What reviewers read; the issue is named so that a forge links both, and in no words that would close it."""
    issue = plan.requested.issue if plan.requested.issue.isdigit() else ""
    view = ReviewView(
        run=plan.run,
        runbook=plan.runbook.name,
        targets=plan.targets,
        requester=plan.requested.by,
        issue=issue,
        digest=digest,
        files=tuple(_pair(one) for one in plan.proposal.files) if plan.proposal else (),
        acts=acts,
    )
    return comments.page("review.md.j2", view=view)


def message(plan: Plan, *, digest: Digest) -> str:
    """The commit's message. Its trailers survive a rebase or a squash, by which the merge is found on plain Git."""
    lines = [
        title(plan),
        "",
        "Merging this approves the plan that it is part of.",
        "",
        f"Runbook-Run: {plan.run}",
        f"Runbook-Plan: sha256:{digest}",
        f"Runbook-Issue: {_plain(plan.requested.issue)}",
    ]
    return "\n".join(lines) + "\n"


def _pair(one: Proposed) -> Pair:
    word = "remove" if one.after is None else "add" if one.before is None else "change"
    return Pair(name=one.path, value=(one.after or "")[:SHORT], source=word)


def _plain(text: str) -> str:
    return " ".join(
        "".join(one if one not in "`<>[]|*_@#!~%&$^\\/" and one.isprintable() else " " for one in text).split()
    )
