"""Spare workers: each is used once, knows nothing before that, and never outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.adapters.executor.spares import Spares

WAITS = """
import json, os, sys
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "environment").write_text(json.dumps(dict(os.environ)))
(folder / "ready").touch()
line = sys.stdin.readline()
if line:
    spool = Path(json.loads(line))
    spool.mkdir(exist_ok=True)
    with (spool / "taken").open("a") as file:
        file.write(f"{folder.name} {sys.argv[3]} {sys.stdin.readline()}")
"""
FAILS = "raise SystemExit(1)"
OWNER = """
import sys, time
from pathlib import Path
from runner.adapters.executor.spares import Spares
spares = Spares(Path(sys.argv[1]), command=[sys.executable, "-c", sys.argv[2]], environment={})
spares.keep(["a"])
print(spares._waiting[0].process.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Spares]]:
    made: list[Spares] = []

    def one(code: str = WAITS, **environment: str) -> Spares:
        command = [sys.executable, "-c", code]
        made.append(Spares(tmp_path / "spares", command=command, environment=os.environ | environment))
        return made[-1]

    yield one
    for spares in made:
        spares.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def ready(folder: Path) -> list[Path]:
    return sorted(folder.glob("spares/*/ready"))


def test_a_spare_is_used_once(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make()
    spares.keep(["a"])
    assert spares.take("a", tmp_path / "one")
    assert spares.take("a", tmp_path / "two") is None
    until((tmp_path / "one" / "taken").exists)
    assert not (tmp_path / "two").exists()
    spares.keep(["a"])
    second = spares.take("a", tmp_path / "two")
    assert second
    assert second.wait(60) == 0
    first, other = ((tmp_path / name / "taken").read_text().split()[0] for name in ("one", "two"))
    assert first != other


def test_a_spare_of_another_kind_is_not_used_and_not_kept(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make()
    spares.keep(["a", "a"])
    until(lambda: len(ready(tmp_path)) == 2)
    assert spares.take("b", tmp_path / "one") is None
    spares.keep(["b", "a"])
    until(lambda: len(ready(tmp_path)) == 3)
    assert spares.take("b", tmp_path / "one")
    until((tmp_path / "one" / "taken").exists)
    assert (tmp_path / "one" / "taken").read_text().split()[1] == "b"


def test_it_gets_the_secrets_of_the_environment_only_with_its_work(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make(RUNBOOK_SECRET_PASSWORD="hunter2")
    spares.keep(["a"])
    until(lambda: len(ready(tmp_path)) == 1)
    (known,) = (tmp_path / "spares").glob("*/environment")
    assert "hunter2" not in known.read_text()
    assert spares.take("a", tmp_path / "one")
    until((tmp_path / "one" / "taken").exists)
    until(lambda: "hunter2" in (tmp_path / "one" / "taken").read_text())


def test_letting_them_go_ends_them(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make()
    spares.keep(["a", "a"])
    until(lambda: len(ready(tmp_path)) == 2)
    began = time.monotonic()
    spares.close()
    assert time.monotonic() - began < 60
    assert spares.take("a", tmp_path / "one") is None


def test_they_end_when_their_owner_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "spares"), WAITS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        until(lambda: len(ready(tmp_path)) == 1)
        owner.send_signal(signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])


def test_a_kind_that_cannot_be_had_is_not_tried_for_ever(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make(FAILS)
    spares.keep(["a"])
    until(lambda: spares.take("b", tmp_path) is None and all(one.process.poll() for one in spares._waiting))  # noqa: SLF001 - to see it end
    for _ in range(3):
        spares.keep(["a"])
    assert len(list((tmp_path / "spares").iterdir())) == 1
    assert spares.take("a", tmp_path / "one") is None


def test_what_killed_spares_left_is_swept_and_what_lives_stays(tmp_path: Path, make: Callable[..., Spares]) -> None:
    spares = make()
    spares.keep(["a"])
    until(lambda: len(ready(tmp_path)) == 1)
    (tmp_path / "spares" / "1-1" / "private").mkdir(parents=True)
    spares.sweep()
    assert len(list((tmp_path / "spares").iterdir())) == 1
    assert ready(tmp_path)
