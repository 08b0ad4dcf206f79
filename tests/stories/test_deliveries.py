"""Deliveries that are lost, doubled, late or out of order, and a server that is killed over one, change nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.gitlab.contract import FILE
from tests.gitlab.deliveries import FAILURES
from tests.gitlab.place import Place, founded
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT
from tests.gitlab.served import asked, at_gitlab, digest, free_port, hook, served, waited
from tests.server.test_delivery import signed

MANY = 100


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path, documented=True) as made:
        yield made


@dataclass(frozen=True, slots=True)
class State:
    """Where a story has ended, but for ids and times."""

    events: list[str]
    said: list[str]
    labels: list[str]
    state: str


_PASSING = re.compile(r"\S*\d{8}T\d{6}Z\S*|[0-9a-f]{12,}|█+|░+")
"""Ids of runs, digests and bars."""


def ended(place: Place, number: int) -> State:
    trailers = " ".join(f"%(trailers:key=Runbook-{key},valueonly,separator=)" for key in ("Type", "Issue"))
    git = Repository(place.seeded.project.folder).git
    events = [line.split() for line in git("log", "--reverse", f"--format={trailers}", "evidence").splitlines()]
    issue = place.issue(number)
    return State(
        events=[line[0] for line in events if line[1:] == [str(number)]],
        said=[re.sub(r"\d+", "N", _PASSING.sub("…", words)) for words in place.said(number)],
        labels=issue.labels,
        state=issue.state,
    )


def ask(place: Place) -> int:
    """Alice asks for a run."""
    return int(at_gitlab(place, "alice").issues.create({"title": "Count", "description": place.ask()}).iid)


def say(place: Place, number: int, words: str, *, name: str = "bob") -> None:
    at_gitlab(place, name).issues.get(number, lazy=True).notes.create({"body": words})


def approve(place: Place, number: int) -> None:
    say(place, number, f"/runbook approve {digest(place, number)}")


def closed(place: Place, number: int) -> bool:
    return place.issue(number).state == "closed"


def test_lost_doubled_late_and_reordered_deliveries_end_where_orderly_ones_do(place: Place) -> None:
    outbox = place.server.outbox
    with served(place) as running:
        one = ask(place)
        waited(lambda: place.said(one))
        approve(place, one)
        waited(lambda: closed(place, one))
        waited(running.idle)
        assert ended(place, one).events == ["plan", "approve", "start", "finish"]
        outbox.held = True
        two = ask(place)
        (request,) = outbox.waiting
        assert [outbox.send(request) for _ in range(3)] == [200, 200, 200], "the same delivery, three times"
        waited(lambda: place.said(two))
        waited(lambda: place.issue(two).labels)
        approve(place, two)
        say(place, two, "and thanks", name="alice")
        own = [late for late in outbox.waiting if late.event and b'"username": "%s"' % BOT.encode() in late.body]
        *_, lost, word = [late for late in outbox.waiting if late not in own]
        assert digest(place, two).encode() in lost.body
        rounds = running.metric('runbook_rounds_total{result="ok"}')
        assert {outbox.send(late) for late in (*reversed(own), request)} == {200}
        assert running.metric('runbook_rounds_total{result="ok"}') == rounds, "our own doing, and what is known already"
        assert outbox.send(word) == 200, "late, out of order, and about something else"
        waited(lambda: closed(place, two))
        waited(running.idle)
        assert place.times() == 2
        assert ended(place, two) == ended(place, one)
        outbox.held = False
        _burst(place, running.url)
        waited(running.idle)
    assert running.process.returncode == 0


def _burst(place: Place, url: str) -> None:
    """Many at once: all are taken, and GitLab is asked far less often than it has told."""
    needed = asked(place)

    def post(number: int) -> int:
        headers = signed(b"{}", id_=f"burst-{number}")
        return requests.post(f"{url}/webhook", data=b"{}", headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(post, range(MANY))) == {200}
    time.sleep(1.0)
    assert needed()["GET issues"] <= MANY / 2


def test_a_server_that_is_killed_over_a_delivery_or_whose_hook_gitlab_switches_off_ends_there_too(place: Place) -> None:
    port, sent = free_port(), place.server.outbox.sent
    with served(place, port=port, command=["tests.stories.serve_killer", "before"]) as running:
        switch = hook(place, running.url)
        one = ask(place)
        waited(lambda: running.process.poll() is not None)
    waited(lambda: [status for _, status in sent] == [0])
    for number in range(FAILURES):
        say(place, one, f"is anybody there? ({number})", name="alice")
    waited(lambda: switch.disabled_until > time.monotonic())
    with served(place, port=port, command=["tests.stories.serve_killer", "after"]) as running:
        waited(lambda: place.issue(one).labels)
        assert len(place.said(one)) == 1
        switch.disabled_until = 0.0  # a minute later
        approve(place, one)
        waited(lambda: running.process.poll() is not None)
    waited(lambda: sent[-1][1] == 200)
    assert place.times() == 0
    switch.disabled_until = float("inf")
    with served(place, port=port, every=2) as running:
        waited(lambda: closed(place, one))
        two = ask(place)
        waited(lambda: place.said(two))
        approve(place, two)
        waited(lambda: closed(place, two))
        waited(running.idle)
    assert place.times() == 2
    assert ended(place, two) == ended(place, one)
