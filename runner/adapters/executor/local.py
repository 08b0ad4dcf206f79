"""Workers on this host: one spool folder and one process in a session of its own for each piece of work.

Everything is known from the spool's files, so that another supervisor process (or the same one after a kill) picks work
up where it is. The order is durable before the marker, the marker before the process: what is marked can be started.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from runner.adapters.executor.spares import Spares
from runner.digest import parse, sha256
from runner.errors import OutsideError
from runner.ports import live_log
from runner.ports.claim import NAME as CLAIMED
from runner.ports.claim import Claim
from runner.ports.executor import Work, WorkState

READY = "ready"
"""The marker in a spool that says that the order is complete and durable."""
OUTCOME, TRANSCRIPT, CANCEL = "outcome", "transcript.jsonl", "cancel"
CLAIM_WITHIN = 30.0
"""Seconds in which a worker that was started has to make the work its own."""


class LocalExecutor:
    """Starts workers on this host.

    Args:
        root: where the spools lie; it should be short (kernel sockets) and survive a restart.
        command: how a worker is started; the spool's path is appended.
        environment: the workers' environment; secrets come from there, kernels do not see it.
        kinds: what workers are to be kept ready for at first, one for each; later it is what was asked for last.
    """

    def __init__(
        self,
        root: Path,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        kinds: Sequence[str] = (),
    ) -> None:
        self._root = root
        self._command = tuple(command)
        self._environment = dict(environment)
        self._sent: dict[str, _Sent] = {}
        self._spares = Spares(root.parent / "spares", command=command, environment=environment) if kinds else None
        self._kinds = deque(kinds, maxlen=len(kinds))

    @property
    def name(self) -> str:
        """Recorded in plan and start."""
        return "local"

    @property
    def isolation(self) -> str:
        """Policy alone decides on a host of our own."""
        return "none"

    def refuses(self, *, targets: Sequence[str], questions: bool) -> str:  # noqa: ARG002 - the port's names
        """Nothing: every target is reached from here, and a worker can be asked and answered."""
        return ""

    def spool(self, key: str) -> Path:
        """The folder of one piece of work; its name is a digest, so that no key can point elsewhere."""
        return self._root / sha256(key.encode())[:20]

    def submit(self, work: Work) -> None:
        """Make the work durable, then start a worker on it.

        A second worker on the same spool finds it claimed and ends, so repeating this is safe.

        Raises:
            OutsideError: if it could not be made durable, or no worker could be started, or the one that was started
                before did not make the work its own: nothing of it ran, and handing it over again later is safe.
        """
        spool = self.spool(work.key)
        try:
            if not (spool / READY).exists():
                self._write(spool, work)
            if self.state(work.key) is WorkState.SUBMITTED:
                self._not_in_vain(spool)
                self._start(spool, kind=work.kind)
        except OSError as error:
            raise OutsideError(
                "handing work to a worker", f"{error.strerror}", hint="see disk space and rights of the spool folder"
            ) from error

    def _write(self, spool: Path, work: Work) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool.mkdir(mode=0o700, exist_ok=True)
        for name, data in {**work.files, "key": work.key.encode()}.items():
            if "/" in name or name.startswith("."):
                raise OutsideError("handing work to a worker", f"{name!r} is not a plain file name")
            _write(spool / name, data)
        _sync(spool)
        _write(spool / READY, b"")
        _sync(spool)
        _sync(self._root)

    def _mark(self, spool: Path) -> Path:
        """Where it is noted that a worker was started on a spool: beside the spools, so that losing those shows."""
        return self._root.parent / f"{self._root.name}-started" / spool.name

    def _start(self, spool: Path, *, kind: str = "") -> None:
        mark = self._mark(spool)
        if not mark.exists():
            mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(mark, b"")
            _sync(mark.parent)
        spare = self._spares.take(kind, spool) if self._spares and kind else None
        if kind:
            self._kinds.append(kind)
        self._sent[spool.name] = _Sent(spare or self._cold(spool), at=time.monotonic())

    def _cold(self, spool: Path) -> subprocess.Popen[bytes]:
        with (spool / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._command, str(spool)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
                env=self._environment,
            )
        # What it did is in the spool; somebody only has to collect its end, or it stays a zombie as long as we live.
        threading.Thread(target=process.wait, daemon=True, name="worker's end").start()
        return process

    def prepare(self) -> None:
        """Keep workers ready for what was asked for last."""
        if self._spares:
            self._spares.sweep()
            self._spares.keep(self._kinds)

    def close(self) -> None:
        """Let the workers go that were kept ready."""
        if self._spares:
            self._spares.close()

    def _not_in_vain(self, spool: Path) -> None:
        """Say so if a worker was started on this spool and did not claim it: another one would do no better now."""
        if self._sent.pop(spool.name, None) is not None:
            hint = f"see worker.log in {spool}, then run `runbook reconcile --once`"
            raise OutsideError("handing work to a worker", "the worker did not make it its own", hint=hint)

    def state(self, key: str) -> WorkState:
        """Say where a piece of work stands."""
        spool = self.spool(key)
        if not (spool / READY).exists():
            # A spool that is gone after a worker was started on it proves nothing: that work must not be done again.
            return WorkState.DEAD if self._mark(spool).exists() else WorkState.UNKNOWN
        sent = self._sent.get(spool.name)
        # Asked in this order: a worker that claimed its spool and ended in between is no worker that never came.
        on_its_way = sent is not None and sent.may_come()
        if not (spool / CLAIMED).exists():
            return WorkState.RUNNING if on_its_way else WorkState.SUBMITTED
        self._sent.pop(spool.name, None)
        lives = _lives(spool)
        # Asked after the process: a worker that sealed and ended in between is sealed, not dead.
        if (spool / OUTCOME).is_dir():
            return WorkState.SEALED
        return WorkState.RUNNING if lives else WorkState.DEAD

    def why(self, key: str) -> str:  # noqa: ARG002 - the port's name
        """Nothing: a process that was killed leaves no word."""
        return ""

    def collect(self, key: str) -> Mapping[str, bytes]:
        """Return every file of a sealed outcome, or the transcript of a dead worker, by its path."""
        spool = self.spool(key)
        outcome = spool / OUTCOME
        if outcome.is_dir():
            files = [path for path in sorted(outcome.rglob("*")) if path.is_file() and not path.is_symlink()]
            return {path.relative_to(outcome).as_posix(): path.read_bytes() for path in files}
        return {TRANSCRIPT: self.progress(key)} if (spool / TRANSCRIPT).exists() else {}

    def progress(self, key: str, *, since: int = 0) -> bytes:
        """Return the transcript as far as it is durable, from a byte on."""
        try:
            with (self.spool(key) / TRANSCRIPT).open("rb") as file:
                file.seek(since)
                return file.read()
        except FileNotFoundError:
            return b""

    def live(self, key: str, *, since: int) -> tuple[bytes, int]:
        """Return the live log from a place on, and the place from which to ask next."""
        return live_log.read(self.spool(key) / live_log.NAME, since)

    def cancel(self, key: str, *, rollback: bool) -> None:
        """Ask the worker to end."""
        if self.state(key) in {WorkState.RUNNING, WorkState.SUBMITTED}:
            _bring(self.spool(key), CANCEL, b"rollback" if rollback else b"leave")

    def deliver(self, key: str, name: str, data: bytes) -> None:
        """Put a file into the spool of a running worker; to any other nothing has to be brought.

        Raises:
            OutsideError: if it could not be made durable.
        """
        if self.state(key) is not WorkState.RUNNING:
            return
        try:
            _bring(self.spool(key), name, data)
        except OSError as error:
            hint = "see disk space and rights of the spool folder"
            raise OutsideError("bringing something to a worker", f"{error.strerror}", hint=hint) from error

    def kept(self) -> tuple[str, ...]:
        """Name every piece of work that has a spool here."""
        files = sorted(self._root.glob("*/key")) if self._root.is_dir() else []
        return tuple(file.read_text(encoding="utf-8") for file in files)

    def forget(self, key: str) -> None:
        """Remove the spool, unless a worker still lives on it."""
        if self.state(key) is not WorkState.RUNNING:
            spool = self.spool(key)
            shutil.rmtree(spool, ignore_errors=True)
            self._mark(spool).unlink(missing_ok=True)

    def end(self, key: str) -> None:
        """Tell a living worker to end in order (SIGTERM), as a service manager would."""
        found, sent = _claim(self.spool(key)), self._sent.get(self.spool(key).name)
        if found is not None and found.lives():
            os.kill(found.pid, signal.SIGTERM)
        elif found is None and sent is not None:
            sent.process.terminate()


class _Sent:
    """A worker that was started by this process and has not claimed its spool yet."""

    def __init__(self, process: subprocess.Popen[bytes], *, at: float) -> None:
        self.process, self._at = process, at

    def may_come(self) -> bool:
        return self.process.poll() is None and time.monotonic() - self._at < CLAIM_WITHIN


def _lives(spool: Path) -> bool:
    found = _claim(spool)
    return found is not None and found.lives()


def _claim(spool: Path) -> Claim | None:
    """Read the claim; a torn one was written by a worker that did not get to execute anything."""
    try:
        return parse(Claim, (spool / CLAIMED).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _bring(spool: Path, name: str, data: bytes) -> None:
    """Let a file appear in a spool whole, for a worker that may look at any moment."""
    _write(spool / f"{name}.new", data)
    (spool / f"{name}.new").rename(spool / name)
    _sync(spool)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
