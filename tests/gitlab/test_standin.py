"""The stand-in as a foreign client sees it: python-gitlab, Git, and GitLab's own published contract.

Every test here also fails if an answer is not one that the contract allows, or if an operation is not implemented.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gitlab
import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.gitlab.app import Server
from tests.gitlab.clients import client, clone, committed, git, project_as, rows
from tests.gitlab.conftest import premium
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.quick_actions import extract
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT, PROJECT, Seeded
from tests.gitlab.site import Level, Tier

KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_a_stranger_does_not_even_learn_that_a_project_is_there(server: Server, seeded: Seeded) -> None:
    with pytest.raises(gitlab.GitlabGetError) as refused:
        client(server, seeded.tokens["mallory"]).projects.get(PROJECT)
    assert refused.value.response_code == 404
    with pytest.raises(gitlab.GitlabAuthenticationError):
        client(server, "glpat-wrong").projects.get(PROJECT)


def test_a_revoked_token_and_a_blocked_user_are_nobody(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice")
    server.site.tokens[seeded.tokens["alice"]].revoked = True
    with pytest.raises(gitlab.GitlabAuthenticationError):
        alice.issues.list(get_all=True)
    bob = server.site.named("bob")
    assert bob is not None
    bob.state = "blocked"
    with pytest.raises(gitlab.GitlabAuthenticationError):
        client(server, seeded.tokens["bob"]).auth()


def test_members_of_the_group_are_members_of_the_project(server: Server, seeded: Seeded) -> None:
    bot = project_as(server, seeded, BOT)
    carol, mallory = server.site.named("carol"), server.site.named("mallory")
    assert carol is not None
    assert mallory is not None
    assert bot.members_all.get(carol.id).access_level == Level.DEVELOPER
    assert carol.username not in {one.username for one in rows(bot.members)}
    with pytest.raises(gitlab.GitlabGetError):
        bot.members_all.get(mallory.id)


def test_an_issue_lives_through_the_api(server: Server, seeded: Seeded) -> None:
    alice, bot = project_as(server, seeded, "alice"), project_as(server, seeded, BOT)
    bot.labels.create({"name": "ops", "color": "#6699cc"})
    issue = alice.issues.create({"title": "Please", "description": "words\n/label ~ops ~new", "labels": ["x"]})
    assert issue.description == "words"
    assert set(issue.labels) == {"x", "ops"}, "a quick action makes no label"
    mine = bot.issues.get(issue.iid)
    mine.add_labels, mine.remove_labels = ["runbook::planned"], ["x"]
    mine.save()
    assert set(bot.issues.get(issue.iid).labels) == {"ops", "runbook::planned"}
    assert [(event.action, event.attributes["label"]["name"]) for event in rows(mine.resourcelabelevents)][-2:] == [
        ("remove", "x"),
        ("add", "runbook::planned"),
    ]
    mine.state_event = "close"
    mine.save()
    assert bot.issues.get(issue.iid).attributes["closed_by"]["username"] == BOT


@pytest.mark.parametrize("exclusive", [False, True])
def test_labels_of_one_scope_exclude_each_other_only_where_it_was_paid_for(
    server: Server, seeded: Seeded, *, exclusive: bool
) -> None:
    server.site.tier = Tier.PREMIUM if exclusive else Tier.FREE
    bot = project_as(server, seeded, BOT)
    issue = bot.issues.create({"title": "x", "labels": ["runbook::planned"]})
    issue.add_labels = ["runbook::started"]
    issue.save()
    left = {"runbook::started"} if exclusive else {"runbook::planned", "runbook::started"}
    assert set(bot.issues.get(issue.iid).labels) == left


def test_a_confidential_issue_is_for_those_who_plan(server: Server, seeded: Seeded) -> None:
    issue = project_as(server, seeded, "bob").issues.create({"title": "hush", "confidential": True})
    dave = server.site.named("dave")
    assert dave is not None
    seeded.project.members[dave.id] = Level.GUEST
    with pytest.raises(gitlab.GitlabGetError) as refused:
        project_as(server, seeded, "dave").issues.get(issue.iid)
    assert refused.value.response_code == 404
    assert project_as(server, seeded, "alice").issues.get(issue.iid).confidential


def test_a_comment_of_quick_actions_alone_is_carried_out_and_not_stored(server: Server, seeded: Seeded) -> None:
    bob = project_as(server, seeded, "bob")
    issue = bob.issues.create({"title": "x"})
    swallowed = issue.notes.create({"body": "/close"})
    assert swallowed.get_id() is None
    assert bob.issues.get(issue.iid).state == "closed"
    assert issue.notes.create({"body": "LGTM\n/approve"}).body == "LGTM"
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        issue.notes.create({"body": "/approve"})
    assert refused.value.response_code == 400
    assert [note.body for note in rows(issue.notes)] == ["LGTM"]


@pytest.mark.parametrize(
    "text",
    ["/runbook approve 3f9a0c11d2e4", "runbook approve", " /approve", "`/approve`", "```\n/approve\n```", "/approved"],
)
def test_what_only_looks_like_a_quick_action_stays(text: str) -> None:
    assert extract(text) == (text, [])


def test_notes_are_edited_by_their_author_and_by_maintainers(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice")
    issue = alice.issues.create({"title": "x"})
    note = issue.notes.create({"body": "one"})
    for name, code in (("carol", 403), ("bob", None)):
        theirs = project_as(server, seeded, name).issues.get(issue.iid).notes.get(note.id)
        theirs.body = f"by {name}"
        if code is None:
            theirs.save()
        else:
            with pytest.raises(gitlab.GitlabUpdateError) as refused:
                theirs.save()
            assert refused.value.response_code == code
    seen = issue.notes.get(note.id)
    assert (seen.body, seen.author["username"]) == ("by bob", "alice")
    assert seen.updated_at > seen.created_at


def test_pages_may_be_short_and_are_not_the_last_for_that(server: Server, seeded: Seeded) -> None:
    bob = project_as(server, seeded, "bob")
    issue = bob.issues.create({"title": "x"})
    for number in range(7):
        issue.notes.create({"body": f"note {number}", "internal": number in {1, 2}})
    dave = server.site.named("dave")
    assert dave is not None
    seeded.project.members[dave.id] = Level.GUEST
    seen = project_as(server, seeded, "dave").issues.get(issue.iid).notes
    first = seen.list(page=1, per_page=3, sort="asc")
    assert [note.body for note in first] == ["note 0"]
    bodies = [note.body for note in seen.list(iterator=True, per_page=3, sort="asc")]
    assert bodies == ["note 0", "note 3", "note 4", "note 5", "note 6"]


def test_keyset_pages_have_only_the_next_link(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice")
    for number in range(5):
        alice.issues.create({"title": f"issue {number}"})
    url = f"{server.base}/api/v4/projects/{alice.id}/issues?pagination=keyset&order_by=created_at&per_page=2"
    titles, asked = [], 0
    while url:
        answer = requests.get(url, headers={"PRIVATE-TOKEN": seeded.tokens["alice"]}, timeout=10)
        titles += [one["title"] for one in answer.json()]
        url, asked = answer.links.get("next", {}).get("url", ""), asked + 1
        assert "X-Total" not in answer.headers
    assert (titles, asked) == ([f"issue {number}" for number in range(5)], 3)


def test_linked_issues_know_each_other(server: Server, seeded: Seeded) -> None:
    alice = project_as(server, seeded, "alice")
    one, two = (alice.issues.create({"title": title}) for title in ("one", "two"))
    one.links.create({"target_project_id": alice.id, "target_issue_iid": two.iid})
    assert [link.iid for link in two.links.list(get_all=True)] == [one.iid]


def test_a_picture_can_be_uploaded_and_read_again(server: Server, seeded: Seeded) -> None:
    made = project_as(server, seeded, BOT).upload("plot.png", filedata=b"\x89PNG")
    assert made["markdown"] == f"![plot]({made['url']})"
    address = f"{server.base}/api/v4/projects/{seeded.project.id}{made['url']}"
    assert requests.get(address, headers={"PRIVATE-TOKEN": seeded.tokens["alice"]}, timeout=10).content == b"\x89PNG"


def test_the_bot_may_push_evidence_and_nothing_else(server: Server, seeded: Seeded, tmp_path: Path) -> None:
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {"a.txt": "one\n"})
    assert git("push", "-q", "origin", "HEAD:main", at=bobs).returncode == 0
    bots = clone(server, seeded.tokens[BOT], tmp_path / "bot")
    committed(bots, {"a.txt": "two\n"})
    refused = git("push", "-q", "origin", "HEAD:main", at=bots)
    assert refused.returncode != 0
    assert "protected branches" in refused.stderr
    assert git("push", "-q", "origin", "HEAD:evidence", at=bots).returncode == 0
    assert git("push", "-q", "-f", "origin", "HEAD~1:evidence", at=bots).returncode != 0
    assert git("push", "-q", "origin", ":evidence", at=bots).returncode != 0


def test_a_reader_may_clone_and_not_push(server: Server, seeded: Seeded, tmp_path: Path) -> None:
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {"a.txt": "one\n"})
    git("push", "-q", "origin", "HEAD:main", at=bobs)
    daves = clone(server, seeded.tokens["dave"], tmp_path / "dave")
    committed(daves, {"a.txt": "two\n"})
    assert git("push", "-q", "origin", "HEAD:work", at=daves).returncode != 0
    url = f"{server.base}/{PROJECT}.git"
    assert git("ls-remote", url, at=tmp_path).returncode != 0


@premium
def test_a_merge_request_is_opened_approved_and_merged(server: Server, seeded: Seeded, tmp_path: Path) -> None:
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {"a.txt": "one\n"})
    git("push", "-q", "origin", "HEAD:main", at=bobs)
    bob, bot = project_as(server, seeded, "bob"), project_as(server, seeded, BOT)
    person = server.site.named("bob")
    assert person is not None
    bob.approvalrules.create({"name": "owners", "approvals_required": 1, "user_ids": [person.id]})
    issue = bob.issues.create({"title": "change it"})
    action = {"action": "update", "file_path": "a.txt", "content": "two\n"}
    bot.commits.create({"branch": "change/1", "start_branch": "main", "commit_message": "change", "actions": [action]})
    asked = {"source_branch": "change/1", "target_branch": "main", "title": "change", "reviewer_ids": [person.id]}
    made = bot.mergerequests.create({**asked, "description": f"Closes #{issue.iid}"})
    assert made.detailed_merge_status == "not_approved"
    seen = bob.mergerequests.get(made.iid)
    with pytest.raises(gitlab.GitlabMRClosedError):
        seen.merge()
    head = seen.sha
    seen.approve(sha=head)
    merged = bob.mergerequests.get(made.iid)
    merged.merge(sha=head)
    assert merged.state == "merged"
    assert Repository(seeded.project.folder).read(merged.merge_commit_sha, "a.txt") == b"two\n"
    assert [one.iid for one in bot.mergerequests.get(made.iid).closes_issues()] == [issue.iid]
    assert [one["user"]["username"] for one in merged.approvals.get().approved_by] == ["bob"]


@premium
def test_a_push_takes_the_approvals_of_a_merge_request_away(server: Server, seeded: Seeded, tmp_path: Path) -> None:
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {"a.txt": "one\n"})
    git("push", "-q", "origin", "HEAD:main", "HEAD:change", at=bobs)
    bob, alice = project_as(server, seeded, "bob"), project_as(server, seeded, "alice")
    made = bob.mergerequests.create({"source_branch": "change", "target_branch": "main", "title": "t"})
    alice.mergerequests.get(made.iid).approve(sha=made.sha)
    committed(bobs, {"b.txt": "more\n"})
    git("push", "-q", "origin", "HEAD:change", at=bobs)
    seen = alice.mergerequests.get(made.iid)
    assert seen.sha != made.sha
    assert seen.approvals.get().approved_by == []


PIPELINE = """\
spec:
  inputs:
    run:
      regex: ^[0-9a-z-]+$
    rounds:
      type: number
      default: 1
