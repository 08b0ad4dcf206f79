"""The forge on plain Git: issues and comments as signed files on a branch of the repository itself.

No server: everybody who can push can ask, and what a comment counts for depends on who signed it. Reading is cheap (one
`git cat-file`, and an issue that did not change is not read again); writing is one commit per entry. The format is in
`local_entry`, its checks in `local_thread`, the branch in `local_branch`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias, TypedDict

from runner.adapters.forge.local_branch import Addition, Branch
from runner.adapters.forge.local_entry import (
    NAMESPACE,
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
    file,
    number,
)
from runner.adapters.forge.local_reader import Reader
from runner.adapters.forge.local_thread import Read, Trust
from runner.adapters.forge.local_writer import Signs, Writer, as_bot, as_person
from runner.digest import SHORT, Digest
from runner.errors import RequestError
from runner.ports.forge import Comment, Issue, IssueId, PersonId, Thread
from runner.repository.commits import Author
from runner.repository.objects import Objects
from runner.repository.people import allowed_signers


class Place(TypedDict):
    """What every entry begins with."""

    project: str
    issue: int
    number: int
    author: str
    time: str
    nonce: str
    prev: Digest | None


Draft: TypeAlias = Callable[["Read | None", Place], "AnyEntry | None"]
"""Makes the next entry of an issue, or none if there is nothing to say."""


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
        self._trust = trust
        self._writer = writer
        self._now = now
        self._nonce = nonce

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
        # A round begins with this list: it is always the newest, and the threads read right after it need no fetch.
        listed = self._reader.all(self._branch.tip(fresh=0.0))
        return [issue for issue in listed if issue.open or not only_open]

    def thread(self, issue: IssueId) -> Thread:
        """Read one issue whole.

        Raises:
            RequestError: if there is no such issue.
            IntegrityError: naming the file, if it was tampered with.
        """
        return self._reader.one(issue, self._tip(issue)).thread

    def _tip(self, issue: IssueId) -> str | None:
        """A tip that has the issue: before saying that there is none, the remote is asked again."""
        tip = self._branch.tip()
        return tip if self._reader.has(issue, tip) else self._branch.tip(fresh=0.0)

    def open_issue(self, title: str, body: str, *, labels: frozenset[str] = frozenset()) -> Issue:
        """Create an issue, numbered by compare-and-swap."""
        title, body, names = checked_title(title), checked_body(body, doing="opening an issue"), checked_labels(labels)

        def draft(_: Read | None, place: Place) -> AnyEntry:
            return Open(**place, title=title, body=body, labels=names)

        opened = self._write(None, draft)
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

        written = self._write(issue, draft)
        wanted = f"{issue}/{written.number}" if written else ""
        return next(one for one in self.thread(issue).comments if (one.id == wanted if wanted else said(one)))

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

        self._write(comment.issue, draft)

    def label(self, issue: IssueId, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add and remove labels in one entry; a change that changes nothing writes nothing."""
        checked_labels(add)

        def draft(old: Read | None, place: Place) -> AnyEntry | None:
            has = old.thread.issue.labels if old else frozenset()
            more, less = tuple(sorted(add - has)), tuple(sorted((remove & has) - add))
            return Label(**place, add=more, remove=less) if more or less else None

        self._write(issue, draft)

    def close(self, issue: IssueId) -> None:
        """Close an issue; closing a closed one does nothing."""
        self._write(issue, lambda old, place: Close(**place) if old and old.thread.issue.open else None)

    def reopen(self, issue: IssueId) -> None:
        """Reopen an issue; reopening an open one does nothing."""
        self._write(issue, lambda old, place: Reopen(**place) if old and not old.thread.issue.open else None)

    def is_member(self, person: PersonId) -> bool:
        """Whether `allowed_signers` names this person; ask a forge that was opened at the newest commit."""
        return person in self._trust.people

    def link(self, *, commit: str, path: str) -> str:
        """The command that shows a file of the evidence."""
        return f"git show {commit[:SHORT]}:{path}"

    def _write(self, issue: IssueId | None, draft: Draft) -> AnyEntry | None:
        """Write the next entry of an issue, or a new issue; numbered and signed again after a lost race."""
        written: AnyEntry | None = None
        self.me()
        signer = self._writer.signer()
        nonce = self._nonce()
        if issue is not None:
            self._tip(issue)

        def build(tip: str | None) -> Addition | None:
            nonlocal written
            old = self._reader.one(issue, tip) if issue is not None else None
            at = int(old.thread.issue.id) if old else self._reader.last(tip) + 1
            written = draft(old, self._place(at, old, nonce=nonce))
            if written is None:
                return None
            payload = written.to_bytes()
            armour = signer.sign_ssh(payload, namespace=NAMESPACE) if signer else None
            self._check_effect(written, old, payload=payload, armour=armour)
            path = file(at, written.number)
            files = {path: payload} | ({f"{path}.sig": armour.encode()} if armour else {})
            return Addition(
                files=files, message=f"{type(written).__name__} {at}/{written.number}\n\nRunbook-Issue: {at}\n"
            )

        self._branch.append(build, author=self._author)
        return written

    def _place(self, at: int, old: Read | None, *, nonce: str) -> Place:
        return Place(
            project=self.project,
            issue=at,
            number=old.entries if old else 0,
            author=self.me(),
            time=self._now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            nonce=nonce,
            prev=old.head if old else None,
        )

    def _check_effect(self, entry: AnyEntry, old: Read | None, *, payload: bytes, armour: str | None) -> None:
        """Refuse to write what would have no effect because nobody could verify it."""
        if isinstance(entry, Open | Remark) or old is None or not old.verified:
            return
        if not self._trust.judge(entry.author, payload=payload, signature=armour).verified:
            wrong = "your key is not in runbooks/allowed_signers, so this would have no effect on a verified issue"
            hint = "ask for your public key to be added to runbooks/allowed_signers"
            raise RequestError(f"changing issue {entry.issue}", wrong, hint=hint)

    def _author(self) -> Author:
        return Author(name=self._writer.name, email=self._writer.email, when=self._now())
