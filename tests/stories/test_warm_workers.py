"""A long-lived supervisor keeps workers ready: runs use each once, find nothing of one another, and nothing stays."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.runbook.notebooks import code, notebook
from tests.stories.world import POLICY, World

LOOKS = """
import os
from pathlib import Path
found = [name for name in (*os.listdir(Path.home()), *os.listdir()) if name == "left"]
print("left:", found, globals().get("LEFT"), os.environ.get("LEFT"))
print("me:", os.environ["RUNBOOK_RUN_ID"], os.environ["RUNBOOK_MODE"])
LEFT = os.environ["LEFT"] = "x"
Path("left").touch()
(Path.home() / "left").touch()
"""
ALONE = POLICY.replace("count = 1", "count = 0")


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def running(folder: Path) -> list[str]:
    """The command lines of all processes that name a folder."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def test_two_runs_use_two_spares_and_find_nothing_of_each_other_and_a_kill_leaves_nothing(world: World) -> None:
    world.commit({"runbooks/look.ipynb": notebook([code(LOOKS, "change")]), "runbooks/policy.toml": ALONE})
    spares = next(world.state().iterdir()) / "spares"
    said = []
    with world.start_cli("alice", "reconcile", "--every", "1", "--spares", "1", "--json") as supervisor:
        for _ in range(2):
            until(lambda: list(spares.glob("*/ready")))
            (waiting,) = spares.iterdir()
            done = world.cli("alice", "run", "look", "--json")
            assert done.code == 0, done.err
            (run,) = json.loads(done.out)["runs"]
            assert not (waiting / "ready").exists(), "it was used"
            said.append(_said(world, run["run"]))
        until(lambda: list(spares.glob("*/ready")))
        os.kill(supervisor.pid, signal.SIGKILL)
        supervisor.communicate()
    for text in said:
        assert "left: [] None None" in text
    assert len(set(said)) == 2
    assert all("RUNBOOK" not in text and " run\n" in text for text in said)
    until(lambda: not running(spares))
    assert list(spares.iterdir()) == []
    world.check()


def _said(world: World, run: str) -> str:
    notebooks = [name for name in _names(world) if run in name and name.endswith("executed.ipynb")]
    cells = json.loads(world.evidence(notebooks[0]))["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", ()))


def _names(world: World) -> list[str]:
    from tests.stories.world import git

    return git(world.remote, "ls-tree", "-r", "--name-only", "evidence").decode().split()


def test_whoever_finds_no_supervisor_does_the_work_as_before(world: World) -> None:
    world.commit({"runbooks/look.ipynb": notebook([code(LOOKS, "change")]), "runbooks/policy.toml": ALONE})
    done = world.cli("alice", "run", "look", "--json")
    assert done.code == 0, done.err
    assert not (next(world.state().iterdir()) / "spares").exists()
