"""Kernels: start one behind its guardian, talk to it, interrupt it, end it. The home of jupyter_client.

Spawning returns at once, so that papermill can be imported while the kernel starts. A kernel is asynchronous inside
(the blocking manager hangs on a dead kernel) on the one event loop that the worker owns. It knows nothing of cells.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import OutsideError
from runner.execution import bubblewrap, guardian, sweep
from runner.execution.isolation import Room
from runner.execution.sandbox import Sandbox

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from jupyter_client.manager import AsyncKernelManager

KERNEL_START = Path(guardian.__file__).with_name("kernel_start.py")
"""A script that is never imported here: it brings all of IPython, which would cost each worker 0.3 s for nothing."""
WAITING = 16
"""Messages that wait for each side, as in that script."""
START_TIMEOUT = 60
"""Seconds that a kernel may take until it answers."""
ANSWER_TIMEOUT = 20.0
"""Seconds that an idle kernel may take to answer whether it lives."""
END_TIMEOUT = 2.0
"""Seconds between asking a kernel to end and ending it."""


class KernelNotStarted(OutsideError):  # noqa: N818 - named for what happened, as its exit reason is
    """The kernel never answered."""


class Kernel:
    """One kernel process and the client to it.

    Args:
        room: its folders.
        sandbox: what it can reach.
        environment: all of its environment.
        loop: the worker's event loop.
    """

    def __init__(
        self, room: Room, *, sandbox: Sandbox, environment: Mapping[str, str], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._room = room
        self._sandbox = sandbox
        self._environment = dict(environment)
        self._loop = loop
        self.client: Any = None
        """jupyter_client's AsyncKernelClient once connected."""
        self.manager = self._spawn()

    def _spawn(self) -> AsyncKernelManager:
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager

        # By message, because a signal would end the sandbox instead of the cell.
        spec = KernelSpec(
            argv=_command(self._room, self._sandbox),
            language="python",
            display_name="Python 3",
            interrupt_mode="message",
        )

        class OnlyOurs(KernelSpecManager):
            """Knows one kernel: a kernelspec of the host's is never executed."""

            def get_kernel_spec(self, _name: str) -> KernelSpec:
                return spec

        name = secrets.token_hex(4)
        manager = AsyncKernelManager(
            kernel_spec_manager=OnlyOurs(),
            transport="ipc",
            ip=str(self._room.sockets / name),
            connection_file=str(self._room.sockets / f"{name}.json"),
        )
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        start = manager.start_kernel(env=self._environment, cwd=str(self._room.work), **quiet)
        try:
            self._loop.run_until_complete(start)
        except Exception as error:
            raise KernelNotStarted("starting the kernel", type(error).__name__) from error
        return manager

    def connect(self) -> None:
        """Wait until the kernel answers; one that was connected before is.

        Raises:
            KernelNotStarted: if it does not.
        """
        if self.client is not None:
            return
        self.client = self.manager.client()
        self.client.allow_stdin = False
        # A flood waits in the cell that makes it and not in our memory; nothing of it is dropped on either side.
        self.client.context.rcvhwm = WAITING
        self.client.start_channels(stdin=False)
        try:
            self._loop.run_until_complete(self.client.wait_for_ready(timeout=START_TIMEOUT))
        except RuntimeError as error:
            self.kill()
            raise KernelNotStarted("starting the kernel", "it did not answer", hint="see if ipykernel works") from error

    def adopt(self, environment: Mapping[str, str]) -> None:
        """Give a kernel that was started ahead the variables of its order. Nothing was executed in it before.

        Raises:
            KernelNotStarted: if it does not take them.
        """
        code = f"__import__('os').environ.update({dict(environment)!r})"
        wanted = self.client.execute(code, silent=True, store_history=False, allow_stdin=False)
        try:
            reply = self.run(asyncio.wait_for(self._reply(wanted), ANSWER_TIMEOUT))
        except (TimeoutError, RuntimeError) as error:
            raise KernelNotStarted("waking the kernel", "it did not answer") from error
        if reply["content"].get("status") != "ok":
            raise KernelNotStarted("waking the kernel", "it did not take its variables")

    def run(self, work: Any) -> Any:
        """Run one coroutine to its end on the worker's loop."""
        return self._loop.run_until_complete(work)

    @property
    def _guardian(self) -> subprocess.Popen[bytes] | None:
        """The guardian's process; its end is the kernel's end."""
        return getattr(self.manager.provisioner, "process", None)

    @property
    def alive(self) -> bool:
        """Say whether the kernel's process still runs."""
        return bool(self.manager.has_kernel and self.run(self.manager.is_alive()))

    def answers(self) -> bool:
        """Ask the kernel whether it is still there; only its own answer counts."""
        if not self.alive:
            return False
        try:
            self.run(asyncio.wait_for(self._asked(), ANSWER_TIMEOUT))
        except (TimeoutError, RuntimeError):
            return False
        return True

    async def _asked(self) -> None:
        await self._reply(self.client.kernel_info())

    async def _reply(self, wanted: str) -> Any:
        while True:
            message = await self.client.shell_channel.get_msg(timeout=None)
            if message["parent_header"].get("msg_id") == wanted:
                return message

    def idle(self, seconds: float) -> None:
        """Let time pass while no cell runs, and throw away what is said meanwhile, so that it does not pile up."""
        self.run(self._idle(seconds))

    async def _idle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while (left := end - time.monotonic()) > 0:
                await self.client.get_iopub_msg(timeout=left)

    async def interrupt(self) -> None:
        """Ask the kernel to interrupt what it is doing; it need not obey."""
        await self.manager.interrupt_kernel()

    async def sweep(self, *, since: int, grace: float) -> None:
        """End what the kernel's cells started since a moment of `sweep.now`; the kernel itself goes on."""
        if self._guardian is not None:
            await sweep.sweep(self._guardian.pid, since=since, grace=grace)

    def kill(self) -> None:
        """End the kernel and everything that it started, now."""
        # The guardian must do it: killing the guardian would set the kernel's children free.
        process = self._guardian
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)

    def end(self, *, now: bool = False) -> None:
        """Let the kernel shut down by itself, end what is left, and close the channels."""
        process = self._guardian
        if process is not None and process.poll() is None and not now:
            self.run(self.manager.request_shutdown())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=END_TIMEOUT)
        self.kill()
        if self.client is not None:
            self.client.stop_channels()
        self.run(self.manager.cleanup_resources())


