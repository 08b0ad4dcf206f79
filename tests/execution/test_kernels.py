"""Kernels: started apart, asked, interrupted, and ended with everything that they started."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from runner.execution import bubblewrap, isolation, kernel_start, kernels
from runner.execution.isolation import Room
from runner.execution.kernels import Kernel, KernelNotStarted
from runner.execution.sandbox import Sandbox
from runner.ledger.bodies import Status

from .conftest import DETACHED, Prepare, processes, until

LEVELS = [
    pytest.param(
        "bwrap", marks=pytest.mark.skipif(not bubblewrap.usable(), reason="machine: bubblewrap is not usable here")
    ),
    "subreaper",
]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = isolation.open_room(tmp_path)
    yield made
    isolation.close_room(made)


@pytest.fixture(autouse=True)
def host_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that is in the worker's environment before any kernel starts."""
    monkeypatch.setenv("RUNBOOK_TEST_OF_THE_HOST", "x")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(params=LEVELS)
def kernel(room: Room, loop: asyncio.AbstractEventLoop, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    environment = isolation.environment(room, {"RUNBOOK_RUN_ID": "kernel-4321"})
    made = Kernel(room, sandbox=Sandbox(level=request.param), environment=environment, loop=loop)
    made.connect()
    yield made
    made.end(now=True)


def executed(kernel: Kernel, code: str) -> dict[str, object]:
    """The content of the kernel's reply."""
    reply = kernel.run(kernel.client.execute_interactive(code, timeout=30, output_hook=lambda _: None))
    content: dict[str, object] = reply["content"]
    return content


def test_a_kernel_answers_until_it_is_killed_and_leaves_nobody(kernel: Kernel) -> None:
    assert kernel.alive
    assert kernel.answers()
    assert executed(kernel, DETACHED)["status"] == "ok"
    assert len(processes("kernel-4321")) >= 4
    kernel.kill()
    assert not kernel.alive
    assert not kernel.answers()
    until(lambda: not processes("kernel-4321"), seconds=5)


def test_a_kernel_ends_by_itself_when_it_is_asked_and_twice_is_once(kernel: Kernel) -> None:
    kernel.end()
    kernel.end()
    assert not processes("kernel-4321")


def test_cells_see_only_their_own_variables_and_work_in_their_own_folder(kernel: Kernel, room: Room) -> None:
    code = f"import os; assert 'RUNBOOK_TEST_OF_THE_HOST' not in os.environ and os.getcwd() == {str(room.work)!r}"
    assert executed(kernel, code)["status"] == "ok"


def test_a_failing_command_is_a_failing_cell(kernel: Kernel) -> None:
    assert executed(kernel, "!false")["ename"] == "CalledProcessError"
    assert executed(kernel, "%%bash\nfalse | true\n")["status"] == "error"


def test_an_interrupted_cell_ends_and_the_kernel_goes_on(kernel: Kernel) -> None:
    def looked(message: dict[str, object]) -> None:
        # Only its own output says that the cell's code runs; before that an interrupt hits the kernel and not the cell.
        if message["msg_type"] == "stream":
            shown.set()

    async def interrupted() -> dict[str, object]:
        task = asyncio.ensure_future(
            kernel.client.execute_interactive(
                "print('on', flush=True)\nimport time\ntime.sleep(60)", timeout=30, output_hook=looked
            )
        )
        await asyncio.wait_for(shown.wait(), 30)
        await kernel.interrupt()
        reply = await task
        content: dict[str, object] = reply["content"]
        return content

    shown = asyncio.Event()
    assert kernel.run(interrupted())["ename"] == "KeyboardInterrupt"
    assert kernel.answers()


def test_a_kernel_that_cannot_start_says_so(
    room: Room, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    kernel = Kernel(room, sandbox=Sandbox(level="subreaper"), environment={}, loop=loop)
    with pytest.raises(KernelNotStarted, match="did not answer"):
        kernel.connect()
    kernel.end(now=True)


def test_the_environment_is_one_line_for_each_package_in_order() -> None:
    lines = kernels.packages().splitlines()
    assert lines == sorted(set(lines))
    assert set(lines) == {f"{one.name.lower()}=={one.version}" for one in distributions() if one.name}
    assert any(line.startswith("ipykernel==") for line in lines)
    assert kernels.kernel_version().startswith("ipykernel ")


def test_nothing_outlives_a_run_that_ends_well(execute: Prepare) -> None:
    run = execute(("change", DETACHED), environment={"RUNBOOK_RUN_ID": "end-me-4321"})
    assert run.outcome.status is Status.SUCCEEDED
    assert not processes("end-me-4321")


def test_both_sides_let_as_many_messages_wait_and_a_worker_does_not_load_ipython() -> None:
    assert kernels.WAITING == kernel_start.WAITING
    code = "import sys, runner.execution.worker; print('IPython' in sys.modules, 'pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "False"]
