"""A job of a pipeline that carries one work order out: what the executor `gitlab-ci` has running at the other end.

It belongs to the project's runner at GitLab and not to the supervisor: it holds no key, and believes nothing but the
ledger. The order has to be signed by a key of the ledger, its start open there, and this very job has to be the one
that the supervisor let in. Then a worker with an environment of its own does what a worker does anywhere, and what it
leaves goes back as one file.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import msgspec

from runner import config
from runner.config import Job
from runner.digest import Digest, parse, sha256
from runner.errors import IntegrityError, OutsideError, RequestError, RunbookError
from runner.execution import isolation, outcomes, progress, seal_outcome, stopping
from runner.execution.acceptance import KEYS
from runner.execution.outcome import Outcome
from runner.ledger.bodies import Status
from runner.ledger.envelope import open_envelope
from runner.ports import live_log, pipeline
from runner.ports.pipeline import ADMISSION, ADMITTED, BRANCH, CANCEL, CANCELLED, ORDER, Admission, Cancelled
from runner.repository import refs
from runner.wiring import Workspace, open_workspace

DOING = "taking a work order as a job of a pipeline"
WAIT = 180.0
"""Seconds in which the order has to be there: the pipeline is started before it is pushed."""
LOOK_EVERY = 3.0
"""Seconds between two looks at the work's branch: for the order, and then for a word to cancel."""
POLL = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent for this job: files as they lie on the branch, and who may be believed. `tip` is its commit."""

    branch: str
    tip: str
    files: dict[str, bytes]
    keys: tuple[str, ...]

    @property
    def order(self) -> Digest:
        """The digest of the signed order."""
        return sha256(self.files[ORDER])


def carry_out(clone: Path, *, name: str, result: Path, say: Callable[[str], None]) -> int:
    """Carry out the order that was sent under a name, if it was sent for this job, and write what came of it.

    Args:
        clone: the job's checkout, with its whole history.
        name: how the work is called on the remote.
        result: the file that the job leaves.
        say: prints a line into the job's log.

    Returns:
        0 if the order was carried out and succeeded, else 1.

    Raises:
        RequestError: if this is no job of a pipeline, or there is nothing of that name.
        IntegrityError: if the order is not for this job, or not what the supervisor signed: nothing was executed.
        OutsideError: if the remote does not answer.
    """
    # The job's own token is in our environment.
    isolation.shut()
    result.unlink(missing_ok=True)
    job = config.job()
    if job is None:
        raise RequestError(DOING, "this is no job of a pipeline", hint="the runner starts pipelines by itself")
    if not pipeline.NAME.fullmatch(name):
        raise RequestError(DOING, f"{name!a} is no name of work", hint="the runner starts pipelines by itself")
    workspace = open_workspace(clone)
    sent = _sent(workspace, name, say=say)
    _admitted(sent, job)
    say(f"order {sent.order[:12]} is for job {job.job}")
    spool = _spool(workspace, sent, job)
    try:
        status = _worked(workspace, sent, spool=spool, say=say)
        files, problem = _left(spool), ""
    except RunbookError as error:
        status, files, problem = None, {}, str(error)
    finally:
        shutil.rmtree(spool, ignore_errors=True)
    if not files:
        problem = problem or "its worker left no outcome"
        say(problem)
    result.write_bytes(pipeline.packed(sent.order, job=job.job, files=files, problem=problem))
    say(f"it ended: {status.value if status else 'without an outcome'}")
    return 0 if status is Status.SUCCEEDED else 1


def _sent(workspace: Workspace, name: str, *, say: Callable[[str], None]) -> Sent:
    """Wait for the order, which is pushed when this job's number is known."""
    branch, end = BRANCH + name, time.monotonic() + WAIT
    while (tip := refs.heads(workspace.repository, branch).get(branch)) is None:
        if time.monotonic() >= end:
            wrong = f"nothing was sent under {name[:12]} within {WAIT:.0f} s: nothing is executed"
            raise RequestError(DOING, wrong, hint="people do not start this pipeline; write a request on an issue")
        say("waiting for the order")
        time.sleep(LOOK_EVERY)
    files = _read(workspace, branch, names=(*pipeline.SENT, ADMISSION, CANCEL))
    ledger = workspace.ledger()
    state = ledger.refresh()
    ledger.close()
    return Sent(branch=branch, tip=tip, files=files, keys=tuple(sorted(state.keys)))


def _read(workspace: Workspace, branch: str, *, names: Sequence[str]) -> dict[str, bytes]:
    tip = refs.glimpse(workspace.repository, branch)
    found = {name: workspace.objects.read(tip, name) for name in names} if tip else {}
    return {name: data for name, data in found.items() if data is not None}


