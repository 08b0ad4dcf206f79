"""What a run, a wait and a thousand issues cost at GitLab: requests counted at the stand-in, seconds beside polling.

The stand-in answers from this process and shares the cores; requests are counted exactly, seconds are what they are.
GitLab's limits are its documented ones: 2,000 authenticated requests a minute for a user of GitLab.com (7,200 an hour
where a self-managed one is throttled as it comes), and 60 notes a minute.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import requests

from tests.benchmarks.row import Row, at_most, load, middle
from tests.gitlab.place import Place, founded
from tests.gitlab.served import Served, asked, at_gitlab, digest, served, waited
from tests.gitlab.site import Note
from tests.server.test_delivery import signed

BUDGET = 25
LIMIT = 2000
"""Requests a minute."""
ISSUES = 1000


@contextmanager
def _placed() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name, founded(Path(name)) as place:
        yield place


def calls() -> Iterator[Row]:
    """Requests from the request to the closed issue, for a run of a moment and for one of 45 s."""
    with _placed() as place, served(place) as running:
        for runbook, seconds in (("count", 0), ("wait", 45)):
            needed = _one_run(place, running, runbook, seconds=seconds)
            words = f"requests to GitLab for a run of {seconds} s, from request to its end on the issue"
            yield at_most("issue 3", words, needed.total(), limit=BUDGET - 1, unit="", detail=f"load {load()}")
            for kind, number in sorted(needed.items()):
                yield Row(goal="", what=f"  {kind}", measured=str(number), limit="-", hit=None)


def _one_run(place: Place, running: Served, runbook: str, *, seconds: float) -> Counter[str]:
    (place.traces / "go").unlink(missing_ok=True)
    count = asked(place)
    issue = at_gitlab(place, "alice").issues.create({"title": runbook, "description": place.ask(runbook)})
    waited(lambda: place.said(issue.iid))
    at_gitlab(place, "bob").issues.get(issue.iid).notes.create({"body": f"/runbook approve {digest(place, issue.iid)}"})
    if seconds:
        begun = place.traces / "begun"
        waited(begun.exists)
        time.sleep(seconds)
        (place.traces / "go").touch()
    waited(lambda: any(words.startswith("- **Result:**") for words in place.said(issue.iid)))
    waited(lambda: any("succeeded" in name for name in place.issue(issue.iid).labels))
    waited(running.idle)
    return count()


def started(*, rounds: int = 4) -> Iterator[Row]:
    """Seconds from an approval to the first cell that is executed, woken by deliveries, and by polling alone."""
    took: dict[str, list[float]] = {}
    ways = (("webhook", 3600, True), ("polling every 5 s", 5, False), ("polling every 60 s", 60, False))
    for words, every, hooked in ways:
        with _placed() as place, served(place, every=every, hooked=hooked):
            took[words] = [_to_start(place) for _ in range(rounds if every < 60 else min(rounds, 3))]
    mine = middle(took.pop("webhook"))
    for words, found in took.items():
        detail = f"{mine:.1f} s beside {middle(found):.1f} s, load {load()}"
        what = f"from an approving comment to the first cell executed, webhook / {words}"
        yield Row(goal="issue 3", what=what, measured=f"{mine / middle(found):.2f} x ({detail})", limit="-", hit=None)


def _to_start(place: Place) -> float:
    """One request; how long it takes from its approval until its first cell is executed."""
    issue = at_gitlab(place, "alice").issues.create({"title": "Count", "description": place.ask()})
    waited(lambda: place.said(issue.iid))
    bob, before = at_gitlab(place, "bob").issues.get(issue.iid), place.times()
    began = time.monotonic()
    bob.notes.create({"body": f"/runbook approve {digest(place, issue.iid)}"})
    waited(lambda: place.times() > before)
    took = time.monotonic() - began
    waited(lambda: place.issue(issue.iid).state == "closed")
    return took


def issues(*, count: int = ISSUES) -> Iterator[Row]:
    """A round over so many open issues: all of them new, none, all commented, one commented; the throttle is on."""
    with _placed() as place:
        place.server.throttle.general = LIMIT
        # Its answers are judged in the tests; here that would take longer than the answers themselves.
        place.server.contract = None
        bob = at_gitlab(place, "bob")
        bob.issues.create({"title": "something to talk about", "description": "words"})
        _multiply(place, count)
        count_of = asked(place)
        with served(place) as running:
            rounds = running.metric("runbook_round_seconds_count")
            took = running.metric("runbook_round_seconds_sum") / rounds
            yield from _of_round(f"{count} open issues, all of them new", seconds=took, needed=count_of().total())
            for words, change in (
                ("nothing new", lambda: None),
                ("one commented", lambda: _comment(place, 1)),
                ("all of them commented", lambda: _comment(place, count)),
            ):
                seconds, needed = _round(place, running, change)
                yield from _of_round(f"{count} open issues, {words}", seconds=seconds, needed=needed)


def _of_round(words: str, *, seconds: float, needed: int) -> Iterator[Row]:
    detail = f"{seconds:.1f} s, load {load()}"
    yield at_most("issue 3", f"requests of a round over {words}", needed, limit=LIMIT, unit="/min", detail=detail)
    yield at_most("issue 3", f"seconds of a round over {words}", seconds, limit=60, unit="s", detail=f"load {load()}")


def _round(place: Place, running: Served, change: Callable[[], None]) -> tuple[float, int]:
    """Change something, wake the loop, and see what the next round costs."""
    change()
    # A minute of its own for each round, as the limit counts.
    time.sleep(60)
    before, count = _rounds(running), asked(place)
    headers = signed(b"{}", id_=f"d-{time.time()}")
    requests.post(f"{running.url}/webhook", data=b"{}", headers=headers, timeout=30)
    waited(lambda: _rounds(running)[0] > before[0], seconds=600)
    after = _rounds(running)
    return (after[1] - before[1]) / (after[0] - before[0]), count().total()


def _rounds(running: Served) -> tuple[float, float]:
    return running.metric("runbook_round_seconds_count"), running.metric("runbook_round_seconds_sum")


def _multiply(place: Place, count: int) -> None:
    """Many issues like the first, opened a minute after one another, as if people had written them."""
    site, project = place.server.site, place.seeded.project
    with site.lock:
        first = project.issues[1]
        for number in range(2, count + 1):
            at = first.created - timedelta(minutes=count - number)
            made = replace(first, id=site.number(), iid=number, created=at, updated=at)
            made.notes, made.labels = [], []
            project.issues[number] = made
        first.created = first.updated = first.created - timedelta(minutes=count)


def _comment(place: Place, count: int) -> None:
    """A word on each of the first so many issues."""
    site = place.server.site
    bob = site.named("bob")
    assert bob is not None
    with site.lock:
        for number in range(1, count + 1):
            issue, now = place.issue(number), site.clock()
            issue.notes.append(Note(id=site.number(), body="hm", author=bob, created=now, updated=now))
            issue.updated = now
