"""GitLab as the forge: its issues and notes, told in the words of the port. The home of python-gitlab.

Whoever GitLab says wrote a note did write it, so comments are verified; one that was changed since is marked as edited,
and an issue's description too once GitLab has noted a change of it. A description is comment 0. Labels are changed as
deltas, so that nobody's are lost. What this process has read is used again where GitLab says that nothing changed
(`gitlab_seen`), except to be judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from runner.adapters.forge import gitlab_rows as rows
from runner.adapters.forge import gitlab_uploads as uploads
from runner.adapters.forge.gitlab_freezes import Freezing
from runner.adapters.forge.gitlab_members import Admitting
from runner.adapters.forge.gitlab_people import Assigning
from runner.adapters.forge.gitlab_reading import Reading
from runner.adapters.forge.gitlab_relations import Relating
from runner.adapters.forge.gitlab_review import GitLabReviews
from runner.adapters.forge.gitlab_seen import Seen, seen_at
from runner.adapters.gitlab_asking import Asking
from runner.config import Settings
from runner.digest import sha256
from runner.errors import OperatorError, OutsideError, RequestError
from runner.ports.forge import Comment, Issue, IssueId, PersonId
from runner.repository import credential
from runner.repository.repository import Repository


def opened(repository: Repository, settings: Settings, *, as_bot: bool = False, since: float = math.inf) -> GitLabForge:
    """The forge at the GitLab of a project's settings, with the token that Git's credential helpers have for it.

    Args:
        repository: the clone, whose Git configuration names the helpers.
        settings: where GitLab and the project are.
        as_bot: write as the runner: nobody else's token will do, since its comments are found by their author.
        since: what this process has read since then, in monotonic seconds, is good enough to look at.

    Raises:
        OperatorError: if there is no token, or it is somebody else's.
    """
    token = credential.token(repository, settings.gitlab)
    seen = seen_at(settings.gitlab, settings.gitlab_project, token)
    asking = Asking(settings.gitlab, token)
    place = {"project": settings.gitlab_project, "id_": settings.project, "bot": settings.bot}
    forge = GitLabForge(asking, **place, seen=seen, since=since)
    if as_bot:
        forge.only_as_bot()
    return forge


class GitLabForge(Reading, Admitting, Assigning, Relating, Freezing):
    """The `Forge` port at one GitLab project.

    Args:
        asking: the client, with the token of whoever writes.
        project: the project's path or number.
        id_: the project's id at the runner, frozen by the ledger's first event.
        bot: the runner's user name: what it writes is ours.
        seen: what this process has seen there before.
        since: since when that is good enough to look at; by default everything is asked for again.
    """

    def __init__(
        self,
        asking: Asking,
        *,
        project: str,
        id_: str,
        bot: str,
        seen: Seen | None = None,
        since: float = math.inf,
    ) -> None:
        self._asking = asking
        self._path = project
        self._id = id_
        self._bot = bot
        self._seen = seen or Seen()
        self._since = since
        self._as_bot = False
        self._later: dict[IssueId, dict[str, Any]] | None = None
        self._reviews: GitLabReviews | None = None
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
    def reviews(self) -> GitLabReviews:
        """Merge requests."""
        if self._reviews is None:
            self._reviews = GitLabReviews(self._asking, self._project, bot=self._bot, heads=self._seen.heads)
        return self._reviews

    @property
    def _project(self) -> Any:
        """The project by its number: python-gitlab encodes paths twice in some addresses."""
        projects = self._asking.client.projects
        if self._as_bot:
            self._check_token()
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
            told = found if isinstance(found, dict) else {}
            self._seen.me, self._seen.account = str(told.get("username", "")), str(told.get("id", ""))
        return PersonId(self._seen.me)

    def only_as_bot(self) -> None:
        """See that the token is the runner's: now, or before anything else is asked where GitLab is away now.

        Raises:
            OperatorError: if it is somebody else's.
        """
        self._as_bot = True
        with suppress(OutsideError):
            self._check_token()

    def _check_token(self) -> None:
        if self.me() != self._bot:
            hint = f"let the runner have a clone and a credential helper of its own, with the token of {self._bot}"
            wrong = f"the token is {self.me()}'s, and the runner is {self._bot}"
            raise OperatorError("opening GitLab as the runner", wrong, hint=hint)

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
        doing = f"writing a comment on issue {issue}"
        text = rows.kept(body, doing)
        place = self._place(issue)
        for said in self._read(issue).comments if unless else ():
            if said.author == self.me() and said.body.rstrip().endswith(unless):
                return said
        missing = f"there is no issue {issue}"
        made = self._asking.write(doing, lambda: place.notes.create({"body": text}), missing=missing)
        if made.get_id() is None or "author" not in made.attributes:
            wrong = "GitLab took it for quick actions alone, carried them out and kept no comment"
            raise RequestError(doing, wrong, hint="begin the line with /runbook, or add a word before it")
        written = rows.comment(issue, made.attributes, bot=self._bot)
        self._seen.wrote(issue, written)
        return written

    @contextmanager
    def together(self) -> Iterator[None]:
        """Comments are written at once; what changes an issue itself goes out at the end, in one request for each."""
        self._later = {}
        try:
            yield
            later = self._later
        finally:
            self._later = None
        for issue, given in later.items():
            self._change(issue, given)

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
        ask, missing = partial(place.notes.update, number, {"body": text}), "there is no such comment"
        row = self._asking.write(doing, ask, missing=missing)
        self._seen.wrote(comment.issue, rows.comment(comment.issue, row, bot=self._bot))

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
        if self._later is not None:
            self._later[issue] = rows.joined(self._later.get(issue, {}), given)
            return
        ask, missing = partial(self._project.issues.update, rows.number(issue), given), f"there is no issue {issue}"
        self._seen.changed(issue, self._asking.write(f"changing issue {issue}", ask, missing=missing))

    def link(self, *, commit: str, path: str) -> str:
        """The address of a file of the evidence."""
        _ = self._project
        return f"{self._seen.web}/-/blob/{commit}/{path}"
