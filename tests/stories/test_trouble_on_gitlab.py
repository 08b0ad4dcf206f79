"""Trouble on GitLab: issues that are gone, full or closed, a GitLab that is away and a token that is refused.

Whatever cannot be said keeps nothing from being done, sealed and told once, when it can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.api import notes
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.place import Place, founded
from tests.gitlab.seed import BOT
from tests.gitlab.site import Note
from tests.stories.test_on_gitlab import at_gitlab, digest, ledger, waited


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path) as made:
        yield made


def asked(place: Place, runbook: str = "count") -> int:
    """An issue by Alice that asks for a run."""
    issue = at_gitlab(place, "alice").issues.create({"title": "Please", "description": place.ask(runbook)})
    return int(issue.iid)


def approved(place: Place, issue: int) -> None:
    at_gitlab(place, "bob").issues.get(issue).notes.create({"body": f"/runbook approve {digest(place, issue)}"})


def full(place: Place, issue: int) -> None:
    """Somebody writes until no comment fits any more."""
    found, bob = place.issue(issue), place.server.site.named("bob")
    assert bob
    while sum(not one.system for one in found.notes) < notes.MOST:
        now = place.server.site.clock()
        number = place.server.site.number()
        found.notes.append(Note(id=number, body="and another thing", author=bob, created=now, updated=now))


def test_an_issue_that_is_gone_full_or_closed_keeps_nobody_else_from_going_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST", 12)
    gone, filled, closed = (asked(place) for _ in range(3))
    place.cli(BOT, "reconcile", "--once")
    approved(place, filled)
    full(place, filled)
    del place.seeded.project.issues[gone]
    shut = at_gitlab(place, "alice").issues.get(closed)
    shut.state_event = "close"
    shut.save()
    approved(place, closed)
    done = place.cli(BOT, "reconcile", "--once")
    assert done.code == 2
    assert "Maximum number of comments" in done.err
    assert f"issue {gone} is left alone" in done.err
    assert place.times() == 1, "what could not be told has run"
    assert ledger(place).count("finish: count") == 1
    assert len(place.said(filled)) == 1
    assert "the issue is closed; open it again" in place.said(closed)[-1]
    del place.issue(filled).notes[4:]
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert [said.startswith("- **Result:**") for said in place.said(filled)].count(True) == 1
    approved(place, closed)
    shut.state_event = "reopen"
    shut.save()
    place.cli(BOT, "reconcile", "--once")
    assert place.times() == 2, "written again, it counts once the issue is open"


def test_a_forge_that_goes_away_while_it_runs_gets_the_result_later_once(place: Place) -> None:
    issue = asked(place, "wait")
    place.cli(BOT, "reconcile", "--once")
    approved(place, issue)
    running = place.start(BOT, "reconcile", "--once")
    waited((place.traces / "begun").exists)
    away = place.server.faults.order(Fault(kind=Kind.STATUS, path="/api/", status=503, times=1_000_000))
    (place.traces / "go").touch()
    _, err = running.communicate(timeout=180)
    assert running.returncode == 5, err
    assert "finish: wait" in ledger(place), "its evidence is sealed although GitLab's interface is away"
    away.times = 0
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert [said.startswith("- **Result:**") for said in place.said(issue)].count(True) == 1


def test_a_token_that_is_revoked_while_it_runs_stops_neither_the_run_nor_its_record(place: Place) -> None:
    issue = asked(place, "wait")
    place.cli(BOT, "reconcile", "--once")
    approved(place, issue)
    running = place.start(BOT, "reconcile", "--once")
    waited((place.traces / "begun").exists)
    credentials = (place.folder / f"{BOT}.credentials").read_text()
    token = place.server.site.tokens[place.seeded.tokens[BOT]]
    token.revoked = True
    (place.traces / "go").touch()
    _, err = running.communicate(timeout=180)
    assert running.returncode == 6, err
    refused = place.cli(BOT, "reconcile", "--once")
    assert (refused.code, "valid credentials" in refused.err) == (6, True)
    assert "glpat" not in err + refused.err
    token.revoked = False
    # Git forgets what a server refuses: the operator stores the new token, as the first one.
    (place.folder / f"{BOT}.credentials").write_text(credentials)
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert place.times() == 1
    assert ledger(place).count("finish: wait") == 1
    assert [said.startswith("- **Result:**") for said in place.said(issue)].count(True) == 1
