"""Break-glass: run while the remote is away, owned up to once it is back; with real Git, keys, workers and kernels."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from runner.digest import parse
from runner.ledger.bodies import Interrupt, Late, Plan, Start, Status
from runner.plan.run import RunState
from runner.ports.claim import NAME as CLAIMED
from runner.ports.claim import Claim
from tests.stories import world as worlds
from tests.stories.test_kill_anywhere import MOST, killed, kinds
from tests.stories.world import ALICE, POLICY, Said, World, git, wait_for

GLASS = POLICY + 'break_glass = ["@oncall", "alice@example.org"]\n'
RECORDED = ["genesis", "plan", "start", "interrupt", "late"]


@pytest.fixture(scope="module")
def named(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose policy lets Alice break the glass, as her clone last heard."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("named") / "w")
    world.commit({"runbooks/policy.toml": GLASS})
    world.reconcile()
    return world


@pytest.fixture
def glass(named: World, tmp_path: Path) -> World:
    """A fresh copy of that world."""
    return worlds.copied(named, tmp_path / "w")


@pytest.fixture(scope="module")
def ran(named: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which something ran by break-glass, and the remote has just come back."""
    world = worlds.copied(named, tmp_path_factory.mktemp("ran") / "w")
    away(world)
    assert broke(world).code == 0
    back(world)
    return world


def away(world: World) -> None:
    world.remote.rename(world.folder / "elsewhere")


def back(world: World) -> None:
    (world.folder / "elsewhere").rename(world.remote)


def broke(world: World, runbook: str = "count", *, person: str = "alice", more: tuple[str, ...] = ()) -> Said:
    why = ("--break-glass", "the forge is down, and so is the shop")
    return world.cli(person, "run", runbook, f"folder={world.traces}", *why, "--json", *more)


def records(world: World) -> list[Path]:
    return sorted((world.state() / "lab-00000000" / "glass").glob("*.json"))


def spool(world: World) -> Path:
    """The only piece of work on the host."""
    (found,) = (world.state() / "lab-00000000" / "spool").iterdir()
    return found


def clean(world: World) -> dict[str, object]:
    said = world.cli("alice", "verify", "--json")
    found: dict[str, object] = json.loads(said.out)
    assert found["standing"] == "clean", said.out
    return found


def test_it_runs_once_while_the_remote_is_away_and_is_owned_up_to_once(glass: World) -> None:
    away(glass)
    said = broke(glass)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["outcome"], told["next"]) == ("succeeded", "runbook reconcile --once")
    (record,) = records(glass)
    assert record.stat().st_mode & 0o777 == 0o600
    glass.cli("alice", "reconcile", "--once")
    assert records(glass) == [record], "it is kept until the remote has it"
    back(glass)
    glass.reconcile()
    glass.reconcile("bob")
    glass.check()
    assert glass.times() == 1
    assert kinds(glass) == RECORDED
    assert records(glass) == []
    assert glass.locks() == {}
    run = glass.run("1")
    plan, start, interrupt, late = (event.body for event in glass.events()[1:])
    assert isinstance(plan, Plan)
    assert isinstance(start, Start)
    assert isinstance(interrupt, Interrupt)
    assert isinstance(late, Late)
    assert (plan.said.by, plan.said.verified, plan.break_glass) == (ALICE, True, True)
    assert (start.after, start.locks, start.approvals) == (True, (), ())
    assert interrupt.reason == "ran without the remote, by break-glass"
    assert late.outcome is Status.SUCCEEDED
    assert run.id == told["run"]
    assert (
        run.id in glass.evidence(f"outputs/runs/{run.id[:4]}/{run.id[4:6]}/{run.id[6:8]}/{run.id}/request.md").decode()
    )


def test_its_issue_tells_why_and_somebody_on_call_says_what_it_did(ran: World, tmp_path: Path) -> None:
    world = worlds.copied(ran, tmp_path / "w")
    world.reconcile()
    thread, words = world.thread("1"), world.words("1")
    run = world.run("1")
    assert thread.issue.title == f"Break-glass: count ({run.id})"
    assert thread.issue.labels == {"runbook::interrupted"}
    assert "the forge is down, and so is the shop" in words
    assert "**It has run already, by break-glass:**" in words
    assert "**Nobody but its own machine saw it.** It held no lock." in words
    assert "says what came of it: it ran by break-glass" in world.cli("alice", "status").out.replace("\n", " ")
    world.say("carol", "1", f"/runbook resolve {run.id} completed the line is there")
    world.say("alice", "1", f"/runbook resume {run.id}")
    world.reconcile()
    assert world.run("1").state is RunState.RESOLVED
    assert "it ran by break-glass: ask anew" in world.words("1")
    report = clean(world)
    assert (report["level"], report["levels"], report["breakGlass"]) == ("L0", {"L0": 1}, [run.id])
    assert "BREAK-GLASS" in world.cli("alice", "log").out
    assert "break-glass" in world.cli("alice", "show", run.id).out


def test_killed_while_owning_up_it_is_on_record_once_and_has_one_issue(ran: World, tmp_path: Path) -> None:
    for number in range(1, MOST):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(ran, tmp_path / "w")
        on_the_way = killed(world, number, when="before" if number % 2 else "after", code=1)
        world.reconcile("bob" if number % 3 else "alice")
        world.check()
        assert kinds(world) == RECORDED
        assert records(world) == []
        with world.workspace() as opened:
            assert [issue.id for issue in opened.forge_as_person().issues(only_open=False)] == ["1"]
        if not on_the_way:
            return
    pytest.fail("it never got through")


