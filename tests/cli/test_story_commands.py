"""The commands of a run's life as people type them: init, run, approve, revoke, reject, cancel, resolve, reconcile."""

from __future__ import annotations

import json
import os
import signal

import pytest

from runner.cli.main import run
from runner.digest import parse
from runner.ledger.bodies import Status
from runner.plan.run import RunState
from runner.ports.claim import Claim
from runner.ports.forge import IssueId
from tests.stories.world import HOME, World, wait_for


class Keyboard:
    """Somebody's keyboard."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self._world, self._capsys = world, capsys

    def __call__(self, person: str, *words: str, host: str = HOME) -> tuple[int, str]:
        self._capsys.readouterr()
        with self._world.on(host):
            code = run(["-C", str(self._world.clone(person)), *words])
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out + ("" if "--json" in words else said.err)


@pytest.fixture
def keyboard(world: World, capsys: pytest.CaptureFixture[str]) -> Keyboard:
    return Keyboard(world, capsys)


def test_init_may_be_repeated_and_lets_other_machines_in(world: World, keyboard: Keyboard) -> None:
    code, text = keyboard("alice", "init", "--json")
    assert (code, json.loads(text)["committed"]) == (0, [])
    _, text = keyboard("bob", "init", "--join", "--json", host="far")
    key = json.loads(text)["publicKey"]
    assert "on record as event 1" in keyboard("alice", "init", "--admit", key)[1]
    assert "it is so already" in keyboard("alice", "init", "--admit", key)[1]
    assert json.loads(keyboard("alice", "init", "--revoke", key, "--json")[1]) == {"event": 2}
    assert [event.type for event in world.events()] == ["genesis", "key", "key"]


def test_run_asks_in_a_new_issue_or_in_the_one_that_is_named(world: World, keyboard: Keyboard) -> None:
    words = ("run", "count", f"folder={world.traces}")
    code, text = keyboard("alice", *words, "--title", "Please count", "--reason", "it is Monday")
    assert code == 0
    assert "waits for" in text
    assert world.thread("1").issue.title == "Please count"
    assert "it is Monday" in world.thread("1").comments[0].body
    assert keyboard("alice", *words, "host=web-2", "--issue", "1")[0] == 0
    assert len(world.runs()) == 2


def test_whoever_may_not_supervise_only_asks(world: World, keyboard: Keyboard) -> None:
    code, text = keyboard("bob", "run", "count", f"folder={world.traces}", "--json", host="far")
    told = json.loads(text)
    assert (code, told["issue"], told["comment"]) == (0, "1", "1/0")
    assert world.runs() == ()
    world.reconcile()
    code, text = keyboard("carol", "approve", world.run("1").digest[:12], host="far")
    assert (code, "said in issue 1" in text) == (0, True)
    assert world.run("1").state is RunState.PLANNED


def test_a_refusal_is_told_at_the_keyboard_with_its_exit_code(world: World, keyboard: Keyboard) -> None:
    issue = world.planned()
    digest = world.run(issue).digest[:12]
    code, text = keyboard("alice", "approve", digest)
    assert (code, digest in text or "approve" in text) == (3, True)
    assert keyboard("mallory", "reject", digest, "no")[0] == 2
    assert keyboard("bob", "revoke", digest)[0] == 2
    assert world.run(issue).state is RunState.PLANNED


def test_reject_and_cancel_end_a_plan(world: World, keyboard: Keyboard) -> None:
    first, second = world.planned(), world.planned()
    keyboard("bob", "reject", world.run(first).digest[:12], "not", "today")
    keyboard("alice", "cancel", world.run(second).id, "--leave")
    assert (world.run(first).state, world.run(second).state) == (RunState.REJECTED, RunState.CANCELLED)


@pytest.mark.parametrize("words", [[], ["never mind"]])
def test_cancel_never_guesses_whether_to_undo(world: World, keyboard: Keyboard, words: list[str]) -> None:
    issue = world.planned()
    code, text = keyboard("alice", "cancel", world.run(issue).digest[:12], *words)
    assert (code, "--rollback undoes it" in text) == (2, True)
    assert len(world.thread(issue).comments) == 2


def test_a_failed_run_is_exit_code_one(world: World, keyboard: Keyboard) -> None:
    issue = world.planned("fail")
    code, text = keyboard("bob", "approve", world.run(issue).digest[:12])
    assert (code, "finished: failed" in text) == (1, True)


def test_a_failed_run_is_resumed_by_the_end_of_its_id_and_what_left_nothing_to_undo_is_not_reverted(
    world: World, keyboard: Keyboard
) -> None:
    issue = world.done("fail")
    run = world.run(issue)
    code, text = keyboard("alice", "revert", run.id, "it was wrong")
    assert (code, "its changes were undone when it ended" in text) == (2, True)
    code, text = keyboard("alice", "resume", run.id[-8:], "it", "should", "work", "now", "--json")
    (standing,) = json.loads(text)["runs"]
    assert (code, standing["state"], standing["next"]) == (0, "planned", f"runbook approve {run.digest[:12]}")
    assert world.run(issue).attempt == 2
    code, text = keyboard("alice", "resume", run.id)
    assert (code, "is planned, too late or too early" in text) == (2, True)
    world.say("alice", issue, f"/runbook cancel {run.id} --leave")
    world.reconcile()
    with world.workspace() as opened:
        opened.forge_as_bot().close(IssueId(issue))
    code, text = keyboard("alice", "resume", run.id)
    assert (code, "its issue is closed" in text) == (2, True)


def test_reconcile_says_what_waits_and_an_interrupted_run_is_resolved(world: World, keyboard: Keyboard) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    os.kill(parse(Claim, (world.spool(issue) / "claimed").read_bytes()).pid, signal.SIGKILL)
    code, text = keyboard("alice", "reconcile", "--once", "--json")
    (standing,) = json.loads(text)
    assert (code, standing["state"]) == (1, "interrupted")
    assert standing["next"].startswith(f"runbook resolve {standing['run']}")
    assert keyboard("alice", "resolve", standing["run"], "completed", "I", "looked")[0] == 2, "alice is not on call"
    code, _ = keyboard("carol", "resolve", standing["run"], "completed", "I", "looked")
    assert (code, world.run(issue).state) == (0, RunState.RESOLVED)
    assert keyboard("alice", "reconcile", "--once") == (0, "nothing waits\n")


def test_no_wait_leaves_the_run_to_a_later_call(world: World, keyboard: Keyboard) -> None:
    issue = world.planned("wait")
    world.approve(issue)
    assert keyboard("alice", "reconcile", "--once", "--no-wait")[0] == 0
    wait_for(world.traces / "begun")
    (world.traces / "go").touch()
    keyboard("alice", "reconcile", "--once")
    assert world.run(issue).outcome is Status.SUCCEEDED
