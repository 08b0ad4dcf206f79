"""Long histories, made fast: `git fast-import` for blobs and trees, then the commits once more with their signatures.

Every envelope and every person's words are really signed; commits are where asked for, since Git 2.39 cannot import
signed ones. The runs are spread over days as real ones are, and over a hundred targets.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runner.digest import Digest, sha256
from runner.evidence import seal
from runner.execution import executed
from runner.ledger.bodies import Approve, Body, Said, Start, Status
from runner.ledger.chain import Draft
from runner.ledger.envelope import STATEMENT, make_envelope
from runner.ledger.event import Event, encode, iso, path
from runner.ledger.state import FIRST
from runner.plan.run import Run, step
from runner.plan.run import fold as fold_run
from tests.audit.ledgers import ALICE, BEGIN, BOB, PROJECT, RUNBOOK, History, an_outcome, begin

TARGETS = 100
EVERY = timedelta(minutes=26)
"""Between two runs: 100,000 of them take five years."""


@dataclass(slots=True)
class Made:
    """The next commit to be: its files, its message and its time."""

    files: dict[str, bytes]
    message: str
    seconds: int


def make(folder: Path, runs: int, *, sign_commits: bool = True) -> Path:
    """A clone with so many runs on record; made once and then found again."""
    place = folder / f"runs-{runs}{'' if sign_commits else '-unsigned'}"
    clone = place / PROJECT
    if (place / "whole").exists():
        return clone
    history = begin(place)
    commits = list(_import(history, runs))
    if sign_commits:
        _sign(history, commits)
    history.close()
    (place / "whole").touch()
    return clone


def _import(history: History, runs: int) -> Iterator[tuple[str, int]]:
    """Import everything after genesis on a branch of its own; yield message and time of each commit."""
    command = ["git", "fast-import", "--quiet", "--depth=10", "--force"]
    process = subprocess.Popen(command, cwd=history.path, stdin=subprocess.PIPE)
    stream = process.stdin
    assert stream is not None
    first = True
    for made in _story(history, runs):
        lines = [f"commit refs/heads/evidence\ncommitter runbook <runbook@ops.invalid> {made.seconds} +0000\n"]
        lines.append(f"data {len(made.message.encode())}\n{made.message}\n")
        lines += ["from refs/heads/evidence^0\n"] if first else []
        stream.write("".join(lines).encode())
        for name, data in made.files.items():
            stream.write(f"M 100644 inline {name}\ndata {len(data)}\n".encode() + data + b"\n")
        first = False
        yield made.message, made.seconds
    stream.close()
    assert process.wait() == 0


class _Teller:
    """Numbers, links and signs events as they come."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.seq, self.prev = history.ledger.state.seq, history.ledger.state.head or FIRST
        self.signer = history.keys["runner"]

    def event(self, draft: Draft, *, time: str) -> tuple[Event, Made]:
        self.seq += 1
        files = tuple((name.removeprefix("outputs/"), sha256(data)) for name, data in sorted(draft.files.items()))
        event = Event(
            seq=self.seq,
            digest=Digest(""),
            prev=self.prev,
            run=draft.run,
            time=time,
            actor="host/1",
            subject=files or draft.about,
            body=draft.body,
        )
        data = make_envelope(encode(event), payload_type=STATEMENT, signer=self.signer)
        self.prev = sha256(data)
        trailers = [("Runbook-Event", str(self.seq)), ("Runbook-Type", event.type), ("Runbook-Run", str(draft.run))]
        lines = "\n".join(f"{name}: {value}" for name, value in (*trailers, *draft.trailers))
        message = f"{draft.title}\n\n{lines}\n"
        return event, Made({path(self.seq): data, **draft.files}, message, int(event.when.timestamp()))


def _story(history: History, runs: int) -> Iterator[Made]:
    teller = _Teller(history)
    for number in range(runs):
        history.clock.time = BEGIN + EVERY * (number + 1)
        history.issue, history.host = number + 10, f"web-{number % TARGETS}"
        yield from _run(teller, history, failed=number % 10 == 9)


def _run(teller: _Teller, history: History, *, failed: bool) -> Iterator[Made]:
    words = "```runbook\nrunbook: disk-cleanup\n```"
    plan = history._plan(words, by=ALICE)  # noqa: SLF001 - the fixture's own draft, without its commit

    def put(draft: Draft) -> tuple[Event, Made]:
        history.clock.time += timedelta(seconds=1)
        return teller.event(draft, time=iso(history.clock.time))

    planned, made = put(seal.plan_draft(plan, said=history.said(ALICE, words, number=0), request=words, rehearsal=None))
    yield made
    run = fold_run([planned])
    said: Said = history.said(BOB, f"/runbook approve {plan.digest[:12]}", number=1)
    yes, made = put(_about(run, Approve(plan_digest=run.digest, said=said)))
    yield made
    run = step(run, yes)
    body = Start(
        plan_digest=run.digest,
        attempt=1,
        nonce=plan.nonce,
        locks=plan.locks,
        approvals=(yes.seq,),
        policy_commit=plan.policy_commit,
        executor="local",
        isolation="bwrap",
        owner="host/1",
    )
    start, made = put(_about(run, body))
    yield made
    run = step(run, start)
    status = Status.FAILED if failed else Status.SUCCEEDED
    data = executed.notebook(RUNBOOK, injected=plan.injected, shown={})
    outcome = an_outcome(plan, status, notebook=sha256(data), now=history.clock.time)
    _, made = put(seal.end_draft(run, plan, approvals=(yes,), outcome=outcome, files={"executed.ipynb": data}))
    yield made


def _about(run: Run, body: Body) -> Draft:
    plan = run.plan
    trailers = (
        ("Runbook-Name", plan.runbook),
        ("Runbook-Target", ", ".join(plan.locks)),
        ("Runbook-Plan", f"sha256:{run.digest}"),
        ("Runbook-Issue", plan.issue),
        ("Requested-By", plan.said.by),
    )
    return Draft(body=body, run=run.id, title=type(body).__name__.lower(), about=seal.about(run), trailers=trailers)


def _sign(history: History, commits: list[tuple[str, int]]) -> None:
    """Write every imported commit again, signed, in one pack; trees and blobs stay as they are."""
    clone, signer = history.path, history.keys["runner"]
    command = ["git", "log", "--reverse", "--format=%T", "evidence"]
    trees = subprocess.run(command, cwd=clone, capture_output=True, check=True).stdout.decode().split()[1:]
    parent = history.ledger.tip or ""
    parts, count = list[bytes](), 0
    for tree, (message, seconds) in zip(trees, commits, strict=True):
        who = f"runbook <runbook@ops.invalid> {seconds} +0000"
        head = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}"
        signature = signer.sign_ssh(f"{head}\n\n{message}".encode(), namespace="git").strip().replace("\n", "\n ")
        data = f"{head}\ngpgsig {signature}\n\n{message}".encode()
        parent = hashlib.sha1(f"commit {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
        parts.append(_entry(data))
        count += 1
    body = b"PACK" + struct.pack(">II", 2, count) + b"".join(parts)
    pack = body + hashlib.sha1(body, usedforsecurity=False).digest()
    subprocess.run(["git", "index-pack", "--stdin"], cwd=clone, input=pack, capture_output=True, check=True)
    subprocess.run(["git", "update-ref", "refs/heads/evidence", parent], cwd=clone, check=True)


def _entry(data: bytes) -> bytes:
    size, head = len(data), bytearray()
    first, size = (1 << 4) | (size & 15), size >> 4
    while size:
        head.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    head.append(first)
    return bytes(head) + zlib.compress(data, 1)
