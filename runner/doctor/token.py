"""D02 to D07: the access token that the runner writes with: enough to tell and to record, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from runner.doctor.facts import Credential, Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.ports.premises import DEVELOPER, Blind, Member, Seen, Token, Unseen

SOON = 30
"""Days before its end from which on a token is renewed."""
ENOUGH = frozenset({"api"})
"""Scopes without which issues cannot be written: GitLab has none that is narrower. It includes the repository."""
HARMLESS = frozenset(
    {"api", "read_api", "read_user", "read_repository", "write_repository", "read_registry", "self_rotate"}
)
"""Scopes that add nothing to `api` that this project's token could do harm with."""
OWN_CLONE = "run it in the runner's own clone: runbook -C CLONE doctor"
_KEEPERS = frozenset({"cache", "libsecret", "osxkeychain", "manager", "oauth"})
"""Helpers that keep a password in memory or in the system's own store."""
PRIVATE = frozenset({0o600, 0o400})
ROLES = {10: "Guest", 15: "Planner", 20: "Reporter", 25: "Security Manager", 30: "Developer", 40: "Maintainer"}


def make(facts: Facts) -> str:
    """How a token is made and given to the runner."""
    return f"Settings > Access tokens of the project: role Developer, scope api, an end date. Then {keep(facts)}"


def keep(facts: Facts) -> str:
    """How Git is given a token for the server, in the clone that the runner works in."""
    server = facts.settings.gitlab.replace("://", "://runner:%s@", 1)
    return f"printf 'url={server}\\n' TOKEN | git credential approve, in the runner's clone"


def role(level: int) -> str:
    """What GitLab calls a level."""
    return ROLES.get(level, "Owner" if level >= 50 else f"level {level}")  # noqa: PLR2004 - GitLab's number


def ours(facts: Facts) -> Token | None:
    """The token, if it was seen and is the runner's own."""
    token = facts.premises.token
    return token if isinstance(token, Token) and token.owner == facts.settings.bot else None


def runner(facts: Facts) -> Seen[Member | None]:
    """The runner as a member of the project."""
    members = facts.premises.members
    if members is None or isinstance(members, Unseen):
        return members or Unseen(why="this forge has no members", blind=Blind.NOBODY)
    return next((one for one in members if one.name == facts.settings.bot), None)


def accepted(facts: Facts) -> Iterator[Remark]:
    """D02: there is a token, and GitLab takes it."""
    token = facts.premises.token
    if token is None:
        return
    if not isinstance(token, Unseen):
        yield fine(f"GitLab takes it as {token.owner}'s")
    elif token.blind is Blind.NOBODY:
        yield wrong(token.why, fix=make(facts))
    else:
        yield not_checked(token)


def bots(facts: Facts) -> Iterator[Remark]:
    """D03: it is the runner's: only then are its comments found again, and people's stay people's."""
    token, bot = facts.premises.token, facts.settings.bot
    if not isinstance(token, Token):
        return
    if token.owner == bot:
        yield fine(f"it belongs to {bot}, as the setting bot says")
    elif facts.machine.key is None:
        why = f"this clone has the token of {token.owner}, so the one of {bot} was not looked at"
        yield not_checked(Unseen(why=why, blind=Blind.NOBODY), fix=OWN_CLONE)
    else:
        fix = f"give this clone the token of {bot}, or correct the setting bot. {keep(facts)}"
        yield wrong(f"it belongs to {token.owner}, and the runner is {bot}", fix=fix)


def scopes(facts: Facts) -> Iterator[Remark]:
    """D04: `api`, and nothing that lets it do more than this project needs."""
    token = ours(facts)
    if token is None:
        return
    if isinstance(token.scopes, Unseen):
        yield not_checked(token.scopes)
        return
    missing, more = sorted(ENOUGH - token.scopes), sorted(token.scopes - HARMLESS)
    told = ", ".join(sorted(token.scopes)) or "none"
    if missing:
        yield wrong(f"its scopes are {told}: without api it cannot comment", fix=make(facts))
    if more:
        yield wrong(f"it has scopes that are not needed: {', '.join(more)}", fix=make(facts))
    if not missing and not more:
        yield fine(f"its scopes are {told}")


