"""What a run needs, from the real places: secrets from every kind of store, packages from a lock file.

And what is said where a store is sealed or away and where an environment cannot be built: clearly, with nothing started
and nothing lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.digest import sha256
from runner.evidence import layout
from runner.ledger.bodies import Rehearsal, Status
from runner.plan.run import RunState
from tests.adapters.secrets import bao as baos
from tests.adapters.secrets.bao import Bao
from tests.adapters.secrets.sealed import age_key, encrypted
from tests.execution import wheels
from tests.stories import runbooks
from tests.stories.test_kill_anywhere import killed
from tests.stories.test_request_to_evidence import every_object
from tests.stories.world import POLICY, SETTINGS, Said, World, git

CANARY = "hunter2-canary-"
NAMES = ("FROM_ENV", "FROM_FILE", "FROM_SOPS", "FROM_BAO")
PROJECT = "lab-00000000"
SOPS = "runbooks/secrets.sops.yaml"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with baos.serving(tmp_path_factory.mktemp("bao")) as server:
        yield server


def asking(*, read: str = "", change: str = "") -> bytes:
    """A runbook that prints its secrets, in clear and in disguise, and fails to keep them in."""
    words = "import base64, json\nfrom runner.toolkit import secret\n"
    shown = "".join(
        f"value = secret({name!r})\nprint(value, value.encode().hex(), json.dumps([value]))\n"
        for name in (*read.split(), *change.split())
    )
    looks = [("read", words + shown)] if read else []
    return runbooks.made(
        *looks,
        ("change", runbooks.trace("count") + words + shown),
        title="Asking",
        more=f"irreversible: words are out\nsecrets: {{read: [{_listed(read)}], change: [{_listed(change)}]}}",
    )


def _listed(names: str) -> str:
    return ", ".join(names.split())


@pytest.fixture
def stores(world: World, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose settings name every kind of store, each with one secret in it."""
    state = world.state() / PROJECT
    recipient = age_key(state / "stores" / "age.key")
    (state / "secrets").mkdir(mode=0o700)
    (state / "secrets" / "FROM_FILE").touch(mode=0o600)
    (state / "secrets" / "FROM_FILE").write_text(f"{CANARY}file\n")
    monkeypatch.setenv("RUNBOOK_SECRET_FROM_ENV", f"{CANARY}env")
    bao.write({"FROM_BAO": f"{CANARY}bao"})
    baos.hand(state / "stores", bao, token=bao.token())
    names = json.dumps(["environment", "files", f"sops:{SOPS}", f"vault:{bao.url}"])
    world.commit(
        {
            "pyproject.toml": f"{SETTINGS}secret-stores = {names}\n",
            "runbooks/policy.toml": POLICY.replace('"FROM_FILE", "FROM_ENV"', json.dumps(NAMES).strip("[]")),
            SOPS: encrypted(f"FROM_SOPS: {CANARY}sops\n", to=recipient),
            "runbooks/all.ipynb": asking(change=" ".join(NAMES)),
            "runbooks/looking.ipynb": asking(read="FROM_BAO"),
        }
    )
    return world


def nothing_leaked(world: World, *known: Path) -> None:
    """Assert that no secret is in any Git object, comment, or file of the machine but those that hold it."""
    ours = ("stores", "secrets")
    for repository in (world.remote, world.clone("alice")):
        assert CANARY.encode() not in every_object(repository)
    kept = [path for path in world.state().rglob("*") if path.is_file() and not set(ours) & set(path.parts)]
    assert [path for path in kept if path not in known and CANARY.encode() in path.read_bytes()] == []


def test_a_sealed_store_keeps_a_request_waiting_and_nothing_is_lost(stores: World, bao: Bao) -> None:
    issue = stores.ask("looking")
    bao.seal()
    try:
        said = stores.cli("alice", "reconcile", "--once")
        told(said, code=5, wrong=f"rehearsing looking: reading the secret FROM_BAO: https://{bao.host} is sealed")
        assert (stores.runs(), stores.words(issue), stores.times()) == ((), "", 0)
    finally:
        bao.unseal()
    stores.reconcile()
    assert stores.run(issue).plan.rehearsal is Rehearsal.OK
    nothing_leaked(stores)


