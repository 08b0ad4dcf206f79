"""Issues: listing, opening, changing; their links and what happened to their labels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, RefusedError, bad, forbidden, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.deliveries import tell
from tests.gitlab.marks import relabel
from tests.gitlab.paging import paged
from tests.gitlab.payloads import issue_event
from tests.gitlab.quick_actions import extract
from tests.gitlab.site import Event, Issue, Level, Note, Project, Tier, User

LONGEST = 1_000_000
"""Characters of a description or comment."""


@on("GET", "/projects/{id}/issues")
def issues(call: Call) -> Answer:
    """The issues that the user may see, newest first unless asked otherwise."""
    rows = [one for one in call.project.issues.values() if call.sees(one) and _wanted(one, call)]
    order = call.query.get("order_by", "created_at")
    rows.sort(key=lambda one: (one.updated if order == "updated_at" else one.created, one.id))
    if call.query.get("sort", "desc") == "desc":
        rows.reverse()
    return paged(call, rows, lambda one: shapes.issue(one, call), key=lambda one: one.id)


def _wanted(one: Issue, call: Call) -> bool:
    query = call.query
    labels = [name for name in query.get("labels", "").split(",") if name]
    return (
        query.get("state", "all") in {"all", one.state}
        and set(labels) <= set(one.labels)
        and ("updated_after" not in query or one.updated >= _moment(query["updated_after"]))
        and ("assignee_id" not in query or _has(one, query["assignee_id"]))
        and ("assignee_username" not in query or query["assignee_username"] in {one.username for one in one.assignees})
    )


def _has(one: Issue, assignee: str) -> bool:
    """`Any` and `None` are words of GitLab's own here."""
    if assignee in {"Any", "None"}:
        return bool(one.assignees) is (assignee == "Any")
    return assignee in {str(person.id) for person in one.assignees}


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise bad("updated_after is invalid") from None


@on("GET", "/projects/{id}/issues/{issue_iid}")
def issue(call: Call) -> Answer:
    """One issue."""
    return Answer(body=shapes.issue(call.issue, call))


@on("POST", "/projects/{id}/issues")
def open_issue(call: Call) -> Answer:
    """Open one; quick actions in the description are taken out of it and carried out."""
    project = call.project
    call.needs(Level.GUEST)
    title, written = call.text("title"), call.text("description", "")
    if len(written) > LONGEST or not title.strip():
        raise bad({"title": ["can't be blank"]} if not title.strip() else {"description": ["is too long"]})
    description, actions = extract(written)
    now = call.now()
    one = Issue(
        id=call.site.number(),
        iid=max(project.issues, default=0) + 1,
        title=title,
        description=description,
        author=call.user,
        created=now,
        updated=now,
        confidential=call.flag("confidential"),
    )
    project.issues[one.iid] = one
    reassign(call, one, call.people("assignee_ids") or [])
    relabel(call, one, add=call.names("labels"))
    carry_out(call, one, actions)
    tell(call.site, project, "issues", event=lambda: issue_event(one, call, action="open"))
    return Answer(status=201, body=shapes.issue(one, call))


@on("PUT", "/projects/{id}/issues/{issue_iid}")
def change_issue(call: Call) -> Answer:
    """Change one: title and text by its author or whoever plans, labels and assignees by whoever plans."""
    one, project = call.issue, call.project
    if call.user is not one.author:
        call.needs(Level.PLANNER)
    planned = {"labels", "add_labels", "remove_labels", "assignee_ids", "confidential"} & call.given.keys()
    if planned and call.level < Level.PLANNER:
        raise forbidden()
    before = set(one.labels)
    one.title = call.text("title", one.title)
    _rewrite(call, one, extract(call.text("description", one.description))[0])
    one.confidential = call.flag("confidential", default=one.confidential)
    one.due = str(call.given["due_date"]) if call.given.get("due_date") else one.due
    people = call.people("assignee_ids")
    reassign(call, one, one.assignees if people is None else people)
    if "labels" in call.given:
        relabel(call, one, add=call.names("labels"), remove=list(one.labels))
    relabel(call, one, add=call.names("add_labels"), remove=call.names("remove_labels"))
    turn(call, one, str(call.given.get("state_event", "")))
    one.updated = call.now()
    action = {"close": "close", "reopen": "reopen"}.get(str(call.given.get("state_event")), "update")
    tell(call.site, project, "issues", event=lambda: issue_event(one, call, action=action, labels_before=before))
    return Answer(body=shapes.issue(one, call))


def _rewrite(call: Call, one: Issue, text: str) -> None:
    """Change the description; GitLab notes down that somebody did."""
    if text == one.description:
        return
    one.description = text
    now = call.now()
    words = "changed the description"
    one.notes.append(Note(id=call.site.number(), body=words, author=call.user, created=now, updated=now, system=True))


