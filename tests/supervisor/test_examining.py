"""Gathering facts in a real clone: where tokens lie, what others may read, what the record and runbooks are like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.doctor.facts import Broken, Credential, Facts
from runner.errors import OperatorError, OutsideError
from runner.ports.premises import Premises, Unseen, Wanted
from runner.repository.repository import Repository
from runner.supervisor.examining import gather
from runner.wiring import Workspace
from tests.stories.world import BOB, World, git


class Blindfold:
    """An inspector that sees nothing, and keeps what was wanted."""

    def look(self, wanted: Wanted) -> Premises:
        self.wanted = wanted
        return Premises(skew=Unseen(why="nothing was looked at"))

    def close(self) -> None:
        """Nothing is open."""

    def deliver(self, hook: int) -> int:
        raise NotImplementedError(hook)


def facts(workspace: Workspace, **stores: Callable[[], None]) -> Facts:
    return gather(workspace, inspector=Blindfold(), stores=stores, now=lambda: datetime.now(UTC))


@contextmanager
def opened(world: World) -> Iterator[Workspace]:
    """Alice's clone as Git sees it now, in a project at a GitLab."""
    with world.workspace("alice") as found:
        settings = replace(found.settings, gitlab="https://gitlab.example.org")
        yield replace(found, repository=Repository.open(found.repository.path), settings=settings)


def test_the_record_the_runbooks_and_this_machine_are_seen(world: World) -> None:
    with world.workspace() as workspace:
        blindfold = Blindfold()
        seen = gather(workspace, inspector=blindfold, stores={}, now=lambda: datetime.now(UTC))
    assert isinstance(seen.machine.key, str)
    assert seen.papers.keys == frozenset({seen.machine.key})
    assert "count" in {name for name, _ in seen.papers.runbooks}
    assert (seen.papers.stale, seen.papers.policy is None, seen.machine.loose) == (False, False, ())
    assert seen.machine.git.startswith("2.")
    assert seen.machine.free > 0
    assert BOB in blindfold.wanted.people
    assert (blindfold.wanted.hooks, blindfold.wanted.tags) == (False, ())


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"credential.helper": "cache --timeout 60"}, [Credential(helper="cache")]),
        ({"credential.helper": "/usr/lib/git-core/git-credential-libsecret"}, [Credential(helper="libsecret")]),
        ({"credential.https://elsewhere.example.org.helper": "cache"}, []),
        ({"credential.https://gitlab.example.org.helper": "cache"}, [Credential(helper="cache")]),
        ({"credential.helper": "store --file='a b'"}, [Credential(helper="store", file=Path("a b"))]),
        ({"credential.helper": "store --file /nowhere/c"}, [Credential(helper="store", file=Path("/nowhere/c"))]),
        ({"credential.helper": "!sh 'x"}, [Credential(helper="!sh")]),
        (
            {"remote.other.url": "https://oauth2:glpat-x@gitlab.example.org/a.git"},
            [Credential(helper="", embedded=True)],
        ),
    ],
)
def test_where_git_finds_a_token_is_read_from_its_configuration(
    world: World, settings: dict[str, str], *, found: list[Credential], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name, value in settings.items():
        git(world.clone("alice"), "config", name, value)
    with opened(world) as workspace:
        assert list(facts(workspace).machine.credentials) == found


def test_a_credential_file_and_private_files_are_seen_with_their_modes(world: World, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.touch(mode=0o640)
    file.chmod(0o640)
    git(world.clone("alice"), "config", "credential.helper", f"store --file {file}")
    with opened(world) as workspace:
        secret = workspace.secrets_folder() / "PASSWORD"
        secret.parent.mkdir(mode=0o700, exist_ok=True)
        secret.touch()
        secret.chmod(0o604)
        (workspace.state / "key").chmod(0o660)
        seen = facts(workspace).machine
    assert Credential(helper="store", file=file, mode=0o640) in seen.credentials
    assert dict(seen.loose) == {workspace.state / "key": 0o660, secret: 0o604}
    assert isinstance(seen.key, Broken)
    assert "chmod 600" in seen.key.fix


def sealed() -> None:
    raise OutsideError("looking", "it is sealed")


def missing() -> None:
    raise OperatorError("looking", "there is no key", hint="put it there")


def test_what_a_store_says_is_kept_apart_from_a_store_that_is_away(world: World) -> None:
    with world.workspace() as workspace:
        stores = facts(workspace, fine=lambda: None, vault=sealed, sops=missing).machine.stores
    assert [one.problem for one in stores] == [
        None,
        Unseen(why="vault: it is sealed"),
        Broken(wrong="there is no key", fix="put it there"),
    ]
