"""Comments on issues and merge requests, with what GitLab takes out of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, RefusedError, bad, forbidden, not_found
from tests.gitlab.api.issues import LONGEST, carry_out
from tests.gitlab.call import Call, on
from tests.gitlab.deliveries import tell
from tests.gitlab.paging import paged
from tests.gitlab.payloads import note_event
from tests.gitlab.quick_actions import extract
from tests.gitlab.site import Issue, Level, MergeRequest, Note

MOST = 5_000
"""Comments of people on one issue."""


def _list(find: Callable[[Call], Issue | MergeRequest]) -> Callable[[Call], Answer]:
    def notes(call: Call) -> Answer:
        """The comments, newest first unless asked otherwise; internal ones are for reporters."""
        place = find(call)
        by_update = call.query.get("order_by") == "updated_at"
        rows = sorted(place.notes, key=lambda one: (one.updated if by_update else one.created, one.id))
        if call.query.get("sort", "desc") == "desc":
            rows.reverse()
        only = call.query.get("activity_filter", "all_notes")
        rows = [one for one in rows if only == "all_notes" or one.system is (only == "only_activity")]
        # Cut first, dropped then: a page may hold fewer than it could, and is not the last one for that.
        return paged(call, rows, lambda one: shapes.note(one, place, call), seen=lambda one: _sees(call, one))

    return notes


def _sees(call: Call, note: Note) -> bool:
    return not note.internal or call.level >= Level.REPORTER


def _write(find: Callable[[Call], Issue | MergeRequest]) -> Callable[[Call], Answer]:
    def note(call: Call) -> Answer:
        """Write a comment; one of quick actions alone is carried out and not stored (202, without an id)."""
        place = find(call)
        call.needs(Level.GUEST)
        body = call.text("body")
        if len(body) > LONGEST or not body.strip():
            wrong = "is too long (maximum is 1000000 characters)" if body.strip() else "can't be blank"
            raise bad(f"400 Bad request - Note {{:note=>[{wrong!r}]}}")
        internal = call.flag("internal")
        if internal and call.level < Level.REPORTER:
            raise forbidden()
        if sum(not one.system for one in place.notes) >= MOST:
            raise bad("400 Bad request - Note {:base=>['Maximum number of comments exceeded']}")
        text, actions = extract(body)
        changes = carry_out(call, place, actions) if isinstance(place, Issue) else {}
        if actions and not text:
            if not changes:
                raise bad("400 Bad request - Note {:commands_only=>['Could not apply the commands.']}")
            return Answer(status=202, body={"commands_changes": changes, "summary": ["Commands applied"]})
        written = add(call, place, text, internal=internal)
        return Answer(status=201, body=shapes.note(written, place, call) | {"commands_changes": changes})

    return note


def add(call: Call, place: Issue | MergeRequest, text: str, *, internal: bool = False) -> Note:
    """Store a comment and tell the hooks."""
    now = call.now()
    one = Note(id=call.site.number(), body=text, author=call.user, created=now, updated=now, internal=internal)
    place.notes.append(one)
    place.updated = now
    tell(call.site, call.project, "note", event=lambda: note_event(one, place, call))
    return one


def _found(call: Call, place: Issue | MergeRequest) -> Note:
    number = call.parts["note_id"]
    found = next((one for one in place.notes if str(one.id) == number), None)
    if found is None or not _sees(call, found):
        raise not_found("Note")
    return found


@on("GET", "/projects/{id}/issues/{noteable_id}/notes/{note_id}")
def one_note(call: Call) -> Answer:
    """One comment."""
    return Answer(body=shapes.note(_found(call, call.issue), call.issue, call))


@on("PUT", "/projects/{id}/issues/{noteable_id}/notes/{note_id}")
def edit_note(call: Call) -> Answer:
    """Change a comment's text; maintainers may change those of others."""
    place = call.issue
    one = _found(call, place)
    if (one.author is not call.user and call.level < Level.MAINTAINER) or one.system:
        raise forbidden()
    text, actions = extract(call.text("body"))
    if actions and not text:
        raise RefusedError(400, '400 Bad request - Note {:note=>["can\'t be blank"]}')
    if text != one.body:
        one.body, one.updated = text, call.now()
        tell(call.site, call.project, "note", event=lambda: note_event(one, place, call, action="update"))
    return Answer(body=shapes.note(one, place, call))


@on("DELETE", "/projects/{id}/issues/{noteable_id}/notes/{note_id}")
def delete_note(call: Call) -> Answer:
    """Remove a comment: its author, and maintainers."""
    place = call.issue
    one = _found(call, place)
    if one.author is not call.user and call.level < Level.MAINTAINER:
        raise forbidden()
    place.notes.remove(one)
    return Answer(status=204)


def _of_issue(call: Call) -> Issue:
    return call.issue


def _of_merge_request(call: Call) -> MergeRequest:
    return call.merge_request


for _place, _find in (("issues", _of_issue), ("merge_requests", _of_merge_request)):
    on("GET", f"/projects/{{id}}/{_place}/{{noteable_id}}/notes")(_list(_find))
    on("POST", f"/projects/{{id}}/{_place}/{{noteable_id}}/notes")(_write(_find))
