"""Looking at a GitLab project: what the runner's token sees, what a maintainer's sees, and what nobody saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from runner.adapters.forge import gitlab_premises as rows
from runner.adapters.forge.gitlab_inspection import GitLabInspector
from runner.adapters.gitlab_asking import Asking
from runner.config import Settings
from runner.errors import OperatorError, RequestError
from runner.ports.forge import PersonId
from runner.ports.premises import Access, Blind, Premises, Reviews, Skew, Token, Unseen, Wanted
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import premium, seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import BOT, PROJECT, Seeded
from tests.gitlab.site import Machine, Rule

__all__ = ["seeded", "server"]
WANTED = Wanted(people=frozenset({PersonId(BOT), PersonId("alice"), PersonId("mallory"), PersonId("zoe")}), hooks=True)


def inspector(server: Server, own: str | None, eyes: str | None = None) -> GitLabInspector:
    """Looks with the tokens of these values."""
    settings = Settings(project="lab", forge="gitlab", gitlab=server.base, gitlab_project=PROJECT)
    asking = [Asking(server.base, one) if one else None for one in (own, eyes)]
    return GitLabInspector(asking[0], eyes=asking[1], settings=settings, now=lambda: datetime.now(UTC))


def blind(seen: object) -> Blind | None:
    return seen.blind if isinstance(seen, Unseen) else None


def test_the_runners_own_token_sees_everything_but_webhooks_and_runners(server: Server, seeded: Seeded) -> None:
    server.site.tokens[seeded.tokens[BOT]].expires = date(2999, 1, 1)
    seen = inspector(server, seeded.tokens[BOT]).look(replace(WANTED, tags=("dc1",)))
    assert seen.token == Token(owner=PersonId(BOT), scopes=frozenset({"api"}), expires=date(2999, 1, 1))
    assert isinstance(seen.protections, tuple)
    assert {one.pattern: one.push for one in seen.protections}["evidence"] == (Access(level=30),)
    assert isinstance(seen.members, tuple)
    assert {one.name: one.level for one in seen.members}[PersonId("carol")] == 30
    assert seen.accounts == {PersonId("mallory"): True, PersonId("zoe"): None}
    assert seen.reviews is None, "there are no such rules on Free"
    assert (blind(seen.hooks), blind(seen.runners["dc1"])) == (Blind.RIGHT, Blind.RIGHT)
    assert isinstance(seen.skew, Skew)
    assert abs(seen.skew.seconds) < 10


def test_a_second_token_looks_where_the_first_one_may_not(server: Server, seeded: Seeded) -> None:
    seeded.project.machines.append(Machine(id=1, description="inside", tags=frozenset({"dc1"}), paused=True))
    hook = {
        "url": "https://r.example.org/webhook",
        "note_events": True,
        "push_events": False,
        "signing_token": "whsec_eA==",
    }
    made = project_as(server, seeded, "bob").hooks.create(hook)
    seen = inspector(server, seeded.tokens[BOT], seeded.tokens["bob"]).look(replace(WANTED, tags=("dc1", "dc2")))
    assert isinstance(seen.token, Token)
    assert seen.token.owner == BOT
    assert isinstance(seen.hooks, tuple)
    [one] = seen.hooks
    assert (one.number, one.events, one.verified) == (int(made.id), frozenset({"note"}), True)
    assert (one.signed, one.secret, one.state, one.deliveries) == (True, False, "executable", ())
    machines = seen.runners["dc1"]
    assert isinstance(machines, tuple)
    [machine] = machines
    assert (machine.name, machine.online, machine.paused) == ("inside", True, True)
    assert (machine.protected, machine.untagged) == (True, False)
    assert seen.runners["dc2"] == ()


@premium
def test_on_premium_approvals_and_who_is_named_are_seen(server: Server, seeded: Seeded) -> None:
    bot = server.site.named(BOT)
    assert bot
    seeded.project.rules[1] = Rule(id=1, name="two eyes", required=1, users=[])
    seeded.project.author_approves = True
    seeded.project.protected["evidence"].users.append(bot.id)
    seen = inspector(server, seeded.tokens[BOT]).look(WANTED)
    assert seen.reviews == Reviews(required=1, author_counts=True)
    assert isinstance(seen.protections, tuple)
    assert {one.pattern: one.push for one in seen.protections}["evidence"] == (Access(level=30), Access(who=BOT))


def everything(seen: Premises) -> Mapping[str, Any]:
    return {name: getattr(seen, name) for name in ("token", "protections", "members", "reviews", "hooks")}


def test_a_revoked_token_sees_nothing_and_still_what_time_it_is(server: Server, seeded: Seeded) -> None:
    server.site.tokens[seeded.tokens[BOT]].revoked = True
    server.site.clock = lambda: datetime.now(UTC) - timedelta(minutes=10)
    seen = inspector(server, seeded.tokens[BOT]).look(WANTED)
    assert {blind(one) for one in everything(seen).values()} == {Blind.NOBODY}
    assert isinstance(seen.skew, Skew)
    assert 590 < seen.skew.seconds < 610


def test_without_a_token_a_maintainers_still_looks_around(server: Server, seeded: Seeded) -> None:
    assert {blind(one) for one in everything(inspector(server, None).look(WANTED)).values()} == {Blind.NOBODY}
    seen = inspector(server, None, seeded.tokens["bob"]).look(WANTED)
    assert blind(seen.token) is Blind.NOBODY
    assert isinstance(seen.protections, tuple)


def test_a_gitlab_that_is_away_and_one_that_shows_no_such_project_are_told_apart(
    server: Server, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert blind(inspector(server, seeded.tokens["mallory"]).look(WANTED).protections) is Blind.RIGHT
    server.faults.order(Fault(kind=Kind.HTML, path="/protected_branches", status=502, times=99))
    part = inspector(server, seeded.tokens[BOT]).look(WANTED)
    assert (blind(part.protections), blind(part.members)) == (Blind.AWAY, None)
    server.faults.order(Fault(kind=Kind.STATUS, status=503, times=999))
    assert {blind(one) for one in everything(inspector(server, seeded.tokens[BOT]).look(WANTED)).values()} == {
        Blind.AWAY
    }


def test_an_answer_that_is_not_as_documented_is_not_seen_and_stops_nothing_else(server: Server, seeded: Seeded) -> None:
    project_as(server, seeded, "bob").hooks.create({"url": "https://r.example.org/webhook"})
    for one in seeded.project.hooks.values():
        one.id = cast("int", "nonsense")
    seen = inspector(server, seeded.tokens[BOT], seeded.tokens["bob"]).look(WANTED)
    assert (blind(seen.hooks), blind(seen.members)) == (Blind.AWAY, None)


def test_a_test_delivery_is_the_only_write_and_needs_a_maintainer(server: Server, seeded: Seeded) -> None:
    bob = project_as(server, seeded, "bob")
    content = {"action": "create", "file_path": "x", "content": "x"}
    bob.commits.create({"branch": "main", "commit_message": "x", "actions": [content]})
    hook = int(bob.hooks.create({"url": "http://127.0.0.1:9/webhook"}).id)
    before = len(server.asked)
    inspector(server, seeded.tokens[BOT], seeded.tokens["bob"]).look(WANTED)
    assert {method for method, _, _ in server.asked[before:]} == {"GET"}
    with pytest.raises(OperatorError, match="403"):
        inspector(server, seeded.tokens[BOT]).deliver(hook)
    with pytest.raises(RequestError, match="422"):
        inspector(server, seeded.tokens[BOT], seeded.tokens["bob"]).deliver(hook)


def test_what_an_older_gitlab_does_not_tell_is_not_guessed() -> None:
    row = {"id": "3", "url": "https://x/webhook", "note_events": True, "enable_ssl_verification": True}
    hook = rows.hook(row, deliveries=())
    assert (hook.signed, hook.secret, hook.state) == (None, None, "executable")
    assert isinstance(rows.skew("", before=datetime.now(UTC), after=datetime.now(UTC)), Unseen)
    unseen = Unseen(why="404")
    assert rows.token({"username": "bot", "is_admin": True}, unseen) == Token(
        owner=PersonId("bot"), scopes=unseen, expires=unseen, admin=True
    )
    rule = {"approvals_required": 2, "protected_branches": [{"name": "release"}]}
    assert rows.reviews([rule], {}, branch="main").required == 0
