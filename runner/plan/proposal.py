"""The proposal: the change to files in Git that a plan asks people to review and merge. Pure.

It names every file with the digest of its bytes before and after, so that the plan's digest covers exactly the diff.
What may not be proposed is refused here once more, whatever the worker has let through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from runner.digest import Digest, Json, parse, readable, sha256
from runner.errors import RequestError
from runner.plan.plan import Proposal, Proposed
from runner.toolkit import paths

PREFIX = "runbook/"
"""How the branches begin that proposals are pushed to."""
MOST = 100
LARGEST = 4 * 1024 * 1024
"""Bytes of all proposed files together."""
DOING = "reading the proposal"
NOT_A_FILE = object()
"""What is at a path that holds something else than a regular file: a link, a folder, a submodule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A proposal with its bytes: path to the new content, None for a file that is to go."""

    proposal: Proposal
    files: Mapping[str, bytes | None] = field(default_factory=dict)


def read(data: bytes) -> dict[str, bytes | None]:
    """Read what a worker has left: path to text, in JSON.

    Raises:
        RequestError: if it is not that.
    """
    try:
        found = parse(dict[str, Json], data)
    except (msgspec.MsgspecError, RecursionError):
        raise RequestError(DOING, "the rehearsal left something else") from None
    wrong = [path for path, text in found.items() if not isinstance(text, str | None)]
    if wrong:
        raise RequestError(DOING, f"{wrong[0]!a} has no text")
    return {path: text.encode() if isinstance(text, str) else None for path, text in found.items()}


def written(files: Mapping[str, bytes | None]) -> bytes:
    """The bytes of all files, as they are stored with the plan and read by `read`."""
    return readable({path: None if data is None else data.decode() for path, data in files.items()})


def proposal(
    run: str,
    wanted: Mapping[str, bytes | None],
    *,
    globs: Sequence[str],
    base: str,
    into: str,
    now: Callable[[str], bytes | object | None],
) -> Change:
    """Make the proposal of what a rehearsal left; files that are as they should be already are no part of it.

    Args:
        run: the run's id, which names the branch.
        wanted: path to new content.
        globs: what the header opens.
        base: the commit that it was made on.
        into: the branch that it is to be merged into.
        now: gives what is at a path at that commit: bytes, None, or `NOT_A_FILE`.

    Raises:
        RequestError: with everything that may not be proposed, or if it would change nothing.
    """
    wrong = [f"{path!a}: {why}" for path in wanted if (why := _refused(path, globs, now(path)))]
    wrong += _clashes(wanted)
    if len(wanted) > MOST or sum(len(data or b"") for data in wanted.values()) > LARGEST:
        wrong.append(f"it has more than {MOST} files or {LARGEST} bytes")
    if wrong:
        raise RequestError(DOING, "; ".join(wrong), hint="open paths with `proposes:` in the header")
    made: dict[str, bytes | None] = {}
    files = []
    for path, data in sorted(wanted.items()):
        old = now(path)
        before = old if isinstance(old, bytes) else None
        if before != data:
            made[path] = data
            files.append(Proposed(path=path, before=_digest(before), after=_digest(data), size=len(data or b"")))
    if not files:
        nothing = "its plan cells propose no change" + (": the files are like that already" if wanted else "")
        raise RequestError(DOING, nothing, hint="there is nothing to review, and nothing was put on record")
    return Change(proposal=Proposal(base=base, into=into, source=PREFIX + run, files=tuple(files)), files=made)


def undoing(
    run: str,
    old: Proposal,
    *,
    before: Mapping[str, bytes | None],
    base: str,
    now: Callable[[str], bytes | object | None],
) -> Change:
    """The reverse of a merged proposal.

    Args:
        run: the id of the run that undoes it.
        old: what was merged.
        before: path to the bytes before that.
        base: the newest commit of the branch.
        now: gives what is at a path at that commit.

    Raises:
        RequestError: if one of the files is not what was merged any more: somebody has changed it since.
    """
    moved = differences(old, now)
    if moved:
        wrong = f"changed since it was merged: {', '.join(moved)}"
        raise RequestError("planning the reverse change", wrong, hint="propose what is wanted now by name instead")
    files = tuple(
        Proposed(path=one.path, before=one.after, after=one.before, size=len(before[one.path] or b""))
        for one in old.files
    )
    made = Proposal(base=base, into=old.into, source=PREFIX + run, files=files)
    return Change(proposal=made, files=dict(before))


def differences(made: Proposal, now: Callable[[str], bytes | object | None]) -> tuple[str, ...]:
    """Say which files are not as a proposal wants them; `now` gives what is at a path."""
    wrong = []
    for one in made.files:
        there = now(one.path)
        if isinstance(there, bytes) and sha256(there) == one.after:
            continue
        if there is None and one.after is None:
            continue
        wrong.append(one.path)
    return tuple(wrong)


def _refused(path: str, globs: Sequence[str], there: object) -> str:
    wrong = paths.fault(path)
    if not wrong and not any(paths.matches(glob, path) for glob in globs):
        wrong = "no line of the header's `proposes:` opens it"
    if not wrong and there is NOT_A_FILE:
        wrong = "there is something else than a plain file"
    return wrong


def _clashes(wanted: Mapping[str, bytes | None]) -> list[str]:
    """Paths of which one is a folder of the other, or that some file systems take for one."""
    made = [path for path, data in wanted.items() if data is not None]
    lowered = {path.lower() for path in made}
    wrong = [f"{path!a}: it lies in another proposed file" for path in made if _above(path) & set(made)]
    return [*wrong, *(["two paths differ in upper and lower case alone"] if len(lowered) < len(made) else [])]


def _above(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:length]) for length in range(1, len(parts))}


def _digest(data: bytes | None) -> Digest | None:
    return None if data is None else sha256(data)
