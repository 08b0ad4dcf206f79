"""Runs in GitLab CI: planned here, carried out by a job of a pipeline, sealed here, whatever happens on the way.

The first story runs the shipped `.gitlab-ci.yml` with the real gitlab-ci-local; in the others the job's own command is
run, and what GitLab and people do to its pipeline is done at the stand-in.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gitlab import job_runner
from tests.gitlab.clients import git
from tests.gitlab.contract import FILE
from tests.gitlab.job_runner import JobRunner
from tests.gitlab.place import Place, founded
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT
from tests.gitlab.served import at_gitlab, digest, waited
from tests.gitlab.site import Job, Pipeline
from tests.stories import runbooks

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = 'executor = "gitlab-ci"\n\n[tool.runbook.zones]\n"lab/*" = "lab-runner"\n'
DEFAULTS = {"work": "", "runner": "runbook", "lock": "runbook", "seconds": 3600}
FAR = runbooks.made(("change", "pass"), title="Far", target="moon/{host}", more="irreversible: nothing is done")
LEAVING = runbooks.made(
    (
        "plan",
        "from pathlib import Path\nfrom runner.toolkit import keep\nPath('x').write_text('s')\nkeep('saved.plan', 'x')",
    ),
    ("change", "pass"),
    title="Leaving",
    more="irreversible: nothing is done",
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    files = {
        ".gitlab-ci.yml": (ROOT / ".gitlab-ci.yml").read_bytes(),
        "runbooks/far.ipynb": FAR,
        "runbooks/leaving.ipynb": LEAVING,
    }
    with founded(tmp_path, settings=SETTINGS, files=files) as made:
        # Bob is a maintainer: his trigger token starts pipelines on main, and the runner needs no right to main for it.
        token = at_gitlab(made, "bob").triggers.create({"description": "the runner"}).token
        credentials = made.folder / f"{BOT}.credentials"
        known = made.server.base.replace("://", f"://runbook-trigger:{token}@")
        credentials.write_text(f"{credentials.read_text()}{known}\n")
        yield made


def ask(place: Place, runbook: str = "count") -> int:
    issue = at_gitlab(place, "alice").issues.create({"title": f"Please {runbook}", "description": place.ask(runbook)})
    return int(issue.iid)


def say(place: Place, issue: int, words: str, *, person: str = "bob") -> None:
    at_gitlab(place, person).issues.get(issue).notes.create({"body": words})


def approve(place: Place, issue: int) -> None:
    say(place, issue, f"/runbook approve {digest(place, issue)}")


def events(place: Place) -> list[Mapping[str, object]]:
    """The run's record, as its auditors see it."""
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    shown = json.loads(place.cli("alice", "log", "--json").out)
    return list(shown)


