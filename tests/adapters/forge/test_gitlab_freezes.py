"""Freeze periods of a GitLab project, or a reason why they are not known."""

from __future__ import annotations

import pytest

from runner.errors import OperatorError, OutsideError
from tests.adapters.forge.test_gitlab import forge
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import Seeded
from tests.gitlab.site import Level

__all__ = ["seeded", "server"]


def test_all_pages_are_read_and_what_was_read_is_kept_for_looking(server: Server, seeded: Seeded) -> None:
    bob, bot = project_as(server, seeded, "bob"), forge(server, seeded)
    address = f"/projects/{seeded.project.id}/freeze_periods"
    for hour in range(101):
        given = {"freeze_start": f"0 {hour % 24} * * 5", "freeze_end": "0 7 * * 1", "cron_timezone": "UTC"}
        bob.manager.gitlab.http_post(address, post_data=given)
    assert len(bot.freezes()) == 101
    asked = len(server.asked)
    assert len(bot.freezes()) == 101
    assert len(server.asked) == asked
    assert len(bot.freezes(fresh=True)) == 101
    assert len(server.asked) > asked


def test_no_answer_is_never_no_freeze(server: Server, seeded: Seeded) -> None:
    bot = forge(server, seeded)
    server.faults.order(Fault(kind=Kind.STATUS, path="/freeze_periods", status=500, times=3))
    with pytest.raises(OutsideError):
        bot.freezes()
    person = server.site.named("project_1_bot")
    assert person
    seeded.project.members[person.id] = Level.GUEST
    with pytest.raises(OperatorError):
        bot.freezes()
