"""A job of a pipeline carries out what was sent for it, and nothing else, whoever started the pipeline.

With a real ledger, a real order and a real worker; GitLab's part is the numbers in the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from runner.digest import canonical, parse, sha256
from runner.errors import IntegrityError, RequestError
from runner.execution import returned
from runner.execution.order import PAYLOAD_TYPE, Mode, Order
from runner.execution.outcome import ExitReason, Outcome
from runner.ledger.bodies import Status
from runner.ledger.envelope import make_envelope, open_envelope
from runner.ports import pipeline
from runner.ports.pipeline import ADMISSION, ADMITTED, BRANCH, CANCEL, CANCELLED, Admission, Cancelled
from runner.ports.signer import Signer
from runner.supervisor import job, orders
from tests.execution.conftest import TestKey
from tests.gitlab.clients import git
from tests.stories import runbooks
from tests.stories import world as worlds
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in

NAME = pipeline.name_of("run/rehearsal")
TOKEN = "glcbt-the-job-s-own-token"
NOSY = runbooks.made(
    (
        "read",
        (
            "import glob, os\n"
            "print('in the environment:', sorted(one for one in os.environ if one.startswith(('CI', 'GITLAB'))))\n"
            "found = []\n"
            "for path in [*glob.glob('/proc/*/environ'), *glob.glob('/proc/*/cmdline'), *glob.glob(folder + '/../**', "
            "recursive=True, include_hidden=True)]:\n"
            "    try:\n        data = open(path, 'rb').read()\n    except OSError:\n        continue\n"
            f"    found += [path] * ({TOKEN[:14]!r}.encode() + {TOKEN[14:]!r}.encode() in data)\n"
            "print('found the token in:', found)"
        ),
    ),
    ("plan", runbooks.trace("looked")),
    ("change", "pass"),
    title="Nosy",
    more="irreversible: nothing",
)


@dataclass
class Bench:
    """A checkout of a job, and what the supervisor sends it. `said` is the job's log."""

    world: World
    checkout: Path
    order: bytes
    notebook: bytes
    signer: Signer
    said: list[str] = field(default_factory=list)

    @property
    def result(self) -> Path:
        return self.checkout / pipeline.RESULT

    def admission(self, **changes: int | str) -> bytes:
        whole = {"order": sha256(self.order), "project": 1, "pipeline": 2, "job": 3, **changes}
        return canonical(msgspec.convert(whole, type=Admission))

    def send(self, files: Mapping[str, bytes], *, name: str = NAME) -> None:
        """Write a commit with these files, on top of what the branch holds."""
        clone = self.world.clone("alice")
        tree = "".join(
            f"100644 blob {_piped(clone, data, 'hash-object', '-w', '--stdin')}\t{one}\n" for one, data in files.items()
        )
        made = _piped(clone, b"", "commit-tree", _piped(clone, tree.encode(), "mktree"), "-m", "work")
        assert git("push", "-q", "--force", "origin", f"{made}:refs/heads/{BRANCH}{name}", at=clone).returncode == 0

    def sent(self, **more: bytes) -> dict[str, bytes]:
        """What the supervisor sends."""
        signed = make_envelope(self.admission(), payload_type=ADMITTED, signer=self.signer)
        return {"order.dsse.json": self.order, "runbook.ipynb": self.notebook, ADMISSION: signed, **more}

    def run(self, *, name: str = NAME) -> int:
        return job.carry_out(self.checkout, name=name, result=self.result, say=self.said.append)

    @property
    def files(self) -> dict[str, bytes]:
        told = json.loads(self.result.read_bytes())
        assert told["order"] == sha256(self.order)
        return {name: b64decode(text) for name, text in told["files"].items()}

    @property
    def outcome(self) -> Outcome:
        return parse(Outcome, self.files["outcome.json"])

    @property
    def looked(self) -> int:
        file = self.world.traces / "looked"
        return len(file.read_text().splitlines()) if file.exists() else 0


