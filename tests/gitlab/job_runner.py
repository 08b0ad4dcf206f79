"""A GitLab Runner for the stand-in: takes a pending job, runs it in a fresh checkout, and brings back what it left.

What runs is either the job's own command, or the whole job of the real `.gitlab-ci.yml` by the real gitlab-ci-local.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab.clients import git
from tests.gitlab.configuration import filled
from tests.gitlab.place import Place
from tests.gitlab.seed import PROJECT
from tests.gitlab.site import Job, Pipeline, Token

RESULT = "runbook-result.json"
PROGRAM = Path(__file__).parent / "ci_local" / "node_modules" / ".bin" / "gitlab-ci-local"
Script = Callable[["JobRunner", Pipeline, Job, Path], int]


class JobRunner:
    """One runner.

    Args:
        place: where its jobs come from.
        tag: it takes jobs with this tag alone.
        script: runs a job in a checkout, and says with which code it ended.
    """

    def __init__(self, place: Place, *, tag: str = "lab-runner", script: Script | None = None) -> None:
        self.place = place
        self.tag = tag
        self._script = script or command
        self.done: list[Job] = []

    def next(self) -> tuple[Pipeline, Job] | None:
        """The oldest job that waits for a runner like this one."""
        with self.place.server.site.lock:
            for pipeline in self.place.seeded.project.pipelines.values():
                for job in pipeline.jobs:
                    if job.status == "pending" and self.tag in job.tags:
                        return pipeline, job
        return None

    def run(self, pipeline: Pipeline, job: Job) -> int:
        """Run one job from its beginning to its end."""
        site = self.place.server.site
        with site.lock:
            job.status, job.started = "running", site.clock()
        token = f"glcbt-standin{job.id:06d}"
        site.tokens[token] = Token(
            value=token, user=pipeline.user, scopes=frozenset({"read_repository"}), project=self.place.seeded.project.id
        )
        checkout = self.checkout(pipeline, job, token)
        try:
            code = self._script(self, pipeline, job, checkout)
        finally:
            site.tokens[token].revoked = True
        with site.lock:
            job.finished = site.clock()
            if job.status == "running":
                job.status, job.failure = ("success", None) if code == 0 else ("failed", "script_failure")
                job.artifacts = archive(checkout)
        self.done.append(job)
        return code

    def checkout(self, pipeline: Pipeline, job: Job, token: str) -> Path:
        """A clone of its own, at the pipeline's commit, with the job's token in its address."""
        folder = self.place.folder / "builds" / str(job.id) / "runbooks"
        folder.parent.mkdir(parents=True)
        url = f"{self.place.server.base.replace('://', f'://gitlab-ci-token:{token}@')}/{PROJECT}.git"
        made = git("clone", "-q", url, str(folder), at=folder.parent, certificate=self.place.certificate)
        assert made.returncode == 0, made.stderr
        assert git("checkout", "-q", "--detach", pipeline.sha, at=folder).returncode == 0
        return folder

    def variables(self, pipeline: Pipeline, job: Job, checkout: Path) -> dict[str, str]:
        """What GitLab's runner gives a job."""
        return {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_JOB_TOKEN": f"glcbt-standin{job.id:06d}",
            "CI_PROJECT_ID": str(self.place.seeded.project.id),
            "CI_PIPELINE_ID": str(pipeline.id),
            "CI_JOB_ID": str(job.id),
            "CI_PROJECT_DIR": str(checkout),
            "CI_PIPELINE_SOURCE": pipeline.source,
            "CI_COMMIT_BRANCH": pipeline.ref,
            "CI_COMMIT_SHA": pipeline.sha,
            "CI_DEFAULT_BRANCH": "main",
        }

    def environment(self) -> dict[str, str]:
        """What the machine of the runner has of itself."""
        place = self.place
        home = place.folder / "runner-home"
        home.mkdir(exist_ok=True)
        path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
        own = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": os.devnull}
        return own | {"GIT_SSL_CAINFO": str(place.certificate), "RUNBOOK_STATE": str(place.folder / "state-jobs")}

    @contextmanager
    def working(self) -> Iterator[None]:
        """Take jobs as they come, until the end of the block."""
        ended = threading.Event()

        def loop() -> None:
            while not ended.is_set():
                found = self.next()
                if found:
                    self.run(*found)
                time.sleep(0.05)

        thread = threading.Thread(target=loop, name="job runner")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=120)


def command(runner: JobRunner, pipeline: Pipeline, job: Job, checkout: Path) -> int:  # noqa: PLR0917 - a script's
    """The job's own command, without anything around it."""
    words = [sys.executable, "-m", "runner.cli.main", "-C", str(checkout), "worker"]
    with subprocess.Popen(
        [*words, "--work", str(pipeline.inputs["work"]), "--result", str(checkout / RESULT)],
        cwd=checkout,
        env=runner.environment() | runner.variables(pipeline, job, checkout),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            job.trace += line
            if job.status == "canceled":
                process.terminate()
        return process.wait()


def needs_ci_local() -> None:
    """Skip the test where gitlab-ci-local cannot run."""
    if not PROGRAM.exists():
        pytest.skip("machine: gitlab-ci-local is not installed; `python -m tests` does it where npm and Node 20 are")
    if shutil.which("rsync") is None:
        pytest.skip("machine: rsync is not installed")


def ci_local(runner: JobRunner, pipeline: Pipeline, job: Job, checkout: Path) -> int:  # noqa: PLR0917 - a script's
    """The whole job of the project's own configuration, with the pipeline's inputs put in as GitLab does."""
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main", at=checkout)
    given = runner.variables(pipeline, job, checkout)
    code, job.trace = by_ci_local(runner, checkout, job.name, inputs=pipeline.inputs, variables=given)
    # It brings artifacts out by the configuration's own rules; nothing else of the checkout is looked at.
    brought = checkout / ".gitlab-ci-local" / "artifacts" / job.name / RESULT
    (checkout / RESULT).unlink(missing_ok=True)
    if brought.exists():
        shutil.copy(brought, checkout / RESULT)
    return code


def by_ci_local(
    runner: JobRunner, checkout: Path, name: str, *, inputs: Mapping[str, Any], variables: Mapping[str, str]
) -> tuple[int, bytes]:
    """Run one job of a checkout's configuration; return how it ended, and what it said."""
    file = checkout / ".gitlab-ci.yml"
    file.write_text(filled(file.read_text(), inputs))
    given = [f"--variable={one}={value}" for one, value in variables.items()]
    done = subprocess.run(
        [str(PROGRAM), "--force-shell-executor", *given, name],
        cwd=checkout,
        env=runner.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


def archive(checkout: Path) -> bytes | None:
    """What the job left, as GitLab keeps it."""
    file = checkout / RESULT
    if not file.exists():
        return None
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(file, RESULT)
    return kept.getvalue()
