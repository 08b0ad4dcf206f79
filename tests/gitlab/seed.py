"""A project to begin with: people of every level, a bot with a token of its own, protected branches."""

from __future__ import annotations

from dataclasses import dataclass

from tests.gitlab.app import Server
from tests.gitlab.repository import Repository
from tests.gitlab.site import Group, Level, Project, Protected, Token, User

PEOPLE = {
    "alice": Level.DEVELOPER,
    "bob": Level.MAINTAINER,
    "carol": Level.DEVELOPER,
    "dave": Level.REPORTER,
    "mallory": Level.NONE,
}
PROJECT, GROUP, BOT = "ops/runbooks", "ops", "project_1_bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What was made: `tokens` by user name."""

    project: Project
    tokens: dict[str, str]


def seed(server: Server, *, evidence: str = "evidence") -> Seeded:
    """Fill an empty site: Carol is a member through the group, Mallory of nothing; the bot may write evidence only."""
    site = server.site
    with site.lock:
        group = Group(id=site.number(), path=GROUP)
        site.groups[group.id] = group
        folder = site.folder / f"{PROJECT.replace('/', '-')}.git"
        project = Project(id=site.number(), path=PROJECT, folder=folder, created=site.clock(), group=group)
        site.projects[project.id] = project
        Repository.make(folder, branch=project.default_branch)
        tokens = {}
        for name, level in PEOPLE.items():
            person = User(id=site.number(), username=name, name=name.title())
            site.users[person.id] = person
            if name == "carol":
                group.members[person.id] = level
            elif level is not Level.NONE:
                project.members[person.id] = level
            tokens[name] = _token(server, person)
        bot = User(id=site.number(), username=BOT, name="runbook", bot=True)
        site.users[bot.id] = bot
        project.members[bot.id] = Level.DEVELOPER
        tokens[BOT] = _token(server, bot, project=project.id)
        # The least that suffices, as the README says: a narrower scope cannot write a comment.
        server.site.tokens[tokens[BOT]].scopes = frozenset({"api"})
        project.protected = {
            "main": Protected(id=site.number(), name="main", push=Level.MAINTAINER, merge=Level.MAINTAINER),
            evidence: Protected(id=site.number(), name=evidence, push=Level.DEVELOPER, merge=Level.MAINTAINER),
        }
    return Seeded(project=project, tokens=tokens)


def _token(server: Server, user: User, *, project: int | None = None) -> str:
    value = f"glpat-standin{user.id:06d}"
    server.site.tokens[value] = Token(value=value, user=user, project=project)
    return value
