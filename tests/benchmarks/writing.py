"""Goals 5, 6 and 7: what writing evidence costs, and that it does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from tests.audit.ledgers import BEGIN
from tests.benchmarks.row import Row, at_least, at_most, in_turn, ratio
from tests.benchmarks.synthetic import make
from tests.ledger.desks import NOW, a_clone, a_key, a_remote, genesis, opened, texts, writer

WHO = Author(name="bench", email="bench@ops.invalid", when=BEGIN)
LOSING = '#!/bin/sh\n[ "$(date +%N | cut -c4)" = 7 ] && [ "$(date +%N | cut -c5)" -lt 5 ] && kill -9 $PPID\nexit 0\n'
"""The remote dies before it answers, for one push in twenty."""
PROCESSES, APPENDS, GROUP = 8, 64, 8
RACER = """
import sys, time
from pathlib import Path
from tests.ledger.desks import a_key, opened, say

clone, name, count, group = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
signer, longest = a_key(clone.parent), 0.0
with opened(clone, cache=clone.parent / f"{name}.sqlite") as ledger:
    ledger.refresh()
    print("ready", flush=True)
    sys.stdin.readline()
    for first in range(0, count, group):
        began = time.monotonic()
        say(ledger, signer, *(f"{name}/{number}" for number in range(first, first + group)))
        longest = max(longest, time.monotonic() - began)
print(longest, flush=True)
"""


def rows(folder: Path) -> Iterator[Row]:
    """All of them."""
    yield from growth(folder)
    yield from beside_gitpython(folder)
    yield from race()


def _writer(objects: Objects) -> Callable[[], object]:
    numbers = count()

    def act() -> object:
        number = next(numbers)
        tip = objects.resolve("evidence") or ""
        files = {
            f"outputs/ledger/99999/{number:08d}.dsse.json": b"e" * 2000,
            f"outputs/runs/2099/01/01/{number}-{os.getpid()}/executed.ipynb": os.urandom(50_000),
        }
        return write(objects, files, parent=tip, message="words\n", author=WHO, sign=None)

    return act


def growth(folder: Path, *, large: int = 100_000, small: int = 1_000) -> Iterator[Row]:
    """Goal 5."""
    far, near = (Repository.open(make(folder, runs, sign_commits=False)) for runs in (large, small))
    with Objects(far) as many, Objects(near) as few:
        late, early = in_turn([_writer(many), _writer(few)], rounds=20)
    what = f"one evidence commit at {large:,} runs / at {small:,}"
    yield at_most("5", what, ratio(late, early), limit=1.2, detail=f"{sorted(late)[10] * 1000:.1f} ms")


def beside_gitpython(folder: Path, *, runs: int = 10_000) -> Iterator[Row]:
    """Goal 6."""
    from git import IndexFile, Repo
    from git.index.typ import BaseIndexEntry
    from gitdb import IStream  # type: ignore[import-untyped] # ships no types

    clone = make(folder, runs, sign_commits=False)
    repo = Repo(clone)

    def theirs() -> object:
        data = os.urandom(50_000)
        blob = repo.odb.store(IStream("blob", len(data), BytesIO(data)))
        index = IndexFile.from_tree(repo, "evidence")
        index.add([BaseIndexEntry((0o100644, blob.binsha, 0, "outputs/runs/2099/01/01/x/executed.ipynb"))], write=False)
        return index.write_tree()

    with Objects(Repository.open(clone)) as objects:
        mine, other = in_turn([_writer(objects), theirs], rounds=3)
    repo.close()
    what = f"one evidence commit at {runs:,} runs / GitPython's index"
    detail = f"{sorted(mine)[1] * 1000:.1f} ms beside {sorted(other)[1] * 1000:.0f} ms"
    yield at_most("6", what, ratio(mine, other), limit=0.05, detail=detail)


def race(*, processes: int = PROCESSES, appends: int = APPENDS, group: int = GROUP) -> Iterator[Row]:
    """Goal 7: everybody at once, and one answer in twenty lost after the push arrived."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = a_remote(folder)
        hook = bare / "hooks" / "post-receive"
        hook.write_text(LOSING)
        clones = [a_clone(bare, folder, f"clone{place}") for place in range(processes)]
        signer = a_key(folder)
        with opened(clones[0]) as ledger:
            ledger.append(lambda _: [genesis(signer)], writer=writer(signer), now=lambda: NOW)
        hook.chmod(0o755)
        took, longest = _race(clones, appends=appends, group=group)
        with opened(clones[0], cache=folder / "after.sqlite") as ledger:
            ledger.refresh()
            said = texts(ledger)
        lost, doubled = processes * appends - len(set(said)), len(said) - len(set(said))
    who = f"{processes} supervisors, {group} appends a push"
    yield at_least("7", f"{who}: appends per second", processes * appends / took, limit=60, unit="/s")
    yield at_most("7", f"{who}: longest wait", longest, limit=3, unit="s")
    yield at_most("7", f"{who}: lost or doubled", lost + doubled, limit=0, unit="events")


def _race(clones: list[Path], *, appends: int, group: int) -> tuple[float, float]:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", RACER]
    running = [
        subprocess.Popen(
            [*command, str(clone), f"racer{place}", str(appends), str(group)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place, clone in enumerate(clones)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    began = time.monotonic()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    longest = 0.0
    for process in running:
        out, _ = process.communicate(timeout=600)
        longest = max(longest, float(out.strip() or "inf"))
    return time.monotonic() - began, longest