def _piped(clone: Path, data: bytes, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=clone, input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def ordered(founded: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, bytes, bytes, Signer]:
    """A world, and the supervisor's order in it to rehearse a runbook, with that runbook and the key."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("ordered") / "w")
    world.commit({"runbooks/nosy.ipynb": NOSY})
    world.ask("nosy")
    world.reconcile()
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        notebook = desk.workspace.objects.read(plan.runbook.commit, plan.runbook.path)
        assert notebook is not None
        order = orders.rehearsal(desk, plan, notebook=notebook).files["order.dsse.json"]
        signer = desk.writer.signer
        keys = sorted(desk.ledger.state.keys)
    # A rehearsal may not write; this one leaves a trace, so that it can be counted.
    allowed = msgspec.structs.replace(
        parse(Order, open_envelope(order, keys=keys, payload_type=PAYLOAD_TYPE)), write=(str(world.traces),), read=()
    )
    return world, make_envelope(canonical(allowed), payload_type=PAYLOAD_TYPE, signer=signer), notebook, signer


@pytest.fixture
def bench(
    ordered: tuple[World, bytes, bytes, Signer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    world, order, notebook, signer = ordered
    (world.traces / "looked").unlink(missing_ok=True)
    checkout = tmp_path / "builds" / "runbooks"
    checkout.parent.mkdir()
    assert git("clone", "-q", str(world.remote), str(checkout), at=tmp_path).returncode == 0
    for name, value in {"CI_PROJECT_ID": "1", "CI_PIPELINE_ID": "2", "CI_JOB_ID": "3", "CI_JOB_TOKEN": TOKEN}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CI_PROJECT_DIR", str(checkout))
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state-of-the-runner"))
    monkeypatch.setattr(job, "WAIT", 0.0)
    monkeypatch.setattr(job, "LOOK_EVERY", 0.2)
    # The process of the tests lets itself be looked at again.
    monkeypatch.setattr("runner.execution.isolation.shut", lambda: None)
    yield Bench(world=world, checkout=checkout, order=order, notebook=notebook, signer=signer)
    git("push", "-q", "origin", f":refs/heads/{BRANCH}{NAME}", at=world.clone("alice"))


def test_the_job_that_was_let_in_carries_it_out_once_and_its_cells_know_nothing_of_the_job(bench: Bench) -> None:
    bench.send(bench.sent())
    assert bench.run() == 0, bench.said
    assert bench.outcome.status is Status.SUCCEEDED
    returned.check({"order.dsse.json": bench.order, "runbook.ipynb": bench.notebook}, bench.files)
    text = bench.files["executed.ipynb"].decode()
    assert "in the environment: []" in text
    if bench.outcome.isolation == "bwrap":
        assert "found the token in: []" in text
    assert TOKEN not in "".join(bench.said)
    assert any("in the environment: []" in line for line in bench.said)
    with pytest.raises(IntegrityError, match="job 3 was here before: nothing is executed"):
        bench.run()
    assert bench.looked == 1
    assert not bench.result.exists()


@pytest.mark.parametrize("changes", [{"job": 4}, {"pipeline": 9}, {"project": 9}, {"order": "0" * 64}])
def test_another_job_gets_nothing_executed(bench: Bench, changes: dict[str, int | str]) -> None:
    signed = make_envelope(bench.admission(**changes), payload_type=ADMITTED, signer=bench.signer)
    bench.send({**bench.sent(), ADMISSION: signed})
    with pytest.raises(IntegrityError, match="nothing is executed"):
        bench.run()
    assert (bench.looked, bench.result.exists()) == (0, False)


def test_what_nobody_of_the_ledger_signed_gets_nothing_executed(bench: Bench) -> None:
    other = TestKey()
    letting_in = make_envelope(bench.admission(), payload_type=ADMITTED, signer=other)
    bench.send({**bench.sent(), ADMISSION: letting_in})
    with pytest.raises(IntegrityError, match="no trusted key"):
        bench.run()
    # Somebody who brings a key of their own along is not believed any more for that.
    bench.send({**bench.sent(), "trusted_keys": other.public_key.encode(), ADMISSION: letting_in})
    with pytest.raises(IntegrityError, match="no trusted key"):
        bench.run()
    bench.send({ADMISSION: bench.sent()[ADMISSION]})
    with pytest.raises(IntegrityError, match="not complete"):
        bench.run()
    assert bench.looked == 0


def test_an_order_of_somebody_else_is_refused_by_the_worker_and_that_comes_back(bench: Bench) -> None:
    bench.order = make_envelope(
        open_envelope(bench.order, keys=[bench.signer.public_key], payload_type=PAYLOAD_TYPE),
        payload_type=PAYLOAD_TYPE,
        signer=TestKey(),
    )
    bench.send(bench.sent())
    assert bench.run() == 1
    assert bench.outcome.status is Status.FAILED
    assert "no trusted key signed it" in bench.outcome.message
    assert bench.looked == 0


def test_a_run_whose_start_is_not_open_is_refused(bench: Bench) -> None:
    payload = open_envelope(bench.order, keys=[bench.signer.public_key], payload_type=PAYLOAD_TYPE)
    acting = msgspec.structs.replace(parse(Order, payload), mode=Mode.RUN, start=1, attempt=1)
    bench.order = make_envelope(canonical(acting), payload_type=PAYLOAD_TYPE, signer=bench.signer)
    bench.send(bench.sent())
    assert bench.run() == 1
    assert "not the start that this order is for" in bench.outcome.message
    assert bench.looked == 0


def test_nothing_that_was_sent_and_no_job_is_a_request_that_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequestError, match="nothing was sent under"):
        bench.run()
    with pytest.raises(RequestError, match="no name of work"):
        bench.run(name="../evidence")
    monkeypatch.delenv("CI_JOB_ID")
    with pytest.raises(RequestError, match="no job of a pipeline"):
        bench.run()


def test_a_cancel_that_was_sent_before_the_job_began_leaves_nothing_executed(bench: Bench) -> None:
    word = canonical(Cancelled(order=sha256(bench.order), rollback=False))
    bench.send(bench.sent(**{CANCEL: make_envelope(word, payload_type=CANCELLED, signer=bench.signer)}))
    assert bench.run() == 1
    assert bench.outcome.exit_reason is ExitReason.CANCELLED
    assert bench.looked == 0


def test_a_cancel_reaches_a_job_that_runs_and_somebody_elses_does_not(bench: Bench) -> None:
    content = json.loads(bench.notebook)
    content["cells"][-2]["source"] += "import time\ntime.sleep(60)\n"
    bench.notebook = json.dumps(content).encode()
    payload = open_envelope(bench.order, keys=[bench.signer.public_key], payload_type=PAYLOAD_TYPE)
    order = msgspec.structs.replace(parse(Order, payload), notebook=sha256(bench.notebook))
    bench.order = make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=bench.signer)
    bench.send(bench.sent())
    word = canonical(Cancelled(order=sha256(bench.order), rollback=True))

    def later() -> None:
        deadline = time.monotonic() + 60
        while not bench.looked and time.monotonic() < deadline:
            time.sleep(0.05)
        for signer in (TestKey(), bench.signer):
            bench.send(bench.sent(**{CANCEL: make_envelope(word, payload_type=CANCELLED, signer=signer)}))
            time.sleep(1)

    thread = threading.Thread(target=later)
    thread.start()
    assert bench.run() == 1
    thread.join()
    assert bench.outcome.exit_reason is ExitReason.CANCELLED
    assert any("is not the runner: passed over" in line for line in bench.said)


def test_the_command_takes_either_a_spool_or_a_name(bench: Bench) -> None:
    words = [sys.executable, "-m", "runner.cli.main", "-C", str(bench.checkout), "worker"]
    both = subprocess.run(words, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert both.returncode == 2
    assert "give SPOOL, or --work and --result" in both.stderr
    wrong = subprocess.run(
        [*words, "--work", "x", "--result", str(bench.result)], check=False, capture_output=True, text=True
    )
    assert (wrong.returncode, "no name of work" in wrong.stderr) == (2, True)
