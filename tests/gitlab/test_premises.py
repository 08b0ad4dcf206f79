"""What the stand-in says of how a project is set up: tokens, protections, hooks and their deliveries, runners."""

from __future__ import annotations

from datetime import date

import gitlab
import pytest

from tests.gitlab.app import Server
from tests.gitlab.clients import client, project_as, rows
from tests.gitlab.conftest import premium
from tests.gitlab.seed import BOT, Seeded
from tests.gitlab.site import Level, Machine, Protected


def test_a_token_says_what_it_may_and_until_when(server: Server, seeded: Seeded) -> None:
    server.site.tokens[seeded.tokens[BOT]].expires = date(2999, 1, 1)
    own = client(server, seeded.tokens[BOT]).personal_access_tokens.get("self")
    assert (own.scopes, own.expires_at, own.active) == (["api"], "2999-01-01", True)


def test_who_reads_the_code_reads_what_protects_it_and_maintainers_alone_change_that(
    server: Server, seeded: Seeded
) -> None:
    bot, bob = project_as(server, seeded, BOT), project_as(server, seeded, "bob")
    assert {one.name for one in rows(bot.protectedbranches)} == {"main", "evidence"}
    with pytest.raises(gitlab.GitlabUpdateError):
        bot.protectedbranches.update("main", {"allow_force_push": True})
    bob.protectedbranches.update("main", {"allow_force_push": True})
    assert bot.protectedbranches.get("main").allow_force_push


def test_of_several_protections_of_a_branch_the_weakest_decides(server: Server, seeded: Seeded) -> None:
    seeded.project.protected["ma*"] = Protected(id=1, name="ma*", push=Level.DEVELOPER, merge=Level.MAINTAINER)
    made = project_as(server, seeded, BOT).commits.create(
        {
            "branch": "main",
            "commit_message": "x",
            "actions": [{"action": "create", "file_path": "x", "content": "x"}],
        }
    )
    assert made.title == "x"


def test_maintainers_see_hooks_whether_they_are_signed_and_what_was_delivered(server: Server, seeded: Seeded) -> None:
    bob = project_as(server, seeded, "bob")
    bob.commits.create(
        {
            "branch": "main",
            "commit_message": "x",
            "actions": [{"action": "create", "file_path": "x", "content": "x"}],
        }
    )
    hook = bob.hooks.create(
        {"url": "http://127.0.0.1:9/webhook", "token": "not shown", "enable_ssl_verification": False}
    )
    assert (hook.token_present, hook.signing_token_present, hook.enable_ssl_verification) == (True, False, False)
    with pytest.raises(gitlab.exceptions.GitlabHookTestError) as refused:
        hook.test("push_events")
    assert refused.value.response_code == 422
    [event] = client(server, seeded.tokens["bob"]).http_list(f"{hook.manager.path}/{hook.id}/events", get_all=True)
    assert (event["trigger"], event["response_status"]) == ("push_hooks", "internal error")
    assert event["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    with pytest.raises(gitlab.GitlabListError):
        rows(project_as(server, seeded, BOT).hooks)


def test_runners_are_found_by_the_tags_that_they_carry_together(server: Server, seeded: Seeded) -> None:
    seeded.project.machines += [
        Machine(id=1, description="inside", tags=frozenset({"dc1", "runbook"})),
        Machine(id=2, description="outside", tags=frozenset({"runbook"})),
    ]
    bob = project_as(server, seeded, "bob")
    assert [one.description for one in bob.runners.list(get_all=True, tag_list="runbook,dc1")] == ["inside"]
    with pytest.raises(gitlab.GitlabListError):
        rows(project_as(server, seeded, BOT).runners)


@premium
def test_premium_says_whether_authors_approve_their_own(server: Server, seeded: Seeded) -> None:
    assert project_as(server, seeded, "bob").approvals.get().merge_requests_author_approval is False
