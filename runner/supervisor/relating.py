"""What a request has to do with: the issues and merge requests that it names, and the issue of the run that it undoes.

Linking is safe to repeat, so it is done whenever a plan is told, right before. A merge request is related by being
named in that comment: GitLab sees it there.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.plan.run import fold
from runner.ports.forge import IssueId
from runner.request.request import requests
from runner.snapshot import Known
from runner.supervisor.desk import Desk


def linked(desk: Desk, known: Known) -> tuple[str, ...]:
    """Link the issue of a plan to others, and return the references that may be named there, as people write them."""
    named = dict.fromkeys([*_named(desk, known), *_undone(desk, known)])
    issues = [IssueId(one.removeprefix("#")) for one in named if one.startswith("#")]
    there = desk.forge.relate(known.thread.issue.id, issues) if issues else frozenset()
    return tuple(one for one in named if not one.startswith("#") or one.removeprefix("#") in there)


def _named(desk: Desk, known: Known) -> tuple[str, ...]:
    """What the request itself names."""
    forge, key = desk.forge, known.plan.requested.key
    asked = requests(known.thread, forge=forge.name, project=forge.project, bot=desk.workspace.settings.bot)
    return next((one.related for one in asked.requests if one.key == key), ())


def _undone(desk: Desk, known: Known) -> Iterator[str]:
    """The issue of the run that this one undoes; in its own issue there is nothing to link."""
    events = desk.ledger.cache.events(known.plan.revert_of) if known.plan.revert_of else ()
    if events and (issue := fold(events).plan.issue) != known.run.plan.issue:
        yield f"#{issue}"
