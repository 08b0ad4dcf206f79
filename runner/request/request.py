"""What was asked in an issue, before anything is checked against a runbook or a policy.

Requests come from fenced blocks and from `run` commands, and each has a key that stays the same however often and by
whomever the issue is read: that key is what makes one plan of one command, ever. What was meant as a request and cannot
be read is a `Problem` with the same kind of key, so that it can be answered once. Whether the author
may ask is policy's to decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NewType

from runner.digest import Json
from runner.errors import RequestError
from runner.ports.forge import Comment, Thread
from runner.request import block
from runner.request.arguments import Revert, Run
from runner.request.asks import Block, TooMuch, asks
from runner.request.command import Command, commands

RequestKey = NewType("RequestKey", str)
"""`forge:project:comment:ordinal`: known before there is a plan, and unique for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One person's wish. `parameters` are raw: text, or lists and mappings of text. `reason` may be empty.

    `emergency` is why it cannot wait for the usual approvals; empty where it can.
    """

    runbook: str
    parameters: dict[str, Json]
    key: RequestKey
    comment: Comment
    reason: str = ""
    emergency: str = ""
    revert_of: str = ""
    """The run that is to be undone; `runbook` and `parameters` are that run's then, and empty here."""
    related: tuple[str, ...] = ()
    """Issues (`#12`) and merge requests (`!34`) of the same project that have to do with it."""
    confidential: bool = False
    """Whether its issue is: then its words are for nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that was meant as a request and cannot be one, and why."""

    key: RequestKey
    comment: Comment
    why: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an issue asks for, in the order of its comments."""

    requests: tuple[Request, ...]
    problems: tuple[Problem, ...]


def requests(thread: Thread, *, forge: str, project: str, bot: str) -> Asked:
    """Read all requests of an issue, and all that was meant as one and cannot be read.

    Args:
        thread: the issue as the forge gives it now.
        forge: the forge's name, as in `Forge.name`.
        project: the project's id there.
        bot: the runner's name there, without `@`.
    """
    found = [
        one for comment in thread.comments for one in _of(comment, prefix=f"{forge}:{project}:{comment.id}", bot=bot)
    ]
    return Asked(
        requests=tuple(
            replace(one, confidential=thread.issue.confidential) for one in found if isinstance(one, Request)
        ),
        problems=tuple(one for one in found if isinstance(one, Problem)),
    )


def _of(comment: Comment, *, prefix: str, bot: str) -> Iterator[Request | Problem]:
    if comment.ours:
        return
    if comment.edited:
        yield from _edited(comment, prefix=prefix, bot=bot)
        return
    found = asks(comment, bot=bot)
    blocks = () if isinstance(found, TooMuch) else (one for one in found if isinstance(one, Block))
    pieces: list[tuple[int, Request | Problem]] = [
        (one.ordinal, _from_block(one, comment, prefix=prefix)) for one in blocks
    ]
    for command in commands(comment, bot=bot):
        key = RequestKey(f"{prefix}:{command.ordinal}")
        # A line that cannot be read as a command is answered with the other commands, by `approval/collect.py`.
        request = _from_command(command, comment, key=key) if isinstance(command, Command) else None
        if request is not None:
            pieces.append((command.ordinal, request))
    yield from (piece for _, piece in sorted(pieces, key=lambda one: one[0]))


def _from_command(command: Command, comment: Comment, *, key: RequestKey) -> Request | None:
    match command.args:
        case Run() as args:
            return Request(
                runbook=args.runbook,
                parameters=dict(args.parameters),
                key=key,
                comment=comment,
                emergency=args.emergency,
            )
        case Revert() as args:
            return Request(runbook="", parameters={}, key=key, comment=comment, reason=args.reason, revert_of=args.run)
        case _:
            return None


def _edited(comment: Comment, *, prefix: str, bot: str) -> Iterator[Problem]:
    """Say once, under the ordinal 0, that an edited comment asks for a run in vain; other commands are not ours."""
    before = replace(comment, edited=False)
    found = asks(before, bot=bot)
    blocks = not isinstance(found, TooMuch) and any(isinstance(one, Block) for one in found)
    said = [one.args for one in commands(before, bot=bot) if isinstance(one, Command)]
    if blocks or any(isinstance(args, Run | Revert) for args in said):
        yield Problem(
            key=RequestKey(f"{prefix}:0"),
            comment=comment,
            why="the comment was edited, and an edited comment never counts",
            hint="write it again as a new comment",
        )


def _from_block(one: Block, comment: Comment, *, prefix: str) -> Request | Problem:
    key = RequestKey(f"{prefix}:{one.ordinal}")
    try:
        wanted = block.read(one)
    except RequestError as error:
        hint = error.hint or block.HINT
        return Problem(key=key, comment=comment, why=error.wrong or str(error), hint=hint)
    return Request(
        runbook=wanted.runbook,
        parameters=wanted.parameters,
        reason=wanted.reason,
        emergency=wanted.emergency,
        key=key,
        comment=comment,
        related=wanted.related,
    )
