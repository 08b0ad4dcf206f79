"""The grammar of commands in comments.

`/runbook <verb> [arguments]` or `@<bot> <verb> [arguments]`, on a line of its own at the margin, outside code, quotes
and HTML. Never a bare `/approve`: forges keep such words for themselves. Each verb has its own strict arguments. What
cannot be read becomes a `BadCommand` that the bot can answer; nothing is guessed. Who may say what, policy decides.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from runner.ledger.bodies import Resolution
from runner.ledger.event import RUN_ID
from runner.ports.forge import Comment
from runner.request.arguments import (
    Answer,
    Approve,
    Arguments,
    Cancel,
    Help,
    Leave,
    Reject,
    Resolve,
    Resume,
    Revert,
    Revoke,
    Run,
    Status,
)
from runner.request.asks import Line, TooMuch, asks
from runner.request.characters import NAME, PARAMETER, escaped, hidden

LARGEST_LINE = 4_000
"""Characters of a command; more belongs into a block."""

_DIGEST = re.compile(r"[0-9a-f]{12,64}")
_QUESTION = re.compile(r"q([1-9][0-9]{0,2})")


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
    STATUS = "status"
    HELP = "help"


LATER = frozenset({"resume", "revert", "halt", "unhalt"})
"""Verbs that are known and not carried out yet."""


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


class _RefusedError(Exception):
    """Why a command is not one: `why` and `hint`, for its author."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


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
    except _RefusedError as refused:
        hint = refused.hint or "write `/runbook help` on a line of its own to see the commands"
        return BadCommand(ordinal=line.ordinal, line=escaped(line.words), why=refused.why, hint=hint, comment=comment)
    return Command(verb=verb, args=args, ordinal=line.ordinal, comment=comment)


def _read(line: Line) -> tuple[Verb, Arguments]:
    if line.doubt:
        raise _RefusedError(line.doubt, "write the command on a line of its own, with empty lines around it")
    if len(line.words) > LARGEST_LINE:
        raise _RefusedError(f"the line has more than {LARGEST_LINE:,} characters", "put long values into a block")
    if found := hidden(line.words, allow="\t"):
        raise _RefusedError(f"the line holds {found}", "type the command instead of pasting it")
    word, rest = _next(line.words)
    if not word:
        raise _RefusedError("no verb follows")
    if word in LATER:
        raise _RefusedError(f"`{word}` is not available yet", "see `/runbook help` for what is")
    try:
        verb = Verb(word)
    except ValueError:
        near = " (verbs are in lower case)" if word.lower() in {one.value for one in Verb} else ""
        raise _RefusedError(f"`{escaped(word)}` is not a verb{near}") from None
    return verb, _ARGUMENTS[verb](rest)


def _run(rest: str) -> Run:
    usage = 'write: /runbook run NAME key=value other="two words"'
    try:
        words = shlex.split(rest, comments=False, posix=True)
    except ValueError:
        raise _RefusedError("a quotation mark or backslash is left open", usage) from None
    if not words:
        raise _RefusedError("no runbook is named", usage)
    if not NAME.fullmatch(words[0]):
        raise _RefusedError(f"`{escaped(words[0])}` is not a runbook's name", usage)
    parameters: dict[str, str] = {}
    for word in words[1:]:
        name, value = _parameter(word, usage)
        if name in parameters:
            raise _RefusedError(f"`{name}` is given twice", "give every parameter once")
        parameters[name] = value
    return Run(runbook=words[0], parameters=tuple(parameters.items()))


def _parameter(word: str, usage: str) -> tuple[str, str]:
    if word.split("=", 1)[0] == "--emergency":
        raise _RefusedError("`--emergency` is not available yet", "ask without it, or reach an approver directly")
    name, sign, value = word.partition("=")
    if not sign:
        raise _RefusedError(f"`{escaped(word)}` is not of the form key=value", usage)
    if not PARAMETER.fullmatch(name):
        raise _RefusedError(f"`{escaped(name)}` is not a parameter's name", usage)
    return name, value


def _cancel(rest: str) -> Cancel:
    usage = "write: /runbook cancel --leave, or --rollback; name the run before it if the issue has several"
    word, rest = _next(rest)
    which = ""
    if not word.startswith("--"):
        which = word
        if which and not (_DIGEST.fullmatch(which) or RUN_ID.fullmatch(which)):
            raise _RefusedError(f"`{escaped(which)}` is neither a run id nor a digest", usage)
        word, rest = _next(rest)
    modes = {f"--{mode.value}": mode for mode in Leave}
    if word not in modes:
        raise _RefusedError("it must say what to do with changes already made: --leave or --rollback", usage)
    if _next(rest)[0].startswith("--"):
        raise _RefusedError("only one of --leave and --rollback can be meant", usage)
    return Cancel(which=which, mode=modes[word], reason=rest)


