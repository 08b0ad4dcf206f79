"""The room that a kernel runs in: its folders, its environment, and how well the host can keep it apart.

It says what is reached and never claims more: `bwrap` is a sandbox that opens what was declared, `subreaper` is process
hygiene and no security boundary. Starting the kernel in the room is done in `kernels`.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runner.approval.rules import ISOLATION
from runner.digest import Json
from runner.errors import OperatorError
from runner.execution import bubblewrap, toolkit_copy
from runner.execution.bubblewrap import Own
from runner.execution.sandbox import Limits, Sandbox

_PR_SET_DUMPABLE = 4
_FROM_HOST = ("PATH", "LANG", "LC_ALL", "TZ")
_FORBIDDEN = re.compile(
    r"(?:.*(?:KEY|TOKEN|SECRET|PASSWORD)|SSH_.*|GIT_.*|CI_.*|LD_.*|PYTHON.*|PATH|HOME|TMPDIR|IPYTHON.*|JUPYTER.*|JPY_.*)\Z"
)
_FOLDERS = ("home", "tmp", "plan-files", "proposal", "given", "given/files", "start", "s")
"""What is in the private folder."""
_SOCKET_PATH = 90
"""Longest folder path in which kernel sockets still fit the system's limit of 107 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Folders of one attempt's kernels. `private` (0700) holds secrets, sockets, home; `work` is where cells run.

    Cells never get `private` itself: they could put a link in the place of one of its folders, and have the worker
    write, or the next kernel look, somewhere else.
    """

    private: Path
    work: Path
    sockets: Path

    @property
    def given(self) -> Path:
        """What the worker hands to the cells, and renews while they run: theirs to read."""
        return self.private / "given"

    @property
    def start(self) -> Path:
        """The kernel's first lines."""
        return self.private / "start"

    @property
    def own(self) -> Own:
        """What a sandbox opens of it."""
        private = self.private
        return Own(
            read=(private / "path", self.start, self.given),
            write=(private / "home", private / "tmp", self.plan_files, self.proposal, self.sockets, self.work),
            work=self.work,
            shut=private.parent,
        )

    @property
    def secrets_file(self) -> Path:
        """The values that the toolkit's `secret` reads."""
        return self.given / "secrets.json"

    @property
    def plan_files(self) -> Path:
        """The files of the plan: left by a rehearsal, handed to a run."""
        return self.private / "plan-files"

    @property
    def proposal(self) -> Path:
        """The change to files in Git that a rehearsal proposes."""
        return self.private / "proposal"

    @property
    def files(self) -> Path:
        """The files in Git that it may propose to change, as they are."""
        return self.given / "files"

    @property
    def records_file(self) -> Path:
        """The results recorded so far, for a kernel that starts later."""
        return self.given / "records.json"


def reached() -> str:
    """Find out, by trying, which isolation level this host gives us."""
    if not sys.platform.startswith("linux") or not Path("/proc/self/stat").exists():
        return "none"
    return "bwrap" if bubblewrap.usable() else "subreaper"


def require(least: str, *, level: str) -> None:
    """Refuse to go on with less isolation than is demanded.

    Raises:
        OperatorError: if the level reached is weaker, or the demanded one is unknown.
    """
    if least not in ISOLATION or ISOLATION[level] < ISOLATION[least]:
        raise OperatorError(
            "preparing the isolation",
            f"policy demands at least {least!r}, and this host gives {level!r}",
            hint="install bubblewrap on a host that allows user namespaces, or run it on another host",
        )


