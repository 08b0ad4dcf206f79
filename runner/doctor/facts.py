"""What was gathered before anything is judged: the forge, the repository, this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.config import Settings
from runner.ports.premises import Premises, Seen, Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something that is there and cannot be used: what is wrong with it, and the fix, as its reader says."""

    wrong: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where Git finds a token: a helper by its name and, where it keeps a file, that file and its mode.

    `embedded` is a token in the remote's own address.
    """

    helper: str
    file: Path | None = None
    mode: int | None = None
    embedded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the repository says at its protected branch. Texts are None where there is no such file.

    `stale`: the remote did not answer, so all this is as it was last fetched. `runbooks` are all of them by name, with
    what lint calls an error in each. `pipeline`: there is a `.gitlab-ci.yml`. `keys` are those that may write to the
    ledger; `former` ones might once.
    """

    stale: bool = False
    policy: str | None
    signers: str | None
    runbooks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pipeline: bool = True
    keys: Seen[frozenset[str]] | Broken = frozenset()
    former: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A secret store as the settings name it, and what keeps it from being asked; never a secret."""

    name: str
    problem: Seen[Broken | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """What vouches for deliveries on this machine: how many signing tokens, and whether the older plain one."""

    signing: int
    plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine. `git` is its version; `free` are bytes left for `state`; `isolation` is what was reached by trying.

    `loose` are files that others may read, with their modes. `key` is this machine's public key, None if it has none.
    `trigger`: Git keeps a token here that starts pipelines.
    """

    git: str
    isolation: str
    free: int
    state: Path
    loose: tuple[tuple[Path, int], ...] = ()
    key: str | Broken | None = None
    credentials: tuple[Credential, ...] = ()
    stores: tuple[Store, ...] = ()
    vouching: Vouching | Broken | None = None
    trigger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a test delivery: is it in this machine's inbox (None: it has none), or why was it not sent."""

    arrived: bool | None = None
    problem: Broken | Unseen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Branches that the runner makes for itself, by how their names begin; `rewritten`: with forced pushes."""

    prefix: str
    rewritten: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything. `url` is where the forge reaches `runbook serve`, if somebody said so; `trial` if one was made."""

    settings: Settings
    now: datetime
    premises: Premises
    papers: Papers
    machine: Machine
    scratch: tuple[Scratch, ...] = ()
    url: str = ""
    trial: Trial | None = None

    @property
    def gitlab(self) -> bool:
        """Whether GitLab is the forge."""
        return self.settings.forge == "gitlab"
