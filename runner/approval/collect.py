"""From commands on an issue to what goes into the record, and to refusals with their reasons. Pure; nothing is written.

Called with everything that is on the issue, again and again: what the record or an answer already has is passed over,
so that repeating it changes nothing. A refused command stays refused: whoever wants to try again writes a new comment.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from runner.approval.approval import Approval, approvals
from runner.approval.rights import Actor, may
from runner.approval.rules import Policy
from runner.approval.rules import Resume as Needs
from runner.digest import SHORT
from runner.ledger.bodies import Approve, Body, Cancel, Interrupt, Reject, Resolve, Resume, Revoke, Said
from runner.plan.plan import Plan
from runner.plan.run import NEW, SAME, Run, may_follow
from runner.ports.forge import Comment, PersonId, Thread
from runner.request import arguments as asked
from runner.request.command import BadCommand, Command, Verb, commands

Recordable: TypeAlias = Approve | Revoke | Reject | Cancel | Resolve | Resume
Done: TypeAlias = asked.Approve | asked.Revoke | asked.Reject | asked.Cancel | asked.Resolve | asked.Resume
"""Arguments of the verbs that do something to a run."""

_ENDING = Reject | Cancel | Resolve
_EDITED = "an edited comment never counts; write it in a new comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A run of this issue: its state, its plan, and its events as (number, time, body)."""

    run: Run
    plan: Plan
    events: tuple[tuple[int, str, Body], ...]

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """The approvals that were recorded so far."""
        return approvals(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event to append for a run. `key` is the command's."""

    run: str
    body: Recordable
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that is not carried out. `key` makes the answer be given once; `reason` is a plain sentence."""

    key: str
    comment: Comment
    verb: str
    reason: str
    hint: str = ""


@dataclass(slots=True)
class Collected:
    """What came out: events to append, in this order, and refusals to answer."""

    record: list[Record] = field(default_factory=list)
    refuse: list[Refusal] = field(default_factory=list)


class _RefusedError(Exception):
    """Carries a refusal's reason up to where the refusal is made."""


def key_of(command: Command | BadCommand) -> str:
    """Name a command for good: its comment and its place there."""
    verb = command.verb.value if isinstance(command, Command) else "unread"
    return re.sub(r"[^A-Za-z0-9./:]", "_", f"{command.comment.id}.{command.ordinal}.{verb}")


def said(comment: Comment) -> Said:
    """Keep a person's words for the record; payload and signature are base64."""
    proof = comment.proof
    return Said(
        by=comment.author,
        comment=comment.id,
        verified=comment.verified,
        payload=b64encode(proof.payload).decode() if proof else None,
        signature=b64encode(proof.signature.encode()).decode() if proof else None,
    )


def commands_of(thread: Thread, *, bot: str) -> tuple[Command | BadCommand, ...]:
    """Read every command of an issue, those of edited comments too, so that their authors can be answered.

    The edited ones still have `comment.edited`, and `collect` refuses them; nobody else may act on them.
    """
    found: list[Command | BadCommand] = []
    for comment in thread.comments:
        if not comment.ours:
            read = commands(replace(comment, edited=False), bot=bot)
            found += [replace(command, comment=comment) for command in read]
    return tuple(found)


def collect(
    policy: Policy,
    commands: Iterable[Command | BadCommand],
    *,
    runs: Sequence[Known],
    members: frozenset[PersonId],
    answered: frozenset[str] = frozenset(),
) -> Collected:
    """Sort the commands on one issue into events to record and refusals to answer.

    Args:
        policy: the newest policy.
        commands: all commands of the issue, in order. `run`, `status` and `help` are left to others, except that an
            edited `run` which made no plan is refused; lines that could not be read are refused as they say.
        runs: the runs that were requested on this issue, oldest first.
        members: of the commands' authors, those who are members of the project now.
        answered: keys of commands that have their answer on the issue already.
    """
    collected = Collected()
    for command in commands:
        if command.comment.ours or key_of(command) in answered:
            continue
        if isinstance(command, BadCommand):
            _refuse(collected, command, command.why, hint=command.hint)
        elif isinstance(command.args, Done):
            _one(policy, command, command.args, collected=collected, runs=runs, members=members)
        elif command.verb is Verb.RUN and command.comment.edited and not _made_a_plan(command, runs):
            _refuse(collected, command, _EDITED)
    return collected


def _one(
    policy: Policy,
    command: Command,
    args: Done,
    *,
    collected: Collected,
    runs: Sequence[Known],
    members: frozenset[PersonId],
) -> None:
    try:
        known = _meant(args, runs)
        body = _body(args, known, command.comment, policy=policy)
        if _is_recorded(known, command) or _is_repeated(collected, known, body):
            return
        if _is_being_resumed(collected, known):  # what is said of the next attempt is judged when that is on record
            return
        _judge(policy, command, body, known=known, members=members)
    except _RefusedError as refused:
        _refuse(collected, command, _EDITED if command.comment.edited else str(refused))
        if isinstance(args, asked.Revoke):
            _take_back(collected, command, args)
        return
    # An earlier command of this pass may move the run: this one is judged again when that is on record.
    if not any(record.run == known.run.id and isinstance(record.body, _ENDING) for record in collected.record):
        collected.record.append(Record(run=known.run.id, body=body, key=key_of(command)))


def _judge(policy: Policy, command: Command, body: Recordable, *, known: Known, members: frozenset[PersonId]) -> None:
    comment = command.comment
    if comment.edited:  # 1: nobody knows what it said when others read it
        raise _RefusedError(_EDITED)
    if not may_follow(known.run, body):  # 2: too late, or too early
        raise _RefusedError(f"run {known.run.id} is {known.run.state.value}, too late or too early for this")
    if isinstance(body, Approve) and not known.run.approvable:  # 3: what could not be rehearsed
        raise _RefusedError("its rehearsal failed, and what could not be rehearsed cannot be approved")
    actor = Actor(person=comment.author, verified=comment.verified, member=comment.author in members)
    decision = may(policy, command.verb, actor=actor, plan=known.plan, approvals=known.approvals)
    if not decision.allowed:  # 4: not this person
        raise _RefusedError(decision.reasons[0])
    if isinstance(body, Revoke) and not body.approval:  # 5: nothing to take back
        raise _RefusedError(f"there is no approval by {comment.author} to take back")


def _meant(args: Done, runs: Sequence[Known]) -> Known:
    """Find the run that a command speaks of; `cancel` may leave it out where only one can be meant."""
    match args:
        case asked.Approve() | asked.Revoke() | asked.Reject():
            return _by_digest(args.digest, runs)
        case asked.Resolve() | asked.Resume():
            return _by_id(args.run, runs)
        case asked.Cancel(which=""):
            possible = [known for known in runs if not known.run.over]
            if len(possible) != 1:
                raise _RefusedError(f"it has to name the run. {_current(runs)}")
            return possible[0]
        case asked.Cancel():
            return _by_id(args.which, runs) if "-" in args.which else _by_digest(args.which, runs)
    assert_never(args)


def _by_id(run: str, runs: Sequence[Known]) -> Known:
    found = next((known for known in runs if known.run.id == run), None)
    if found is None:
        raise _RefusedError(f"no run of this issue is {run}. {_current(runs)}")
    return found


def _by_digest(prefix: str, runs: Sequence[Known]) -> Known:
    found = [known for known in runs if len(prefix) >= SHORT and known.run.digest.startswith(prefix)]
    if len(found) > 1:
        raise _RefusedError(f"{prefix} fits {len(found)} plans; write more digits")
    if not found:
        raise _RefusedError(f"no plan of this issue begins with {prefix}. {_current(runs)}")
    return found[0]


def _current(runs: Sequence[Known]) -> str:
    waiting = [known for known in runs if not known.run.over]
    if not waiting:
        return "No plan is waiting here now."
    told = ", ".join(f"{known.run.digest[:SHORT]} ({known.run.id}, {known.run.state.value})" for known in waiting)
    return f"The current plan is {told}." if len(waiting) == 1 else f"The current plans are {told}."


def _body(args: Done, known: Known, comment: Comment, *, policy: Policy) -> Recordable:
    digest, words = known.run.digest, said(comment)
    match args:
        case asked.Approve():
            return Approve(plan_digest=digest, said=words, reason=args.reason)
        case asked.Revoke():
            mine = [one.number for one in known.approvals if one.by == comment.author and not one.fault]
            return Revoke(plan_digest=digest, approval=mine[-1] if mine else 0, said=words, reason=args.reason)
        case asked.Reject():
            return Reject(plan_digest=digest, said=words, reason=args.reason)
        case asked.Cancel():
            return Cancel(plan_digest=digest, mode=args.mode.value, said=words, reason=args.reason)
        case asked.Resolve():
            interrupts = [number for number, _, body in known.events if isinstance(body, Interrupt)]
            number = interrupts[-1] if interrupts else 0
            return Resolve(interrupt=number, decision=args.decision, said=words, reason=args.reason)
        case asked.Resume():
            plan, attempt = known.plan, known.run.attempt + 1
            needs = policy.resumes(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
            approval = SAME if needs is Needs.SAME_APPROVAL else NEW
            return Resume(plan_digest=digest, attempt=attempt, approval=approval, said=words, reason=args.reason)
    assert_never(args)


def _is_recorded(known: Known, command: Command) -> bool:
    heard = (body for _, _, body in known.events if isinstance(body, Recordable))
    return any(_same(body, command.args) and body.said.comment == command.comment.id for body in heard)


def _is_repeated(collected: Collected, known: Known, body: Recordable) -> bool:
    mine = (record.body for record in collected.record if record.run == known.run.id)
    return any(type(one) is type(body) and one.said.comment == body.said.comment for one in mine)


def _is_being_resumed(collected: Collected, known: Known) -> bool:
    return any(one.run == known.run.id and isinstance(one.body, Resume) for one in collected.record)


def _same(body: Recordable, args: asked.Arguments) -> bool:
    return type(body).__name__ == type(args).__name__


def _made_a_plan(command: Command, runs: Sequence[Known]) -> bool:
    return any(known.plan.requested.comment == command.comment.id for known in runs)


def _refuse(collected: Collected, command: Command | BadCommand, reason: str, *, hint: str = "") -> None:
    verb = command.verb.value if isinstance(command, Command) else command.line
    refusal = Refusal(key=key_of(command), comment=command.comment, verb=verb, reason=reason, hint=hint)
    collected.refuse.append(refusal)


def _take_back(collected: Collected, command: Command, args: asked.Revoke) -> None:
    """A yes that its author took back before it was recorded must not be recorded in between."""
    for record in list(collected.record):
        yes = record.body
        if not isinstance(yes, Approve) or yes.said.by != command.comment.author:
            continue
        if yes.plan_digest.startswith(args.digest):
            collected.record.remove(record)
            reason = "it was taken back before it was recorded"
            refusal = Refusal(key=record.key, comment=command.comment, verb="approve", reason=reason)
            collected.refuse.append(refusal)
