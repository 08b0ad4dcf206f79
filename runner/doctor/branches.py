"""D08 to D11 and D30: the branches. Evidence is never forgotten, and nobody changes runbooks all alone.

Where several protections cover a branch, GitLab lets through what any of them does: they are judged together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.doctor.token import role, runner
from runner.ports.premises import DEVELOPER, Access, Member, Protection, Reviews, Unseen

PAGE = "Settings > Repository > Protected branches"


def evidence(facts: Facts) -> Iterator[Remark]:
    """D08: the evidence branch takes the runner's pushes, and no forced ones."""
    protections = facts.premises.protections
    if protections is None or not facts.gitlab:
        return
    if isinstance(protections, Unseen):
        yield not_checked(protections)
        return
    branch, bot = facts.settings.evidence_branch, runner(facts)
    rules = _covering(protections, branch)
    fix = f"{PAGE}: protect {branch}; allowed to push: Developers (Premium: {facts.settings.bot} alone); no force push"
    if not rules:
        yield wrong(f"{branch} is not protected: whoever may push can rewrite it", fix=fix)
        return
    yield from _forced(rules, branch)
    if isinstance(bot, Unseen):
        yield not_checked(bot)
    elif not _lets(rules, bot):
        yield wrong(f"{facts.settings.bot} may not push to {branch}, so nothing can be recorded", fix=fix)
    else:
        yield from _others(facts, rules, branch)


def _others(facts: Facts, rules: Sequence[Protection], branch: str) -> Iterator[Remark]:
    """Who else may push evidence: where the tier can name one user, nobody should."""
    roles = _roles(rules)
    if not roles:
        yield fine(f"{branch} is protected, and only who is named there may push: {_named(rules)}")
    elif isinstance(facts.premises.reviews, Reviews):
        fix = f"{PAGE}: let only {facts.settings.bot} push to {branch}, and no role"
        yield warning(f"{' and '.join(roles)} may push to {branch} too", fix=fix)
    else:
        told = f"{branch} is protected. {' and '.join(roles)} may push too, which cannot be narrowed to one user on "
        yield fine(told + "this tier: verify tells what no key of the ledger has signed")


def code(facts: Facts) -> Iterator[Remark]:
    """D09: the runner cannot change the protected branch, and people do it by merge requests."""
    protections, branch = facts.premises.protections, facts.settings.branch
    if protections is None or not facts.gitlab:
        return
    if isinstance(protections, Unseen):
        yield not_checked(protections)
        return
    rules, bot, name = _covering(protections, branch), runner(facts), facts.settings.bot
    fix = f"{PAGE}: protect {branch}; allowed to merge: Maintainers; allowed to push: No one; no force push"
    if not rules:
        yield wrong(f"{branch} is not protected: runbooks and policy are anybody's", fix=fix)
        return
    yield from _forced(rules, branch)
    if isinstance(bot, Unseen):
        yield not_checked(bot)
        return
    may_push, may_merge = _lets(rules, bot), _lets(rules, bot, merging=True)
    if may_push:
        yield wrong(f"{name} may push to {branch}: it could change what it runs", fix=f"{fix}{_weak(rules, branch)}")
    if may_merge and not _reviewed(facts):
        told = f"{name} may merge into {branch}: it could let its own change through"
        yield wrong(told, fix=f"{fix}{_weak(rules, branch)}")
    roles = _roles(rules)
    if roles and not may_push:
        yield warning(f"{' and '.join(roles)} may push to {branch} without a merge request", fix=fix)
    if not may_push and not roles and (not may_merge or _reviewed(facts)):
        yield fine(f"{branch} changes by merge requests alone, and {name} cannot merge them by itself")


def _reviewed(facts: Facts) -> bool:
    reviews = facts.premises.reviews
    return isinstance(reviews, Reviews) and reviews.required > 0 and not reviews.author_counts


def reviewed(facts: Facts) -> Iterator[Remark]:
    """D10: somebody else has to approve what is merged, where the tier can demand it."""
    reviews, branch = facts.premises.reviews, facts.settings.branch
    if not facts.gitlab:
        return
    if isinstance(reviews, Unseen):
        yield not_checked(reviews)
        return
    if reviews is None:
        told = "this tier cannot demand approvals: whoever may merge is the review"
        yield fine(told)
        return
    protections = facts.premises.protections
    owners = isinstance(protections, tuple) and any(one.owners for one in _covering(protections, branch))
    page = "Settings > Merge requests"
    if not reviews.required and not owners:
        fix = f"{page} > Merge request approvals: a rule for {branch} that needs 1 approval, or code owners in {PAGE}"
        yield wrong(f"nobody has to approve a merge request into {branch}", fix=fix)
    if reviews.author_counts:
        fix = f"{page} > Approval settings: prevent approval by the merge request's creator"
        yield wrong("whoever opens a merge request may approve it", fix=fix)
    if (reviews.required or owners) and not reviews.author_counts:
        told = f"{reviews.required} by rules" + (", and code owners" if owners else "")
        yield fine(f"a merge request needs approvals of others: {told}")


