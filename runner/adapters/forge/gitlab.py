"""GitLab as the forge: its issues and notes, told in the words of the port. The home of python-gitlab.

Whoever GitLab says wrote a note did write it, so comments are verified; one that was changed since is marked as edited,
and an issue's description too once GitLab has noted a change of it. A description is comment 0. Labels are changed as
deltas, so that nobody's are lost. An issue that GitLab has not updated is not read again, except to be judged.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from runner.adapters.forge import gitlab_rows as rows
from runner.adapters.forge import gitlab_uploads as uploads
from runner.adapters.forge.gitlab_freezes import Freezing
from runner.adapters.forge.gitlab_people import Assigning, was_assigned
from runner.adapters.forge.gitlab_relations import Relating
from runner.adapters.forge.gitlab_seen import Seen, seen_at
from runner.adapters.gitlab_asking import Asking
from runner.config import Settings
from runner.digest import sha256
from runner.errors import OperatorError, RequestError
from runner.ports.forge import Comment, Issue, IssueId, PersonId, Thread
from runner.repository import credential
from runner.repository.repository import Repository

_PAGE = 100
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
    seen = seen_at(settings.gitlab, settings.gitlab_project, token)
    asking = Asking(settings.gitlab, token)
    forge = GitLabForge(asking, project=settings.gitlab_project, id_=settings.project, bot=settings.bot, seen=seen)
    if as_bot and forge.me() != settings.bot:
        hint = f"let the runner have a clone and a credential helper of its own, with the token of {settings.bot}"
        raise OperatorError(doing, f"the token is {forge.me()}'s, and the runner is {settings.bot}", hint=hint)
    return forge


class GitLabForge(Assigning, Relating, Freezing):
    """The `Forge` port at one GitLab project.

    Args:
        asking: the client, with the token of whoever writes.
        project: the project's path or number.
        id_: the project's id at the runner, frozen by the ledger's first event.
        bot: the runner's user name: what it writes is ours.
        seen: what this process has seen there before.
    """

    def __init__(self, asking: Asking, *, project: str, id_: str, bot: str, seen: Seen | None = None) -> None:
        self._asking = asking
        self._path = project
        self._id = id_
        self._bot = bot
        self._seen = seen or Seen()
        self._rows: dict[IssueId, dict[str, Any]] = {}
        super().__init__()

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
        """The project by its number: python-gitlab encodes paths twice in some addresses."""
        projects = self._asking.client.projects
        if not self._seen.number:
            missing = f"there is no project {self._path} for this token"
            try:
                found = self._asking.read("opening the project", lambda: projects.get(self._path), missing=missing)
            except RequestError as error:
                hint = "correct `gitlab-project`, or give the token's user a role in it"
                raise OperatorError(error.doing, error.wrong, hint=hint) from error
            self._seen.number, self._seen.web = int(found.id), str(found.web_url)
        return projects.get(self._seen.number, lazy=True)

    def me(self) -> PersonId:
        """Whose token it is.

        Raises:
            OperatorError: if GitLab does not know it.
        """
        if not self._seen.me:
            found = self._asking.read("asking GitLab whose token it is", lambda: self._asking.client.http_get("/user"))
            self._seen.me = str(found["username"]) if isinstance(found, dict) else ""
        return PersonId(self._seen.me)

    def issues(self, *, only_open: bool = True) -> list[Issue]:
        """List issues, oldest first."""
        wanted = {"state": "opened"} if only_open else {}
        project = self._project
        found = self._asking.read(
            "listing issues",
            lambda: project.issues.list(get_all=True, per_page=_PAGE, order_by="created_at", sort="asc", **wanted),
        )
        self._rows = {IssueId(str(row.iid)): dict(row.attributes) for row in found}
        self._count(row.attributes for row in found if row.state == "opened")
        return [rows.issue(row.attributes) for row in found]

    def thread(self, issue: IssueId, *, fresh: bool = False) -> Thread:
        """Read one issue whole; what was read before is used again only if GitLab says that nothing changed since.

        Raises:
            RequestError: if there is no such issue.
        """
        found = self._rows.pop(issue, None) or self._found(issue)
        stamp, known = self._seen.threads.get(issue, ("", None))
        if known is None or fresh or stamp != found["updated_at"]:
            known = self._read(issue, found)
            self._seen.threads[issue] = (found["updated_at"], known)
        return known

    def _read(self, issue: IssueId, found: dict[str, Any]) -> Thread:
        notes = self._notes(issue)
        people = [rows.comment(issue, note.attributes, bot=self._bot) for note in notes if not note.system]
        rewritten = any(note.system and note.body.startswith(_REWRITTEN) for note in notes)
        return Thread(
            issue=rows.issue(found),
            comments=(rows.description(found, bot=self._bot, edited=rewritten), *people),
            assigned=was_assigned(found, notes),
        )

    def _found(self, issue: IssueId) -> dict[str, Any]:
        number, project = rows.number(issue), self._project
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
        return self._project.issues.get(rows.number(issue), lazy=True)

    def open_issue(self, title: str, body: str, *, labels: frozenset[str] = frozenset()) -> Issue:
        """Create an issue."""
        given = {
            "title": rows.kept(title, "opening an issue"),
            "description": rows.kept(body, "opening an issue", empty=True),
        }
        given |= {"labels": ",".join(sorted(labels))} if labels else {}
        project = self._project
        made = self._asking.write("opening an issue", lambda: project.issues.create(given))
        return rows.issue(made.attributes)

    def comment(self, issue: IssueId, body: str, *, unless: str = "") -> Comment:
        """Add a note; with `unless`, only where none of our own ends with that marker.

        Raises:
            RequestError: if there is no such issue, or if GitLab took all of it for quick actions and kept nothing.
        """
        doing = f"writing on issue {issue}"
        text = rows.kept(body, doing)
        place = self._place(issue)
        for note in self._notes(issue) if unless else ():
            said = rows.comment(issue, note.attributes, bot=self._bot)
            if said.author == self.me() and said.body.rstrip().endswith(unless):
                return said
        missing = f"there is no issue {issue}"
        made = self._asking.write(doing, lambda: place.notes.create({"body": text}), missing=missing)
        if made.get_id() is None or "author" not in made.attributes:
            wrong = "GitLab took it for quick actions alone, carried them out and kept no comment"
            raise RequestError(doing, wrong, hint="begin the line with /runbook, or add a word before it")
        return rows.comment(issue, made.attributes, bot=self._bot)

    def together(self) -> AbstractContextManager[None]:
        """GitLab takes one thing at a time: each is written at once."""
        return nullcontext()

    @property
    def renders(self) -> bool:
        """Yes."""
        return True

    def attach(self, name: str, data: bytes) -> str:
        """Upload a file to the project, once for its bytes as long as the process lives."""
        kept = self._seen.uploads
        key = sha256(data)
        if key not in kept:
            kept[key] = uploads.upload(self._asking, self._project, name=name, data=data)
        return kept[key]

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of one of our own comments; the same text again writes nothing.

        Raises:
            RequestError: if it is somebody else's, or not there.
        """
        doing = f"editing comment {comment.id}"
        text = rows.kept(body, doing)
        place, number = self._place(comment.issue), rows.number(comment.id.rpartition("/")[2])
        if comment.author != self.me():
            raise RequestError(doing, "it is not one of yours", hint="people change only what they wrote themselves")
        if comment.body == text:
            return
        self._asking.write(
            doing, lambda: place.notes.update(number, {"body": text}), missing="there is no such comment"
        )

    def label(self, issue: IssueId, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add and remove labels in one request: the difference alone, so that nobody's label is lost."""
        given = {"add_labels": ",".join(sorted(add))} if add else {}
        given |= {"remove_labels": ",".join(sorted(remove - add))} if remove - add else {}
        if given:
            self._change(issue, given)

    def close(self, issue: IssueId) -> None:
        """Close an issue; GitLab does nothing about a closed one."""
        self._change(issue, {"state_event": "close"})

    def reopen(self, issue: IssueId) -> None:
        """Reopen an issue; GitLab does nothing about an open one."""
        self._change(issue, {"state_event": "reopen"})

    def _change(self, issue: IssueId, given: dict[str, Any]) -> None:
        ask, missing = partial(self._project.issues.update, rows.number(issue), given), f"there is no issue {issue}"
        self._asking.write(f"changing issue {issue}", ask, missing=missing)

    def is_member(self, person: PersonId, *, account: str = "") -> bool:
        """Whether this person is an active member, also through a group; the runner itself is none.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        if person == self._bot:
            return False
        ask = partial(self._project.members_all.list, query=person, get_all=True, per_page=_PAGE)
        found = self._asking.read(f"asking whether {person} is a member", ask)
        mine = [one for one in found if one.username == person and account in {"", str(one.id)}]
        return any(one.state == "active" and one.access_level > 0 for one in mine)

    def link(self, *, commit: str, path: str) -> str:
        """The address of a file of the evidence."""
        _ = self._project
        return f"{self._seen.web}/-/blob/{commit}/{path}"
