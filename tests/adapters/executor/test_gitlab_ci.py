"""The executor at GitLab: one job is let in for one order, and what came of it is told truthfully, whatever goes wrong.

Against the stand-in's API, with real Git between; the job is played here. The real one is in
tests/supervisor/test_job.py, and both together in tests/stories/test_in_gitlab_ci.py.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.adapters.executor import gitlab_looking
from runner.adapters.executor.gitlab_ci import GitLabCi
from runner.adapters.executor.gitlab_looking import Outside
from runner.adapters.executor.gitlab_pipelines import Pipelines
from runner.adapters.gitlab_asking import Asking
from runner.digest import sha256
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ports import pipeline as travel
from runner.ports.executor import Work, WorkState
from runner.repository.objects import Objects
from runner.repository.repository import Repository as Clone
from tests.gitlab.app import Server
from tests.gitlab.clients import git, project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import PROJECT, Seeded
from tests.gitlab.site import Job

__all__ = ["seeded", "server"]

KEY = "20261126T023028Z-x-abcdefgh/1"
ORDER = b'{"payload": "an order"}\n'
EXAMPLE = Path(__file__).resolve().parents[3] / ".gitlab-ci.yml"


def work(key: str = KEY, *, locks: tuple[str, ...] = ("lab/db%2F1",), more: Mapping[str, bytes] | None = None) -> Work:
    files = {"order.dsse.json": ORDER, "runbook.ipynb": b"{}", "trusted_keys": b"k\n", **(more or {})}
    return Work(key=key, files=files, targets=("lab/db%2F1",), locks=locks, seconds=90.2)


def zipped(data: bytes, name: str = travel.RESULT) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, data)
    return made.getvalue()


@dataclass
class Bench:
    """A machine with a clone, and the project at the stand-in. `time` is its monotonic clock."""

    server: Server
    seeded: Seeded
    folder: Path
    user: str = "bob"
    trigger: str = ""
    time: float = 0.0
    checked: list[Mapping[str, bytes]] = field(default_factory=list)
    wrong: str = ""

    @property
    def remote(self) -> Path:
        return self.seeded.project.folder

    def executor(self, *, home: str = "home") -> GitLabCi:
        """As another process sees it."""
        gitlab_looking._POLLS.clear()  # noqa: SLF001 - a new process knows of no earlier look
        objects = Objects(Clone.open(self.folder / "clone"))
        outside = Outside(
            zone=lambda target: {"lab": "lab-runner", "prod": "prod-runner"}.get(target.partition("/")[0]),
            sign=lambda payload, kind: json.dumps([payload.decode(), kind]).encode(),
            opened=self.opened,
            check=self.check,
            nothing=lambda _sent, said, cancelled: {"outcome.json": f"{said} {cancelled}".encode()},
            now=lambda: datetime(2026, 11, 26, tzinfo=UTC),
            clock=lambda: self.time,
        )
        asking = Asking(self.server.base, self.seeded.tokens[self.user])
        return GitLabCi(
            self.folder / home,
            objects=objects,
            pipelines=lambda: Pipelines(asking, project=PROJECT, ref="main", trigger=self.trigger),
            outside=outside,
        )

    def opened(self, data: bytes, kind: str) -> bytes:
        try:
            payload, said = json.loads(data)
        except ValueError as error:
            raise IntegrityError("opening", "it is not ours") from error
        assert said == kind
        return str(payload).encode()

    def check(self, sent: Mapping[str, bytes], files: Mapping[str, bytes]) -> None:
        assert sent["order.dsse.json"] == ORDER
        self.checked.append(files)
        if self.wrong:
            raise IntegrityError("checking", self.wrong)

    def jobs(self) -> list[Job]:
        return [job for one in self.seeded.project.pipelines.values() for job in one.jobs]

    def branches(self) -> list[str]:
        return [
            name for name in git("branch", "--format=%(refname:short)", at=self.remote).stdout.split() if "/" in name
        ]

    def end(self, status: str, *, began: bool = True, failure: str = "", artifacts: bytes | None = None) -> None:
        job = self.jobs()[-1]
        job.status, job.failure, job.artifacts = status, failure or None, artifacts
        now = datetime.now(UTC)
        job.started, job.finished = (now if began else None), now
        self.time += 1000

    def result(self, **changes: object) -> bytes:
        """What the job leaves: a result about the order."""
        told = travel.packed(sha256(ORDER), job=self.jobs()[-1].id, files={"outcome.json": b"so it was"})
        return json.dumps({**json.loads(told), **changes}).encode()


@pytest.fixture
def bench(server: Server, seeded: Seeded, tmp_path: Path) -> Bench:
    made = Bench(server=server, seeded=seeded, folder=tmp_path)
    clone = tmp_path / "clone"
    clone.mkdir()
    git("init", "-q", "-b", "main", at=clone)
    git("config", "user.name", "Bob", at=clone)
    git("config", "user.email", "bob@example.org", at=clone)
    git("remote", "add", "origin", str(made.remote), at=clone)
    (clone / ".gitlab-ci.yml").write_bytes(EXAMPLE.read_bytes())
    git("add", "-A", at=clone)
    git("commit", "-qm", "The example", at=clone)
    assert git("push", "-q", "origin", "main", at=clone).returncode == 0
    return made


def test_an_order_travels_with_the_number_of_the_one_job_that_may_carry_it_out(bench: Bench) -> None:
    for _ in range(2):
        bench.executor().submit(work())
    (job,) = bench.jobs()
    (one,) = bench.seeded.project.pipelines.values()
    assert (job.name, job.tags, job.resource_group) == ("runbook", ("lab-runner",), "runbook/lab/db.2F1")
    assert one.inputs["work"] == travel.name_of(KEY)
    assert one.inputs["seconds"] == 91
    (branch,) = bench.branches()
    assert branch == travel.BRANCH + travel.name_of(KEY)
    names = git("ls-tree", "--name-only", branch, at=bench.remote).stdout.split()
    assert set(names) == {"admission.dsse.json", "order.dsse.json", "runbook.ipynb"}
    said = json.loads(json.loads(git("show", f"{branch}:admission.dsse.json", at=bench.remote).stdout)[0])
    assert (said["job"], said["pipeline"], said["order"]) == (job.id, one.id, sha256(ORDER))
    assert bench.executor().state(KEY) is WorkState.RUNNING
    assert bench.executor().kept() == (KEY,)


def test_what_a_job_left_is_collected_once_it_was_checked_and_then_nothing_of_it_stays(bench: Bench) -> None:
    one = bench.executor()
    assert (one.state(KEY), dict(one.collect(KEY)), one.why(KEY)) == (WorkState.UNKNOWN, {}, "")
    one.submit(work())
    bench.end("failed", artifacts=zipped(bench.result()))
    assert one.state(KEY) is WorkState.SEALED
    later = bench.executor()
    later.submit(work())
    assert later.collect(KEY) == {"outcome.json": b"so it was"} == bench.checked[0]
    later.cancel(KEY, rollback=True)
    assert len(bench.jobs()) == 1
    later.forget(KEY)
    assert (later.state(KEY), later.kept(), bench.branches()) == (WorkState.UNKNOWN, (), [])


@pytest.mark.parametrize(
    ("status", "failure", "why"),
    [
        ("canceled", "", "was cancelled in GitLab, and left no result"),
        ("failed", "script_failure", r"failed in GitLab \(script_failure\), and left no result"),
        ("failed", "stuck_or_timeout_failure", r"because no runner took it or its runner was lost\), and left no"),
        ("failed", "runner_system_failure", r"its runner failed\), and left no result"),
        ("success", "", "ended in GitLab as success, and left no result"),
    ],
)
def test_a_job_that_began_and_left_nothing_is_dead_for_a_reason(
    bench: Bench, status: str, *, failure: str, why: str
) -> None:
    bench.executor().submit(work())
    bench.end(status, failure=failure)
    one = bench.executor()
    assert one.state(KEY) is WorkState.DEAD
    (job,) = bench.jobs()
    assert re.search(f"job {job.id} .*{why}", one.why(KEY))
    assert dict(one.collect(KEY)) == {}
    one.submit(work())
    assert len(bench.jobs()) == 1


@pytest.mark.parametrize(("status", "cancelled"), [("canceled", True), ("failed", False), ("skipped", False)])
def test_a_job_that_no_runner_ever_had_is_an_outcome_in_which_nothing_ran(
    bench: Bench, status: str, *, cancelled: bool
) -> None:
    bench.executor().submit(work())
    bench.end(status, began=False, failure="stuck_or_timeout_failure" if status == "failed" else "")
    one = bench.executor()
    assert one.state(KEY) is WorkState.SEALED
    said = one.collect(KEY)["outcome.json"].decode()
    assert said.endswith(f"before it began {cancelled}")


def test_a_result_that_is_about_something_else_or_damaged_is_never_a_success(bench: Bench) -> None:
    bench.executor().submit(work())
    fresh = shutil.copytree(bench.folder / "home", bench.folder / "fresh")
    good = bench.result()
    number = bench.jobs()[-1].id
    for name, artifacts, why in (
        ("cut off", zipped(good[: len(good) // 2]), "cut off"),
        ("another order", zipped(bench.result(order="0" * 64)), "about another order"),
        ("another job", zipped(bench.result(job=number + 1)), "from another job"),
        ("a path", zipped(bench.result(files={"../../key": ""})), "a name that nothing of ours has"),
        ("an absolute path", zipped(bench.result(files={"/etc/x": ""})), "a name that nothing of ours has"),
        ("not base64", zipped(bench.result(files={"outcome.json": "###"})), "damaged"),
        ("more than is known", zipped(bench.result(extra=1)), "is no result"),
        ("its own word", zipped(bench.result(problem="the disk\n is full", files={})), "the disk is full"),
        ("another file", zipped(good, "other.json"), "left no result"),
    ):
        one = bench.executor(home=name)
        shutil.copytree(fresh, bench.folder / name)
        bench.end("success", artifacts=artifacts)
        assert one.state(KEY) is WorkState.DEAD, name
        assert why in one.why(KEY), name
    bench.wrong = "its notebook is another"
    bench.end("success", artifacts=zipped(good))
    one = bench.executor()
    assert one.state(KEY) is WorkState.DEAD
    assert "is not believed: its notebook is another" in one.why(KEY)


def test_a_result_is_not_read_beyond_what_may_come(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.executor().submit(work())
    for module in ("runner.ports.pipeline", "runner.adapters.executor.gitlab_pipelines"):
        monkeypatch.setattr(f"{module}.LARGEST_RESULT", 200_000)
    bench.end("success", artifacts=zipped(b" " * 50_000_000))
    one = bench.executor()
    assert one.state(KEY) is WorkState.DEAD
    assert "larger than 200000 bytes" in one.why(KEY)
    told = json.loads(travel.packed(sha256(ORDER), job=1, files={"a": b"x" * 200_000}))
    assert (told["files"], "larger than a result may be" in told["problem"]) == ({}, True)


def test_silence_proves_nothing(bench: Bench) -> None:
    bench.executor().submit(work())
    number = bench.jobs()[-1].id
    one = bench.executor()
    away = bench.server.faults.order(Fault(kind=Kind.STATUS, status=503, path=f"/jobs/{number}", times=3))
    bench.end("success", artifacts=zipped(bench.result()))
    assert one.state(KEY) is WorkState.RUNNING
    assert away.times == 0
    bench.time += 1000
    assert one.state(KEY) is WorkState.SEALED


def test_a_pipeline_that_was_deleted_leaves_a_dead_job(bench: Bench) -> None:
    bench.executor().submit(work())
    bench.seeded.project.pipelines.clear()
    one = bench.executor()
    assert one.state(KEY) is WorkState.RUNNING
    bench.time += gitlab_looking.PATIENCE
    assert one.state(KEY) is WorkState.DEAD
    assert "GitLab does not show job" in one.why(KEY)


def test_a_result_that_is_kept_from_us_is_given_up_in_the_end(bench: Bench) -> None:
    bench.executor().submit(work())
    bench.server.faults.order(Fault(kind=Kind.STATUS, status=403, path="/artifacts/", times=9))
    bench.end("success", artifacts=zipped(bench.result()))
    one = bench.executor()
    assert one.state(KEY) is WorkState.RUNNING
    bench.time += gitlab_looking.PATIENCE
    assert one.state(KEY) is WorkState.DEAD
    assert "GitLab does not show what job" in one.why(KEY)


def test_gitlab_is_asked_ever_more_rarely(bench: Bench) -> None:
    one = bench.executor()
    one.submit(work())
    asked = len(bench.server.asked)
    for _ in range(600):
        bench.time += 0.1
        one.state(KEY)
    assert len(bench.server.asked) - asked <= 9


def test_whoever_was_killed_after_the_push_finds_the_job_again_and_lets_no_second_one_in(bench: Bench) -> None:
    bench.executor().submit(work())
    # Another machine state, as after a kill between the push and the note, or a lost folder.
    later = bench.executor(home="elsewhere")
    assert later.state(KEY) is WorkState.UNKNOWN
    later.submit(work())
    assert len(bench.jobs()) == 1
    bench.end("success", artifacts=zipped(bench.result()))
    assert later.state(KEY) is WorkState.SEALED


def test_what_only_looks_is_ordered_anew_whatever_an_earlier_call_left(bench: Bench) -> None:
    key = f"{KEY}-rehearsal"
    bench.executor().submit(work(key, locks=()))
    bench.executor(home="elsewhere").submit(work(key, locks=()))
    first, second = bench.jobs()
    assert first.resource_group == f"runbook-look/{travel.name_of(key)}"
    (branch,) = bench.branches()
    said = json.loads(json.loads(git("show", f"{branch}:admission.dsse.json", at=bench.remote).stdout)[0])
    assert said["job"] == second.id


def test_a_branch_that_somebody_else_wrote_is_not_taken_for_ours(bench: Bench) -> None:
    clone = bench.folder / "clone"
    git("push", "-q", "origin", f"main:{travel.BRANCH}{travel.name_of(KEY)}", at=clone)
    with pytest.raises(OperatorError, match="is not the runner's"):
        bench.executor().submit(work())
    assert bench.jobs() == []


def test_an_answer_that_was_lost_after_the_pipeline_began_leaves_a_job_that_nobody_lets_in(bench: Bench) -> None:
    bench.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/pipeline"))
    one = bench.executor()
    with pytest.raises(OutsideError):
        one.submit(work())
    assert one.state(KEY) is WorkState.SUBMITTED
    one.submit(work())
    first, second = bench.jobs()
    (branch,) = bench.branches()
    said = json.loads(json.loads(git("show", f"{branch}:admission.dsse.json", at=bench.remote).stdout)[0])
    assert said["job"] == second.id != first.id


def test_a_cancel_is_told_on_the_branch_once_and_ends_a_job_that_no_runner_has(bench: Bench) -> None:
    one = bench.executor()
    one.submit(work())
    one.cancel(KEY, rollback=True)
    one.cancel(KEY, rollback=False)
    (branch,) = bench.branches()
    said = json.loads(json.loads(git("show", f"{branch}:cancel.dsse.json", at=bench.remote).stdout)[0])
    assert said == {"order": sha256(ORDER), "rollback": True, "schema": 1}
    assert bench.jobs()[0].status == "canceled"
    assert one.state(KEY) is WorkState.SEALED
    assert one.collect(KEY)["outcome.json"].endswith(b"True")


def test_a_cancel_leaves_a_job_that_runs_to_end_in_order(bench: Bench) -> None:
    one = bench.executor()
    one.submit(work())
    job = bench.jobs()[0]
    job.status, job.started = "running", datetime.now(UTC)
    one.cancel(KEY, rollback=False)
    assert job.status == "running"
    assert one.state(KEY) is WorkState.RUNNING
    one.forget(KEY)
    assert one.kept() == (KEY,)
    with pytest.raises(OutsideError, match="nothing reaches it"):
        one.deliver(KEY, "answer", b"")


def test_what_cannot_be_carried_out_there_is_said_when_planning(bench: Bench) -> None:
    one = bench.executor()
    assert (one.name, one.isolation) == ("gitlab-ci", "bwrap")
    assert one.refuses(targets=("lab/a", "lab/b"), questions=False) == ""
    assert "no zone of the settings holds moon/a" in one.refuses(targets=("moon/a", "lab/b"), questions=False)
    assert "in more than one zone: lab-runner, prod-runner" in one.refuses(targets=("lab/a", "prod/b"), questions=False)
    assert "asks people while it runs" in one.refuses(targets=("lab/a",), questions=True)
    with pytest.raises(OperatorError, match="plan-file-x may hold secrets"):
        one.submit(work(more={"plan-file-x": b"s"}))
    with pytest.raises(OperatorError, match="no zone"):
        one.submit(replace(work(), targets=("moon/a",)))
    assert bench.jobs() == []


def test_the_runner_needs_no_right_to_main_with_a_trigger_token(bench: Bench) -> None:
    bench.user = "alice"
    with pytest.raises(OperatorError, match="sufficient permission") as refused:
        bench.executor().submit(work())
    assert "runbook-trigger" in refused.value.hint
    bench.trigger = project_as(bench.server, bench.seeded, "bob").triggers.create({"description": "runner"}).token
    bench.executor().submit(work())
    (one,) = bench.seeded.project.pipelines.values()
    assert (one.source, one.user.username) == ("trigger", "bob")
    bench.trigger = "glptt-revoked"
    with pytest.raises(OperatorError, match="no such trigger token") as refused:
        bench.executor().submit(work("other/1"))
    assert "glptt" not in str(refused.value)


def test_a_configuration_without_the_job_is_an_operators_affair(bench: Bench) -> None:
    clone = bench.folder / "clone"
    text = EXAMPLE.read_text().replace("\nrunbook:\n", "\nother:\n")
    (clone / ".gitlab-ci.yml").write_text(text)
    git("commit", "-qam", "Another name", at=clone)
    git("push", "-q", "origin", "main", at=clone)
    with pytest.raises(OperatorError, match="has no job 'runbook'"):
        bench.executor().submit(work())
    (clone / ".gitlab-ci.yml").write_text("test:\n  script: [true]\n")
    git("commit", "-qam", "No inputs", at=clone)
    git("push", "-q", "origin", "main", at=clone)
    with pytest.raises(OperatorError, match="not defined in the `spec` section"):
        bench.executor().submit(work())
    assert bench.branches() == []
