"""How the arguments of each verb are read: strictly; nothing is guessed. Which verbs there are, `command.py` says."""

from __future__ import annotations

import re
import shlex

from runner.ledger.bodies import Resolution
from runner.ledger.event import RUN_ID
from runner.request.arguments import (
    Answer,
    Approve,
    Cancel,
    Halt,
    Help,
    Leave,
    Reject,
    Resolve,
    Resume,
    Revert,
    Revoke,
    Run,
    Status,
    Unhalt,
)
from runner.request.characters import NAME, PARAMETER, escaped

_DIGEST = re.compile(r"[0-9a-f]{12,64}")
_QUESTION = re.compile(r"q([1-9][0-9]{0,2})")


class RefusedError(Exception):
    """Why a command is not one: `why` and `hint`, for its author."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def run(rest: str) -> Run:
    """Read what follows `run`."""
    usage = 'write: /runbook run NAME key=value other="two words" [--emergency "why"]'
    try:
        words = shlex.split(rest, comments=False, posix=True)
    except ValueError:
        raise RefusedError("a quotation mark or backslash is left open", usage) from None
    if not words:
        raise RefusedError("no runbook is named", usage)
    if not NAME.fullmatch(words[0]):
        raise RefusedError(f"`{escaped(words[0])}` is not a runbook's name", usage)
    given, emergency = _emergency(words[1:])
    parameters: dict[str, str] = {}
    for word in given:
        name, value = _parameter(word, usage)
        if name in parameters:
            raise RefusedError(f"`{name}` is given twice", "give every parameter once")
        parameters[name] = value
    return Run(runbook=words[0], parameters=tuple(parameters.items()), emergency=emergency)


def _emergency(words: list[str]) -> tuple[list[str], str]:
    """Take `--emergency why` out of the words that follow a runbook's name."""
    usage = 'write: --emergency "why it cannot wait for the usual approvals"'
    places = [place for place, word in enumerate(words) if word.split("=", 1)[0] == "--emergency"]
    if not places:
        return words, ""
    if len(places) > 1:
        raise RefusedError("`--emergency` is given twice", usage)
    (place,) = places
    _, sign, why = words[place].partition("=")
    after = place + 1
    if not sign:
        why, after = " ".join(words[after : after + 1]), after + 1
    name, sign, _ = why.partition("=")
    if not why.strip() or (sign and PARAMETER.fullmatch(name)):
        raise RefusedError("`--emergency` needs a reason", usage)
    return [*words[:place], *words[after:]], why


def _parameter(word: str, usage: str) -> tuple[str, str]:
    if word.split("=", 1)[0] == "--break-glass":
        raise RefusedError(
            "`--break-glass` is for when the remote is away, and a forge that takes comments is not",
            'ask with --emergency "why" if it cannot wait for the usual approvals',
        )
    name, sign, value = word.partition("=")
    if not sign:
        raise RefusedError(f"`{escaped(word)}` is not of the form key=value", usage)
    if not PARAMETER.fullmatch(name):
        raise RefusedError(f"`{escaped(name)}` is not a parameter's name", usage)
    return name, value


def approve(rest: str) -> Approve:
    """Read what follows `approve`."""
    digest, reason = _digest(rest, "approve DIGEST [reason]")
    return Approve(digest=digest, reason=reason)


def revoke(rest: str) -> Revoke:
    """Read what follows `revoke`."""
    digest, reason = _digest(rest, "revoke DIGEST [reason]")
    return Revoke(digest=digest, reason=reason)


def reject(rest: str) -> Reject:
    """Read what follows `reject`."""
    digest, reason = _digest(rest, "reject DIGEST reason")
    return Reject(digest=digest, reason=_reason(reason, "reject DIGEST reason"))