def _admitted(sent: Sent, job: Job) -> None:
    """See that this very job may carry the order out; a retried one has another number.

    Raises:
        IntegrityError: if not.
    """
    if not {ORDER, pipeline.NOTEBOOK, ADMISSION} <= sent.files.keys():
        raise IntegrityError(DOING, "what was sent is not complete: nothing is executed")
    payload = open_envelope(sent.files[ADMISSION], keys=sent.keys, payload_type=ADMITTED)
    try:
        admission = parse(Admission, payload)
    except msgspec.MsgspecError as error:
        raise IntegrityError(DOING, f"what lets it in is damaged ({error})") from error
    wanted = Admission(order=sent.order, project=job.project, pipeline=job.pipeline, job=job.job)
    if admission != wanted:
        wrong = f"it is for job {admission.job} of pipeline {admission.pipeline}, and this is job {job.job}"
        hint = "a job is not retried: resume the run, or ask again, on its issue"
        raise IntegrityError(DOING, f"{wrong}: nothing is executed", hint=hint)


def _spool(workspace: Workspace, sent: Sent, job: Job) -> Path:
    """The folder of this job's work: there can be one, however often the job's script comes here.

    Raises:
        IntegrityError: if this job was here before.
    """
    mark = workspace.state / "jobs" / str(job.job)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        mark.touch(exist_ok=False)
    except FileExistsError as error:
        raise IntegrityError(DOING, f"job {job.job} was here before: nothing is executed") from error
    spool = workspace.state / "spool" / f"job-{job.job}"
    spool.mkdir(mode=0o700, parents=True)
    files = {name: data for name, data in sent.files.items() if name in pipeline.SENT}
    for name, data in {**files, KEYS: "".join(f"{key}\n" for key in sent.keys).encode()}.items():
        (spool / name).write_bytes(data)
    return spool


def _worked(workspace: Workspace, sent: Sent, *, spool: Path, say: Callable[[str], None]) -> Status | None:
    """Have a worker do it, pass a cancel on, and show what its cells say."""
    _pass_on(sent, sent.files.get(CANCEL), spool=spool, say=say)
    hidden = (workspace.state, workspace.secrets_folder(), *workspace.repository.folders, *config.job_folders())
    command = config.worker_command(workspace.repository.path, hidden=hidden)
    worker = subprocess.Popen(
        [*command, "--fetched", str(spool)],
        stdin=subprocess.DEVNULL,
        env=config.worker_environment(),
        start_new_session=True,
    )
    before = {one: signal.signal(one, _to(worker)) for one in (signal.SIGTERM, signal.SIGINT)}
    tip, looked, heard = sent.tip, time.monotonic(), 0
    try:
        while worker.poll() is None:
            heard = _show(spool, heard, say=say)
            if time.monotonic() - looked >= LOOK_EVERY:
                tip, looked = _look(workspace, sent, tip=tip, spool=spool, say=say), time.monotonic()
            time.sleep(POLL)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    _show(spool, heard, say=say)
    file = spool / seal_outcome.NAME / outcomes.OUTCOME
    return parse(Outcome, file.read_bytes()).status if file.is_file() else None


def _to(worker: subprocess.Popen[bytes]) -> Callable[[int, FrameType | None], None]:
    """Hand a signal to the worker, which is in a session of its own and ends in order."""

    def hand(number: int, _frame: FrameType | None) -> None:
        worker.send_signal(number)

    return hand


def _look(workspace: Workspace, sent: Sent, *, tip: str, spool: Path, say: Callable[[str], None]) -> str:
    """See whether the branch has moved, and what for; a remote that is away changes nothing."""
    try:
        now = refs.heads(workspace.repository, sent.branch).get(sent.branch, tip)
        if now != tip:
            word = _read(workspace, sent.branch, names=(CANCEL,)).get(CANCEL)
            _pass_on(sent, word, spool=spool, say=say)
    except OutsideError:
        return tip
    return now


def _pass_on(sent: Sent, word: bytes | None, *, spool: Path, say: Callable[[str], None]) -> None:
    """Tell the worker to end, if the supervisor says so about this order; anything else is passed over."""
    if word is None:
        return
    try:
        told = parse(Cancelled, open_envelope(word, keys=sent.keys, payload_type=CANCELLED))
    except (IntegrityError, msgspec.MsgspecError):
        say("somebody wrote on the branch who is not the runner: passed over")
        return
    if told.order == sent.order:
        say("it is cancelled")
        new = spool / f"{stopping.CANCEL}.new"
        new.write_text("rollback" if told.rollback else "leave", encoding="utf-8")
        new.rename(spool / stopping.CANCEL)


def _show(spool: Path, heard: int, *, say: Callable[[str], None]) -> int:
    """Print what cells said since the last look: it is masked, and goes no further than the job's log."""
    entries, place = live_log.read(spool / live_log.NAME, heard)
    for one in progress.said(entries):
        for line in one.text.splitlines():
            say(f"[{one.name}] {line}")
    return place


def _left(spool: Path) -> dict[str, bytes]:
    folder = spool / seal_outcome.NAME
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
