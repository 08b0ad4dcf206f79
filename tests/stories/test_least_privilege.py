"""The least token that the README documents may do what the runner needs, and cannot change what it runs.

Whole stories with it, in a project set up as documented, are told in test_on_gitlab.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gitlab.app import Server
from tests.gitlab.clients import clone, committed, git, project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT, Seeded
from tests.gitlab.site import Level, Project

__all__ = ["seeded", "server"]


@pytest.fixture
def guarded(server: Server, seeded: Seeded, tmp_path: Path) -> Path:
    """The runner's clone of a project with a runbook and some evidence, protected as documented."""
    seeded.project.protected["main"].push = Level.MAINTAINER
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {"runbooks/policy.toml": "reviewed"})
    assert git("push", "-q", "origin", "HEAD:main", at=bobs).returncode == 0
    seeded.project.protected["main"].push = Level.NONE
    own = clone(server, seeded.tokens[BOT], tmp_path / "bot")
    for number in range(2):
        committed(own, {f"outputs/{number}": "evidence"})
    assert git("push", "-q", "origin", "HEAD:evidence", at=own).returncode == 0, "it may write evidence"
    return own


def tip(project: Project, branch: str) -> str:
    return Repository(project.folder).branches()[branch]


def test_it_may_comment_label_close_and_open_a_merge_request(server: Server, seeded: Seeded, guarded: Path) -> None:
    issue = project_as(server, seeded, "alice").issues.create({"title": "Please"})
    bot = project_as(server, seeded, BOT)
    mine = bot.issues.get(issue.iid)
    mine.notes.create({"body": "a plan"})
    mine.add_labels, mine.state_event = ["runbook::planned"], "close"
    mine.save()
    assert bot.issues.get(issue.iid).state == "closed"
    assert git("push", "-q", "origin", "HEAD:refs/heads/runbook/1", at=guarded).returncode == 0
    assert bot.mergerequests.create({"source_branch": "runbook/1", "target_branch": "main", "title": "x"}).iid


def test_it_cannot_push_or_commit_runbooks_to_the_code_branch_or_merge_its_own_change(
    server: Server, seeded: Seeded, guarded: Path
) -> None:
    before = tip(seeded.project, "main")
    committed(guarded, {"runbooks/policy.toml": "mine"})
    pushed = git("push", "origin", "HEAD:main", at=guarded)
    assert (pushed.returncode, "not allowed to push code to protected branches" in pushed.stderr) == (1, True)
    action = {"action": "update", "file_path": "runbooks/policy.toml", "content": "mine"}
    assert refused(server, seeded, "POST repository/commits", branch="main", commit_message="x", actions=[action])
    assert git("push", "-q", "origin", "HEAD:refs/heads/mine", at=guarded).returncode == 0
    made = project_as(server, seeded, BOT).mergerequests.create(
        {"source_branch": "mine", "target_branch": "main", "title": "x"}
    )
    assert refused(server, seeded, f"PUT merge_requests/{made.iid}/merge")
    assert tip(seeded.project, "main") == before


def refused(server: Server, seeded: Seeded, request: str, **given: Any) -> bool:
    """Whether GitLab refuses the runner this request (`METHOD path`), for the lack of a right."""
    method, path = request.split()
    where = f"{server.base}/api/v4/projects/{seeded.project.id}/{path}"
    headers = {"PRIVATE-TOKEN": seeded.tokens[BOT]}
    return requests.request(method, where, json=given, headers=headers, timeout=30).status_code in {401, 403, 404}


def test_it_cannot_rewrite_or_delete_evidence(seeded: Seeded, guarded: Path) -> None:
    before = tip(seeded.project, "evidence")
    forced = git("push", "--force", "origin", "HEAD~1:evidence", at=guarded)
    deleted = git("push", "origin", ":evidence", at=guarded)
    assert (forced.returncode, deleted.returncode) == (1, 1)
    assert tip(seeded.project, "evidence") == before


FORBIDDEN: dict[str, dict[str, Any]] = {
    "DELETE protected_branches/main": {},
    "PATCH protected_branches/evidence": {"allow_force_push": True},
    "POST protected_branches": {"name": "ma*", "push_access_level": 30},
    "GET variables": {},
    "GET hooks": {},
    "POST hooks": {"url": "https://elsewhere.example.org"},
    "GET runners": {},
    "PUT members/BOT": {"access_level": 40},
    "DELETE repository/branches/evidence": {},
    "DELETE freeze_periods/1": {},
}
"""What changes the project's protection, reads its secrets, or raises the runner."""


def test_it_cannot_change_what_protects_the_project_nor_read_its_secrets(server: Server, seeded: Seeded) -> None:
    Repository(seeded.project.folder).write(
        "evidence", {"a": b"b"}, start="main", message="evidence", by=("bob", "bob@example.org")
    )
    seeded.project.variables["PASSWORD"] = "not for the runner"
    bot = server.site.named(BOT)
    assert bot
    let = [
        one for one, given in FORBIDDEN.items() if not refused(server, seeded, one.replace("BOT", str(bot.id)), **given)
    ]
    assert let == []
    assert set(seeded.project.protected) == {"main", "evidence"}
