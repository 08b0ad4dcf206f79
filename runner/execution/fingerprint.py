"""The fingerprint: what the plan cells showed, normalised, so that the second look can be compared with the first.

Pure. It decides only what is compared; stopping the run is the attempt's business. Text that differs between any two
executions by nature (the run's own scratch paths, the kernel's temporary file names, colours) never counts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from runner.digest import Digest, Json, canonical, sha256
from runner.errors import RequestError
from runner.runbook.options import NORMALISERS, substitution

LONGEST = 32 * 1024
"""Characters of one cell's text that are kept whole; a longer text is kept as its ends and its digest."""

NAMED: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "timestamps": (
        (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"), "[time]"),
        (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "[date]"),
        (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "[time]"),
    ),
    "uuids": ((re.compile(r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "[uuid]"),),
    "numbers": ((re.compile(r"(?<![A-Za-z_])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?"), "[number]"),),
    "addresses": ((re.compile(r"\b0x[0-9a-fA-F]{4,}\b"), "[address]"),),
}
"""What each of `NORMALISERS` stands for."""
_ALWAYS = (
    (re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]"), ""),
    (re.compile(r"(?:/[^\s/:\"']+)*/ipykernel_\d+/\d+\.py"), "[cell]"),
    (re.compile(r"\r\n?"), "\n"),
)


def normaliser(options: Iterable[str]) -> Callable[[str], str]:
    """Return the function that a plan cell's `normalise` options ask for, applied in their order.

    Raises:
        RequestError: for a name that does not exist or an expression that does not compile.
    """
    steps = list(_ALWAYS)
    for option in options:
        steps.extend(NAMED[option] if option in NAMED else (_substitution(option),))

    def apply(text: str) -> str:
        for pattern, replacement in steps:
            text = pattern.sub(replacement, text)
        return text.rstrip()

    return apply


def _substitution(option: str) -> tuple[re.Pattern[str], str]:
    doing = f"reading the normaliser {option!r}"
    hint = f"use one of {', '.join(NORMALISERS)}, or s/expression/replacement/"
    try:
        found = substitution(option)
    except re.error as error:
        raise RequestError(doing, f"its expression does not compile: {error}", hint=hint) from error
    if found is None:
        raise RequestError(doing, "it is not known", hint=hint)
    return found


def text_of(outputs: Sequence[Json]) -> str:
    """Join what a cell showed: standard output, then standard error, then displays in order, every MIME type of them.

    Messages of the two streams arrive in no fixed order, so each stream is taken whole.
    """
    streams: dict[str, list[str]] = {"stdout": [], "stderr": []}
    shown: list[str] = []
    for output in outputs:
        if not isinstance(output, dict):
            continue
        if output.get("output_type") == "stream":
            streams.setdefault(str(output.get("name")), []).append(_joined(output.get("text")))
        else:
            shown.extend(_displayed(output))
    return "\n".join(part for part in ("".join(streams["stdout"]), "".join(streams["stderr"]), *shown) if part)


def _displayed(output: Mapping[str, Json]) -> Iterable[str]:
    if output.get("output_type") == "error":
        yield f"{output.get('ename')}: {output.get('evalue')}"
    data = output.get("data")
    for kind, value in sorted(data.items()) if isinstance(data, dict) else ():
        text = _joined(value)
        yield f"[{kind} {sha256(text.encode())}]" if kind.startswith("image/") and "svg" not in kind else text


def _joined(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "".join(str(item) for item in value)
    return canonical(value).decode()


def kept(text: str) -> str:
    """Shorten a long normalised text to its ends, its length and its digest: equal texts stay equal, others differ."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    digest = sha256(text.encode(errors="surrogatepass"))
    return f"{text[:half]}\n[... {len(text)} characters, sha256 {digest} ...]\n{text[-half:]}"


def fingerprint(outputs: Mapping[str, str]) -> Digest | None:
    """Digest over cell id to normalised text; None where no plan cell was seen."""
    return sha256(canonical(dict(outputs))) if outputs else None


def moved(planned: Mapping[str, str], seen: Mapping[str, str], *, names: tuple[str, str] = ("plan", "run")) -> str:
    """Return a unified diff between what the plan saw and what the run sees; empty if they are equal.

    `names` is what the two sides are called in it.
    """
    first, second = names
    lines: list[str] = []
    for cell in dict.fromkeys((*planned, *seen)):
        before, now = planned.get(cell, ""), seen.get(cell, "")
        if (cell in planned) != (cell in seen) or before != now:
            lines.extend(
                difflib.unified_diff(
                    before.splitlines(), now.splitlines(), f"{first}/{cell}", f"{second}/{cell}", lineterm="", n=2
                )
                if before.splitlines() != now.splitlines()
                else [f"--- {first}/{cell}", f"+++ {second}/{cell}", "the cell is missing on one side"]
            )
    return "\n".join(lines)