class Declared(Protocol):
    """What a header declares of a kernel, as an order has it."""

    @property
    def network(self) -> bool: ...  # noqa: D102
    @property
    def processes(self) -> str: ...  # noqa: D102
    @property
    def read(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def write(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def limits(self) -> Limits: ...  # noqa: D102


def sandbox(order: Declared, *, level: str, hidden: tuple[str, ...], python: str = sys.executable) -> Sandbox:
    """What an order's kernels can reach.

    Args:
        order: with what its header declares.
        level: the isolation that is reached.
        hidden: folders that no declaration opens.
        python: the interpreter of the kernels.

    Raises:
        OperatorError: if the order asks for one of the hidden folders, or to write where nothing is.
    """
    made = Sandbox(
        level=level,
        network=order.network,
        processes=order.processes,
        read=order.read,
        write=order.write,
        hidden=hidden,
        limits=order.limits,
        python=python,
    )
    doing = "preparing the isolation"
    refused, missing = bubblewrap.refused(made), bubblewrap.missing(made) if level == "bwrap" else ()
    if refused:
        raise OperatorError(doing, f"the runner's own folders are opened to nobody: {', '.join(refused)}")
    if missing:
        hint = "make it beforehand, or have the header name the folder that it is to be made in"
        raise OperatorError(doing, f"to be written, and not there: {', '.join(missing)}", hint=hint)
    return made


def shut() -> None:
    """Keep this process's memory and environment, which may hold secrets, from other processes of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def open_room(spool: Path) -> Room:
    """Make the folders, with the toolkit's copy in them."""
    spool = spool.resolve()
    private, work, sockets = spool / "private", spool / "work", spool / "private" / "s"
    for folder in (private, work, *(private / name for name in _FOLDERS)):
        folder.mkdir(mode=0o700, exist_ok=True)
    toolkit_copy.write(toolkit_copy.files(), private / "path")
    if len(os.fsencode(sockets)) > _SOCKET_PATH:
        # A deep spool has no room for socket names; the guardian removes this folder too.
        sockets = Path(tempfile.mkdtemp(prefix="runbook-")).resolve()
    return Room(private=private, work=work, sockets=sockets)


def close_room(room: Room) -> None:
    """Remove the private folder, and the scratch folder with what cells left in it."""
    for folder in (room.private, room.sockets, room.work):
        shutil.rmtree(folder, ignore_errors=True)


def hand_secrets(room: Room, values: Mapping[str, str]) -> None:
    """Write the secrets' values where only the kernel's user reads them."""
    _write_private(room.secrets_file, dict(values))


def hand_records(room: Room, records: Mapping[str, Json]) -> None:
    """Write the recorded results for a fresh kernel."""
    _write_private(room.records_file, dict(records))


def _write_private(path: Path, value: Mapping[str, object]) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - a mode from the first moment on
        json.dump(value, file)


def environment(room: Room, given: Mapping[str, str], *, python: str = sys.executable) -> dict[str, str]:
    """Build a kernel's environment from an allow list; what the supervisor's own environment holds stays outside.

    Args:
        room: the kernel's folders.
        given: plain variables of the work order.
        python: the kernels' interpreter; the programs that were installed with it come first.

    Raises:
        OperatorError: if the order names a variable that could carry a credential in or change what is executed.
    """
    wrong = sorted(name for name in given if _FORBIDDEN.match(name))
    if wrong:
        raise OperatorError("preparing the kernel's environment", f"a work order may not set {', '.join(wrong)}")
    host = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    own = Path(python).parent
    return {
        **given,
        **host,
        "PATH": os.pathsep.join((str(own), host.get("PATH", os.defpath))),
        "HOME": str(room.private / "home"),
        "TMPDIR": str(room.private / "tmp"),
        "IPYTHONDIR": str(room.private / "home" / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(room.private / "home" / ".jupyter"),
        "PYTHONPATH": str(room.private / "path"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "RUNBOOK_SECRETS_FILE": str(room.secrets_file),
        "RUNBOOK_RECORDS_FILE": str(room.records_file),
        "RUNBOOK_PLAN_FILES": str(room.plan_files),
        "RUNBOOK_PROPOSAL": str(room.proposal),
        "RUNBOOK_FILES": str(room.files),
    }
