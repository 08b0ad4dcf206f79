"""Issues that are linked at GitLab, by a runner who may see more than whoever asks."""

from __future__ import annotations

from runner.ports.forge import IssueId
from tests.adapters.forge.test_gitlab import forge
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as, rows
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import Seeded

__all__ = ["seeded", "server"]


def test_a_confidential_issue_is_linked_and_named_only_from_another_one(server: Server, seeded: Seeded) -> None:
    bob, bot = project_as(server, seeded, "bob"), forge(server, seeded)
    secret, open_one, also = (
        IssueId(str(bob.issues.create({"title": "hush", "confidential": hidden}).iid)) for hidden in (True, False, True)
    )
    assert bot.relate(open_one, [secret]) == frozenset()
    assert seeded.project.links == []
    assert bot.relate(secret, [open_one, also]) == {open_one, also}
    assert len(rows(bob.issues.get(int(secret)).links)) == 2


def test_what_gitlab_does_not_let_us_link_is_left_out(server: Server, seeded: Seeded) -> None:
    bob, bot = project_as(server, seeded, "bob"), forge(server, seeded)
    one, other = (IssueId(str(bob.issues.create({"title": "x"}).iid)) for _ in range(2))
    for status in (403, 409):
        server.faults.order(Fault(kind=Kind.STATUS, method="POST", path="/links", status=status))
        linked = bot.relate(one, [other])
        assert linked == (frozenset() if status == 403 else {other})
    assert bot.relate(one, [other]) == {other}
    assert len(seeded.project.links) == 1
