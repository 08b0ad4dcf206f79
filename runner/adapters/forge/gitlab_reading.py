"""Reading a GitLab project: its issues with their notes, as far as they have changed since this process read them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any, Self

from runner.adapters.forge import gitlab_rows as rows
from runner.adapters.forge.gitlab_people import was_assigned
from runner.adapters.forge.gitlab_seen import Notes, Seen
from runner.adapters.gitlab_asking import Asking
from runner.errors import RequestError
from runner.ports.forge import Comment, Issue, IssueId, Thread

_PAGE = 100
HANDS = 4
"""How many requests are on their way at once, at most: GitLab counts them all the same."""
FEW = 8
"""So many issues are read one after another."""
_REWRITTEN = "changed the description"
"""How GitLab's own note on an issue says that somebody changed the description."""


class Reading:
    """The part of the forge that reads issues. What was read since `_since` is good enough to look at."""

    _asking: Asking
    _bot: str
    _seen: Seen
    _since: float

    def __init__(self) -> None:
        self._listed = False
        super().__init__()

    @property
    def _project(self) -> Any:
        raise NotImplementedError

    def issues(self, *, only_open: bool = True) -> list[Issue]:
        """List issues, oldest first; of the open ones what has changed, and whoever lists twice asks twice."""
        if not only_open:
            return [rows.issue(row) for row in self._list({})]
        if self._listed or self._seen.asked < self._since:
            self._seen.bring_up_to_date(self._list, now=time.monotonic())
            self._read_ahead()
        self._listed = True
        return sorted(map(rows.issue, self._seen.open()), key=lambda one: (one.created, int(one.id)))

    def _read_ahead(self) -> None:
        """Read the notes of many open issues that have changed with several hands: each answer is waited for.

        What was read before GitLab had enough of it stays read.
        """
        changed = [IssueId(str(row["iid"])) for row in self._seen.open()]
        changed = [issue for issue in changed if self._seen.is_new(issue)]
        if len(changed) <= FEW:
            return
        enough = Event()
        hands = [self._hand() for _ in range(HANDS)]
        with ThreadPoolExecutor(HANDS) as pool:
            parts = [pool.submit(one._read_all, changed[at::HANDS], enough) for at, one in enumerate(hands)]  # noqa: SLF001
            try:
                for part in parts:
                    part.result()
            finally:
                enough.set()

    def _hand(self) -> Self:
        """Another one that reads what we see, for a thread of its own."""
        made = copy(self)
        made._asking = self._asking.another()  # noqa: SLF001 - another one of ourselves
        return made

    def _read_all(self, issues: Iterable[IssueId], enough: Event) -> None:
        for issue in issues:
            if enough.is_set():
                return
            try:
                self._read(issue)
            except RequestError:
                continue  # gone in between, which whoever asks for it is told

    def _list(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Issues by the moment when they were opened: what changes meanwhile stays in its place."""
        ask = partial(self._project.issues.list, get_all=True, per_page=_PAGE, order_by="created_at", sort="asc")
        return [dict(row.attributes) for row in self._asking.read("listing issues", partial(ask, **wanted))]

    def thread(self, issue: IssueId, *, fresh: bool = False) -> Thread:
        """Read one issue whole; what was read before is used again only if GitLab says that nothing changed since.

        Raises:
            RequestError: if there is no such issue.
        """
        # Also for a judgement the row may be as old as this look: GitLab notes down every change of a description, and
        # its notes are read again.
        row = self._seen.row(issue, since=self._since)
        if row is None:
            at, row = time.monotonic(), self._found(issue)
            self._seen.read[issue] = at
            self._seen.learn(row)
        notes = self._seen.notes.get(issue)
        if notes is None or fresh or notes.stamp != row["updated_at"]:
            notes = self._read(issue, stamp=row["updated_at"])
        first = self._judged(rows.description(row, bot=self._bot, edited=notes.rewritten))
        assigned = notes.assigned or was_assigned(row, ())
        return Thread(issue=rows.issue(row), comments=(first, *notes.comments), assigned=assigned)

    def _read(self, issue: IssueId, *, stamp: str = "") -> Notes:
        """Read the notes of an issue, which are at least as new as its row that is known."""
        stamp = stamp or self._seen.rows.get(issue, {}).get("updated_at", "")
        notes = self._notes(issue)
        read = Notes(
            stamp=stamp,
            comments=tuple(self._comment(issue, note.attributes) for note in notes if not note.system),
            rewritten=any(note.system and note.body.startswith(_REWRITTEN) for note in notes),
            assigned=was_assigned({}, notes),
        )
        self._seen.notes[issue] = read
        return read

    def _comment(self, issue: IssueId, row: dict[str, Any]) -> Comment:
        return self._judged(rows.comment(issue, row, bot=self._bot))

    def _judged(self, said: Comment) -> Comment:
        """Ours is what the runner's account wrote, where that is known: its name could be taken over too."""
        known = self._seen.me == self._bot and bool(self._seen.account)
        return replace(said, ours=False) if known and said.account != self._seen.account else said

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
