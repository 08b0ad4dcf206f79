"""The status comment: never more than one write in a few seconds, however often somebody looks at the run."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from runner.ports.forge import IssueId
from runner.supervisor import company
from runner.supervisor.watcher import Watcher
from tests.adapters.forge.test_gitlab import forge
from tests.builders import A_START, a_run
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.seed import Seeded

__all__ = ["seeded", "server"]


def writes(server: Server) -> int:
    """How many writes of comments the stand-in got."""
    return sum(one[0] in {"POST", "PUT"} and "/notes" in one[1] for one in server.asked)


@pytest.mark.parametrize(("minutes", "most"), [(1, 6), (10, 12)])
def test_gitlab_gets_one_write_in_ten_seconds_and_fewer_the_longer_a_run_takes(
    server: Server, seeded: Seeded, *, minutes: int, most: int
) -> None:
    issue = IssueId(str(project_as(server, seeded, "alice").issues.create({"title": "x"}).iid))
    bot = forge(server, seeded)
    known: Any = a_run(A_START)
    start = known.run.start.when
    known = SimpleNamespace(run=known.run, plan=known.plan, thread=bot.thread(issue))
    at = 0.0
    desk: Any = SimpleNamespace(forge=bot, now=lambda: start + timedelta(seconds=at))
    following = SimpleNamespace(told=0.0, look=lambda **_more: None, progress=_still())
    one: Any = SimpleNamespace(known=known, following=following)
    watcher = Watcher(say=lambda _text: None, progress=lambda _run, _said: None)
    written = []
    for look in range(minutes * 60 * 4):
        at = look / 4
        before = writes(server)
        company._attend(desk, one, watcher)  # noqa: SLF001 - each look
        written += [at] * (writes(server) - before)
    assert written[0] == company.STATUS_FROM
    assert min(later - earlier for earlier, later in pairwise(written)) >= company.STATUS_EVERY
    assert len(written) <= most
    assert len(seeded.project.issues[int(issue)].notes) == 1, "it is one comment"


def _still() -> Any:
    return SimpleNamespace(at_work=SimpleNamespace(name="act"), asked=None, done=1, forward=(1, 2))