def cancel(rest: str) -> Cancel:
    """Read what follows `cancel`."""
    usage = "write: /runbook cancel --leave, or --rollback; name the run before it if the issue has several"
    word, rest = next_word(rest)
    which = ""
    if not word.startswith("--"):
        which = word
        if which and not (_DIGEST.fullmatch(which) or RUN_ID.fullmatch(which)):
            raise RefusedError(f"`{escaped(which)}` is neither a run id nor a digest", usage)
        word, rest = next_word(rest)
    modes = {f"--{mode.value}": mode for mode in Leave}
    if word not in modes:
        raise RefusedError("it must say what to do with changes already made: --leave or --rollback", usage)
    if next_word(rest)[0].startswith("--"):
        raise RefusedError("only one of --leave and --rollback can be meant", usage)
    return Cancel(which=which, mode=modes[word], reason=rest)


def resolve(rest: str) -> Resolve:
    """Read what follows `resolve`."""
    outcomes = ", ".join(one.value for one in Resolution)
    usage = f"write: /runbook resolve RUN OUTCOME reason; outcomes are {outcomes}"
    run, rest = _run_id(rest, f"resolve RUN OUTCOME reason; outcomes are {outcomes}")
    word, rest = next_word(rest)
    try:
        decision = Resolution(word)
    except ValueError:
        raise RefusedError(f"`{escaped(word)}` is not an outcome" if word else "no outcome is given", usage) from None
    return Resolve(run=run, decision=decision, reason=_reason(rest, "resolve RUN OUTCOME reason"))


def _run_id(rest: str, usage: str) -> tuple[str, str]:
    run, rest = next_word(rest)
    if not RUN_ID.fullmatch(run):
        raise RefusedError(
            f"`{escaped(run)}` is not a run id" if run else "no run is named", f"write: /runbook {usage}"
        )
    return run, rest


def _digest(rest: str, usage: str) -> tuple[str, str]:
    word, reason = next_word(rest)
    if not _DIGEST.fullmatch(word):
        why = f"`{escaped(word)}` is not a digest" if word else "no digest is given"
        raise RefusedError(why, f"write: /runbook {usage}, with 12 to 64 digits of the plan's digest")
    return word, reason


def _reason(reason: str, usage: str) -> str:
    if not reason:
        raise RefusedError("a reason is needed", f"write: /runbook {usage}")
    return reason


def next_word(text: str) -> tuple[str, str]:
    """Split off the next word, at plain spaces and tabs only."""
    word, _, rest = text.replace("\t", " ").strip(" ").partition(" ")
    return word, rest.strip(" ")


def resume(rest: str) -> Resume:
    """Read what follows `resume`."""
    run, reason = _run_id(rest, "resume RUN [reason]")
    return Resume(run=run, reason=reason)


def revert(rest: str) -> Revert:
    """Read what follows `revert`."""
    run, reason = _run_id(rest, "revert RUN [reason]")
    return Revert(run=run, reason=reason)


def answer(rest: str) -> Answer:
    """Read what follows `answer`; a run's id and `qN` name something only where an answer follows."""
    which, question, text = "", 0, rest
    word, rest = next_word(text)
    if RUN_ID.fullmatch(word):
        which, text = word, rest
        word, rest = next_word(text)
    named = _QUESTION.fullmatch(word)
    if named and rest:
        question, text = int(named[1]), rest
    if not text:
        raise RefusedError("no answer is given", "write: /runbook answer yes, or no, or the value that is asked for")
    return Answer(which=which, question=question, text=text)


def halt(rest: str) -> Halt:
    """Read what follows `halt`."""
    return Halt(reason=_reason(rest, "halt reason"))


def unhalt(rest: str) -> Unhalt:
    """Read what follows `unhalt`."""
    return Unhalt(reason=rest)


def status(rest: str) -> Status:
    """Nothing follows `status`."""
    _nothing(rest, "status")
    return Status()


def help_(rest: str) -> Help:
    """Nothing follows `help`."""
    _nothing(rest, "help")
    return Help()


def _nothing(rest: str, verb: str) -> None:
    if rest:
        raise RefusedError(f"`{verb}` takes no arguments", f"write: /runbook {verb}")
