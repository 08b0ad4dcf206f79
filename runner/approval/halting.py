"""The kill switch: from `halt` and `unhalt` on any issue to what goes on record. Pure; nothing is written.

It fails closed. A halt is taken whenever somebody whom policy names says it, on top of another one too; only the newest
halt can be lifted, and only by words that were written after it: nobody lifts a halt that they have not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from runner.approval.collect import EDITED, Refusal, key_of, said
from runner.approval.rights import Actor, may_halt
from runner.approval.rules import Policy
from runner.ledger.bodies import Halt, Unhalt
from runner.ledger.event import Event
from runner.ports.forge import Comment, PersonId
from runner.request import arguments as asked
from runner.request.command import BadCommand, Command

Switching: TypeAlias = Halt | Unhalt


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A command that is on record: its author is told so, once."""

    command: Command
    event: Event


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What came of all commands that halt or unhalt. At most one is to be recorded; later ones are judged after it."""

    record: Switching | None = None
    done: list[Switched] = field(default_factory=list)
    refuse: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """How the switch stands, by the newest policy. `events` are all halts and unhalts on record, in order.

    `forge` is the forge's name and the project's id there: how the keys of its commands begin.
    """

    policy: Policy
    policy_commit: str
    forge: str
    events: Sequence[Event]

    @property
    def halt(self) -> Event | None:
        """The halt in force, if there is one."""
        last = self.events[-1] if self.events else None
        return last if last and isinstance(last.body, Halt) else None


def pull(
    switch: Switch,
    commands: Iterable[Command | BadCommand],
    *,
    members: frozenset[PersonId],
    answered: frozenset[str] = frozenset(),
) -> Pulled:
    """Sort the commands of all issues that halt or unhalt.

    Args:
        switch: as it stands on record.
        commands: of any issue, in any order; what else they say is left to others.
        members: of the commands' authors, those who are members of the project now.
        answered: keys of commands that have their answer on the issue already.
    """
    pulled = Pulled()
    mine = [one for one in commands if isinstance(one, Command) and isinstance(one.args, asked.Halt | asked.Unhalt)]
    for command in sorted(mine, key=lambda one: (one.comment.created, one.comment.id, one.ordinal)):
        if command.comment.ours or key_of(command) in answered:
            continue
        event = _recorded(switch, command)
        if event:
            pulled.done.append(Switched(command=command, event=event))
        elif pulled.record is None:
            reason = _refusal(switch, command, members=members)
            if reason:
                refusal = Refusal(key=key_of(command), comment=command.comment, verb=command.verb.value, reason=reason)
                pulled.refuse.append(refusal)
            else:
                pulled.record = _body(switch, command)
    return pulled


def _refusal(switch: Switch, command: Command, *, members: frozenset[PersonId]) -> str:
    comment = command.comment
    if comment.edited:  # 1: nobody knows what it said when others read it
        return EDITED
    actor = Actor(person=comment.author, verified=comment.verified, member=comment.author in members)
    decision = may_halt(switch.policy, actor)
    if not decision.allowed:  # 2: not this person
        return decision.reasons[0]
    return "" if isinstance(command.args, asked.Halt) else _not_to_be_lifted(switch.halt, comment)


def _not_to_be_lifted(halt: Event | None, comment: Comment) -> str:
    if halt is None:  # 3: there is nothing to lift
        return "nothing is halted"
    if comment.created < halt.when:  # 4: it cannot have been meant
        return f"event {halt.seq} halted everything after this was written; look why, then write it again"
    return ""


def _body(switch: Switch, command: Command) -> Switching:
    comment, commit = command.comment, switch.policy_commit
    key, words = f"{switch.forge}:{comment.id}:{command.ordinal}", said(comment)
    if isinstance(command.args, asked.Halt):
        reason = command.args.reason
        return Halt(request_key=key, policy_commit=commit, issue=comment.issue, said=words, reason=reason)
    reason = command.args.reason if isinstance(command.args, asked.Unhalt) else ""
    number = switch.halt.seq if switch.halt else -1
    return Unhalt(halt=number, request_key=key, policy_commit=commit, issue=comment.issue, said=words, reason=reason)


def _recorded(switch: Switch, command: Command) -> Event | None:
    kind = Halt if isinstance(command.args, asked.Halt) else Unhalt
    for event in switch.events:
        if isinstance(event.body, kind) and event.body.said.comment == command.comment.id:
            return event
    return None


def words(halt: Event) -> str:
    """A halt in one line, for people."""
    body = halt.body
    by, reason = (body.said.by, body.reason) if isinstance(body, Halt) else ("somebody", "")
    return f"nothing starts: {by} halted everything (event {halt.seq}): {reason}"
