"""Isolation as people meet it: what a header opens, what stays shut, and what policy may demand."""

from __future__ import annotations

import shutil

import pytest

from runner.execution import bubblewrap
from tests.stories.runbooks import made, trace
from tests.stories.world import World

bubblewrap_only = pytest.mark.skipif(not bubblewrap.usable(), reason="machine: bubblewrap is not usable here")

GREEDY = made(
    ("plan", "from pathlib import Path\nprint('keys', [one.name for one in Path(folder).rglob('key')])"),
    ("change", trace("count")),
    title="Greedy",
    more="irreversible: a line is a line",
)
"""It looks for keys in the folder that it is given."""


@pytest.fixture
def without_bubblewrap(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which only the programs are found that everything needs."""
    programs = tmp_path_factory.mktemp("programs")
    for name in ("git", "sh", "ssh-keygen"):
        (programs / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(programs))


@bubblewrap_only
def test_the_runners_own_folder_is_opened_to_nobody_who_asks_for_it(world: World) -> None:
    world.commit({"runbooks/greedy.ipynb": GREEDY})
    state = next(path.parent for path in world.state().rglob("key"))
    issue = world.ask("greedy", folder=str(state))
    world.reconcile()
    assert "the runner&#39;s own folders are opened to nobody" in world.words(issue).replace("'", "&#39;")
    world.approve(issue)
    world.reconcile()
    assert not (state / "count").exists()


@bubblewrap_only
def test_in_a_folder_that_holds_it_the_key_does_not_exist(world: World) -> None:
    world.commit({"runbooks/greedy.ipynb": GREEDY})
    issue = world.ask("greedy", folder=str(world.folder))
    world.reconcile()
    assert "keys []" in world.words(issue)


@pytest.mark.usefixtures("without_bubblewrap")
def test_policy_may_demand_more_than_there_is_and_is_then_refused_rather_than_weakened(
    world: World,
) -> None:
    policy = (world.clone("alice") / "runbooks" / "policy.toml").read_text()
    world.commit({"runbooks/policy.toml": policy.replace("[[rule]]\n", '[[rule]]\nisolation = "bwrap"\n')})
    issue = world.done("count")
    assert world.times() == 0
    assert "policy demands at least" in world.words(issue)
    assert world.manifest(world.run(issue)).execution.isolation == "subreaper"


@pytest.mark.usefixtures("without_bubblewrap")
def test_without_bubblewrap_a_run_is_carried_out_and_recorded_as_what_it_is(
    world: World,
) -> None:
    issue = world.done("count")
    assert world.times() == 1
    assert world.manifest(world.run(issue)).execution.isolation == "subreaper"