def remembers(facts: Facts) -> Iterator[Remark]:
    """D11: a remote on plain Git takes no forced pushes; it has no roles, so nothing else can be asked of it."""
    protections = facts.premises.protections
    if facts.gitlab or protections is None:
        return
    if isinstance(protections, Unseen):
        fix = "on the remote: git config receive.denyNonFastForwards true && git config receive.denyDeletes true"
        yield not_checked(protections, fix=fix)
        return
    if any(one.force for one in protections):
        fix = "in the remote's folder: git config receive.denyNonFastForwards true; git config receive.denyDeletes true"
        yield wrong("the remote lets branches be rewritten or deleted by whoever may push", fix=fix)
    else:
        told = "the remote takes no forced push and no deletion. It has no roles: who may push may change runbooks"
        yield fine(told)


def scratch(facts: Facts) -> Iterator[Remark]:
    """D30: no pattern protects the branches that the runner makes for itself: signs of life, proposals, work."""
    protections, bot = facts.premises.protections, runner(facts)
    if not facts.gitlab or not isinstance(protections, tuple) or isinstance(bot, Unseen):
        return
    stopped = False
    for one in facts.scratch:
        rules = _covering(protections, f"{one.prefix}x")
        patterns = ", ".join(rule.pattern for rule in rules)
        if rules and (not _lets(rules, bot) or (one.rewritten and not any(rule.force for rule in rules))):
            stopped = True
            fix = f"{PAGE}: narrow {patterns} so that it leaves {one.prefix}* free"
            yield wrong(f"the protection of {patterns} keeps the runner from its own branches {one.prefix}*", fix=fix)
    if not stopped:
        yield fine(", ".join(f"{one.prefix}*" for one in facts.scratch) + " are not protected")


def _forced(rules: Iterable[Protection], branch: str) -> Iterator[Remark]:
    for one in rules:
        if one.force:
            call = f"PATCH /projects/ID/protected_branches/{quote(one.pattern, safe='')}?allow_force_push=false"
            fix = f"{PAGE}: switch off force push for {one.pattern} ({call})"
            yield wrong(f"{branch} takes forced pushes, by the protection of {one.pattern}", fix=fix)


def _covering(protections: Sequence[Protection], branch: str) -> list[Protection]:
    return [one for one in protections if one.covers(branch)]


def _lets(rules: Iterable[Protection], member: Member | None, *, merging: bool = False) -> bool:
    """Whether a protection lets this member push, or merge."""
    if member is None or member.level < DEVELOPER:
        return False
    return any(_includes(one, member) for rule in rules for one in (rule.merge if merging else rule.push))


def _includes(access: Access, member: Member) -> bool:
    if access.who:
        return access.who == member.name
    return bool(access.level) and member.level >= (access.level or 0)


def _roles(rules: Iterable[Protection]) -> list[str]:
    """The roles that may push: whoever is of it or above."""
    levels = {one.level for rule in rules for one in rule.push if not one.who and one.level}
    return [f"{role(min(levels))}s"] if levels else []


def _named(rules: Iterable[Protection]) -> str:
    return ", ".join(sorted({one.who for rule in rules for one in rule.push if one.who})) or "nobody"


def _weak(rules: Sequence[Protection], branch: str) -> str:
    """Which patterns weaken a protection of the branch itself."""
    others = [one.pattern for one in rules if one.pattern != branch]
    return f" (the protection of {', '.join(others)} covers it too, and the weakest counts)" if others else ""


CHECKS = (
    Check(number="D08", title="The evidence branch is the runner's, and keeps its history", judge=evidence),
    Check(number="D09", title="The code branch is changed by merge requests", judge=code),
    Check(number="D10", title="Merge requests are approved by others", judge=reviewed),
    Check(number="D11", title="The remote keeps its history", judge=remembers),
)
LATER = (Check(number="D30", title="The runner's own branches are free", judge=scratch),)
