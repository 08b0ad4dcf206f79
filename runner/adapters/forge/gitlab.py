"""GitLab as the forge: its issues and notes, told in the words of the port. The home of python-gitlab.

Whoever GitLab says wrote a note did write it, so comments are verified; one that was changed since is marked as edited,
and an issue's description too once GitLab has noted a change of it. A description is comment 0. Labels are changed as
deltas, so that nobody's are lost. What it reads is what GitLab says now: nothing is kept from one question to the next.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from runner.adapters.forge.gitlab_asking import Asking
from runner.config import Settings
from runner.errors import OperatorError, RequestError
from runner.ports.forge import Comment, CommentId, Issue, IssueId, PersonId, Thread
from runner.repository import credential
from runner.repository.repository import Repository

LONGEST = 1_000_000
"""Characters of a note or description that GitLab takes."""
_PAGE = 100
_DIGITS = 9
_REWRITTEN = "changed the description"
"""How GitLab's own note on an issue says that somebody changed the description."""


def opened(repository: Repository, settings: Settings, *, as_bot: bool = False) -> GitLabForge:
    """The forge at the GitLab of a project's settings, with the token that Git's credential helpers have for it.

    Args:
        repository: the clone, whose Git configuration names the helpers.
        settings: where GitLab and the project are.
        as_bot: write as the runner: nobody else's token will do, since its comments are found by their author.

    Raises:
        OperatorError: if there is no token, or it is somebody else's.
    """
    doing = f"opening {settings.gitlab}"
    token = credential.password(repository, settings.gitlab)
    if not token:
        hint = "store an access token with Git: git credential approve, or any credential helper"
        raise OperatorError(doing, "Git has no token for it in this clone", hint=hint)
    asking = Asking(settings.gitlab, token)
    forge = GitLabForge(asking, project=settings.gitlab_project, id_=settings.project, bot=settings.bot)
    if as_bot and forge.me() != settings.bot:
        hint = f"let the runner have a clone and a credential helper of its own, with the token of {settings.bot}"
        raise OperatorError(doing, f"the token is {forge.me()}'s, and the runner is {settings.bot}", hint=hint)
    return forge


