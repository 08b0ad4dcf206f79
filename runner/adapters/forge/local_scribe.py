"""The scribe of the plain-Git forge: writes entries, each by itself or several in one step.

An entry is numbered, linked and signed for one place in one issue, so it is made anew on every tip that is tried. What
is written together is one commit and one push; each entry is judged on the issue as it reads with those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, TypedDict

from runner.adapters.forge.local_branch import Addition, Branch
from runner.adapters.forge.local_entry import NAMESPACE, AnyEntry, Open, Remark, file, folder
from runner.adapters.forge.local_reader import Reader
from runner.adapters.forge.local_thread import Read, Trust, read
from runner.adapters.forge.local_writer import Signs, Writer
from runner.digest import Digest
from runner.errors import RequestError, RunbookError
from runner.ports.forge import IssueId
from runner.repository.commits import Author


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """An entry to be; no issue stands for a new one. The nonce stays the same however often it is tried."""

    issue: IssueId | None
    draft: Draft
    nonce: str


class Scribe:
    """Writes entries in one writer's name.

    Args:
        branch: where the issues are.
        reader: of the same branch.
        trust: whose signatures count.
        writer: who writes.
        now: the time, with a zone.
        nonce: an id that is never given twice.
    """

    def __init__(
        self,
        branch: Branch,
        reader: Reader,
        trust: Trust,
        *,
        writer: Writer,
        now: Callable[[], datetime],
        nonce: Callable[[], str],
    ) -> None:
        self._branch, self._reader, self._trust, self._writer = branch, reader, trust, writer
        self._now, self._nonce = now, nonce
        self._waiting: list[_Wish] | None = None

    @property
    def gathers(self) -> bool:
        """Whether entries are being kept for one step at the end."""
        return self._waiting is not None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep entries of issues that are there until the end of the block, and write them in one step.

        A block inside another one is part of it. If the block ends with an error, what was said before it is written.
        """
        if self._waiting is not None:
            yield
            return
        wishes = self._waiting = list[_Wish]()
        try:
            yield
        except Exception:
            self._waiting = None
            self._write(wishes)
            raise
        finally:
            self._waiting = None
        self._write(wishes)

    def write(self, issue: IssueId | None, draft: Draft) -> AnyEntry | None:
        """Write the next entry of an issue, or a new issue; numbered and signed again after a lost race.

        Returns:
            The entry; None if there was nothing to write, or it is kept until the end of `together`.
        """
        self._writer.person()
        wish = _Wish(issue=issue, draft=draft, nonce=self._nonce())
        if issue is not None and self._waiting is not None:
            self._waiting.append(wish)
            return None
        written = self._write([wish])
        return written[0] if written else None

    def tip(self, issue: IssueId) -> str | None:
        """A tip that has the issue: before saying that there is none, the remote is asked again."""
        tip = self._branch.tip()
        return tip if self._reader.has(issue, tip) else self._branch.tip(fresh=0.0)

    def _write(self, wishes: Sequence[_Wish]) -> tuple[AnyEntry, ...]:
        """Write what is wished for; one that cannot be written keeps the others from nothing, and is told at the end.

        Raises:
            RunbookError: why the first of those could not be written.
        """
        if not wishes:
            return ()
        signer = self._writer.signer()
        for issue in {wish.issue for wish in wishes if wish.issue is not None}:
            self.tip(issue)
        page = _Page(self._reader, self._trust)

        def build(tip: str | None) -> Addition | None:
            nonlocal page
            page = _Page(self._reader, self._trust, tip=tip)
            for wish in wishes:
                try:
                    self._add(page, wish, signer=signer)
                except RunbookError as error:
                    page.failed.append(error)
            return page.addition()

        self._branch.append(build, author=self._author)
        if page.failed:
            raise page.failed[0]
        return tuple(page.entries)

    def _add(self, page: _Page, wish: _Wish, *, signer: Signs | None) -> None:
        old = page.issue(wish.issue) if wish.issue is not None else None
        at = int(old.thread.issue.id) if old else page.last + 1
        entry = wish.draft(old, self._place(at, old, nonce=wish.nonce))
        if entry is None:
            return
        payload = entry.to_bytes()
        armour = signer.sign_ssh(payload, namespace=NAMESPACE) if signer else None
        self._check_effect(entry, old, payload=payload, armour=armour)
        page.add(entry, payload=payload, armour=armour)

    def _place(self, at: int, old: Read | None, *, nonce: str) -> Place:
        return Place(
            project=self._trust.project,
            issue=at,
            number=old.entries if old else 0,
            author=self._writer.person(),
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


class _Page:
    """What is to be added on one tip, and how the issues read with it."""

    def __init__(self, reader: Reader, trust: Trust, *, tip: str | None = None) -> None:
        self._reader, self._trust, self._tip = reader, trust, tip
        self._files: dict[str, bytes] = {}
        self._changed: dict[str, Read | None] = {}
        self.entries: list[AnyEntry] = []
        self.failed: list[RunbookError] = []

    @property
    def last(self) -> int:
        """The highest number of an issue so far."""
        return max([self._reader.last(self._tip), *(entry.issue for entry in self.entries)])

    def issue(self, issue: IssueId) -> Read:
        """An issue as it reads with everything that was added here."""
        if issue not in self._changed:
            return self._reader.one(issue, self._tip)
        known = self._changed[issue]
        if known is None:
            at = int(issue)
            here = {name.rpartition("/")[2]: data for name, data in self._files.items() if name.startswith(folder(at))}
            known = read(at, {**self._reader.files(issue, self._tip), **here}, trust=self._trust)
            self._changed[issue] = known
        return known

    def add(self, entry: AnyEntry, *, payload: bytes, armour: str | None) -> None:
        """Take an entry in."""
        path = file(entry.issue, entry.number)
        self._files |= {path: payload} | ({f"{path}.sig": armour.encode()} if armour else {})
        self._changed[IssueId(str(entry.issue))] = None
        self.entries.append(entry)

    def addition(self) -> Addition | None:
        """All of it as one commit; None if there is nothing."""
        if not self.entries:
            return None
        title = ", ".join(f"{type(entry).__name__} {entry.issue}/{entry.number}" for entry in self.entries)
        issues = "".join(f"Runbook-Issue: {at}\n" for at in dict.fromkeys(entry.issue for entry in self.entries))
        return Addition(files=self._files, message=f"{title}\n\n{issues}")
