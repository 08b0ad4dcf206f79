"""Throwing the kill switch from the command line: the same comment that a person would write on any issue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.ledger.event import Event
    from runner.ports.forge import Comment, Forge
    from runner.wiring import Workspace


def switch(folder: Path, verb: str, *, words: tuple[str, ...], issue: str, as_json: bool) -> int:
    """Write `halt` or `unhalt` as a signed comment, and let this machine put it on record, if it may.

    Args:
        folder: the clone.
        verb: `halt` or `unhalt`.
        words: the reason.
        issue: where to say it; empty for an issue of its own.
        as_json: print as JSON.
    """
    from runner.approval import halting
    from runner.cli.supervise import REQUESTER_NEXT, answer, may_supervise, open_folder, reconcile

    workspace = open_folder(folder)
    comment = _said(workspace.forge_as_person(), issue, " ".join(["/runbook", verb, *words]) + "\n")
    value: dict[str, object] = {"issue": comment.issue, "comment": comment.id, "halted": None, "refused": ""}
    if not may_supervise(workspace):
        words_for_now = f"said in issue {comment.issue}; in force as soon as a runner reads it"
        emit(value, as_json=as_json, text=lambda: words_for_now)
        return 0
    reconcile(workspace, only=comment.issue, wait=False, quiet=as_json)
    done, halt = _standing(workspace, comment)
    refused = "" if done else answer(workspace, comment.issue, f"{comment.id}.1.{verb}")
    value |= {"halted": halt.seq if halt else None, "refused": refused}
    told = halting.words(halt) if halt else "starts are possible again"
    emit(value, as_json=as_json, text=lambda: refused or told)
    return 0 if done else REQUESTER_NEXT


def _said(forge: Forge, issue: str, body: str) -> Comment:
    """Write it into an issue, or into a new one."""
    from runner.ports.forge import IssueId

    if issue:
        return forge.comment(IssueId(issue), body)
    title = " ".join(body.removeprefix("/runbook ").split())[:200]
    return forge.thread(forge.open_issue(title.capitalize(), body).id).comments[0]


def _standing(workspace: Workspace, comment: Comment) -> tuple[bool, Event | None]:
    """Whether that comment is on record, and the halt in force."""
    from contextlib import closing

    from runner.ledger.bodies import Halt, Unhalt

    with closing(workspace.ledger()) as ledger:
        number = ledger.refresh(fetch=False).halted
        bodies = [event.body for event in ledger.cache.of_no_run()]
        halt = None if number is None else ledger.cache.event(number)
    return any(isinstance(one, Halt | Unhalt) and one.said.comment == comment.id for one in bodies), halt
