"""A bench for whole executions: notebooks made of cells, orders signed with a key of the test's own, real workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runner.digest import Digest, canonical, parse, sha256
from runner.execution import toolkit_copy, transcript
from runner.execution.order import PAYLOAD_TYPE, Mode, Order
from runner.execution.outcome import CellFate, Fate, Outcome
from runner.ledger.envelope import make_envelope

WORKER = Path(__file__).with_name("run_worker.py")


class TestKey:
    """An Ed25519 key that signs as a supervisor does."""

    __test__ = False

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> str:
        return self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        raise NotImplementedError


def notebook(*cells: tuple[str, str]) -> bytes:
    """A notebook of (tags, source) cells; tags `md` and `raw` make text cells, several tags are joined by commas."""
    made = []
    for number, (tags, source) in enumerate(cells):
        kind = {"md": "markdown", "raw": "raw"}.get(tags, "code")
        cell: dict[str, object] = {
            "cell_type": kind,
            "id": f"c{number}",
            "metadata": {"tags": [tag for tag in tags.split(",") if tag]} if kind == "code" else {},
            "source": source.splitlines(keepends=True),
        }
        made.append(cell | ({"outputs": [], "execution_count": None} if kind == "code" else {}))
    whole = {
        "cells": made,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1).encode()


@dataclass
class Run:
    """One spool and what became of it."""

    spool: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    hidden: tuple[str, ...] = ()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.spool / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, str(WORKER), str(self.spool), *self.hidden],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {f"RUNBOOK_SECRET_{name}": value for name, value in self.secrets.items()},
            )

    def wait(self, process: subprocess.Popen[bytes]) -> Run:
        self.status = process.wait(timeout=90)
        return self

    @property
    def log(self) -> str:
        return (self.spool / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def outcome(self) -> Outcome:
        path = self.spool / "outcome" / "outcome.json"
        assert path.exists(), self.log
        return parse(Outcome, path.read_bytes())

    @property
    def executed(self) -> dict[str, object]:
        whole: dict[str, object] = json.loads((self.spool / "outcome" / "executed.ipynb").read_bytes())
        return whole

    @property
    def sealed(self) -> bytes:
        """Every byte that was sealed, and the transcript."""
        files = [path for path in (self.spool / "outcome").rglob("*") if path.is_file()]
        return b"\n".join(path.read_bytes() for path in [*sorted(files), self.spool / "transcript.jsonl"])

    def fates(self, phase: str = "forward") -> dict[str, Fate]:
        return {cell.id: cell.fate for cell in self.outcome.cells if cell.phase == phase}

    def cell(self, cell_id: str, phase: str = "forward") -> CellFate:
        return next(cell for cell in self.outcome.cells if (cell.id, cell.phase) == (cell_id, phase))

    def text(self, cell_id: str) -> str:
        """What a cell's text outputs say."""
        cells = self.executed["cells"]
        assert isinstance(cells, list)
        outputs = next(cell for cell in cells if cell["id"] == cell_id)["outputs"]
        return "".join("".join(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in outputs)


Prepare = Callable[..., Run]


@pytest.fixture
def key() -> TestKey:
    return TestKey()


@pytest.fixture
def prepare(tmp_path: Path, key: TestKey) -> Prepare:
    """Make a spool with a signed order for a notebook, of cells or as bytes; changes to the order by keyword."""

    def made(
        *cells: tuple[str, str], content: bytes = b"", secrets: Mapping[str, str] | None = None, **changes: object
    ) -> Run:
        content = content or notebook(*cells)
        spool = tmp_path / f"spool{len(list(tmp_path.glob('spool*')))}"
        spool.mkdir(mode=0o700)
        # Cells work in the test's folder; the spool, which lies in it too, stays shut.
        usual = {"read_secrets": tuple(secrets or ()), "write": (str(tmp_path),)}
        order = msgspec.structs.replace(order_for(content), **{**usual, **changes})
        (spool / "runbook.ipynb").write_bytes(content)
        (spool / "order.dsse.json").write_bytes(make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=key))
        (spool / "trusted_keys").write_text(key.public_key + "\n")
        return Run(spool=spool, secrets=secrets or {})

    return made


@pytest.fixture
def execute(prepare: Prepare) -> Prepare:
    """Prepare a spool and carry its order out to the end."""

    def done(*cells: tuple[str, str], **given: object) -> Run:
        run = prepare(*cells, **given)
        return run.wait(run.start())

    return done


def order_for(content: bytes, *, plan_outputs: Mapping[str, str] | None = None) -> Order:
    outputs = dict(plan_outputs or {})
    return Order(
        mode=Mode.RUN,
        run="20261123T023028Z-test-abcdefgh",
        attempt=1,
        plan_digest=Digest("0" * 64),
        start=7,
        nonce="nonce",
        repository="",
        notebook=sha256(content),
        injected="",
        parameters={},
        read_secrets=(),
        change_secrets=(),
        network=False,
        write=(),
        timeout=80.0,
        cell_timeout=40.0,
        toolkit=toolkit_copy.digest(toolkit_copy.files()),
        isolation="none",
        fingerprint=sha256(canonical(outputs)) if outputs else None,
        plan_outputs=outputs,
        environment={"RUNBOOK_RUN_ID": "20261123T023028Z-test-abcdefgh"},
    )


def sources(cells: Sequence[Mapping[str, object]]) -> list[str]:
    return [
        "".join(line for line in cell["source"] if isinstance(line, str))
        for cell in cells
        if isinstance(cell["source"], list)
    ]


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def processes(marker: str) -> list[int]:
    """Processes whose command line or environment holds a marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in text and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def started(run: Run, cell: str) -> Callable[[], bool]:
    def look() -> bool:
        path = run.spool / "transcript.jsonl"
        if not path.exists():
            return False
        return any(f.id == cell and f.fate is Fate.RUNNING for f in transcript.fates(path.read_bytes()))

    return look


DETACHED = """
import os, subprocess, time
subprocess.Popen(["sleep", "4321"])
subprocess.Popen(["setsid", "sleep", "4321"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "4321"])
    os._exit(0)
"""
"""Starts processes that leave the kernel's group, its session and its family."""
