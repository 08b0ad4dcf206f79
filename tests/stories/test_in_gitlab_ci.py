"""Runs in GitLab CI: planned here, carried out by a job of a pipeline, sealed here, whatever happens on the way.

The first story runs the shipped `.gitlab-ci.yml` with the real gitlab-ci-local; in the others the job's own command is
run, and what GitLab and people do to its pipeline is done at the stand-in.
"""

from __future__ import annotations

import json
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
from tests.gitlab.served import at_gitlab, digest
from tests.stories import runbooks

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = 'executor = "gitlab-ci"\n\n[tool.runbook.zones]\n"lab/*" = "lab-runner"\n'
ASKING = runbooks.made(("change", '#| confirm: "Go on?"\npass'), title="Asking", more="irreversible: nothing is done\n")
LEAVING = runbooks.made(
    ("plan", "from runner.toolkit import keep\nPath('x').write_text('s')\nkeep('saved.plan', 'x')"),
    ("setup", "from pathlib import Path"),
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
        "runbooks/asking.ipynb": ASKING,
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
