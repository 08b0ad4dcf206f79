"""`runbook serve` as it is typed; what it does once it runs is told in tests/stories/test_on_gitlab.py."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from pathlib import Path

from runner.supervisor.bell import Bell
from runner.supervisor.ringing import NAME
from tests.server.test_delivery import KEY
from tests.stories.world import World, wait_for


def state(world: World) -> Path:
    return world.state() / "lab-00000000"


def vouched(world: World, *, mode: int = 0o600) -> None:
    file = state(world) / "webhook-signing"
    file.write_text(KEY)
    file.chmod(mode)


def test_without_a_signing_token_nothing_is_served_and_the_file_is_named(world: World) -> None:
    said = world.cli("alice", "serve", "--port", "0")
    assert said.code == 6
    assert "webhook-signing" in said.err
    assert "mode 0600" in said.err


def test_a_signing_token_that_others_may_read_is_refused(world: World) -> None:
    vouched(world, mode=0o644)
    said = world.cli("alice", "serve", "--port", "0")
    assert (said.code, "others may read" in said.err) == (6, True)
    assert KEY not in said.err


def test_two_supervisors_do_not_serve_one_machine(world: World) -> None:
    vouched(world)
    with world.on(), closing(Bell(state(world) / NAME)):
        said = world.cli("alice", "serve", "--port", "0")
    assert (said.code, "another supervisor is at work" in said.err) == (6, True)


def test_it_serves_until_it_is_told_to_end_and_says_so_in_lines_of_json(world: World) -> None:
    vouched(world)
    process = world.start_cli("alice", "serve", "--port", "0", "--spares", "0")
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    wait_for(state(world) / "inbox.sqlite")
    first = process.stderr.readline() if process.stderr else ""
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=120)
    watchdog.cancel()
    assert process.returncode == 0, rest
    assert '"said": "listening on 127.0.0.1:' in first
    assert "told to end" in rest