class GitLabForge:
    """The `Forge` port at one GitLab project.

    Args:
        asking: the client, with the token of whoever writes.
        project: the project's path or number.
        id_: the project's id at the runner, frozen by the ledger's first event.
        bot: the runner's user name: what it writes is ours.
    """

    def __init__(self, asking: Asking, *, project: str, id_: str, bot: str) -> None:
        self._asking = asking
        self._path = project
        self._id = id_
        self._bot = bot
        self._opened: Any = None
        self._me = ""

    @property
    def name(self) -> str:
        """`gitlab`."""
        return "gitlab"

    @property
    def project(self) -> str:
        """The project's id."""
        return self._id

    @property
    def _project(self) -> Any:
        """The project by its number, asked for once: python-gitlab encodes paths twice in some addresses."""
        if self._opened is None:
            ask = self._asking.client.projects.get
            missing = f"there is no project {self._path} for this token"
            try:
                found = self._asking.read("opening the GitLab project", lambda: ask(self._path), missing=missing)
            except RequestError as error:
                hint = "correct `gitlab-project`, or give the token's user a role in it"
                raise OperatorError(error.doing, error.wrong, hint=hint) from error
            self._opened = self._asking.client.projects.get(found.id, lazy=True)
            self._web = str(found.web_url)
        return self._opened

    def me(self) -> PersonId:
        """Whose token it is.

        Raises:
            OperatorError: if GitLab does not know it.
        """
        if not self._me:
            found = self._asking.read("asking GitLab whose token it is", lambda: self._asking.client.http_get("/user"))
            self._me = str(found["username"]) if isinstance(found, dict) else ""
        return PersonId(self._me)

    def issues(self, *, only_open: bool = True) -> list[Issue]:
        """List issues, oldest first."""
        wanted = {"state": "opened"} if only_open else {}
        project = self._project
        rows = self._asking.read(
            "listing issues",
            lambda: project.issues.list(get_all=True, per_page=_PAGE, order_by="created_at", sort="asc", **wanted),
        )
        return [_issue(row.attributes) for row in rows]

    def thread(self, issue: IssueId) -> Thread:
        """Read one issue whole.

        Raises:
            RequestError: if there is no such issue.
        """
        found = self._found(issue)
        notes = self._notes(issue)
        people = [self._comment(issue, note.attributes) for note in notes if not note.system]
        rewritten = any(note.system and note.body.startswith(_REWRITTEN) for note in notes)
        return Thread(issue=_issue(found), comments=(self._description(issue, found, edited=rewritten), *people))

    def _found(self, issue: IssueId) -> dict[str, Any]:
        number, project = _number(issue), self._project
        missing = f"there is no issue {issue}"
        asked = self._asking.read(f"reading issue {issue}", lambda: project.issues.get(number), missing=missing)
        return dict(asked.attributes)

    def _notes(self, issue: IssueId) -> list[Any]:
        """Every note, oldest first; a page may be short without being the last, which the links tell."""
        place = self._place(issue)

        def ask() -> list[Any]:
            return list(place.notes.list(iterator=True, per_page=_PAGE, order_by="created_at", sort="asc"))

        notes = self._asking.read(f"reading the notes of issue {issue}", ask, missing=f"there is no issue {issue}")
        return sorted(notes, key=lambda note: int(note.id))

    def _place(self, issue: IssueId) -> Any:
        return self._project.issues.get(_number(issue), lazy=True)

    def open_issue(self, title: str, body: str, *, labels: frozenset[str] = frozenset()) -> Issue:
        """Create an issue."""
        given = {"title": _kept(title, "opening an issue"), "description": _kept(body, "opening an issue", empty=True)}
        given |= {"labels": ",".join(sorted(labels))} if labels else {}
        project = self._project
        made = self._asking.write("opening an issue", lambda: project.issues.create(given))
        return _issue(made.attributes)

    def comment(self, issue: IssueId, body: str, *, unless: str = "") -> Comment:
        """Add a note; with `unless`, only where none of our own ends with that marker.

        Raises:
            RequestError: if there is no such issue, or if GitLab took all of it for quick actions and kept nothing.
        """
        doing = f"writing on issue {issue}"
        text = _kept(body, doing)
        place = self._place(issue)
        for note in self._notes(issue) if unless else ():
            said = self._comment(issue, note.attributes)
            if said.author == self.me() and said.body.rstrip().endswith(unless):
                return said
        missing = f"there is no issue {issue}"
        made = self._asking.write(doing, lambda: place.notes.create({"body": text}), missing=missing)
        if made.get_id() is None or "author" not in made.attributes:
            wrong = "GitLab took it for quick actions alone, carried them out and kept no comment"
            raise RequestError(doing, wrong, hint="begin the line with /runbook, or add a word before it")
        return self._comment(issue, made.attributes)

    def together(self) -> AbstractContextManager[None]:
        """GitLab takes one thing at a time: each is written at once."""
        return nullcontext()

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of one of our own comments; the same text again writes nothing.

        Raises:
            RequestError: if it is somebody else's, or not there.
        """
        doing = f"editing comment {comment.id}"
        text = _kept(body, doing)
        place, number = self._place(comment.issue), _number(IssueId(comment.id.rpartition("/")[2]))
        note = self._asking.read(doing, lambda: place.notes.get(number), missing="there is no such comment")
        if note.author["username"] != self.me():
            raise RequestError(doing, "it is not one of yours", hint="people change only what they wrote themselves")
        if note.body == text:
            return
        self._asking.write(
            doing, lambda: place.notes.update(number, {"body": text}), missing="there is no such comment"
        )

    def label(self, issue: IssueId, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add and remove labels in one request; a change that changes nothing is none."""
        has = frozenset(self._found(issue)["labels"])
        more, less = sorted(add - has), sorted((remove & has) - add)
        given = {"add_labels": ",".join(more)} if more else {}
        given |= {"remove_labels": ",".join(less)} if less else {}
        self._change(issue, given)

    def close(self, issue: IssueId) -> None:
        """Close an issue; closing a closed one does nothing."""
        self._change(issue, {"state_event": "close"} if self._found(issue)["state"] == "opened" else {})

    def reopen(self, issue: IssueId) -> None:
        """Reopen an issue; reopening an open one does nothing."""
        self._change(issue, {"state_event": "reopen"} if self._found(issue)["state"] != "opened" else {})

    def _change(self, issue: IssueId, given: dict[str, str]) -> None:
        if given:
            project, number = self._project, _number(issue)
            self._asking.write(f"changing issue {issue}", lambda: project.issues.update(number, given))

    def is_member(self, person: PersonId) -> bool:
        """Whether this person is an active member, also through a group; the runner itself is none.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        if person == self._bot:
            return False
        doing = f"asking whether {person} is a member"
        client, project = self._asking.client, self._project
        users = self._asking.read(doing, lambda: client.users.list(username=person, get_all=True))
        found = next((user for user in users if user.username == person and user.state == "active"), None)
        if found is None:
            return False
        try:
            member = self._asking.read(doing, lambda: project.members_all.get(found.id), missing="no member")
        except RequestError:
            return False
        return bool(member.state == "active" and (member.access_level or 0) > 0)

    def link(self, *, commit: str, path: str) -> str:
        """The address of a file of the evidence."""
        _ = self._project
        return f"{self._web}/-/blob/{commit}/{path}"

    def _description(self, issue: IssueId, found: dict[str, Any], *, edited: bool) -> Comment:
        author = found["author"]["username"]
        return Comment(
            id=CommentId(f"{issue}/0"),
            issue=issue,
            author=PersonId(author),
            body=found["description"] or "",
            created=datetime.fromisoformat(found["created_at"]),
            verified=True,
            edited=edited,
            ours=author == self._bot,
        )

    def _comment(self, issue: IssueId, note: dict[str, Any]) -> Comment:
        author = note["author"]["username"]
        return Comment(
            id=CommentId(f"{issue}/{note['id']}"),
            issue=issue,
            author=PersonId(author),
            body=note["body"],
            created=datetime.fromisoformat(note["created_at"]),
            verified=True,
            edited=note["updated_at"] != note["created_at"],
            ours=author == self._bot,
        )


def _issue(row: dict[str, Any]) -> Issue:
    return Issue(
        id=IssueId(str(row["iid"])),
        title=row["title"],
        author=PersonId(row["author"]["username"]),
        created=datetime.fromisoformat(row["created_at"]),
        open=row["state"] == "opened",
        labels=frozenset(row["labels"]),
        confidential=bool(row["confidential"]),
    )


def _number(issue: str) -> int:
    """An issue's number; whatever is none names no issue."""
    if not (issue.isascii() and issue.isdigit() and issue[0] != "0" and len(issue) <= _DIGITS):
        raise RequestError("reading an issue", f"there is no issue {issue!a}", hint="issues are numbered from 1")
    return int(issue)


def _kept(text: str, doing: str, *, empty: bool = False) -> str:
    """A text that GitLab can keep."""
    if not text.strip() and not empty:
        raise RequestError(doing, "it is empty", hint="say something")
    if len(text) > LONGEST:
        raise RequestError(doing, f"it has more than {LONGEST:,} characters", hint="write less, or attach a file")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(doing, "it holds half a character", hint="write it again") from None
    return text
