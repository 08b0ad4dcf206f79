"""Checking many signatures: in process for a few, in several processes for many, with bounded memory.

A job is plain data, so that it can cross to another process. What is trusted is decided by the caller, which passes the
keys; here is only arithmetic. Whatever cannot be checked counts as not signed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Self

import msgspec

from runner.audit.finding import Violation
from runner.ledger.envelope import signed_by_any
from runner.repository import sshsig

BATCH = 256
"""Jobs sent at once."""
FEW = 2048
"""Up to so many jobs, starting processes costs more than it saves."""
AHEAD = 12
"""Batches that may wait: what bounds memory."""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """One signature to check: by any of these keys (OpenSSH lines).

    `namespace` is that of an SSH signature (armoured, one in `signatures`); empty for raw Ed25519.
    """

    message: bytes
    signatures: tuple[bytes, ...]
    keys: tuple[str, ...]
    namespace: str


def holds(job: Job) -> bool:
    """Whether one of the keys made one of the signatures."""
    if not job.namespace:
        return signed_by_any(job.message, job.signatures, job.keys)
    armoured = [one.decode(errors="replace") for one in job.signatures]
    return any(
        sshsig.verify(job.message, one, public_key=key, namespace=job.namespace) for key in job.keys for one in armoured
    )


def check(jobs: Sequence[Job]) -> list[bool]:
    """Check a batch."""
    return [holds(job) for job in jobs]


def check_packed(packed: bytes) -> list[bool]:
    """Check a batch in another process: packed, it crosses over in a tenth of the time."""
    return check(msgspec.msgpack.decode(packed, type=list[Job]))


class Signatures:
    """Collects jobs, each with the violation that it is if it does not hold. Use it as a context manager."""

    def __init__(self, *, processes: int | None = None) -> None:
        self._processes = (os.cpu_count() or 1) if processes is None else processes
        self._jobs: list[Job] = []
        self._meanings: list[Violation] = []
        self._asked = 0
        self._pool: ProcessPoolExecutor | None = None
        self._sent: deque[tuple[Future[list[bool]], list[Violation]]] = deque()
        self._broken: list[Violation] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def ask(self, job: Job, *, otherwise: Violation) -> None:
        """Have a signature checked; `otherwise` comes out of `broken` if it does not hold."""
        self._jobs.append(job)
        self._meanings.append(otherwise)
        self._asked += 1
        if len(self._jobs) >= BATCH:
            self._flush()

    def broken(self) -> Iterator[Violation]:
        """Wait for everything that was asked, and give what did not hold, in the order asked."""
        self._flush()
        while self._sent:
            self._settle()
        yield from self._broken
        self._broken.clear()

    def _flush(self) -> None:
        if not self._jobs:
            return
        jobs, meanings, self._jobs, self._meanings = self._jobs, self._meanings, [], []
        if self._asked <= FEW or self._processes < 2:  # noqa: PLR2004 - one process needs no pool
            self._keep(check(jobs), meanings)
            return
        if self._pool is None:
            # A fresh interpreter, not a fork: this process has pipes to git open that a fork would keep open.
            self._pool = ProcessPoolExecutor(max_workers=self._processes, mp_context=get_context("spawn"))
        self._sent.append((self._pool.submit(check_packed, msgspec.msgpack.encode(jobs)), meanings))
        if len(self._sent) > AHEAD:
            self._settle()

    def _settle(self) -> None:
        future, meanings = self._sent.popleft()
        self._keep(future.result(), meanings)

    def _keep(self, results: Sequence[bool], meanings: Sequence[Violation]) -> None:
        self._broken += [meaning for good, meaning in zip(results, meanings, strict=True) if not good]
