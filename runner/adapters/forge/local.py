"""The forge on plain Git: issues and comments as signed files on a branch of the repository itself.

No server: everybody who can push can ask, and what a comment counts for depends on who signed it. Reading is cheap (one
`git cat-file`, and an issue that did not change is not read again); writing is one commit per step. The format is in
`local_entry`, its checks in `local_thread`, how entries are written in `local_scribe`, the branch in `local_branch`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from runner.adapters.forge.local_branch import Branch
from runner.adapters.forge.local_entry import (
    AnyEntry,
    Close,
    Edit,
    Label,
    Open,
    Remark,
    Reopen,
    checked_body,
    checked_labels,
    checked_title,
    number,
)
from runner.adapters.forge.local_reader import Reader
from runner.adapters.forge.local_review import LocalReviews
from runner.adapters.forge.local_scribe import Place, Scribe
from runner.adapters.forge.local_thread import Read, Trust
from runner.adapters.forge.local_writer import Signs, Writer, as_bot, as_person
from runner.digest import SHORT
from runner.errors import RequestError
from runner.ports.forge import Comment, CommentId, FreezePeriod, Issue, IssueId, PersonId, Thread
from runner.repository.objects import Objects
from runner.repository.people import allowed_signers


class LocalForge:
    """The `Forge` port on a branch.

    Args:
        branch: where the issues are.
        trust: whose signatures count.
        writer: who writes through this adapter.
        now: the time, with a zone.
        nonce: an id that is never given twice.
    """

    def __init__(
        self,
        branch: Branch,
        *,
        trust: Trust,
        writer: Writer,
        now: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._branch = branch
        self._reader = Reader(branch, trust)
        self._reviews = LocalReviews(branch.objects, people=trust.people)
        self._trust = trust
        self._writer = writer
        self._scribe = Scribe(branch, self._reader, trust, writer=writer, now=now, nonce=nonce)
        self._now = now

    @classmethod
    def for_person(
        cls,
        objects: Objects,
        *,
        project: str,
        branch: str,
        signers: str,
        bot: str,
        bot_keys: tuple[str, ...],
        now: Callable[[], datetime],
        signer: Callable[[], Signs | None],
        fetched: bool = False,
    ) -> LocalForge:
        """Open the forge as the person whom Git's configuration names.

        Args:
            objects: a reader of the clone.
            project: the project's id.
            branch: where the issues are.
            signers: the text of `runbooks/allowed_signers` at the protected branch.
            bot: the runner's name.
            bot_keys: the runner's public keys.
            now: the time.
            signer: finds the person's key when it is needed; None writes unsigned entries, which are never verified.
            fetched: whether the branch was fetched just now.
        """
        trust = Trust(project=project, people=allowed_signers(signers), bot=bot, bot_keys=bot_keys)
        writer = as_person(objects.repository, trust, signer=signer)
        return cls(Branch(objects, branch, fetched=fetched), trust=trust, writer=writer, now=now)

    @classmethod
    def for_bot(
        cls,
        objects: Objects,
        *,
        project: str,
        branch: str,
        signers: str,
        bot: str,
        bot_keys: tuple[str, ...],
        now: Callable[[], datetime],
        signer: Signs,
        fetched: bool = False,
    ) -> LocalForge:
        """Open the forge as the runner itself; the arguments are those of `for_person`, with the runner's own key."""
        trust = Trust(project=project, people=allowed_signers(signers), bot=bot, bot_keys=bot_keys)
        place = Branch(objects, branch, fetched=fetched)
        return cls(place, trust=trust, writer=as_bot(trust, signer=signer), now=now)

    @property
    def reviews(self) -> LocalReviews:
        """Branches, and what is merged of them."""
        return self._reviews

    @property
    def name(self) -> str:
        """`local`."""
        return "local"

    @property
    def project(self) -> str:
        """The project's id."""
        return self._trust.project

    def me(self) -> PersonId:
        """Who writes: the runner, or the person whose address Git's configuration names.

        Raises:
            OperatorError: if it names none.
        """
        return self._writer.person()

    def issues(self, *, only_open: bool = True) -> list[Issue]:
        """List issues, oldest first. One that cannot be read is listed as open, with the reason as its title.

        Raises:
            OutsideError: if the remote does not answer.
            IntegrityError: if the branch was rewritten.
        """
        listed = self._reader.all(self._branch.tip())
        return [issue for issue in listed if issue.open or not only_open]

    def thread(self, issue: IssueId, *, fresh: bool = False) -> Thread:  # noqa: ARG002 - a branch is read anew anyway
        """Read one issue whole.

        Raises:
            RequestError: if there is no such issue.
            IntegrityError: naming the file, if it was tampered with.
        """
        return self._reader.one(issue, self._scribe.tip(issue)).thread

    def open_issue(self, title: str, body: str, *, labels: frozenset[str] = frozenset()) -> Issue:
        """Create an issue, numbered by compare-and-swap."""
        title, body, names = checked_title(title), checked_body(body, doing="opening an issue"), checked_labels(labels)

        def draft(_: Read | None, place: Place) -> AnyEntry:
            return Open(**place, title=title, body=body, labels=names)

        opened = self._scribe.write(None, draft)
        return self.thread(IssueId(str(opened.issue) if opened else "")).issue

    def comment(self, issue: IssueId, body: str, *, unless: str = "") -> Comment:
        """Add a comment; with `unless`, only where none of our own ends with that marker, judged at every attempt."""
        body = checked_body(body)
        if not body.strip():
            raise RequestError("writing a comment", "it is empty", hint="say something")

        def said(one: Comment) -> bool:
            return one.ours and bool(unless) and one.body.rstrip().endswith(unless)

        def draft(old: Read | None, place: Place) -> AnyEntry | None:
            there = old is not None and any(said(one) for one in old.thread.comments)
            return None if there else Remark(**place, body=body)

        written = self._scribe.write(issue, draft)
        if self._scribe.gathers:
            return self._promised(issue, body)
        wanted = f"{issue}/{written.number}" if written else ""
        return next(one for one in self.thread(issue).comments if (one.id == wanted if wanted else said(one)))

    def _promised(self, issue: IssueId, body: str) -> Comment:
        """A comment that is written at the end of `together`; it has no id yet."""
        created, ours = self._now(), self._writer.bot
        return Comment(
            id=CommentId(""), issue=issue, author=self.me(), body=body, created=created, verified=ours, ours=ours
        )

    def together(self) -> AbstractContextManager[None]:
        """Write everything that is said inside in one commit and one push at the end."""
        return self._scribe.together()

    @property
    def renders(self) -> bool:
        """No: they are read in a terminal."""
        return False

    def attach(self, name: str, data: bytes) -> str:  # noqa: ARG002 - the port's words
        """Nothing is shown beside the text here: files are in the evidence."""
        return ""

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of one of our own comments; the same text again writes nothing.

        Raises:
            RequestError: if it is somebody else's, or not verifiably ours.
        """
        body = checked_body(body)
        at = number(comment.id.partition("/")[2].zfill(5))

        def draft(old: Read | None, place: Place) -> AnyEntry | None:
            comments = old.thread.comments if old else ()
            now = next((one for one in comments if one.id == comment.id), None)
            if now is None or at is None or now.author != self.me() or (now.ours is not self._writer.bot):
                hint = "people change only what they wrote themselves"
                raise RequestError(f"editing comment {comment.id}", "it is not one of yours", hint=hint)
            return None if now.body == body else Edit(**place, comment=at, body=body)

        self._scribe.write(comment.issue, draft)

    def label(self, issue: IssueId, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add and remove labels in one entry; a change that changes nothing writes nothing."""
        checked_labels(add)

        def draft(old: Read | None, place: Place) -> AnyEntry | None:
            has = old.thread.issue.labels if old else frozenset()
            more, less = tuple(sorted(add - has)), tuple(sorted((remove & has) - add))
            return Label(**place, add=more, remove=less) if more or less else None

        self._scribe.write(issue, draft)

    def people(self, name: str) -> tuple[PersonId, ...]:  # noqa: ARG002 - nobody can be assigned here
        """Nobody: issues on plain Git have no assignees."""
        return ()

    def load(self, people: Collection[PersonId]) -> Mapping[PersonId, int]:
        """Nothing for anybody: issues on plain Git have no assignees."""
        return dict.fromkeys(people, 0)

    def assign(self, issue: IssueId, person: PersonId) -> None:
        """Nothing: issues on plain Git have no assignees."""

    def relate(self, issue: IssueId, others: Collection[IssueId]) -> frozenset[IssueId]:
        """Say which of these issues are there: on plain Git a link is its number in a comment, and all may read all."""
        return frozenset(one.id for one in self.issues(only_open=False) if one.id in others and one.id != issue)

    def freezes(self, *, fresh: bool = False) -> tuple[FreezePeriod, ...]:  # noqa: ARG002 - there are none to ask for
        """None: on plain Git policy alone says when nothing may start."""
        return ()

    def close(self, issue: IssueId) -> None:
        """Close an issue; closing a closed one does nothing."""
        self._scribe.write(issue, lambda old, place: Close(**place) if old and old.thread.issue.open else None)

    def reopen(self, issue: IssueId) -> None:
        """Reopen an issue; reopening an open one does nothing."""
        self._scribe.write(issue, lambda old, place: Reopen(**place) if old and not old.thread.issue.open else None)

    def is_member(self, person: PersonId, *, account: str = "") -> bool:
        """Whether `allowed_signers` names this person; ask a forge that was opened at the newest commit.

        There are no accounts: a name is its keys, so whoever is asked for by an account is nobody.
        """
        return not account and person in self._trust.people

    def members(self, people: Iterable[PersonId], *, lately: bool = False) -> Mapping[PersonId, str]:  # noqa: ARG002
        """Those of some people whom `allowed_signers` named when this was opened; there are no accounts."""
        return {person: "" for person in people if person in self._trust.people}

    def link(self, *, commit: str, path: str) -> str:
        """The command that shows a file of the evidence."""
        return f"git show {commit[:SHORT]}:{path}"
