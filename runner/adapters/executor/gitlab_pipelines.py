"""Pipelines of one GitLab project, in the few words that the executor needs: start one, see its job, end it, read it.

A pipeline runs on the protected branch, so that what its job does was reviewed. GitLab lets only those start one there
who may merge to it, and the runner's own token should not: so where Git's credential helpers have a trigger token,
which a maintainer made for this, the pipeline is started with that, and with the runner's own token otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.adapters.gitlab_asking import Asking
from runner.errors import OperatorError, RequestError
from runner.ports.pipeline import JOB, LARGEST_RESULT, RESULT

DOING = "starting a pipeline"
_PAUSES = (0.0, 1.0, 2.0)
"""Seconds before each look at the jobs of a pipeline that was made just now."""
_CHUNK = 64 * 1024
ENDED = frozenset({"success", "failed", "canceled", "skipped"})
"""States in which GitLab does nothing more with a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A pipeline that was started, and its job."""

    project: int
    pipeline: int
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as GitLab has it. `began` says that a runner has taken it; `failure` is GitLab's word for why it failed."""

    status: str
    began: bool
    failure: str = ""

    @property
    def ended(self) -> bool:
        """Whether GitLab does nothing more with it."""
        return self.status in ENDED


class Pipelines:
    """Pipelines on one branch of one project.

    Args:
        asking: the client, with the runner's own token.
        project: the project's path or number.
        ref: the protected branch.
        trigger: a trigger token, or empty.
    """

    def __init__(self, asking: Asking, *, project: str, ref: str, trigger: str = "") -> None:
        self._asking = asking
        self._path = project
        self._ref = ref
        self._trigger = trigger
        self._number = 0

    @property
    def _project(self) -> Any:
        projects = self._asking.client.projects
        if not self._number:
            missing = f"there is no project {self._path} for this token"
            found = self._asking.read("opening the project", lambda: projects.get(self._path), missing=missing)
            self._number = int(found.id)
        return projects.get(self._number, lazy=True)

    def start(self, inputs: Mapping[str, str | int]) -> Started:
        """Start a pipeline, and find the job in it that carries work out.

        Raises:
            OperatorError: if GitLab does not let us, or the project's configuration has no such job.
            OutsideError: if GitLab does not answer. A pipeline may have been started then; its job finds nothing to do.
        """
        _ = self._project
        try:
            made = self._asking.write(DOING, lambda: self._made(inputs), missing="there is no such trigger token")
        except RequestError as error:
            raise OperatorError(error.doing, error.wrong, hint=_hint(error.wrong)) from error
        pipeline = int(made["id"])
        return Started(project=self._number, pipeline=pipeline, job=self._job_of(pipeline))

    def _made(self, inputs: Mapping[str, str | int]) -> dict[str, Any]:
        place = f"/projects/{self._number}"
        given: dict[str, Any] = {"ref": self._ref, "inputs": dict(inputs)}
        if self._trigger:
            answer = self._asking.client.http_post(
                f"{place}/trigger/pipeline", post_data=given | {"token": self._trigger}
            )
        else:
            answer = self._asking.client.http_post(f"{place}/pipeline", post_data=given)
        return dict(answer) if isinstance(answer, dict) else {}

    def _job_of(self, pipeline: int) -> int:
        place = self._project.pipelines.get(pipeline, lazy=True)
        for pause in _PAUSES:
            time.sleep(pause)
            jobs = self._asking.read("reading the pipeline's jobs", lambda: place.jobs.list(get_all=True))
            found = [int(job.id) for job in jobs if job.name == JOB]
            if found:
                return max(found)
        wrong = f"pipeline {pipeline} has no job {JOB!r}"
        raise OperatorError(DOING, wrong, hint=f"see .gitlab-ci.yml on {self._ref}")

    def job(self, number: int) -> Job | None:
        """See how a job is; None if GitLab has it no more, or does not show it to us.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        try:
            project = self._project
            found = self._asking.read("reading a job", lambda: project.jobs.get(number), missing="there is no such job")
        except (RequestError, OperatorError):
            return None
        failure = getattr(found, "failure_reason", None) or ""
        return Job(status=str(found.status), began=found.started_at is not None, failure=str(failure))

    def cancel(self, number: int) -> None:
        """Ask GitLab to end a job; one that has ended is left alone.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        job = self._project.jobs.get(number, lazy=True)
        try:
            self._asking.write("cancelling a job", job.cancel, missing="there is no such job")
        except RequestError:
            return

    def result(self, number: int) -> bytes | None:
        """Read the one file that a job leaves; None if there is none.

        Asked for by its name and not as an archive: so there is nothing to unpack, and no more is read than may come.

        Raises:
            OutsideError: if GitLab does not answer, or not to the end.
        """
        job = self._project.jobs.get(number, lazy=True)

        def ask() -> bytes:
            read, size = [], 0
            for piece in job.artifact(RESULT, streamed=True, iterator=True, chunk_size=_CHUNK):
                read.append(piece)
                size += len(piece)
                if size > LARGEST_RESULT:
                    break
            return b"".join(read)

        try:
            return self._asking.read(f"reading the result of job {number}", ask, missing="it left none")
        except RequestError:
            return None


def _hint(wrong: str) -> str:
    if "permission" in wrong:
        return "store a trigger token with Git for user runbook-trigger, or let the runner merge to that branch"
    return "see .gitlab-ci.yml on the protected branch: it has to take the inputs work, runner, lock and seconds"
