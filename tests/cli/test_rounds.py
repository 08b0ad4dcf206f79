"""One round after another: broken settings on the protected branch, and a remote that is away, end none of them."""

from __future__ import annotations

import signal
import time
from contextlib import closing, nullcontext

import requests

from runner.cli.rounds import Rounds
from runner.errors import RunbookError
from runner.supervisor.watcher import Watcher
from tests.cli.test_serve import vouched
from tests.stories.world import SETTINGS, World

BROKEN = b"[tool.runbook]\nproject = 7\nnonsense = true\n"


def test_broken_settings_are_said_and_once_they_are_repaired_everything_goes_on(world: World) -> None:
    said: list[str] = []
    troubles: list[RunbookError] = []
    watcher = Watcher(say=said.append, progress=lambda _run, _said: None)
    with world.workspace() as workspace, closing(workspace.executor()) as executor:
        rounds = Rounds(
            folder=world.clone("alice"),
            workspace=workspace,
            executor=executor,
            bell=None,
            watching=lambda: nullcontext(watcher),
            trouble=troubles.append,
        )
        assert rounds.round() is not None
        world.commit({"pyproject.toml": BROKEN}, person="bob")
        time.sleep(1.0)  # as long as the remote's last answer is good for
        assert [rounds.round() for _ in range(3)] == [None, None, None]
        assert all("nonsense is not a setting" in str(error) for error in troubles)
        world.commit({"pyproject.toml": SETTINGS}, person="bob")
        issue = world.ask("count")
        assert rounds.round() is not None
        assert len(troubles) == 3
    assert world.run(issue).id


def test_serve_does_not_end_for_them_and_is_not_ready_meanwhile(world: World) -> None:
    vouched(world)
    process = world.start_cli("alice", "serve", "--port", "0", "--spares", "0", "--every", "1")
    first = process.stderr.readline() if process.stderr else ""
    port = first.rpartition(":")[2].strip(' \n"}')
    ready = f"http://127.0.0.1:{port}/readyz"
    try:
        waited(ready, 200)
        world.commit({"pyproject.toml": BROKEN}, person="bob")
        waited(ready, 503)
        assert "nonsense is not a setting" in requests.get(ready, timeout=30).json()["why"]
        world.commit({"pyproject.toml": SETTINGS}, person="bob")
        waited(ready, 200)
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def waited(url: str, status: int) -> None:
    deadline = time.monotonic() + 90
    while requests.get(url, timeout=30).status_code != status:
        assert time.monotonic() < deadline, f"it never answered {status}"
        time.sleep(0.1)
