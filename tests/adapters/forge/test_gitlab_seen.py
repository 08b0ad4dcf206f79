"""What was seen of GitLab before is used again, and reads as GitLab does: whatever people do in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gitlab.v4.objects import Project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.adapters.forge import gitlab_reading, gitlab_seen
from runner.adapters.forge.gitlab import GitLabForge
from runner.adapters.forge.gitlab_seen import Seen, seen_at
from runner.adapters.gitlab_asking import Asking
from runner.errors import OutsideError
from runner.ports.forge import IssueId, Thread
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import BOT, PROJECT, Seeded
from tests.gitlab.site import Issue

__all__ = ["seeded", "server"]


class Looking:
    """One long-lived process that looks again and again."""

    def __init__(self, server: Server, seeded: Seeded) -> None:
        self._server, self._seeded = server, seeded
        self.seen = Seen()

    def forge(self, *, since: float | None = None) -> GitLabForge:
        """For one look: what was read before it is good for nothing but to be compared."""
        since = time.monotonic() if since is None else since
        return self.opened(self.seen, since)

    def everything(self) -> dict[IssueId, Thread]:
        """What a look finds."""
        return _read(self.forge())

    def truth(self) -> dict[IssueId, Thread]:
        """The same for a process that has seen nothing before."""
        return _read(self.opened(Seen(), float("inf")))

    def opened(self, seen: Seen, since: float) -> GitLabForge:
        asking = Asking(self._server.base, self._seeded.tokens[BOT])
        return GitLabForge(asking, project=PROJECT, id_="lab", bot=BOT, seen=seen, since=since)

    def asked(self, act: Callable[[], object]) -> list[tuple[str, str]]:
        """What an act asks the API for: method and the end of the path."""
        before = len(self._server.asked)
        act()
        asked = self._server.asked[before:]
        return [(method, path.partition("/projects/")[2].partition("/")[2]) for method, path, _ in asked]


def test_what_one_token_saw_is_not_shown_to_another() -> None:
    first = seen_at("https://seen.example.org", "ops/x", "one")
    first.me = "alice"
    assert seen_at("https://seen.example.org", "ops/x", "one") is first
    assert seen_at("https://seen.example.org", "ops/x", "two").me == ""
    assert seen_at("https://seen.example.org", "ops/y", "one").me == ""


def _read(forge: GitLabForge) -> dict[IssueId, Thread]:
    return {issue.id: forge.thread(issue.id) for issue in forge.issues()}


@pytest.fixture
def looking(server: Server, seeded: Seeded) -> Looking:
    return Looking(server, seeded)


def test_where_nothing_happened_a_look_is_one_request_however_many_issues_there_are(
    server: Server, seeded: Seeded, looking: Looking
) -> None:
    bob = project_as(server, seeded, "bob")
    for number in range(12):
        bob.issues.create({"title": f"{number}", "description": "words"})
    for number, issue in seeded.project.issues.items():
        issue.updated -= gitlab_seen.OVERLAP * 2 * number
    assert len(looking.everything()) == 12
    bob.issues.get(7).notes.create({"body": "a word"})
    assert sorted(looking.asked(looking.everything)) == [("GET", "issues"), ("GET", "issues/7/notes")]
    assert looking.asked(looking.everything) == [("GET", "issues")]
    assert looking.everything() == looking.truth()


def test_within_one_round_nothing_is_read_twice_and_what_we_wrote_ourselves_is_known(
    server: Server, seeded: Seeded, looking: Looking
) -> None:
    project_as(server, seeded, "bob").issues.create({"title": "x", "description": "words", "labels": "other"})
    began = time.monotonic()
    _read(looking.forge(since=began))
    issue = IssueId("1")
    forge = looking.forge(since=began)
    forge.edit(forge.comment(issue, "one", unless="none"), "two")
    with forge.together():
        forge.label(issue, add=frozenset({"a", "b"}), remove=frozenset())
        forge.label(issue, add=frozenset({"c"}), remove=frozenset({"a", "other"}))
        forge.close(issue)
        assert seeded.project.issues[1].labels == ["other"]
    assert looking.asked(lambda: looking.forge(since=began).thread(issue)) == []
    known = looking.forge(since=began).thread(issue)
    assert (known.comments[-1].body, known.issue.labels, known.issue.open) == ("two", frozenset({"b", "c"}), False)
    assert known == looking.opened(Seen(), float("inf")).thread(issue)


def test_who_is_about_to_judge_reads_everything_again(server: Server, seeded: Seeded, looking: Looking) -> None:
    made = project_as(server, seeded, "bob").issues.create({"title": "x", "description": "words"})
    began = time.monotonic()
    _read(looking.forge(since=began))
    made.notes.create({"body": "halt"})
    assert len(looking.forge(since=began).thread(IssueId("1")).comments) == 1
    assert len(looking.forge(since=began).thread(IssueId("1"), fresh=True).comments) == 2


def test_an_issue_that_was_closed_is_no_longer_listed_and_stays_known_while_it_is_asked_for(
    server: Server, seeded: Seeded, looking: Looking
) -> None:
    made = project_as(server, seeded, "bob").issues.create({"title": "x", "description": "words"})
    looking.everything()
    made.state_event = "close"
    made.save()
    forge = looking.forge()
    assert forge.issues() == []
    assert looking.asked(lambda: forge.thread(IssueId("1"))) == [("GET", "issues/1/notes")]
    made.notes.create({"body": "after all"})
    later = looking.forge()
    assert later.issues() == []
    assert looking.asked(lambda: later.thread(IssueId("1"))) == [("GET", "issues/1/notes")]
    assert later.thread(IssueId("1")).comments[-1].body == "after all"


def test_an_issue_that_slipped_off_a_page_while_another_was_closed_is_found_by_the_next_look() -> None:
    def row(number: int, state: str = "opened", at: int = 0) -> dict[str, object]:
        return {"iid": number, "state": state, "updated_at": f"2026-11-26T00:00:{at:02}.000Z"}

    seen, answers = Seen(), [[row(1), row(3)], [row(1, "closed", 1)], [row(2), row(3)], [], []]
    for _ in range(3):
        seen.bring_up_to_date(lambda _wanted: answers.pop(0), now=10.0)
    assert {issue for issue, one in seen.rows.items() if one["state"] == "opened"} == {"2", "3"}


def test_an_issue_that_was_deleted_is_gone_with_the_next_whole_list(
    server: Server, seeded: Seeded, looking: Looking
) -> None:
    bob = project_as(server, seeded, "bob")
    for _ in range(2):
        bob.issues.create({"title": "x", "description": "words"})
    assert len(looking.everything()) == 2
    del seeded.project.issues[1]
    looking.seen.whole -= gitlab_seen.WHOLE_EVERY
    assert set(looking.everything()) == {"2"}


def test_many_issues_are_read_by_several_hands_and_what_was_read_before_gitlab_had_enough_stays_read(
    server: Server, seeded: Seeded, looking: Looking
) -> None:
    bob = project_as(server, seeded, "bob")
    for number in range(gitlab_reading.FEW * 2):
        bob.issues.create({"title": f"{number}", "description": "words"}).notes.create({"body": f"note {number}"})
    away = server.faults.order(
        Fault(kind=Kind.STATUS, path="/issues/9/notes", status=429, times=100, headers={"Retry-After": "60"})
    )
    with pytest.raises(OutsideError):
        looking.everything()
    read = len(looking.seen.notes)
    assert 0 < read < gitlab_reading.FEW * 2
    away.times = 0
    needed = looking.asked(looking.everything)
    assert len([one for one in needed if one[1].endswith("notes")]) == gitlab_reading.FEW * 2 - read
    assert looking.everything() == looking.truth()


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["open", "say", "edit", "rewrite", "label", "close", "reopen", "delete", "look", "tell", "mark", "status"]
        ),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_whatever_is_done_in_whatever_order_a_look_finds_what_is_there(
    server: Server, seeded: Seeded, deeds: list[tuple[str, int]]
) -> None:
    seeded.project.issues.clear()
    looking, bob = Looking(server, seeded), project_as(server, seeded, "bob")
    for deed, at in deeds:
        issues = sorted(seeded.project.issues)
        if deed == "open" or not issues:
            bob.issues.create({"title": "x", "description": "words"})
        else:
            there = seeded.project.issues[issues[at % len(issues)]]
            _theirs(bob, there, f"{deed} {at}")
            _ours(looking, IssueId(str(there.iid)), f"{deed} {at}")
    found = looking.everything()
    assert found == looking.truth()


def _theirs(bob: Project, there: Issue, deed: str) -> None:
    """Somebody does something to an issue."""
    number = there.iid
    theirs = [note for note in there.notes if note.author.username == "bob" and not note.system]
    match deed.split(maxsplit=1)[0]:
        case "say":
            bob.issues.get(number, lazy=True).notes.create({"body": deed})
        case "edit" if theirs:
            bob.issues.get(number, lazy=True).notes.update(theirs[-1].id, {"body": deed})
            there.updated = datetime.now(UTC)
        case "delete" if theirs:
            bob.issues.get(number, lazy=True).notes.delete(theirs[-1].id)
            there.updated = datetime.now(UTC)
        case "rewrite":
            bob.issues.update(number, {"description": deed})
        case "label":
            bob.issues.update(number, {"add_labels": deed.replace(" ", "-")})
        case "close" | "reopen" as event:
            bob.issues.update(number, {"state_event": event})


def _ours(looking: Looking, issue: IssueId, deed: str) -> None:
    """We look, or do something to it, knowing what we have seen some time ago."""
    match deed.split(maxsplit=1)[0]:
        case "look":
            looking.everything()
        case "tell":
            looking.forge(since=0.0).comment(issue, "plan\n\nmark", unless="mark")
        case "mark":
            looking.forge(since=0.0).label(issue, add=frozenset({"ours"}), remove=frozenset({"label-1"}))
        case "status":
            forge = looking.forge()
            forge.edit(forge.comment(issue, "status"), deed)