def test_a_store_sealed_after_the_approval_costs_no_attempt_and_then_every_secret_is_masked(
    stores: World, bao: Bao
) -> None:
    issue, other = stores.planned("all"), stores.planned("count", host="web-2")
    stores.approve(issue)
    stores.approve(other)
    bao.seal()
    try:
        said = stores.cli("alice", "reconcile", "--once")
        told(said, code=5, wrong=f"https://{bao.host} is sealed")
        run = stores.run(issue)
        assert (run.state, run.attempt, stores.locks()) == (RunState.PLANNED, 0, {})
        assert stores.run(other).outcome is Status.SUCCEEDED, "somebody else's run is not kept back"
    finally:
        bao.unseal()
    stores.reconcile()
    run = stores.run(issue)
    assert (run.outcome, run.attempt) == (Status.SUCCEEDED, 1), stores.words(issue)
    assert {one.rule for one in stores.manifest(run).redactions} >= set(NAMES)
    assert b"FROM_BAO" in stores.evidence(layout.executed_file(run.id, 1))
    assert CANARY not in stores.words(issue)
    nothing_leaked(stores)
    stores.check()


def test_a_store_that_denies_this_machine_is_the_operators_turn(stores: World, bao: Bao) -> None:
    folder = baos.hand(stores.state() / PROJECT / "stores", bao, token="hvs.revoked-canary")
    said = stores.cli("alice", "run", "looking", f"folder={stores.traces}")
    told(said, code=6, wrong=f"{bao.url} is denied to this machine")
    assert "revoked-canary" not in said.err + stores.words("1")
    assert (stores.runs(), "is denied to this machine" in stores.words("1")) == ((), True)
    (folder / "token").write_text(bao.token())
    stores.ask("looking", issue="1")
    stores.reconcile()
    assert stores.run("1").plan.rehearsal is Rehearsal.OK


def test_a_sops_file_that_was_altered_on_the_branch_is_not_believed(stores: World) -> None:
    whole = git(stores.clone("alice"), "show", f"HEAD:{SOPS}")
    stores.commit({SOPS: b"ADDED: in-the-clear\n" + whole, "runbooks/looking.ipynb": asking(read="FROM_SOPS")})
    said = stores.cli("alice", "run", "looking", f"folder={stores.traces}")
    told(said, code=6, wrong=f"{SOPS} was altered after it was encrypted")
    assert "in-the-clear" not in said.err + said.out + stores.words("1")
    assert stores.runs() == ()


def told(said: Said, *, code: int, wrong: str) -> None:
    """Assert that an error names what is wrong and who acts next, and says what to try."""
    assert (said.code, wrong in said.err, "\n  try: " in said.err, "Traceback" in said.err) == (
        code,
        True,
        True,
        False,
    ), said


# Environments.

