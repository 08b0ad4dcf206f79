"""A spare's kernel: used for the one order that it fits, given its variables, and ended unused for any other."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from runner import wiring
from runner.digest import parse, sha256
from runner.errors import OperatorError
from runner.execution import spare as spares
from runner.execution.kind import Kind
from runner.execution.order import Order
from runner.execution.spare import LateSecrets, Spare
from runner.execution.worker import Outside, carry_out
from runner.ledger.envelope import unchecked_payload
from tests.execution.conftest import Prepare, Run

SAYS = "import os\nprint(os.getpid(), os.environ.get('RUNBOOK_RUN_ID'), 'before' in globals())"


class Pipe:
    """What a spare is told, line by line; `asked` counts the lines."""

    def __init__(self, *lines: object) -> None:
        self.lines = [json.dumps(line).encode() + b"\n" for line in lines]
        self.asked = 0

    def readline(self) -> bytes:
        self.asked += 1
        return self.lines.pop(0) if self.lines else b""


class NoSecrets:
    """A store that has what the environment has."""

    def resolve(self, name: str) -> str:
        return os.environ[f"RUNBOOK_SECRET_{name}"]


@pytest.fixture
def spare(tmp_path: Path) -> Iterator[Spare]:
    folder = tmp_path / "spare"
    folder.mkdir()
    made = spares.prepare(folder, Kind(), hidden=(str(tmp_path),), built=tmp_path)
    assert (folder / spares.READY).exists()
    yield made
    made.end()
    made.loop.close()


def carried_out(run: Run, spare: Spare, hidden: Path) -> Run:
    outside = Outside(secrets=NoSecrets(), still_open=lambda _: None, now=wiring.now, hidden=(str(hidden),))
    carry_out(run.spool, outside=outside, spare=spare)
    return run


def test_the_order_that_fits_runs_in_the_kernel_that_waited(prepare: Prepare, spare: Spare, tmp_path: Path) -> None:
    kernel = spare.kernel
    assert kernel
    run = prepare(("change", SAYS), write=(), environment={"RUNBOOK_RUN_ID": "run-4321"})
    first = kernel.run(kernel.client.execute_interactive("before = 1", silent=True, output_hook=lambda _: None))
    assert first["content"]["status"] == "ok"
    said = carried_out(run, spare, tmp_path).text("c0").split()
    assert said[1:] == ["run-4321", "True"], "the mark that was left in this very kernel"
    assert not spare.room.private.exists()
    assert spare.take() is None


def test_for_an_order_of_another_kind_its_kernel_is_ended_unused(
    prepare: Prepare, spare: Spare, tmp_path: Path
) -> None:
    kernel = spare.kernel
    assert kernel
    kernel.run(kernel.client.execute_interactive("before = 1", silent=True, output_hook=lambda _: None))
    run = carried_out(prepare(("change", SAYS), write=(), network=True), spare, tmp_path)
    assert run.text("c0").split()[2] == "False"
    process = getattr(kernel.manager.provisioner, "process")  # noqa: B009 - jupyter_client does not declare it
    assert process.poll() is not None
    assert not spare.room.private.exists()


def test_a_toolkit_that_changed_since_makes_it_unfit(prepare: Prepare, spare: Spare) -> None:
    order = parse(Order, unchecked_payload((prepare(("change", "1"), write=()).spool / "order.dsse.json").read_bytes()))
    assert spare.fits(order, spare.sandbox)
    assert not spare.fits(msgspec.structs.replace(order, toolkit="0" * 64), spare.sandbox)
    assert not spare.fits(order, dataclasses.replace(spare.sandbox, level="none"))


def test_the_secrets_stay_in_the_pipe_until_the_first_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_SECRET_OTHER", "x")
    pipe = Pipe("/some/spool", {"RUNBOOK_SECRET_PASSWORD": "hunter2"})
    assert spares.wait(pipe) == Path("/some/spool")
    secrets = LateSecrets(pipe, NoSecrets())
    assert pipe.asked == 1
    assert "RUNBOOK_SECRET_PASSWORD" not in os.environ
    assert (secrets.resolve("PASSWORD"), secrets.resolve("OTHER")) == ("hunter2", "x")
    assert pipe.asked == 2
    monkeypatch.delenv("RUNBOOK_SECRET_PASSWORD")


@pytest.mark.parametrize("said", [b"", b'"/torn'], ids=["closed", "torn"])
def test_without_a_whole_word_there_is_no_order(said: bytes) -> None:
    pipe = Pipe()
    pipe.lines = [said]
    assert spares.wait(pipe) is None


def test_an_environment_that_was_not_built_yet_is_not_built_for_a_spare(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="not built here yet"):
        spares.prepare(tmp_path, Kind(environment=sha256(b"a==1\n")), hidden=(), built=tmp_path)
