"""The kill switch, as a supervisor handles it: what was said about it anywhere, and what goes on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.approval import halting
from runner.approval.collect import key_of
from runner.approval.halting import Pulled, Switch, Switching
from runner.ledger.bodies import Halt, Unhalt
from runner.ledger.chain import Draft
from runner.ledger.event import ROOT, path
from runner.ledger.state import State
from runner.ports.forge import IssueId, Thread
from runner.publication import comments, markers
from runner.request import arguments as asked
from runner.request.command import BadCommand, Command
from runner.snapshot import Unheard
from runner.supervisor import confidence
from runner.supervisor.desk import Desk
from runner.supervisor.listening import refused


def pulled(
    desk: Desk, commands: Mapping[IssueId, Sequence[Command | BadCommand]], *, threads: Mapping[IssueId, Thread]
) -> tuple[Switching | None, list[Unheard]]:
    """What somebody said about the switch on any issue: what to record of it, and what gets an answer.

    Args:
        desk: policy, forge and ledger as they are now.
        commands: of each issue, as `commands_of` reads them.
        threads: those issues.
    """
    mine = [one for found in commands.values() for one in found if _throws(one)]
    if not mine:
        return None, []
    answered = frozenset().union(*(markers.answered(threads[one.comment.issue]) for one in mine))
    switch = Switch(
        policy=desk.policy,
        policy_commit=desk.workspace.main,
        forge=f"{desk.forge.name}:{desk.forge.project}",
        events=tuple(event for event in desk.ledger.cache.of_no_run() if isinstance(event.body, Halt | Unhalt)),
    )
    accounts = {(one.comment.author, one.comment.account) for one in mine}
    members = desk.members({name for name, _ in accounts}, accounts=accounts)
    found = halting.pull(switch, mine, members=members, answered=answered)
    record = found.record
    if record and threads[IssueId(record.issue)].issue.confidential:
        record = confidence.without_words(record)
    return record, _answers(found, threads)


def _throws(command: Command | BadCommand) -> bool:
    return isinstance(command, Command) and isinstance(command.args, asked.Halt | asked.Unhalt)


def throw(desk: Desk, body: Switching) -> bool:
    """Put a halt, or what lifts it, on record; once for each comment."""

    def build(state: State) -> list[Draft]:
        bodies = [event.body for event in desk.ledger.cache.of_no_run()]
        if any(isinstance(one, type(body)) and one.said.comment == body.said.comment for one in bodies):
            return []
        if isinstance(body, Unhalt) and body.halt != state.halted:
            return []
        # It adds no file, so it speaks of the record as it found it.
        about = ((path(state.seq).removeprefix(ROOT), state.head),)
        title = f"{type(body).__name__.lower()}: by {body.said.by}"
        trailers = (("Runbook-Issue", body.issue), ("Requested-By", body.said.by))
        return [Draft(body=body, run=None, title=title, about=about, trailers=trailers)]

    return bool(desk.ledger.append(build, writer=desk.writer, now=desk.now))


def _answers(found: Pulled, threads: Mapping[IssueId, Thread]) -> list[Unheard]:
    said = []
    for one in found.done:
        key, body = key_of(one.command), one.event.body
        line = (
            halting.words(one.event) if isinstance(body, Halt) else f"starts are possible again (event {one.event.seq})"
        )
        reply = comments.status_reply(key=key, lines=[line])
        said.append(Unheard(thread=threads[one.command.comment.issue], key=key, body=reply))
    return [*said, *(refused(threads[one.comment.issue], one) for one in found.refuse)]