LOCK = "runbooks/environments/db.lock"
PINNED = runbooks.made(
    ("setup", "import sys, pinned_thing"),
    ("plan", "print('version', pinned_thing.VERSION)"),
    (
        "change",
        runbooks.trace("count")
        + "from importlib.metadata import distributions\nfrom runner.toolkit import record\n"
        + "record('packages', sorted(f'{one.name}=={one.version}' for one in distributions() if one.name))\n"
        + "import os\nrecord('writable', os.access(sys.prefix, os.W_OK))\n",
    ),
    title="Pinned",
    more=f"irreversible: a line is a line\nenvironment: {LOCK}",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of wheels, and the lock of a real kernel with one package beside it."""
    folder = tmp_path_factory.mktemp("wheels")
    lines = wheels.kernel(folder)
    for version in ("1.2", "1.3"):
        wheels.made(folder, "pinned_thing", version)
    return folder, "\n".join([*lines, "pinned-thing==1.2", ""])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environments of all worlds of these tests lie, so that each is built once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def pinned(world: World, *, house: tuple[Path, str], kept: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a runbook that has an environment of its own."""
    wheels.only(house[0], monkeypatch)
    (world.state() / ".environments").symlink_to(kept)
    world.commit({"runbooks/pinned.ipynb": PINNED, LOCK: house[1]})
    return world


def test_a_kernel_sees_just_the_packages_of_the_approved_lock_and_a_changed_one_means_a_new_plan(
    pinned: World, house: tuple[Path, str], kept: Path
) -> None:
    issue = pinned.planned("pinned")
    first, lock = pinned.run(issue), sha256(house[1].encode())
    (mark,) = kept.glob("*/complete.json")
    built = mark.stat().st_mtime_ns
    plan = json.loads(pinned.evidence(layout.plan_file(first.id)))
    assert plan["environment"] == {"path": LOCK, "sha256": lock}
    assert f"packages pinned by `{LOCK} " in pinned.words(issue)
    pinned.commit({LOCK: house[1].replace("pinned-thing==1.2", "pinned-thing==1.3")})
    pinned.approve(issue)
    pinned.ask("pinned", issue=issue)
    pinned.reconcile()
    assert pinned.run(issue).digest != first.digest
    assert "version 1.3" in pinned.words(issue)
    # What was approved is what ran: the lock of its own commit, whatever is on the branch by now.
    first = next(run for run in pinned.runs() if run.id == first.id)
    assert first.outcome is Status.SUCCEEDED, pinned.words(issue)
    manifest = pinned.manifest(first)
    wanted = sorted(house[1].split())
    assert sorted(one.replace("_", "-").lower() for one in _texts(manifest.result.records["packages"])) == wanted
    environment = manifest.execution.environment
    assert environment
    assert (environment.lock, environment.packages) == (lock, sha256("\n".join(wanted).encode()))
    assert mark.stat().st_mtime_ns == built, "rehearsal, making ready and run had the same one, built once"
    if manifest.execution.isolation == "bwrap":
        assert manifest.result.records["writable"] is False
    verified = pinned.cli("alice", "verify")
    assert verified.code == 0, verified


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]


def test_a_lock_that_does_not_pin_is_refused_by_lint_and_when_planned(pinned: World, house: tuple[Path, str]) -> None:
    pinned.commit({LOCK: house[1] + "requests>=2\n"})
    said = pinned.cli("alice", "lint", str(pinned.clone("alice") / "runbooks" / "pinned.ipynb"))
    assert (said.code, "R31 error" in said.out, "'requests>=2' is not pinned" in said.out) == (2, True, True), said
    issue = pinned.ask("pinned")
    pinned.reconcile()
    assert pinned.runs() == ()
    assert "R31" in pinned.words(issue)
    assert "is not pinned" in pinned.words(issue)


@pytest.mark.parametrize("cells", ["looks", "changes"])
def test_an_environment_that_cannot_be_built_is_said_before_anything_is_planned(
    pinned: World, house: tuple[Path, str], cells: str
) -> None:
    blind = runbooks.made(
        ("change", runbooks.trace("count")), title="Blind", more=f"irreversible: x\nenvironment: {LOCK}"
    )
    runbook = PINNED if cells == "looks" else blind
    pinned.commit({LOCK: house[1].replace("pinned-thing==1.2", "pinned-thing==6.6"), "runbooks/pinned.ipynb": runbook})
    said = pinned.cli("alice", "run", "pinned", f"folder={pinned.traces}")
    told(said, code=6, wrong="rehearsing pinned: preparing the environment: ")
    assert (pinned.runs(), pinned.times(), pinned.locks()) == ((), 0, {})
    assert "pinned-thing==6.6" in pinned.words("1")


def test_an_author_tries_a_runbook_in_its_environment(pinned: World) -> None:
    notebook = pinned.clone("alice") / "runbooks" / "pinned.ipynb"
    said = pinned.cli("alice", "try", str(notebook))
    assert (said.code, "version 1.2" in said.out) == (0, True), said


def test_a_supervisor_killed_anywhere_while_it_makes_ready_starts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FROM_FILE", "FROM_ENV"):
        monkeypatch.setenv(f"RUNBOOK_SECRET_{name}", CANARY + name)
    issue = world.planned("secret")
    world.approve(issue)
    number = 1
    while killed(world, number):
        number += 1
    assert number > len(("forget", "order", "notebook", "keys", "key", "ready", "mark", "start", "forget"))
    run = world.run(issue)
    assert (run.outcome, run.attempt, world.locks()) == (Status.SUCCEEDED, 1, {}), world.words(issue)
    with world.workspace() as opened:
        assert opened.executor().kept() == ()
    world.check()
    nothing_leaked(world)
