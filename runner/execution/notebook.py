"""Executing cells with papermill, through an engine of our own. The home of papermill, nbclient and nbformat.

papermill executes; it does not testify: it gets a notebook of just the cells to execute, no path, no parameters and no
tags, and what it saves is thrown away. What counts is told to the `Listener` from the kernel's own replies. Importing
this module takes longer than a kernel's start, so it is imported while one starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellControlSignal, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from runner.digest import Json
from runner.execution import sweep, tries
from runner.execution.collected import LIMIT, Collected
from runner.execution.kernels import Kernel
from runner.execution.listener import Begin, Ended, Listener
from runner.execution.phases import Step
from runner.execution.replies import judge
from runner.execution.stopping import Cause

ENGINE = "runbook"
LOOK = 0.1
"""Seconds between two looks at whether the running cell has to stop."""
GRACE = 5.0
"""Seconds that an interrupted cell has to end before its kernel is killed."""
HURRIED_GRACE = 1.0
SWEEP_GRACE = 2.0
"""Seconds that what an interrupted cell started has to end by itself before it is killed."""
OUTPUT_TIMEOUT = 24 * 3600
"""Seconds that output may arrive after the reply; cell and run timeouts are the real limits."""

_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
"""Message type to the fields of the output that it becomes, as the notebook format has them."""
_NBFORMAT: Any = nbformat
_V4 = _NBFORMAT.v4
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def execute(kernel: Kernel, steps: Sequence[Step], *, listener: Listener) -> None:
    """Execute cells in order on a connected kernel until one does not end ok.

    Everything that is known afterwards was told to the listener.
    """
    cells = [_V4.new_code_cell(source=step.source, id=step.id) for step in steps]
    try:
        papermill.execute_notebook(
            _V4.new_notebook(cells=cells, metadata={"kernelspec": _KERNEL}),
            None,
            engine_name=ENGINE,
            kernel_name=_KERNEL["name"],
            progress_bar=False,
            kernel=kernel,
            steps=tuple(steps),
            listener=listener,
        )
    except (Halted, PapermillExecutionError, CellControlSignal):
        # Each of these is about a cell whose fate the listener knows.
        return


class Halted(Exception):  # noqa: N818 - not an error: it takes papermill out of its loop
    """A cell did not end well or may not begin, so no later one may run."""


class WatchedClient(PapermillNotebookClient):  # type: ignore[misc] # papermill ships no types
    """nbclient, watched: each cell is stopped when there is a cause, and judged by the kernel's reply."""

    def __init__(self, nb_man: Any, *, kernel: Kernel, steps: Sequence[Step], listener: Listener) -> None:
        # Errors are judged by the reply; allowing them keeps the kernel from dropping the request that comes next.
        super().__init__(nb_man, km=kernel.manager, iopub_timeout=OUTPUT_TIMEOUT, allow_errors=True)
        self.kc = kernel.client
        self.on_cell_executed = self._replied
        self.clear_before_next_output = False
        self._kernel, self._steps, self._listener = kernel, steps, listener
        self._reply: Mapping[str, Json] | None = None
        self._collected = Collected()

    def execute_cell(self, cell: Any, cell_index: int, **_more: Any) -> Any:
        """Execute one cell under watch; papermill's own loop calls this.

        Raises:
            Halted: if no later cell may run.
        """
        step = self._steps[cell_index]
        match self._listener.begins(step):
            case Begin.STOP:
                raise Halted
            case Begin.SKIP:
                return cell
            case Begin.GO:
                pass
        tried = 1
        ended = self._tried(cell, cell_index, tried=tried)
        while (wait := tries.wait_before_next(step, ended.verdict, tried=tried, alive=ended.alive)) is not None:
            self._listener.failed(step, ended)
            if not self._kernel.run(self._waited(step, wait)):
                # What the last try showed has been told.
                ended = replace(ended, outputs=())
                break
            tried += 1
            ended = self._tried(cell, cell_index, tried=tried)
        if not self._listener.ended(step, ended):
            raise Halted
        return cell

    def _tried(self, cell: Any, index: int, *, tried: int) -> Ended:
        """Send the cell once, and say how that ended."""
        step = self._steps[index]
        # All tries together keep no more than one cell may.
        self._reply, self._collected = None, Collected(limit=LIMIT // (step.retries + 1))
        self.clear_display_id_mapping(index)
        self._listener.began(step, tried=tried)
        cause, dead = self._kernel.run(self._watched(cell, index))
        verdict = judge(self._reply, cause=cause, dead=dead, timeout=self._listener.timeout(step))
        outputs = self._collected.outputs(cell.outputs)
        alive = verdict.reason is None or (not dead and self._kernel.alive)
        return Ended(verdict=verdict, outputs=outputs, count=cell.execution_count, tried=tried, alive=alive)

    async def _waited(self, step: Step, seconds: float) -> bool:
        """Wait before the next try; False if meanwhile there is a cause that no cell may begin."""
        end = self._listener.clock() + seconds
        while (left := end - self._listener.clock()) > 0:
            if self._listener.cause(step, since=None) is not None:
                return False
            await asyncio.sleep(min(left, LOOK))
        return self._listener.cause(step, since=None) is None

    async def _watched(self, cell: Any, index: int) -> tuple[Cause | None, bool]:
        """Run the cell; return why it was stopped, if it was, and whether the kernel died under it."""
        step, since, mark = self._steps[index], self._listener.clock(), sweep.now()
        task = asyncio.ensure_future(self.async_execute_cell(cell, index))
        cause: Cause | None = None
        while not (await asyncio.wait({task}, timeout=LOOK))[0]:
            cause = self._listener.cause(step, since=since)
            if cause is not None:
                await self._stop(task, grace=HURRIED_GRACE if cause is Cause.HURRY else GRACE, mark=mark)
                break
        error = (await asyncio.gather(task, return_exceptions=True))[0]
        # An error of the cell's own code is in the reply.
        if isinstance(error, BaseException) and not isinstance(error, CellControlSignal | DeadKernelError):
            raise error
        return cause, isinstance(error, DeadKernelError)

    async def _stop(self, task: asyncio.Future[Any], *, grace: float, mark: int) -> None:
        await self._kernel.interrupt()
        if (await asyncio.wait({task}, timeout=grace))[0]:
            await self._kernel.sweep(since=mark, grace=min(grace, SWEEP_GRACE))
        else:
            self._kernel.kill()

    def _replied(self, *, execute_reply: Mapping[str, Any], **_more: Any) -> None:
        self._reply = execute_reply["content"]

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Keep what the cell shows, within bounds."""
        self._listener.shows(msg)
        if not self._collected.takes(msg, cell.outputs, clearing=self.clear_before_next_output):
            return None
        output = super().process_message(msg, cell, cell_index)
        self._collected.began(output)
        return output

    def output(self, outs: list[Any], msg: Any, *place: Any) -> Any:
        """Store an output without nbformat's validation of each, which costs more than receiving it."""
        if self.output_hook_stack[msg["parent_header"].get("msg_id")] or msg["msg_type"] not in _FIELDS:
            return super().output(outs, msg, *place)
        display_id, cell_index = place
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if display_id:
            self._display_id_map.setdefault(display_id, {}).setdefault(cell_index, []).append(len(outs))
        fields = {name: msg["content"].get(name) for name in _FIELDS[msg["msg_type"]]}
        made = _NBFORMAT.from_dict({"output_type": msg["msg_type"], **fields})
        outs.append(made)
        return made


class RunbookEngine(Engine):  # type: ignore[misc] # papermill ships no types
    """Hands the notebook to the watched client, on a kernel that is already there."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, _kernel_name: str, **given: Any) -> None:
        """Execute every cell of the notebook that papermill prepared."""
        wanted = {name: given[name] for name in ("kernel", "steps", "listener")}
        WatchedClient(nb_man, **wanted).papermill_execute_cells()


papermill_engines.register(ENGINE, RunbookEngine)
