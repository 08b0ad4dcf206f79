"""Saying something about a run from the command line: the same comment that a person would write on the issue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.output import emit
from runner.errors import RequestError

if TYPE_CHECKING:
    from runner.plan.run import Run
    from runner.wiring import Workspace

SHORTEST = 12


def say(folder: Path, verb: str, which: str, *, words: tuple[str, ...], as_json: bool) -> int:
    """Write the command as a signed comment on the run's issue, and let this machine do what follows, if it may.

    Args:
        folder: the clone.
        verb: of the command grammar.
        which: a run's id or a plan's digest, which may be cut.
        words: what follows in the command.
        as_json: print as JSON.

    Raises:
        RequestError: if no run, or more than one, is meant.
    """
    from runner.cli.supervise import (
        APPROVER_NEXT,
        REQUESTER_NEXT,
        answer,
        exit_code,
        may_supervise,
        open_folder,
        reconcile,
        standing,
        told,
    )
    from runner.ports.forge import IssueId

    workspace = open_folder(folder)
    run = find(workspace, which)
    name = run.id if verb in {"resolve", "resume", "answer"} else run.digest[:SHORTEST]
    issue = IssueId(run.plan.issue)
    deaf = verb == "resume" or (run.over and not may_supervise(workspace))
    if deaf and not workspace.forge_as_person().thread(issue).issue.open:
        # What is said on the closed issue of a run that is over is not heard; who supervises hears themselves.
        hint = "reopen it, or ask anew in another one"
        raise RequestError(f"saying {verb} about {run.id}", "its issue is closed", hint=hint)
    comment = workspace.forge_as_person().comment(issue, " ".join(["/runbook", verb, name, *words]) + "\n")
    if not may_supervise(workspace):
        said = f"said in issue {issue}, comment {comment.id}"
        value = {"issue": issue, "comment": comment.id, "runs": [], "refused": ""}
        emit(value, as_json=as_json, text=lambda: said)
        return 0
    snapshot = reconcile(workspace, only=issue, quiet=as_json)
    mine = [known for known in snapshot.runs if known.run.id == run.id]
    refused = answer(workspace, issue, f"{comment.id}.1.{verb}")
    standings = [standing(known) for known in mine]
    said_and_done: dict[str, object] = {"issue": issue, "comment": comment.id, "runs": standings, "refused": refused}
    emit(said_and_done, as_json=as_json, text=lambda: refused or told(standings))
    if refused:
        return APPROVER_NEXT if verb == "approve" else REQUESTER_NEXT
    return exit_code(mine)


def find(workspace: Workspace, which: str) -> Run:
    """The run that an id, the end of one, or a digest means.

    Raises:
        RequestError: if there is none, or more than one.
    """
    from runner.plan.run import fold

    ledger = workspace.ledger()
    ledger.refresh()
    ids = ledger.cache.runs(which) or ledger.cache.planned(which)
    if len(ids) != 1:
        wrong = f"{len(ids)} runs fit" if ids else "no run has this id or plan digest"
        raise RequestError(f"finding the run {which!r}", wrong, hint="see: runbook log")
    return fold(ledger.cache.events(ids[0]))
