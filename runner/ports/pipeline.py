"""What crosses between the executor that starts a pipeline and the job in it: the order's way there, the result's back.

They may know each other only through a branch of the remote, made for one piece of work, and through one file that the
job leaves. What goes there is signed by the supervisor; what comes back is a claim, and is held against what was sent.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping

import msgspec

from runner.digest import Digest, Wire, canonical, parse, sha256
from runner.errors import IntegrityError

BRANCH = "runbook-work/"
"""What the branches begin with: one for each piece of work, removed when its evidence is on the remote."""
NAME = re.compile(r"[0-9a-f]{40}")
"""How a piece of work is called there: nothing of a run can be read from it, and nothing in it can be syntax."""
JOB = "runbook"
"""The job of the pipeline that carries work out."""
RESULT = "runbook-result.json"
"""The one file that it leaves."""

ORDER, NOTEBOOK = "order.dsse.json", "runbook.ipynb"
SENT = frozenset({ORDER, NOTEBOOK, "environment.lock", "files-present.json", "files-merged.json"})
"""Files that may travel. No others: what a rehearsal left for a run may hold secrets, and the remote can read it."""
ADMISSION, CANCEL = "admission.dsse.json", "cancel.dsse.json"

LARGEST_SENT = 32 * 1024 * 1024
"""Bytes of one file on the way there."""
LARGEST_RESULT = 96 * 1024 * 1024
"""Bytes of the file on the way back; GitLab itself takes archives of up to 100 MB unless it was told otherwise."""
_PLAIN = re.compile(r"(?:artifacts/)?[A-Za-z0-9][A-Za-z0-9._-]{0,149}")


def name_of(key: str) -> str:
    """How a piece of work is called on the remote."""
    return sha256(key.encode())[:40]


class Admission(Wire):
    """The supervisor's word that one job of one pipeline, and no other, may carry an order out.

    GitLab gives every job a new number, also one that is retried, and gives it to a runner once: so an order is carried
    out at most once, and by nobody who starts a pipeline by hand. `order` is the digest of the order's envelope.
    """

    order: Digest
    project: int
    pipeline: int
    job: int
    schema: int = 1


class Cancelled(Wire):
    """The supervisor's word that work is to end; `order` as above."""

    order: Digest
    rollback: bool
    schema: int = 1


ADMITTED = "application/vnd.runbook.admission+json"
CANCELLED = "application/vnd.runbook.cancelled+json"
"""Payload types of the two."""


class Result(Wire):
    """What a job says came of its order: every file that its worker left, base64, or in words why there are none."""

    order: Digest
    job: int
    files: dict[str, str]
    problem: str = ""
    schema: int = 1


def packed(order: Digest, *, job: int, files: Mapping[str, bytes], problem: str = "") -> bytes:
    """Make the file that travels back; one that is too large says so instead."""
    told = Result(
        order=order, job=job, files={name: b64encode(data).decode() for name, data in files.items()}, problem=problem
    )
    data = canonical(told)
    if len(data) > LARGEST_RESULT and files:
        said = f"what its worker left is larger than a result may be ({len(data)} bytes, {LARGEST_RESULT} at most)"
        return packed(order, job=job, files={}, problem=said)
    return data


def unpacked(data: bytes, *, order: Digest, job: int) -> Result:
    """Read what came back, and see that it is about that order and from that job.

    Raises:
        IntegrityError: if it is not, or is no result at all.
    """
    doing = f"reading the result of job {job}"
    if len(data) > LARGEST_RESULT:
        raise IntegrityError(doing, f"it is larger than {LARGEST_RESULT} bytes")
    try:
        told = parse(Result, data)
    except msgspec.MsgspecError as error:
        raise IntegrityError(doing, f"it is cut off, or is no result ({error})") from error
    if (told.order, told.job) != (order, job):
        raise IntegrityError(doing, "it is about another order, or from another job")
    if any(not _PLAIN.fullmatch(name) or ".." in name for name in told.files):
        raise IntegrityError(doing, "a file in it has a name that nothing of ours has")
    return told


def contents(told: Result) -> dict[str, bytes]:
    """The files of a result.

    Raises:
        IntegrityError: if one is not base64.
    """
    try:
        return {name: b64decode(text, validate=True) for name, text in told.files.items()}
    except (Error, ValueError) as error:
        raise IntegrityError(f"reading the result of job {told.job}", "a file in it is damaged") from error