def test_a_newer_policy_and_a_halt_keep_nothing_from_the_record(ran: World, tmp_path: Path) -> None:
    world = worlds.copied(ran, tmp_path / "w")
    world.admit("elsewhere")
    world.commit({"runbooks/policy.toml": POLICY + "# newer\n"}, person="bob")
    issue = world.ask("count", person="bob")
    world.reconcile("bob", host="elsewhere")
    world.say("carol", issue, "/runbook halt nobody knows what is going on")
    world.reconcile("bob", host="elsewhere")
    world.reconcile()
    assert kinds(world) == ["genesis", "key", "plan", "halt", *RECORDED[1:]]
    clean(world)


def test_killed_in_the_middle_its_worker_goes_on_and_is_owned_up_to_when_it_has_ended(glass: World) -> None:
    away(glass)
    with glass.start_cli(
        "alice", "run", "wait", f"folder={glass.traces}", "--break-glass", "it cannot wait"
    ) as command:
        wait_for(glass.traces / "begun")
        command.send_signal(signal.SIGKILL)
    back(glass)
    glass.reconcile()
    assert kinds(glass) == ["genesis"], "its worker lives"
    (glass.traces / "go").touch()
    wait_for(spool(glass) / "outcome")
    glass.reconcile()
    glass.check()
    assert glass.times() == 1
    assert kinds(glass) == RECORDED


def test_of_a_worker_that_died_there_is_what_its_transcript_shows(glass: World) -> None:
    away(glass)
    with glass.start_cli(
        "alice", "run", "wait", f"folder={glass.traces}", "--break-glass", "it cannot wait"
    ) as command:
        wait_for(glass.traces / "begun")
        os.kill(parse(Claim, (spool(glass) / CLAIMED).read_bytes()).pid, signal.SIGKILL)
        assert command.wait(60) == 5
    back(glass)
    glass.reconcile()
    glass.check()
    assert kinds(glass) == RECORDED[:-1]
    assert glass.run("1").message.endswith("its worker died before the outcome was sealed")
    assert any(name.endswith("transcript.jsonl") for name, _ in glass.events()[-1].subject)
    clean(glass)


def test_what_was_never_handed_to_a_worker_is_never_run(ran: World, tmp_path: Path) -> None:
    world = worlds.copied(ran, tmp_path / "w")
    world.traces.joinpath("count").unlink(missing_ok=True)
    for name in ("spool", "spool-started"):
        shutil.rmtree(world.state() / "lab-00000000" / name)
    world.reconcile()
    assert kinds(world) == RECORDED[:-1]
    assert world.run("1").message.endswith("no cell of it is known to have run")
    assert world.times() == 0
    clean(world)


def test_what_no_worker_has_claimed_is_not_run_any_more(ran: World, tmp_path: Path) -> None:
    world = worlds.copied(ran, tmp_path / "w")
    (spool(world) / CLAIMED).unlink()
    shutil.rmtree(spool(world) / "outcome")
    (spool(world) / "transcript.jsonl").unlink()
    before = world.times()
    world.reconcile()
    assert kinds(world) == RECORDED[:-1]
    assert world.times() == before
    assert list((world.state() / "lab-00000000" / "spool").iterdir()) == []
    clean(world)


def test_a_record_that_was_altered_or_is_being_worked_on_is_told_and_left_alone(ran: World, tmp_path: Path) -> None:
    world = worlds.copied(ran, tmp_path / "w")
    (record,) = records(world)
    with (record.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        (words,) = world.reconcile().trouble
        assert "it is recorded after that" in words
    record.write_text(record.read_text().replace("so is the shop", "so is the pub"))
    (words,) = world.reconcile().trouble
    assert "it is not as it was written" in words
    assert kinds(world) == ["genesis"]
    assert records(world) == [record]


def test_while_the_remote_answers_nobody_breaks_the_glass(glass: World) -> None:
    said = broke(glass)
    assert (said.code, "the remote answers" in said.err, "--emergency" in said.err) == (2, True, True)
    assert records(glass) == []


def test_whoever_is_not_named_not_known_or_has_no_key_runs_nothing(glass: World) -> None:
    for name in ("bob", "mallory"):
        git(glass.clone(name), "fetch", "-q", "origin")
    away(glass)
    bob, mallory = broke(glass, person="bob"), broke(glass, person="mallory")
    assert (bob.code, "policy lets @oncall, alice@example.org run this on lab/web-1" in bob.err) == (3, True)
    assert (mallory.code, "nobody's in runbooks/allowed_signers" in mallory.err) == (3, True)
    git(glass.clone("alice"), "config", "--unset", "user.signingkey")
    keyless = broke(glass)
    assert (keyless.code, "no key of yours" in keyless.err) == (6, True)
    stranger = glass.cli("alice", "run", "count", f"folder={glass.traces}", "--break-glass", "why", host="elsewhere")
    assert (stranger.code, "no signing key" in stranger.err) == (6, True)
    assert records(glass) == []
    assert glass.times() == 0


def test_a_halt_and_a_freeze_are_for_break_glass_too(glass: World) -> None:
    freeze = '[[freeze]]\nname = "quiet"\nfrom = 2020-01-01T00:00:00Z\nuntil = 2090-01-01T00:00:00Z\n'
    issue = glass.ask("count", person="carol")
    glass.say("carol", issue, "/runbook halt let us look first")
    glass.reconcile()
    glass.commit({"runbooks/policy.toml": GLASS + freeze})
    away(glass)
    said = broke(glass)
    assert said.code == 3
    assert "everything is halted" in said.err
    assert "quiet" in said.err
    assert glass.times() == 0
