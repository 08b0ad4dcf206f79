"""A spare: a worker that was started before there is an order, with a kernel that has executed nothing.

Orders of one `Kind` can use each other's spare. Whether one really fits is decided from the order that was checked: a
sandbox that is not exactly the order's, or another toolkit, and the spare's kernel is ended unused. A spare knows no
order and no secret; both come through a pipe, and when that ends without either, so does the spare.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from runner.digest import Digest, canonical
from runner.errors import OperatorError
from runner.execution import environments, isolation, toolkit_copy
from runner.execution.isolation import Room
from runner.execution.kernels import Kernel
from runner.execution.kind import Kind
from runner.execution.order import Order
from runner.execution.sandbox import Sandbox
from runner.ports import claim
from runner.ports.secrets import Secrets

READY = "ready"
"""The file in a spare's folder that says that its kernel answers."""


class Line(Protocol):
    """The pipe through which a spare is told: it must not read ahead."""

    def readline(self) -> bytes:
        """The next line; empty when the owner is gone."""
        ...


@dataclass(slots=True)
class Spare:
    """A kernel that waits, and what it was made for. It is given away once."""

    room: Room
    sandbox: Sandbox
    toolkit: Digest
    loop: asyncio.AbstractEventLoop
    kernel: Kernel | None
    folder: Path

    def fits(self, order: Order, sandbox: Sandbox) -> bool:
        """Whether this kernel is the one that would be started for that order."""
        return self.kernel is not None and (sandbox, order.toolkit) == (self.sandbox, self.toolkit)

    def take(self) -> Kernel | None:
        """The kernel, the first time; None after that: a second one is started like any other."""
        kernel, self.kernel = self.kernel, None
        return kernel

    def end(self) -> None:
        """End an unused kernel, with everything in its room."""
        kernel = self.take()
        if kernel is not None:
            kernel.end(now=True)
        isolation.close_room(self.room)


def prepare(folder: Path, kind: Kind, *, hidden: tuple[str, ...], built: Path) -> Spare:
    """Start a kernel of a kind, and load what its worker will need, at the same time.

    Args:
        folder: the spare's own.
        kind: what to be ready for.
        hidden: folders that no declaration opens.
        built: the folder of this machine's environments; one that was not built yet is not built for a spare.

    Raises:
        RunbookError: if there can be no such kernel here.
    """
    os.umask(0o077)
    isolation.shut()
    (folder / claim.NAME).write_bytes(canonical(claim.of_process()))
    python = _python(kind, built)
    sandbox = isolation.sandbox(kind, level=isolation.reached(), hidden=hidden, python=python)
    toolkit = toolkit_copy.digest(toolkit_copy.files())
    room = isolation.open_room(folder)
    environment = isolation.environment(room, {}, python=sandbox.python)
    loop = asyncio.new_event_loop()
    kernel = Kernel(room, sandbox=sandbox, environment=environment, loop=loop)
    importlib.import_module("runner.execution.notebook")
    kernel.connect()
    (folder / READY).touch()
    return Spare(room, sandbox, toolkit, loop, kernel, folder)


def _python(kind: Kind, folder: Path) -> str:
    if kind.environment is None:
        return sys.executable
    found = environments.built(folder, kind.environment)
    if found is None:
        raise OperatorError("preparing a spare worker", "the environment of its kind is not built here yet")
    return str(found.python)


def wait(line: Line) -> Path | None:
    """Wait to be told where an order lies; None if the owner is gone."""
    said = line.readline()
    return Path(json.loads(said)) if said.endswith(b"\n") else None


@dataclass(slots=True)
class LateSecrets:
    """The secrets of the environment stay in the pipe until an order that was checked asks for the first one."""

    line: Line
    stores: Secrets
    _read: bool = field(default=False)

    def resolve(self, name: str) -> str:
        """Return a secret's value; as the stores do."""
        if not self._read:
            self._read = True
            os.environ.update(msgspec.json.decode(self.line.readline() or b"{}", type=dict[str, str]))
        return self.stores.resolve(name)