def reassign(call: Call, one: Issue, people: list[User]) -> None:
    """Have other people assigned, of whom the free tier takes the first; GitLab notes down who came and who went."""
    kept = people[:1] if call.site.tier is Tier.FREE else people
    came = [f"@{person.username}" for person in kept if person not in one.assignees]
    went = [f"@{person.username}" for person in one.assignees if person not in kept]
    one.assignees = kept
    words = [f"assigned to {' '.join(came)}"] if came else []
    words += [f"unassigned {' '.join(went)}"] if went else []
    if words:
        now = call.now()
        body, number = " and ".join(words), call.site.number()
        one.notes.append(Note(id=number, body=body, author=call.user, created=now, updated=now, system=True))


def turn(call: Call, one: Issue, event: str) -> None:
    """Close or reopen; doing what is done already changes nothing."""
    wanted = {"close": "closed", "reopen": "opened"}.get(event)
    if wanted is None or wanted == one.state:
        return
    one.state = wanted
    one.closed, one.closed_by = (call.now(), call.user) if wanted == "closed" else (None, None)
    state = "reopened" if wanted == "opened" else wanted
    one.state_events.append(Event(id=call.site.number(), user=call.user, created=call.now(), action=state))


def carry_out(call: Call, one: Issue, actions: list[tuple[str, str]]) -> dict[str, Any]:
    """Carry out the quick actions that the stand-in knows; the others are swallowed all the same, as GitLab does."""
    changes: dict[str, Any] = {}
    for name, arguments in actions:
        names = [word.strip().strip('~"') for word in arguments.replace(",", " ").split()]
        if name in {"label", "labels"} and call.level >= Level.PLANNER:
            # Here, and not in the API, a label that the project does not have is passed over.
            known = [label for label in names if label in call.project.labels]
            relabel(call, one, add=known)
            changes["add_label_ids"] = [call.project.labels[label] for label in known]
        elif name == "assign" and call.level >= Level.PLANNER:
            found = [call.site.named(word.lstrip("@")) for word in names]
            more = [person for person in found if person and person not in one.assignees]
            reassign(call, one, [*(one.assignees if call.site.tier is Tier.PREMIUM else []), *more] or one.assignees)
            changes["assignee_ids"] = [person.id for person in one.assignees]
        elif name in {"close", "reopen"} and (call.user is one.author or call.level >= Level.PLANNER):
            turn(call, one, name)
            changes["state_event"] = name
        elif name == "confidential" and call.level >= Level.PLANNER:
            one.confidential = True
            changes["confidential"] = True
    return changes


@on("GET", "/projects/{id}/issues/{eventable_id}/resource_label_events")
def label_events(call: Call) -> Answer:
    """Which labels came and went, oldest first."""
    one, project = call.issue, call.project

    def show(event: Event) -> dict[str, Any]:
        return {
            "id": event.id,
            "user": shapes.user(event.user, call.base),
            "created_at": time(event.created),
            "resource_type": "Issue",
            "resource_id": one.id,
            "label": {"id": project.labels[event.label], "name": event.label, "color": "#6699cc"},
            "action": event.action,
        }

    return paged(call, one.label_events, show)


@on("GET", "/projects/{id}/issues/{issue_iid}/links")
def links(call: Call) -> Answer:
    """The issues that this one is linked to."""
    one, project = call.issue, call.project
    found = []
    for number, source, target, kind in project.links:
        if one.id in {source, target}:
            other = _by_id(call, target if one.id == source else source)
            if other:
                place, found_issue = other
                more = {"issue_link_id": number, "link_type": kind, "link_created_at": time(project.created)}
                found.append(shapes.issue(found_issue, call, place) | more)
    return Answer(body=found)


@on("POST", "/projects/{id}/issues/{issue_iid}/links")
def link(call: Call) -> Answer:
    """Link this issue to another one."""
    one, project = call.issue, call.project
    call.needs(Level.GUEST)
    place = call.site.project(call.text("target_project_id"))
    target = place.issues.get(int(call.text("target_issue_iid"))) if place else None
    if place is None or target is None or call.site.level(place, call.user) is Level.NONE:
        raise not_found()
    if any({one.id, target.id} == {source, other} for _, source, other, _ in project.links):
        raise RefusedError(409, "Issue(s) already assigned")
    kind = call.text("link_type", "relates_to")
    number = call.site.number()
    project.links.append((number, one.id, target.id, kind))
    body = {
        "id": number,
        "source_issue": shapes.issue_basic(one, call),
        "target_issue": shapes.issue_basic(target, call, place),
        "link_type": kind,
    }
    return Answer(status=201, body=body)


def _by_id(call: Call, number: int) -> tuple[Project, Issue] | None:
    for place in call.site.projects.values():
        for one in place.issues.values():
            if one.id == number:
                return place, one
    return None
