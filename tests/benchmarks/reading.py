"""Goals 8 and 10: questions over a long record, and proving it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from runner.audit.index import Index
from runner.audit.query import changes, log
from runner.audit.rows import Filter
from runner.audit.signatures import Job, holds
from runner.digest import parse
from runner.evidence.manifest import Manifest
from runner.ledger.event import iso
from runner.plan.plan import read
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from tests.audit.ledgers import BEGIN
from tests.benchmarks.row import Row, at_least, at_most, in_turn, ratio, seconds
from tests.benchmarks.synthetic import EVERY, make

VERIFY = """
import json, resource, sys
from datetime import datetime
from pathlib import Path
from runner.audit.source import opened
from runner.audit.verify import verify

if __name__ == "__main__":
    with opened("", at=Path(sys.argv[1])) as source:
        report = verify(source, now=datetime.fromisoformat(sys.argv[2]))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([report.exit_code, report.seconds, used, report.events]))
"""


def rows(folder: Path, *, queries: int = 100_000) -> Iterator[Row]:
    """All of them."""
    yield from questions(folder, runs=queries)
    yield from proving(folder)
    yield from signatures(folder)


def questions(folder: Path, *, runs: int) -> Iterator[Row]:
    """Goal 8."""
    clone = make(folder, runs, sign_commits=False)
    repository = Repository.open(clone)
    with tempfile.TemporaryDirectory() as name, Objects(repository) as objects:
        index = Index(Path(name) / "index.sqlite")
        took = seconds(lambda: index.update(repository, branch="evidence"))
        detail = f"{runs / took:,.0f} runs/s"
        yield Row(
            goal="8",
            what=f"index of {runs:,} runs, from nothing",
            measured=f"{took:.1f} s ({detail})",
            limit="-",
            hit=None,
        )
        since = BEGIN + EVERY * runs - timedelta(days=30)
        target = "prod/web-7"
        walked = _walk(objects, since=since, target=target)
        wanted = Filter(target=target, since=since, limit=None)
        assert [row.run for row in log(index, wanted)] == [run for run, _ in walked]
        assert [row.run for row in changes(index, target=target, since=since)] == [
            run for run, change in walked if change
        ]
        acts = [
            lambda: log(index, wanted),
            lambda: changes(index, target=target, since=since),
            lambda: _walk(objects, since=since, target=target),
        ]
        logs, changed, walks = in_turn(acts, rounds=5)
        again = seconds(lambda: index.update(repository, branch="evidence"))
        index.close()
    what = f"a target's last 30 days of {runs:,} runs"
    for name_, took_ in (("log", logs), ("changes", changed)):
        detail = f"{sorted(took_)[2] * 1000:.1f} ms beside {sorted(walks)[2] * 1000:.0f} ms"
        yield at_most("8", f"{name_}, {what} / walking Git", ratio(took_, walks), limit=0.03, detail=detail)
    yield Row(goal="8", what="index with nothing new", measured=f"{again * 1000:.1f} ms", limit="-", hit=None)


def _walk(objects: Objects, *, since: datetime, target: str) -> list[tuple[str, bool]]:
    """The same answer from Git alone: only the days in question, newest first."""
    found: list[tuple[str, bool, str]] = []
    tip = objects.resolve("evidence") or ""
    for year in reversed(objects.entries(tip, "outputs/runs")):
        for month in reversed(objects.entries(tip, f"outputs/runs/{year.name}")):
            if f"{year.name}{month.name}" < since.strftime("%Y%m"):
                continue
            for day in reversed(objects.entries(tip, f"outputs/runs/{year.name}/{month.name}")):
                if f"{year.name}{month.name}{day.name}" >= since.strftime("%Y%m%d"):
                    found += _day(objects, tip, f"outputs/runs/{year.name}/{month.name}/{day.name}", target=target)
    return [(run, change) for run, change, planned in sorted(found, reverse=True) if planned >= iso(since)]


def _day(objects: Objects, tip: str, folder: str, *, target: str) -> Iterator[tuple[str, bool, str]]:
    for run in objects.entries(tip, folder):
        data = objects.read(tip, f"{folder}/{run.name}/plan.json")
        plan = read(data) if data else None
        if plan is None or target not in plan.targets:
            continue
        stored = objects.read(tip, f"{folder}/{run.name}/attempts/1/manifest.json")
        manifest = parse(Manifest, stored) if stored else None
        fates = [cell.fate.value for cell in manifest.result.cells if cell.role == "change"] if manifest else []
        yield run.name, any(fate != "not_run" for fate in fates), plan.made_at


def proving(folder: Path, *, sizes: tuple[int, int] = (2_000, 10_000)) -> Iterator[Row]:
    """Goal 10: time and memory."""
    found: dict[int, float] = {}
    for runs in sizes:
        clone = make(folder, runs)
        now = (BEGIN + EVERY * (runs + 10)).isoformat()
        done = subprocess.run(
            [sys.executable, "-c", VERIFY, str(clone), now],
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        code, took, memory, events = json.loads(done.stdout)
        assert code == 0
        found[runs] = memory
        unit = f"{events / took:,.0f} events/s, {memory:.0f} MB"
        limit = 10.0 * runs / 10_000
        yield at_most("10", f"verify {runs:,} runs ({events:,} events)", took, limit=limit, unit="s", detail=unit)
    few, many = sizes
    yield at_most("10", f"memory of verify at {many:,} runs / at {few:,}", found[many] / found[few], limit=1.25)


def signatures(folder: Path, *, sample: int = 40) -> Iterator[Row]:
    """Goal 10: our check of a commit beside `git verify-commit`."""
    clone = make(folder, 2_000)
    with Objects(Repository.open(clone)) as objects, tempfile.TemporaryDirectory() as name:
        listed = subprocess.run(
            ["git", "rev-list", f"-n{sample}", "evidence"], cwd=clone, capture_output=True, check=True
        )
        commits = [commit for oid in listed.stdout.decode().split() if (commit := objects.commit(oid))]
        key = _key(objects)
        signers = Path(name) / "signers"
        signers.write_text(f'* namespaces="git" {key}\n')
        jobs = [Job(one.signed_payload, ((one.signature or "").encode(),), (key,), "git") for one in commits]
        command = ["git", "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", *(one.oid for one in commits)]

        def theirs() -> object:
            return subprocess.run(command, cwd=clone, capture_output=True, check=True)

        def ours() -> object:
            assert all(holds(job) for job in jobs)
            return None

        mine, other = in_turn([ours, theirs], rounds=3)
    assert not holds(Job(jobs[0].message + b" ", jobs[0].signatures, jobs[0].keys, "git"))
    yield at_least("10", "commit signatures checked / git verify-commit", ratio(other, mine), limit=30)


def _key(objects: Objects) -> str:
    data = objects.read(objects.resolve("evidence") or "", "outputs/ledger/00000/00000000.dsse.json") or b""
    return str(json.loads(base64.b64decode(json.loads(data)["payload"]))["predicate"]["body"]["key"])
