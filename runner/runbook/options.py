"""A cell's options: the first run of `#|` lines, at the top of the cell or directly after a leading `%%magic` line.

They are parsed as the strict YAML that headers are written in. An option that is written badly stops the reading; one
that is unknown, or known and not carried out yet, is kept in `raw` and refused by lint, so that nothing runs without it
silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.errors import RequestError
from runner.request import strict_yaml
from runner.runbook import condition, duration
from runner.runbook.condition import Condition
from runner.runbook.declaration import NAME

CARRIED_OUT = (
    *("step", "timeout", "irreversible", "normalise"),
    *("retries", "backoff", "when", "continue-on-failure"),
    *("confirm", "ask", "prompt", "answer-within"),
)
PLANNED: tuple[str, ...] = ()
"""Known words that nothing carries out yet: a runbook that uses one is refused by lint."""

ANSWER_WITHIN = 3600.0
"""Seconds that a question waits for its answer where the cell does not say."""

LONGEST_QUESTION = 500
"""Characters: a question has to be read on a phone."""

NORMALISERS = ("timestamps", "uuids", "numbers", "addresses")
"""What may differ by name; the fingerprint of the execution stage knows what each stands for."""

MOST_RETRIES = 10
LONGEST_BACKOFF = 300.0
"""Seconds that a retry waits at most, however often it was doubled."""

_SUBSTITUTION = re.compile(r"s/((?:[^/\\]|\\.)+)/((?:[^/\\]|\\.)*)/", re.DOTALL)
_STEP = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MARK = "#|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A cell's `#|` lines, checked. `raw` keeps what was written, for lint.

    Times are in seconds: `backoff` is the wait before the first retry, and doubles. `confirm` is a question to say yes
    to before the cell runs, `ask` the parameter that a person gives a value to before it does, and `prompt` the words
    for that. `normalise` says what in a plan cell's output may differ between plan and run: names of `NORMALISERS`, or
    `s/expression/replacement/`. Options that are known but not carried out yet are in `raw` only, and a runbook that
    uses one is refused by lint rather than run without it.
    """

    step: str | None = None
    timeout: float | None = None
    irreversible: str | None = None
    normalise: tuple[str, ...] = ()
    retries: int = 0
    backoff: float = 1.0
    when: Condition | None = None
    continue_on_failure: bool = False
    confirm: str | None = None
    ask: str | None = None
    prompt: str | None = None
    answer_within: float = ANSWER_WITHIN
    raw: tuple[tuple[str, str], ...] = field(default=())


def block(source: str) -> tuple[int, list[str]]:
    """Find the option lines of a cell.

    Returns:
        The number (from 1) of the first of them, or of the line where it would be, and the lines without their mark.
    """
    lines = source.splitlines()
    start = 1 if lines and lines[0].startswith("%%") else 0
    found: list[str] = []
    for line in lines[start:]:
        if not line.startswith(_MARK):
            break
        found.append(line.removeprefix(_MARK).removeprefix(" "))
    return start + 1, found


def stray(source: str) -> tuple[int, ...]:
    """Line numbers of `#|` lines that nothing reads, because they do not stand where options stand."""
    first, found = block(source)
    read = range(first, first + len(found))
    lines = enumerate(source.splitlines(), start=1)
    return tuple(number for number, line in lines if line.lstrip().startswith(_MARK) and number not in read)


def read(source: str, *, cell: int) -> Options:
    """Read the options of one code cell.

    Args:
        source: the cell's text.
        cell: its index from 0; people count from 1.

    Raises:
        RequestError: if an option is written badly; it names the cell and the line.
    """
    first, lines = block(source)
    if not lines:
        return Options()
    doing = f"reading the options of cell {cell + 1}"
    written = strict_yaml.mapping("\n".join(lines), doing=doing, first_line=first)
    known: dict[str, Any] = {}  # each value has the type that its check returns
    wrong: list[str] = []
    for name, value in written.items():
        try:
            if name in _CHECKS:
                known[name.replace("-", "_")] = _CHECKS[name](value)
        except ValueError as error:
            line = first + _line_of(name, lines)
            wrong.append(f"line {line}: {name}: {shown(value)} is not accepted; write {error}")
    if wrong:
        raise RequestError(doing, "; ".join(wrong), hint="Correct these `#|` lines.")
    raw = tuple((name, value if isinstance(value, str) else repr(value)) for name, value in written.items())
    return replace(Options(raw=raw), **known)


