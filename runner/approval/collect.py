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

from runner.approval import answers
from runner.approval.meant import Done, Known, RefusedError, meant
from runner.approval.rights import Actor, may, own
from runner.approval.rules import ANYBODY, Policy
from runner.approval.rules import Resume as Needs
from runner.ledger.bodies import Answer, Approve, Cancel, Interrupt, Reject, Resolve, Resume, Revoke, Said
from runner.plan.run import NEW, SAME, RunState, may_follow
from runner.ports.forge import Comment, PersonId, Thread
from runner.request import arguments as asked
from runner.request.command import BadCommand, Command, Verb, commands

Recordable: TypeAlias = Approve | Revoke | Reject | Cancel | Resolve | Resume | Answer
_ENDING = Reject | Cancel | Resolve | Answer
EDITED = "an edited comment never counts; write it in a new comment"
"""Why a command of an edited comment is refused, whatever it says."""


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
        account=comment.account,
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
    policy_commit: str = "",
    answered: frozenset[str] = frozenset(),
) -> Collected:
    """Sort the commands on one issue into events to record and refusals to answer.

    Args:
        policy: the newest policy.
        commands: all commands of the issue, in order. `run`, `status` and `help` are left to others, except that an
            edited `run` which made no plan is refused; lines that could not be read are refused as they say.
        runs: the runs that were requested on this issue, oldest first.
        members: of the commands' authors, those who are members of the project now.
        policy_commit: where that policy was read; an answer names it.
        answered: keys of commands that have their answer on the issue already.
    """
    collected = Collected()
    for command in commands:
        if command.comment.ours or key_of(command) in answered:
            continue
        if isinstance(command, BadCommand):
            _refuse(collected, command, command.why, hint=command.hint)
        elif isinstance(command.args, Done):
            judged = _Judged(policy=policy, policy_commit=policy_commit, members=members)
            _one(judged, command, command.args, collected=collected, runs=runs)
        elif command.verb in {Verb.RUN, Verb.REVERT} and command.comment.edited and not _made_a_plan(command, runs):
            _refuse(collected, command, EDITED)
    return collected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """By what commands are judged."""

    policy: Policy
    policy_commit: str
    members: frozenset[PersonId]


def _one(by: _Judged, command: Command, args: Done, *, collected: Collected, runs: Sequence[Known]) -> None:
    unnamed = isinstance(args, asked.Cancel | asked.Answer) and not args.which
    # Once it is on record, the run that it meant is not the only one any more that it could mean.
    if unnamed and any(_is_recorded(known, command) for known in runs):
        return
    try:
        known = meant(args, runs)
        body = _body(args, known, command.comment, policy=by.policy)
        if _is_recorded(known, command) or _is_repeated(collected, known, body):
            return
        if _is_being_resumed(collected, known):  # what is said of the next attempt is judged when that is on record
            return
        _judge(by, command, body, known=known)
        if isinstance(args, asked.Answer):
            body = _answer(args, known, comment=command.comment, policy_commit=by.policy_commit)
    except RefusedError as refused:
        _refuse(collected, command, EDITED if command.comment.edited else str(refused))
        if isinstance(args, asked.Revoke):
            _take_back(collected, command, args)
        return
    # An earlier command of this pass may move the run: this one is judged again when that is on record.
    if not any(record.run == known.run.id and isinstance(record.body, _ENDING) for record in collected.record):
        collected.record.append(Record(run=known.run.id, body=body, key=key_of(command)))


def _judge(by: _Judged, command: Command, body: Recordable, *, known: Known) -> None:
    comment = command.comment
    if comment.edited:  # 1: nobody knows what it said when others read it
        raise RefusedError(EDITED)
    if not may_follow(known.run, body):  # 2: too late, or too early
        raise RefusedError(f"run {known.run.id} is {known.run.state.value}, too late or too early for this")
    if isinstance(command.args, asked.Answer):
        since = comment.id in known.since
        if wrong := answers.misplaced(command.args, known.run, heard_since=since, late=known.late):
            raise RefusedError(wrong)
    if isinstance(body, Approve) and not known.run.approvable:  # 3: what could not be rehearsed
        raise RefusedError("its rehearsal failed, and what could not be rehearsed cannot be approved")
    if isinstance(body, Approve) and known.plan.proposal and known.run.start is None and known.run.resumed is None:
        raise RefusedError("it proposes a change to files: the merge of that change is its approval")
    actor = Actor(
        person=comment.author,
        verified=comment.verified,
        member=comment.author in by.members,
        account=comment.account,
    )
    decision = may(by.policy, command.verb, actor=actor, plan=known.plan, approvals=known.approvals)
    if not decision.allowed:  # 4: not this person
        raise RefusedError(decision.reasons[0])
    if isinstance(body, Approve) and known.run.start is not None and known.run.state is not RunState.PLANNED:
        _pays(known, comment)
    if isinstance(body, Revoke) and not body.approval:  # 5: nothing to take back
        raise RefusedError(f"there is no approval by {comment.author} to take back")


def _pays(known: Known, comment: Comment) -> None:
    """Take only what an emergency still owes, after its start, and only from those who can pay it."""
    if known.owed is None:
        raise RefusedError("it has every approval that it needs")
    if comment.author not in known.owed.may_approve and ANYBODY not in known.owed.may_approve:
        raise RefusedError(f"{comment.author} cannot give what it owes: {'; '.join(known.owed.missing)}")


def _answer(args: asked.Answer, known: Known, *, comment: Comment, policy_commit: str) -> Answer:
    """The answer with its value read; only now, so that strangers are not told what would be accepted."""
    event, question = known.run.question, answers.question_of(known.run)
    if event is None or question is None:
        raise TypeError(f"run {known.run.id} asks nothing")
    try:
        value, reason = answers.read(question, args.text, schema=known.schema)
    except answers.NotAnAnswerError as wrong:
        raise RefusedError(f"{wrong}. Asked was: {question.text}") from wrong
    return Answer(question=event.seq, value=value, said=said(comment), policy_commit=policy_commit, reason=reason)


def _body(args: Done, known: Known, comment: Comment, *, policy: Policy) -> Recordable:
    digest, words = known.run.digest, said(comment)
    match args:
        case asked.Approve():
            return Approve(plan_digest=digest, said=words, reason=args.reason)
        case asked.Revoke():
            mine = [one.number for one in own(known.approvals, by=comment.author, account=comment.account)]
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
        case asked.Answer():  # not read yet: `_answer` does that, once it is known that this person may answer
            return Answer(question=0, value=None, said=words, policy_commit="")
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
            continue  # both were read just now: one name is one account
        if yes.plan_digest.startswith(args.digest):
            collected.record.remove(record)
            reason = "it was taken back before it was recorded"
            refusal = Refusal(key=record.key, comment=command.comment, verb="approve", reason=reason)
            collected.refuse.append(refusal)