def lasts(facts: Facts) -> Iterator[Remark]:
    """D05: it does not end soon, and it ends some day."""
    token = ours(facts)
    if token is None:
        return
    ends = token.expires
    if isinstance(ends, Unseen):
        yield not_checked(ends)
        return
    if ends is None:
        yield warning("it never expires", fix=f"replace it by one with an end date. {make(facts)}")
        return
    days = (ends - facts.now.astimezone(UTC).date()).days
    told = f"it ends on {ends.isoformat()}, in {days} days"
    fix = f"rotate it (Settings > Access tokens of the project). Then {keep(facts)}"
    if days <= 0:
        yield wrong(f"it ended on {ends.isoformat()}", fix=make(facts))
    elif days < SOON:
        yield warning(told, fix=fix)
    else:
        yield fine(told)


def least(facts: Facts) -> Iterator[Remark]:
    """D06: its role is Developer: enough for issues and evidence, too little for protected branches and settings."""
    if not facts.gitlab:
        return
    bot, member, token = facts.settings.bot, runner(facts), ours(facts)
    if isinstance(member, Unseen):
        yield not_checked(member)
        return
    fix = f"make a new project access token with the role Developer, or give {bot} that role (Manage > Members)"
    if token is not None and token.admin:
        yield wrong(f"{bot} administers the whole server", fix=fix)
    if member is None:
        yield wrong(f"{bot} is no member of the project", fix=fix)
    elif member.level > DEVELOPER:
        told = f"{bot} is {role(member.level)}: it could change protected branches, webhooks and CI variables"
        yield wrong(told, fix=fix)
    elif member.level < DEVELOPER:
        yield wrong(f"{bot} is {role(member.level)}, and cannot push evidence", fix=fix)
    elif token is None or not token.admin:
        yield fine(f"{bot} is Developer")


def kept(facts: Facts) -> Iterator[Remark]:
    """D07: nobody else on this machine can read the token, as far as Git's configuration tells where it lies."""
    if not facts.gitlab:
        return
    for one in facts.machine.credentials:
        yield _stored(one)
    if not facts.machine.credentials:
        why = "Git's configuration names no credential helper, so nobody knows where a token lies"
        yield not_checked(Unseen(why=why, blind=Blind.NOBODY), fix="git config credential.helper store, or another")


def _stored(one: Credential) -> Remark:
    if one.embedded:
        fix = "take it out (git remote set-url origin ADDRESS), revoke it, and give a new one to a credential helper"
        return wrong("the remote's address holds a token: every process on this machine can read it", fix=fix)
    if one.file is None and one.helper in _KEEPERS:
        return fine(f"the credential helper {one.helper} keeps it")
    if one.file is None:
        why = f"where the credential helper {one.helper!r} keeps it cannot be seen from here"
        return not_checked(Unseen(why=why, blind=Blind.RIGHT), fix="see that nobody else can read what it keeps")
    if one.mode is None:
        return fine(f"the credential helper {one.helper} has no file yet")
    if one.mode not in PRIVATE:
        fix = f"chmod 600 {one.file}, then rotate the token"
        return wrong(f"others may read {one.file} (mode {one.mode:04o})", fix=fix)
    return fine(f"it lies in {one.file}, mode {one.mode:04o}")


CHECKS = (
    Check(number="D02", title="GitLab takes the access token", judge=accepted),
    Check(number="D03", title="The token is the runner's own", judge=bots),
    Check(number="D04", title="The token has no more scopes than it needs", judge=scopes),
    Check(number="D05", title="The token lasts, and not for ever", judge=lasts),
    Check(number="D06", title="The runner has the least role", judge=least),
    Check(number="D07", title="Nobody else can read the token", judge=kept),
)
