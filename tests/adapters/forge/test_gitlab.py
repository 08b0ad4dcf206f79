"""GitLab as the forge, beyond the contract: what people do to issues there, and what GitLab does to words."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.forge.gitlab import GitLabForge, opened
from runner.adapters.gitlab_asking import Asking
from runner.config import Settings
from runner.errors import OperatorError, OutsideError, RequestError
from runner.ports.forge import IssueId, PersonId
from runner.repository.repository import Repository
from tests.gitlab.app import Server
from tests.gitlab.clients import git, project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import BOT, PROJECT, Seeded

__all__ = ["seeded", "server"]


def forge(server: Server, seeded: Seeded, name: str = BOT, *, project: str = PROJECT) -> GitLabForge:
    return GitLabForge(Asking(server.base, seeded.tokens[name]), project=project, id_="lab-00000000", bot=BOT)


def test_a_description_counts_as_edited_once_gitlab_has_noted_a_change_of_it(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice").issues.create({"title": "x", "description": "one"})
    issue = IssueId(str(alice.iid))
    alice.add_labels = ["ops"]
    alice.save()
    assert not forge(server, seeded).thread(issue).comments[0].edited
    bobs = project_as(server, seeded, "bob").issues.get(alice.iid)
    bobs.description = "two"
    bobs.save()
    first = forge(server, seeded).thread(issue).comments[0]
    assert (first.edited, first.author, first.body) == (True, "alice", "two")


def test_what_gitlab_notes_down_itself_is_no_comment(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice").issues.create({"title": "x", "description": "one"})
    alice.description = "two"
    alice.save()
    assert len(forge(server, seeded).thread(IssueId(str(alice.iid))).comments) == 1


def test_a_comment_that_gitlab_swallowed_is_said_to_be_lost(server: Server, seeded: Seeded) -> None:
    issue = forge(server, seeded, "bob").open_issue("x", "words").id
    with pytest.raises(RequestError, match="quick actions alone"):
        forge(server, seeded, "bob").comment(issue, "/close")
    assert len(forge(server, seeded).thread(issue).comments) == 1


def test_a_blocked_user_and_a_removed_member_are_members_no_more(server: Server, seeded: Seeded) -> None:
    bot = forge(server, seeded)
    assert bot.is_member(PersonId("carol")), "through the group"
    assert not bot.is_member(PersonId("mallory"))
    alice, bob = server.site.named("alice"), server.site.named("bob")
    assert alice is not None
    assert bob is not None
    alice.state = "blocked"
    del seeded.project.members[bob.id]
    assert not bot.is_member(PersonId("alice"))
    assert not bot.is_member(PersonId("bob"))


def test_a_renamed_user_is_known_by_the_new_name_only(server: Server, seeded: Seeded) -> None:
    issue = forge(server, seeded, "alice").open_issue("x", "words").id
    alice = server.site.named("alice")
    assert alice is not None
    alice.username = "alicia"
    bot = forge(server, seeded)
    assert bot.thread(issue).comments[0].author == "alicia"
    assert (bot.is_member(PersonId("alice")), bot.is_member(PersonId("alicia"))) == (False, True)


def test_a_confidential_issue_is_marked_as_one(server: Server, seeded: Seeded) -> None:
    made = project_as(server, seeded, "bob").issues.create({"title": "hush", "confidential": True})
    assert forge(server, seeded).thread(IssueId(str(made.iid))).issue.confidential


def test_short_pages_lose_nobodys_words(server: Server, seeded: Seeded) -> None:
    bob = project_as(server, seeded, "bob")
    made = bob.issues.create({"title": "x"})
    for number in range(230):
        made.notes.create({"body": f"note {number}"})
    thread = forge(server, seeded).thread(IssueId(str(made.iid)))
    assert [one.body for one in thread.comments[1:]] == [f"note {number}" for number in range(230)]


def test_a_moved_project_is_the_operators_to_put_right(server: Server, seeded: Seeded) -> None:
    seeded.project.moved_from.add("old/runbooks")
    with pytest.raises(OperatorError, match="moved"):
        forge(server, seeded, project="old/runbooks").issues()


def test_an_unknown_project_and_a_revoked_token_are_told_without_the_token(server: Server, seeded: Seeded) -> None:
    with pytest.raises(OperatorError, match="no project ops/nothing"):
        forge(server, seeded, project="ops/nothing").issues()
    bot = forge(server, seeded)
    bot.issues()
    server.site.tokens[seeded.tokens[BOT]].revoked = True
    with pytest.raises(OperatorError) as refused:
        bot.issues()
    assert seeded.tokens[BOT] not in str(refused.value)


def test_an_answer_that_was_lost_after_the_effect_is_found_by_its_marker(server: Server, seeded: Seeded) -> None:
    issue = forge(server, seeded).open_issue("x", "words").id
    server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/notes"))
    marker = "<!-- runbook:plan:1 -->"
    with pytest.raises(OutsideError):
        forge(server, seeded).comment(issue, f"the plan\n\n{marker}", unless=marker)
    again = forge(server, seeded).comment(issue, f"the plan, again\n\n{marker}", unless=marker)
    assert again.body.startswith("the plan\n")
    assert len(forge(server, seeded).thread(issue).comments) == 2


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    git("init", "-q", ".", at=tmp_path)
    return Repository.open(tmp_path)


def settings(server: Server) -> Settings:
    return Settings(project="lab", forge="gitlab", gitlab=server.base, gitlab_project=PROJECT, bot=BOT)


def stored(server: Server, token: str, at: Path) -> None:
    """Let Git know a token in a clone."""
    file = at / "credentials"
    file.write_text(f"{server.base.replace('://', f'://oauth2:{token}@')}\n")
    git("config", "credential.helper", f"store --file {file}", at=at)


def test_the_token_is_the_one_that_git_knows(server: Server, seeded: Seeded, repository: Repository) -> None:
    with pytest.raises(OperatorError, match="no token"):
        opened(repository, settings(server))
    stored(server, seeded.tokens["alice"], repository.path)
    assert opened(repository, settings(server)).me() == "alice"


def test_the_runner_writes_with_nobody_elses_token(server: Server, seeded: Seeded, repository: Repository) -> None:
    stored(server, seeded.tokens["bob"], repository.path)
    with pytest.raises(OperatorError, match="the token is bob's"):
        opened(repository, settings(server), as_bot=True)
    stored(server, seeded.tokens[BOT], repository.path)
    assert opened(repository, settings(server), as_bot=True).me() == BOT