def _resolve(rest: str) -> Resolve:
    outcomes = ", ".join(one.value for one in Resolution)
    usage = f"write: /runbook resolve RUN OUTCOME reason; outcomes are {outcomes}"
    run, rest = _run_id(rest, f"resolve RUN OUTCOME reason; outcomes are {outcomes}")
    word, rest = _next(rest)
    try:
        decision = Resolution(word)
    except ValueError:
        raise _RefusedError(f"`{escaped(word)}` is not an outcome" if word else "no outcome is given", usage) from None
    return Resolve(run=run, decision=decision, reason=_reason(rest, "resolve RUN OUTCOME reason"))


def _run_id(rest: str, usage: str) -> tuple[str, str]:
    run, rest = _next(rest)
    if not RUN_ID.fullmatch(run):
        raise _RefusedError(
            f"`{escaped(run)}` is not a run id" if run else "no run is named", f"write: /runbook {usage}"
        )
    return run, rest


def _digest(rest: str, usage: str) -> tuple[str, str]:
    word, reason = _next(rest)
    if not _DIGEST.fullmatch(word):
        why = f"`{escaped(word)}` is not a digest" if word else "no digest is given"
        raise _RefusedError(why, f"write: /runbook {usage}, with 12 to 64 digits of the plan's digest")
    return word, reason


def _reason(reason: str, usage: str) -> str:
    if not reason:
        raise _RefusedError("a reason is needed", f"write: /runbook {usage}")
    return reason


def _next(text: str) -> tuple[str, str]:
    """Split off the next word, at plain spaces and tabs only."""
    word, _, rest = text.replace("\t", " ").strip(" ").partition(" ")
    return word, rest.strip(" ")


def _approve(rest: str) -> Approve:
    digest, reason = _digest(rest, "approve DIGEST [reason]")
    return Approve(digest=digest, reason=reason)


def _revoke(rest: str) -> Revoke:
    digest, reason = _digest(rest, "revoke DIGEST [reason]")
    return Revoke(digest=digest, reason=reason)


def _reject(rest: str) -> Reject:
    digest, reason = _digest(rest, "reject DIGEST reason")
    return Reject(digest=digest, reason=_reason(reason, "reject DIGEST reason"))


def _resume(rest: str) -> Resume:
    run, reason = _run_id(rest, "resume RUN [reason]")
    return Resume(run=run, reason=reason)


def _revert(rest: str) -> Revert:
    run, reason = _run_id(rest, "revert RUN [reason]")
    return Revert(run=run, reason=reason)


def _answer(rest: str) -> Answer:
    """Read an answer. A run's id and `qN` only name something where an answer follows: alone, they are the answer."""
    which, question, text = "", 0, rest
    word, rest = _next(text)
    if RUN_ID.fullmatch(word):
        which, text = word, rest
        word, rest = _next(text)
    named = _QUESTION.fullmatch(word)
    if named and rest:
        question, text = int(named[1]), rest
    if not text:
        raise _RefusedError("no answer is given", "write: /runbook answer yes, or no, or the value that is asked for")
    return Answer(which=which, question=question, text=text)


def _status(rest: str) -> Status:
    _nothing(rest, Verb.STATUS)
    return Status()


def _help(rest: str) -> Help:
    _nothing(rest, Verb.HELP)
    return Help()


def _nothing(rest: str, verb: Verb) -> None:
    if rest:
        raise _RefusedError(f"`{verb.value}` takes no arguments", f"write: /runbook {verb.value}")


_ARGUMENTS: dict[Verb, Callable[[str], Arguments]] = {
    Verb.RUN: _run,
    Verb.APPROVE: _approve,
    Verb.REVOKE: _revoke,
    Verb.REJECT: _reject,
    Verb.CANCEL: _cancel,
    Verb.RESOLVE: _resolve,
    Verb.RESUME: _resume,
    Verb.REVERT: _revert,
    Verb.ANSWER: _answer,
    Verb.STATUS: _status,
    Verb.HELP: _help,
}
"""How the arguments of each verb are read."""
