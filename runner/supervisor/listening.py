"""Listening: what people said on an issue, sorted into what goes on record and what gets an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.approval import collect, halting
from runner.approval.answers import line, question_of
from runner.approval.meant import Known as Meant
from runner.ledger.bodies import Approve, Resume
from runner.plan.run import RunState
from runner.ports.forge import Thread
from runner.publication import comments
from runner.request.command import BadCommand, Command, Verb
from runner.request.request import Asked
from runner.snapshot import Heard, Known, Unheard
from runner.supervisor import confidence, questions, resuming
from runner.supervisor.desk import Desk

VERBS = (
    ("/runbook run NAME key=value ...", "ask for a run; policy says who may"),
    ("/runbook approve DIGEST [reason]", "say yes to exactly that plan"),
    ("/runbook revoke DIGEST [reason]", "take your own yes back"),
    ("/runbook reject DIGEST reason", "say no: the plan cannot run any more"),
    ("/runbook cancel [RUN] --leave|--rollback [reason]", "end a run; leave what it changed, or undo it"),
    ("/runbook resolve RUN OUTCOME reason", "say what came of an interrupted run, and free its locks"),
    ("/runbook answer [RUN] [qN] TEXT", "answer what a run asks: yes, no, or a value"),
    ("/runbook halt REASON", "stop everything from starting; policy says who may"),
    ("/runbook unhalt [REASON]", "let things start again"),
    ("/runbook resume RUN [reason]", "go on with a run that did not succeed, once its cause is gone"),
    ("/runbook revert RUN [reason]", "ask for a new run that undoes that one"),
    ("/runbook status", "where the runs of this issue stand"),
    ("/runbook help", "this list"),
)
"""Every command, as it is written, and what it does."""


def heard_on(
    desk: Desk,
    thread: Thread,
    runs: Sequence[Known],
    *,
    found: Sequence[Command | BadCommand],
    answered: frozenset[str],
) -> tuple[list[Heard], list[Unheard]]:
    """Read the commands of an issue: those for the record, and those for an answer.

    Args:
        desk: policy and forge as they are now.
        thread: the issue.
        runs: the runs that were asked for there.
        found: all commands of the issue, as `commands_of` reads them.
        answered: keys that have their answer already.
    """
    by_id = {one.run.id: one for one in runs}
    collected = collect.collect(
        desk.policy,
        found,
        runs=[_collectable(desk, one) for one in runs],
        members=desk.members(
            {one.comment.author for one in found}, accounts={(one.comment.author, one.comment.account) for one in found}
        ),
        policy_commit=desk.workspace.main,
        answered=answered,
    )
    comments_by = {collect.key_of(one): one.comment for one in found}
    vain = [
        collect.Refusal(key=one.key, comment=comments_by[one.key], verb=_verb(one.body).value, reason=why)
        for one in collected.record
        if (why := _in_vain(desk, one, by_id[one.run], thread=thread))
    ]
    keys = {one.key for one in vain}
    heard = [
        Heard(run=known.run, plan=known.plan, body=_kept(one.body, known, thread=thread))
        for one in collected.record
        if one.key not in keys and (known := by_id[one.run])
    ]
    denied = [refused(thread, one) for one in (*collected.refuse, *vain)]
    lines = [*_halted(desk), *(_standing(one) for one in runs)]
    good = [one for one in found if isinstance(one, Command)]
    return heard, [*denied, *_words(thread, good, lines, answered=answered)]


def problems(thread: Thread, found: Asked, answered: frozenset[str]) -> list[Unheard]:
    """What was meant as a request and could not be read, each with its answer."""
    return [
        Unheard(
            thread=thread,
            key=one.key,
            body=comments.refusal(
                key=one.key, verb="the request", by=one.comment.author, reasons=(one.why,), hint=one.hint
            ),
        )
        for one in found.problems
        if one.key not in answered
    ]


def _in_vain(desk: Desk, record: collect.Record, known: Known, *, thread: Thread) -> str:
    """Why something that its author may do is ruled out all the same; empty for everything else.

    A resume is by the record of the run, an approval of what waits on a closed issue by that, and an answer where its
    value may not go on record.
    """
    if isinstance(record.body, Resume):
        return resuming.refusal(desk, known.run, known.plan)
    if isinstance(record.body, Approve) and known.run.state is RunState.PLANNED and not thread.issue.open:
        return "the issue is closed; open it again, then write this in a new comment"
    return confidence.refusal(desk.policy, known.plan, record.body, thread=thread)


def _verb(body: collect.Recordable) -> Verb:
    return Verb(type(body).__name__.lower())


def _kept(body: collect.Recordable, known: Known, *, thread: Thread) -> collect.Recordable:
    """What goes on record of it."""
    return confidence.without_words(body) if confidence.hushed(known.plan, thread) else body


def refused(thread: Thread, one: collect.Refusal) -> Unheard:
    """A command that is not carried out, with its answer."""
    body = comments.refusal(key=one.key, verb=one.verb, by=one.comment.author, reasons=(one.reason,), hint=one.hint)
    return Unheard(thread=thread, key=one.key, body=body)


def _words(thread: Thread, good: Iterable[Command], lines: Sequence[str], *, answered: frozenset[str]) -> list[Unheard]:
    """`status` and `help` are answered with words; everybody may ask."""
    said = []
    for command in good:
        key = collect.key_of(command)
        if key in answered or command.verb not in {Verb.STATUS, Verb.HELP}:
            continue
        if command.verb is Verb.STATUS:
            body = comments.status_reply(key=key, lines=lines)
        else:
            body = comments.help_reply(key=key, verbs=VERBS)
        said.append(Unheard(thread=thread, key=key, body=body))
    return said


def _halted(desk: Desk) -> list[str]:
    """Why nothing starts, where somebody has halted everything."""
    halt = desk.halt
    return [halting.words(halt)] if halt else []


def _standing(one: Known) -> str:
    """Where a run stands and what it waits for, in one line."""
    waits = f", waits for {one.holder}, which holds its lock" if one.holder else ""
    if one.ahead:
        waits += f", place {len(one.ahead) + 1} in the queue, after {one.ahead[0]}"
    reasons = f", {'; '.join(one.decision.reasons)}" if one.decision else ""
    if question := question_of(one.run):
        waits += f", asks until {question.until}: {question.text} Answer with: {line(question)}"
    return f"{one.run.id}: {one.run.state.value}{waits}{reasons}"


def _collectable(desk: Desk, known: Known) -> Meant:
    events = tuple((event.seq, event.time, event.body) for event in desk.ledger.cache.events(known.run.id))
    return questions.answerable(desk, known, Meant(run=known.run, plan=known.plan, events=events, owed=known.owed))