def _line_of(name: str, lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.lstrip("'\"").startswith(name)), 0)


def shown(value: object) -> str:
    """Write a refused value for people: escaped, and cut."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - a line of a terminal, less the words around it


def _step(value: strict_yaml.Node) -> str:
    if isinstance(value, str) and _STEP.fullmatch(value):
        return value
    raise ValueError("a short name of lower-case letters, digits and hyphens, such as restart-nginx")


def _timeout(value: strict_yaml.Node) -> float:
    return duration.seconds(value if isinstance(value, str) else "")


def _retries(value: strict_yaml.Node) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and int(value[:3]) <= MOST_RETRIES:
        return int(value)
    raise ValueError(f"how often it may be tried again, from 0 to {MOST_RETRIES}")


def _backoff(value: strict_yaml.Node) -> float:
    return min(_timeout(value), LONGEST_BACKOFF)


def _when(value: strict_yaml.Node) -> Condition:
    return condition.read(value if isinstance(value, str) else "")


def _yes(value: strict_yaml.Node) -> bool:
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError("true, or leave it out")


def _reason(value: strict_yaml.Node) -> str:
    if isinstance(value, str) and value.strip() and value.lower() not in {"true", "false", "yes", "no"}:
        return value.strip()
    raise ValueError("the reason in words, such as: sent mail cannot be called back")


def _question(value: strict_yaml.Node) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text and len(text) <= LONGEST_QUESTION and text.isprintable():
        return text
    raise ValueError(f'what to ask, on one line of at most {LONGEST_QUESTION} characters, such as: "Traffic drained?"')


def _parameter(value: strict_yaml.Node) -> str:
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    raise ValueError("the name of a declared parameter, such as batch_size")


def _normalisers(value: strict_yaml.Node) -> tuple[str, ...]:
    written = value if isinstance(value, list) else [value]
    found = tuple(item for item in written if isinstance(item, str) and _normaliser(item))
    if not found or len(found) != len(written):
        raise ValueError(f"one or a list of: {', '.join(NORMALISERS)}, or s/expression/replacement/")
    return found


def _normaliser(text: str) -> bool:
    if text in NORMALISERS:
        return True
    try:
        return substitution(text) is not None
    except re.error:
        return False


def substitution(text: str) -> tuple[re.Pattern[str], str] | None:
    """Read `s/expression/replacement/`; None if it is not written so.

    Here and nowhere else, so that what lint accepts is what the execution stage can carry out.

    Raises:
        re.error: if the expression does not compile, or the replacement names a group that it does not have.
    """
    match = _SUBSTITUTION.fullmatch(text)
    if match is None:
        return None
    expression, replacement = (part.replace("\\/", "/") for part in match.groups())
    try:
        # A replacement that names a missing group only fails on a match, so one that always matches is tried.
        re.compile(f"(?:{expression})|", re.MULTILINE).sub(replacement, "x")
        return re.compile(expression, re.MULTILINE), replacement
    except (IndexError, OverflowError, RecursionError) as error:
        raise re.error(str(error)) from error


# Each gives the type that the field of that name has.
_CHECKS: Mapping[str, Callable[[strict_yaml.Node], Any]] = {
    "step": _step,
    "timeout": _timeout,
    "irreversible": _reason,
    "normalise": _normalisers,
    "retries": _retries,
    "backoff": _backoff,
    "when": _when,
    "continue-on-failure": _yes,
    "confirm": _question,
    "ask": _parameter,
    "prompt": _question,
    "answer-within": _timeout,
}