---
work:
  tags: ["zone-$[[ inputs.run ]]"]
  resource_group: "runbook/$[[ inputs.run ]]"
  script: echo $[[ inputs.run ]]
"""


def test_a_pipeline_starts_only_with_inputs_that_fit(server: Server, seeded: Seeded, tmp_path: Path) -> None:
    bobs = clone(server, seeded.tokens["bob"], tmp_path / "bob")
    committed(bobs, {".gitlab-ci.yml": PIPELINE})
    git("push", "-q", "origin", "HEAD:main", at=bobs)
    bob = project_as(server, seeded, "bob")
    for inputs in ({"run": "$(id)"}, {}, {"run": "a", "rounds": "x"}, {"run": "a", "other": "b"}):
        with pytest.raises(gitlab.GitlabCreateError) as refused:
            bob.pipelines.create({"ref": "main", "inputs": inputs})
        assert refused.value.response_code == 400
    made = bob.pipelines.create({"ref": "main", "inputs": {"run": "a"}})
    (job,) = made.jobs.list(get_all=True)
    assert (job.name, job.tag_list, job.status) == ("work", ["zone-a"], "pending")
    pipeline = seeded.project.pipelines[made.id]
    pipeline.jobs[0].status, pipeline.jobs[0].trace, pipeline.jobs[0].artifacts = "success", b"said\n", b"PK"
    whole = bob.jobs.get(job.id)
    assert (whole.status, whole.trace(), whole.artifacts()) == ("success", b"said\n", b"PK")
    with pytest.raises(gitlab.GitlabCreateError):
        project_as(server, seeded, "alice").pipelines.create({"ref": "main", "inputs": {"run": "a"}})


@contextmanager
def receiving(status: int = 200) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver of webhooks that keeps what it got."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers.items()), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            return

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}/hook", got
    finally:
        listening.shutdown()
        listening.server_close()


def waited(got: list[tuple[dict[str, str], bytes]], number: int) -> None:
    deadline = time.monotonic() + 20
    while len(got) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(got) >= number


SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "gitlab" / "webhooks"


def lacking(sample: object, sent: object, path: str = "") -> list[str]:
    """The fields of a documented delivery that ours does not have; what changed differs from one to the next."""
    if path == "/changes":
        return []
    if isinstance(sample, dict) and isinstance(sent, dict):
        gone = [f"{path}/{name}" for name in sample if name not in sent]
        inside = [lacking(sample[name], sent[name], f"{path}/{name}") for name in sample if name in sent]
        return gone + [one for found in inside for one in found]
    return []


def test_deliveries_are_signed_and_have_the_documented_fields(server: Server, seeded: Seeded) -> None:
    with receiving() as (url, got):
        bob = project_as(server, seeded, "bob")
        bob.hooks.create({"url": url, "note_events": True, "issues_events": True, "signing_token": KEY})
        issue = bob.issues.create({"title": "x"})
        issue.notes.create({"body": "/runbook status"})
        issue.notes.create({"body": "/close"})
        waited(got, 2)
    events = {headers["X-Gitlab-Event"]: (headers, body) for headers, body in got}
    assert set(events) == {"Issue Hook", "Note Hook"}
    for name, sample in (("Issue Hook", "issue"), ("Note Hook", "note_issue")):
        headers, body = events[name]
        Webhook(KEY).verify(body, {key.lower(): value for key, value in headers.items()})
        documented = json.loads((SAMPLES / f"{sample}.json").read_text())
        assert lacking(documented, json.loads(body)) == []


def test_a_hook_that_fails_four_times_is_switched_off(server: Server, seeded: Seeded) -> None:
    with receiving(status=500) as (url, got):
        bob = project_as(server, seeded, "bob")
        bob.hooks.create({"url": url, "note_events": True, "push_events": False})
        issue = bob.issues.create({"title": "x"})
        for number in range(4):
            issue.notes.create({"body": f"n{number}"})
        waited(got, 4)
        issue.notes.create({"body": "unheard"})
        deadline = time.monotonic() + 10
        while len(server.outbox.sent) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert [status for _, status in server.outbox.sent] == [500, 500, 500, 500, 0]
    assert len(got) == 4


def test_confidential_words_go_only_to_hooks_that_want_them(server: Server, seeded: Seeded) -> None:
    with receiving() as (url, got):
        bob = project_as(server, seeded, "bob")
        bob.hooks.create({"url": url, "note_events": True, "push_events": False})
        hidden = bob.issues.create({"title": "hush", "confidential": True})
        hidden.notes.create({"body": "nobody hears"})
        bob.issues.create({"title": "open"}).notes.create({"body": "everybody hears"})
        waited(got, 1)
    assert [json.loads(body)["object_attributes"]["note"] for _, body in got] == ["everybody hears"]


def test_the_general_limit_speaks_of_itself_and_that_of_notes_does_not(server: Server, seeded: Seeded) -> None:
    url = f"{server.base}/api/v4/projects/{seeded.project.id}"
    headers = {"PRIVATE-TOKEN": seeded.tokens["alice"]}
    project_as(server, seeded, "alice").issues.create({"title": "x"})
    server.throttle.actions["notes_create"] = 1
    answers = [requests.post(f"{url}/issues/1/notes", headers=headers, json={"body": "n"}, timeout=10) for _ in "ab"]
    assert [one.status_code for one in answers] == [201, 429]
    assert "Retry-After" not in answers[1].headers
    server.throttle.general = 1
    answers = [requests.get(url, headers=headers, timeout=10) for _ in "ab"]
    assert [one.status_code for one in answers] == [200, 429]
    assert answers[1].text == "Retry later\n"
    assert int(answers[1].headers["Retry-After"]) > 0


def test_a_moved_project_redirects(server: Server, seeded: Seeded) -> None:
    seeded.project.moved_from.add("old/runbooks")
    headers = {"PRIVATE-TOKEN": seeded.tokens["alice"]}
    answer = requests.get(
        f"{server.base}/api/v4/projects/old%2Frunbooks/issues", headers=headers, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith(f"/projects/{seeded.project.id}/issues")


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.HTML, Kind.HANG, Kind.CUT, Kind.LOST, Kind.SLOW])
def test_trouble_comes_when_it_is_ordered_and_ends(server: Server, seeded: Seeded, kind: Kind) -> None:
    alice = project_as(server, seeded, "alice")
    issue = alice.issues.create({"title": "x"})
    server.faults.order(Fault(kind=kind, method="POST", path="/notes", status=502, seconds=0.4))
    url = f"{server.base}/api/v4/projects/{alice.id}/issues/{issue.iid}/notes"
    given = {"headers": {"PRIVATE-TOKEN": seeded.tokens["alice"]}, "json": {"body": "once"}}
    try:
        answer = requests.post(url, timeout=0.2 if kind is Kind.HANG else 10, **given)  # type: ignore[arg-type]
        status = answer.status_code
    except requests.RequestException:
        status = 0
    assert status == {Kind.STATUS: 502, Kind.HTML: 502, Kind.SLOW: 201}.get(kind, 0)
    happened = kind in {Kind.CUT, Kind.LOST, Kind.SLOW}
    assert len(rows(issue.notes)) == happened
    assert issue.notes.create({"body": "again"}).id


def test_what_is_not_implemented_says_so(server: Server, seeded: Seeded) -> None:
    with pytest.raises(gitlab.GitlabListError) as refused:
        project_as(server, seeded, "alice").wikis.list(get_all=True)
    assert refused.value.response_code == 501
    assert server.missing == [f"GET /api/v4/projects/{seeded.project.id}/wikis"]
    server.missing.clear()
