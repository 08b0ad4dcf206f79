"""The grammar of commands in comments.

`/runbook <verb> [arguments]` or `@<bot> <verb> [arguments]`, on a line of its own at the margin, outside code, quotes
and HTML. Never a bare `/approve`: forges keep such words for themselves. Each verb has its own strict arguments. What
cannot be read becomes a `BadCommand` that the bot can answer; nothing is guessed. Who may say what, policy decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from runner.ports.forge import Comment
from runner.request import reading
from runner.request.arguments import Arguments
from runner.request.asks import Line, TooMuch, asks
from runner.request.characters import escaped, hidden
from runner.request.reading import RefusedError, next_word

LARGEST_LINE = 4_000
"""Characters of a command; more belongs into a block."""


class Verb(Enum):
    """What a command can say."""

    RUN = "run"
    APPROVE = "approve"
    REVOKE = "revoke"
    REJECT = "reject"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    RESUME = "resume"
    REVERT = "revert"
    ANSWER = "answer"
    HALT = "halt"
    UNHALT = "unhalt"
    STATUS = "status"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, read. `ordinal` is its place among the asks of its comment, from 1."""

    verb: Verb
    args: Arguments
    ordinal: int
    comment: Comment


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCommand:
    """A line that was meant as a command and cannot be read. `line` is what was written, escaped and cut short."""

    ordinal: int
    line: str
    why: str
    hint: str
    comment: Comment


def commands(comment: Comment, *, bot: str) -> tuple[Command | BadCommand, ...]:
    """Read the commands of a comment; an edited comment and the runner's own have none.

    Args:
        comment: as the forge gives it now.
        bot: the runner's name at the forge, without `@`.
    """
    found = asks(comment, bot=bot)
    if isinstance(found, TooMuch):
        return (BadCommand(ordinal=found.ordinal, line="", why=found.why, hint=found.hint, comment=comment),)
    return tuple(_command(one, comment) for one in found if isinstance(one, Line))


def _command(line: Line, comment: Comment) -> Command | BadCommand:
    try:
        verb, args = _read(line)
    except RefusedError as refused:
        hint = refused.hint or "write `/runbook help` on a line of its own to see the commands"
        return BadCommand(ordinal=line.ordinal, line=escaped(line.words), why=refused.why, hint=hint, comment=comment)
    return Command(verb=verb, args=args, ordinal=line.ordinal, comment=comment)


def _read(line: Line) -> tuple[Verb, Arguments]:
    if line.doubt:
        raise RefusedError(line.doubt, "write the command on a line of its own, with empty lines around it")
    if len(line.words) > LARGEST_LINE:
        raise RefusedError(f"the line has more than {LARGEST_LINE:,} characters", "put long values into a block")
    if found := hidden(line.words, allow="\t"):
        raise RefusedError(f"the line holds {found}", "type the command instead of pasting it")
    word, rest = next_word(line.words)
    if not word:
        raise RefusedError("no verb follows")
    try:
        verb = Verb(word)
    except ValueError:
        near = " (verbs are in lower case)" if word.lower() in {one.value for one in Verb} else ""
        raise RefusedError(f"`{escaped(word)}` is not a verb{near}") from None
    return verb, _ARGUMENTS[verb](rest)


_ARGUMENTS: dict[Verb, Callable[[str], Arguments]] = {
    Verb.RUN: reading.run,
    Verb.APPROVE: reading.approve,
    Verb.REVOKE: reading.revoke,
    Verb.REJECT: reading.reject,
    Verb.CANCEL: reading.cancel,
    Verb.RESOLVE: reading.resolve,
    Verb.RESUME: reading.resume,
    Verb.REVERT: reading.revert,
    Verb.ANSWER: reading.answer,
    Verb.HALT: reading.halt,
    Verb.UNHALT: reading.unhalt,
    Verb.STATUS: reading.status,
    Verb.HELP: reading.help_,
}
"""How the arguments of each verb are read."""