def _command(room: Room, sandbox: Sandbox) -> list[str]:
    """The kernel's command line, in its sandbox, behind the guardian; it gets a copy, not our source folder."""
    start = shutil.copy(KERNEL_START, room.start)
    folders = os.pathsep.join({str(room.private), str(room.sockets)})
    most = str(sandbox.limits.processes)
    watch = [sys.executable, "-I", "-S", str(guardian.__file__), str(os.getpid()), folders, most, "--"]
    return [
        *watch,
        *(bubblewrap.command(sandbox, room.own) if sandbox.level == "bwrap" else ()),
        *(sandbox.python, "-P", start, json.dumps(sandbox.limits.of_system()), "-f", "{connection_file}"),
        "--InteractiveShell.system_raise_on_error=True",
        "--HistoryManager.enabled=False",
        "--ScriptMagics.script_paths=bash=bash -e -o pipefail",
        f"--ScriptMagics.script_paths=sh={_strict_sh()}",
    ]


def _strict_sh() -> str:
    """`sh` with as much strictness as the host's has: not every one knows pipefail."""
    known = subprocess.run(["sh", "-o", "pipefail", "-c", "true"], check=False, capture_output=True).returncode == 0
    return "sh -e -o pipefail" if known else "sh -e"


def packages() -> str:
    """List the environment that the cells import from, as sorted `name==version` lines."""
    from importlib.metadata import distributions

    return "\n".join(sorted({line for found in distributions() if (line := _pinned(found))}))


def _pinned(found: Distribution) -> str:
    """A package as `name==version`, or nothing; its own properties would read its whole readme for each of them."""
    from email.parser import HeaderParser

    text = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    said = HeaderParser().parsestr(text.partition("\n\n")[0])
    return f"{said['Name'].lower()}=={said['Version']}" if said["Name"] else ""


def kernel_version() -> str:
    """Name the kernel implementation and its version."""
    from importlib.metadata import version

    return f"ipykernel {version('ipykernel')}"