@contextmanager
def reconciling(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A supervisor at work, until it ends by itself after the block."""
    with place.start(BOT, "reconcile", "--once") as process:
        yield process
        process.communicate(timeout=180)


def branches(place: Place) -> list[str]:
    return [name for name in Repository(place.seeded.project.folder).branches() if name.startswith("runbook-work/")]


def test_the_shipped_pipeline_rehearses_and_runs_and_the_evidence_verifies(place: Place) -> None:
    job_runner.needs_ci_local()
    (place.traces / "state").write_text("red")
    runner = JobRunner(place, script=job_runner.ci_local)
    issue = ask(place, "look")
    with runner.working():
        planned = place.cli(BOT, "reconcile", "--once")
        assert "planned" in planned.out, planned.err
        assert "would change red" in str(place.said(issue)) or runner.done
        approve(place, issue)
        ran = place.cli(BOT, "reconcile", "--once")
    assert ran.code == 0, ran.err
    rehearsal, run = (job for job in runner.done)
    assert (rehearsal.status, run.status) == ("success", "success"), run.trace.decode()
    assert run.resource_group == "runbook/lab/web-1"
    assert (place.times(), branches(place)) == (1, [])
    assert place.issue(issue).labels == ["runbook::succeeded"]
    (one,) = events(place)
    assert one["outcome"] == "succeeded"
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out
    assert '"executor": "gitlab-ci"' in place.cli("alice", "show", str(one["run"]), "--json").out
    published(place, runner, run=str(one["run"]))


def published(place: Place, runner: JobRunner, *, run: str) -> None:
    """The other two jobs of the shipped file: runbooks are linted, and the record is published."""
    clone = place.folder / "alice"
    git("merge", "-q", "origin/main", at=clone)
    git("remote", "set-head", "origin", "main", at=clone)
    there = {"CI_PROJECT_DIR": str(clone), "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main"}
    for name, source in (("lint", "merge_request_event"), ("pages", "schedule")):
        given = there | {"CI_PIPELINE_SOURCE": source}
        code, said = job_runner.by_ci_local(runner, clone, name, inputs=DEFAULTS, variables=given)
        assert code == 0, said
    public = clone / ".gitlab-ci-local" / "artifacts" / "pages" / "public"
    assert [one["run"] for one in json.loads((public / "runs.json").read_text())] == [run]
    assert json.loads((public / "verify.json").read_text())["standing"] == "clean"
    assert "runs.txt" in (public / "index.html").read_text()


def test_whatever_happens_to_its_job_a_run_is_recorded_as_it_was_and_never_done_twice(place: Place) -> None:
    runner = JobRunner(place)
    for scene in (killed, lost, unbegun, cancelled, refused):
        scene(place, runner)
    assert branches(place) == []
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out


def killed(place: Place, runner: JobRunner) -> None:
    """Killed while the job is at work, a supervisor that comes later seals what the job has brought."""
    (place.traces / "go").touch()
    issue = ask(place, "wait")
    place.cli(BOT, "reconcile", "--once")
    approve(place, issue)
    supervisor = place.start(BOT, "reconcile", "--once")
    waited(lambda: runner.next() and branches(place))
    supervisor.kill()
    supervisor.communicate()
    runner.run(*pending(runner))
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert "succeeded" in place.said(issue)[-1]


def lost(place: Place, runner: JobRunner) -> None:
    """A person starts the same pipeline by hand, and retries the job when its runner is lost: nothing is executed."""
    (place.traces / "go").unlink()
    issue = ask(place)
    place.cli(BOT, "reconcile", "--once")
    approve(place, issue)
    bob = at_gitlab(place, "bob")
    with reconciling(place):
        waited(runner.next)
        pipeline, job = pending(runner)
        job.status = "running"
        job.started = place.server.site.clock()
        waited(lambda: branches(place))
        bob.pipelines.create({"ref": "main", "inputs": dict(pipeline.inputs)})
        assert runner.run(*pending(runner)) == 4
        job.status, job.failure = "failed", "runner_system_failure"
        bob.jobs.get(job.id).retry()
        assert runner.run(*pending(runner)) == 4
    assert place.times() == 1
    assert b"nothing is executed" in runner.done[-1].trace
    assert any("its runner failed" in words for words in place.said(issue))
    assert place.issue(issue).labels == ["runbook::interrupted"]
    found = re.search(r"/runbook resolve (\S+) ", place.said(issue)[-1])
    assert found
    say(place, issue, f"/runbook resolve {found[1]} did_not_run the job's log says so", person="carol")
    place.cli(BOT, "reconcile", "--once")
    assert place.issue(issue).labels == ["runbook::resolved"]


def unbegun(place: Place, runner: JobRunner) -> None:
    """A pipeline that somebody cancels before a runner has it: nothing ran, and nobody has to say so."""
    issue = ask(place)
    place.cli(BOT, "reconcile", "--once")
    approve(place, issue)
    bob = at_gitlab(place, "bob")
    with reconciling(place):
        waited(runner.next)
        pipeline, _ = pending(runner)
        waited(lambda: branches(place))
        bob.pipelines.get(pipeline.id).cancel()
    assert "cancelled" in place.said(issue)[-1]
    assert "nothing was executed: job" in place.said(issue)[-1]


def cancelled(place: Place, runner: JobRunner) -> None:
    """A word on the issue reaches a job that runs, which undoes what it has begun and ends in order."""
    for name in ("begun", "undone"):
        (place.traces / name).unlink(missing_ok=True)
    issue = ask(place, "wait")
    place.cli(BOT, "reconcile", "--once")
    approve(place, issue)
    with runner.working(), reconciling(place):
        waited((place.traces / "begun").exists)
        say(place, issue, "/runbook cancel --rollback", person="carol")
    assert "cancelled" in place.said(issue)[-1]
    assert (place.traces / "undone").exists()


def refused(place: Place, runner: JobRunner) -> None:
    """What this executor cannot do is said before anybody approves it."""
    far, leaving = ask(place, "far"), ask(place, "leaving")
    with runner.working():
        place.cli(BOT, "reconcile", "--once")
    assert "no zone of the settings holds moon/web-1" in place.said(far)[-1]
    assert "saved.plan" in place.said(leaving)[0]
    assert "do not leave this executor" in place.said(leaving)[0]


def pending(runner: JobRunner) -> tuple[Pipeline, Job]:
    found = runner.next()
    assert found is not None
    return found
