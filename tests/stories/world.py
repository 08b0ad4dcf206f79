"""A world for stories: a bare remote, people with clones and keys, policy, runbooks, hosts with states of their own.

Everything in it is real: Git, keys, the forge on plain Git, workers, kernels. One world is founded for each test
process and copied for each test, which is cheap because every path inside it is relative or set again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner import wiring
from runner.adapters.signer.ssh import generate
from runner.digest import parse
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.ledger.bodies import Finish, Interrupt, Late, Start
from runner.ledger.event import Event
from runner.plan.run import Run, fold
from runner.ports.forge import IssueId, Thread
from runner.publication import markers
from runner.publication.markers import Kind
from runner.snapshot import Snapshot
from runner.supervisor import founding
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.telling import attempt_of
from runner.supervisor.watcher import Watcher
from runner.wiring import Workspace
from tests.stories import runbooks
from tests.stories.forges import GITLAB, AtForge, PlainGit, cut

ALICE, BOB, CAROL, MALLORY = (f"{name}@example.org" for name in ("alice", "bob", "carol", "mallory"))
PEOPLE = ("alice", "bob", "carol", "mallory")
"""Mallory can push, and is in nobody's list."""
HOME = "home"
"""The host where the repository was founded."""

SPOKEN = frozenset(
    {"approve", "revoke", "reject", "cancel", "resolve", "resume", "revert", "answer", "halt", "unhalt", "run"}
)
"""Commands that say something to the runner."""
SETTINGS_FILE, POLICY_FILE = "pyproject.toml", "runbooks/policy.toml"
_TOLD = frozenset({SETTINGS_FILE, POLICY_FILE})
"""Files that name people or places at the forge."""
SETTINGS = '[tool.runbook]\nproject = "lab-00000000"\nlease = 60\n'
POLICY = """\
identity = "signed"
halt = ["@oncall"]

[groups]
team = ["alice@example.org", "bob@example.org", "carol@example.org"]
oncall = ["carol@example.org"]

[[rule]]
name = "by two people"
request = ["@team"]
approve = {count = 1, from = ["@team"], requester_excluded = true, expires = "24h"}
cancel = ["@oncall"]
resolve = ["@oncall"]
secrets = ["FROM_FILE", "FROM_ENV"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command of the real command line said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One world. Whoever acts is named; hosts differ by their state folder only."""

    folder: Path
    forge: AtForge = field(default_factory=PlainGit)

    @property
    def traces(self) -> Path:
        """Where runbooks leave their traces."""
        return self.folder / "traces"

    @property
    def remote(self) -> Path:
        """The bare repository that everybody shares."""
        return self.folder / "remote.git"

    def clone(self, person: str) -> Path:
        """A person's clone."""
        return self.folder / person

    def state(self, host: str = HOME) -> Path:
        """Where a host keeps its own things."""
        return self.folder / "states" / host

    def id(self, person: str) -> str:
        """What somebody is called at the forge."""
        return self.forge.id(person)

    @property
    def on_gitlab(self) -> bool:
        """Whether people meet on GitLab: then what they type is heard by a runner that is somewhere else."""
        return self.forge.name == GITLAB

    @contextmanager
    def on(self, host: str = HOME, *, person: str = "alice", words: tuple[str, ...] = ()) -> Iterator[None]:
        """Be on a host until the end of the block, as whoever types a command; as the runner without one."""
        before = {name: os.environ.get(name) for name in ("RUNBOOK_STATE", "GIT_CONFIG_GLOBAL")}
        os.environ.update(self.environment(host, person=person, words=words))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def environment(self, host: str = HOME, *, person: str = "alice", words: tuple[str, ...] = ()) -> dict[str, str]:
        """What makes a process be on a host, as whoever types a command, or else as the runner."""
        host, own = self.forge.seat(self.folder, words=words, person=person, host=host)
        return {"RUNBOOK_STATE": str(self.state(host)), **own}

    @contextmanager
    def workspace(self, person: str = "alice", *, host: str = HOME, fetch: bool = True) -> Iterator[Workspace]:
        """A person's clone, opened on a host."""
        with self.on(host):
            opened = wiring.open_workspace(self.clone(person), fetch=fetch)
            with opened.objects:
                yield opened

    def start_cli(self, person: str, *words: str, host: str = HOME) -> subprocess.Popen[str]:
        """Start the real command line in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "runner.cli.main", "-C", str(self.clone(person)), *words],
            env=os.environ | self.environment(host, person=person, words=words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def cli(self, person: str, *words: str, host: str = HOME) -> Said:
        """Run the real command line to its end; a runner that is somewhere else hears what was said there."""
        with self.start_cli(person, *words, host=host) as process:
            out, err = process.communicate(timeout=120)
        if self.on_gitlab and process.returncode == 0 and words[0] in SPOKEN:
            self.reconcile()
        return Said(code=process.returncode, out=out, err=err)

    def ask(self, runbook: str, *, person: str = "alice", issue: str = "", **parameters: str) -> str:
        """Write a request, in a new issue or in one that is there, and return the issue."""
        values = {"folder": str(self.traces), **parameters}
        lines = ["```runbook", f"runbook: {runbook}", "parameters:", *(f'  {k}: "{v}"' for k, v in values.items())]
        body = "\n".join([*lines, "```", ""])
        if issue:
            self.say(person, issue, body)
            return issue
        return self.open_issue(person, f"Please {runbook}", body)

    def open_issue(self, person: str, title: str, body: str) -> str:
        """Open an issue and return its number."""
        with self.on():
            return self.forge.open_issue(self.folder, person, title=title, body=body)

    def say(self, person: str, issue: str, words: str) -> str:
        """Write a comment, as the person, and return its id."""
        with self.on():
            return self.forge.say(self.folder, person, issue=issue, words=words)

    def edit(self, person: str, issue: str, comment: str, *, words: str) -> None:
        """Change one of the person's own comments."""
        with self.on():
            self.forge.edit(self.folder, person, issue=issue, comment=comment, words=words)

    def close(self, person: str, issue: str) -> None:
        """Close an issue."""
        with self.on():
            self.forge.close(self.folder, person, issue=issue)

    def leaves(self, person: str) -> None:
        """Let a member go."""
        files = {path: cut(self.main(path), what) for path, what in self.forge.without(person).items()}
        if files:
            self.commit(files)

    def approve(self, issue: str, *, person: str = "bob") -> str:
        """Approve the newest plan of an issue."""
        return self.say(person, issue, f"/runbook approve {self.run(issue).digest[:12]} looks right")

    def branch(self, issue: str) -> str:
        """The branch with the change that the newest run of an issue proposes."""
        return f"runbook/{self.run(issue).id}"

    def merge(self, issue: str, *, person: str = "bob") -> str:
        """Merge that change, and return the merged commit."""
        return self.forge.merge(self.folder, person, source=self.branch(issue))

    def reconcile(
        self, person: str = "alice", *, host: str = HOME, issue: str | None = None, wait: bool = True
    ) -> Snapshot:
        """Let a host do everything that can be done now."""
        with self.workspace(person, host=host) as opened:
            watcher = Watcher(say=lambda _text: None, progress=lambda _run, _said: None)
            supervisor = Supervisor(opened, now=wiring.now, watcher=watcher)
            return supervisor.reconcile(only=IssueId(issue) if issue else None, wait=wait)

    def planned(self, runbook: str = "count", **parameters: str) -> str:
        """An issue whose request is planned."""
        issue = self.ask(runbook, **parameters)
        self.reconcile(wait=False)
        return issue

    def started(self, runbook: str = "wait", **parameters: str) -> str:
        """An issue whose run is approved and under way; its worker is left alone."""
        issue = self.planned(runbook, **parameters)
        self.approve(issue)
        self.reconcile(wait=False)
        return issue

    def done(self, runbook: str = "count", **parameters: str) -> str:
        """An issue whose run is over."""
        issue = self.planned(runbook, **parameters)
        self.approve(issue)
        self.reconcile()
        return issue

    def thread(self, issue: str) -> Thread:
        """An issue as everybody sees it."""
        with self.on():
            return self.forge.thread(self.folder, issue)

    def words(self, issue: str) -> str:
        """Everything that the runner said on an issue."""
        return "\n".join(one.body for one in self.thread(issue).comments if one.ours)

    def events(self, person: str = "alice") -> tuple[Event, ...]:
        """The whole ledger, checked from the beginning."""
        with self.workspace(person) as opened, closing(opened.ledger()) as ledger:
            ledger.refresh(fetch=False)  # opening it has fetched
            return tuple(event for event, _ in ledger.cache.since(0))

    def runs(self, events: tuple[Event, ...] = ()) -> tuple[Run, ...]:
        """Every run, oldest first: a run whose events do not fit together does not fold."""
        events = events or self.events()
        ids = dict.fromkeys(event.run for event in events if event.run)
        return tuple(fold([event for event in events if event.run == run]) for run in ids)

    def run(self, issue: str) -> Run:
        """The newest run of an issue."""
        return [run for run in self.runs() if run.plan.issue == issue][-1]

    def manifest(self, run: Run) -> Manifest:
        """The record of a run's last attempt, as it is on the remote."""
        return parse(Manifest, self.evidence(layout.manifest_file(run.id, run.attempt)))

    def evidence(self, path: str) -> bytes:
        """A file of the evidence branch on the remote."""
        return git(self.remote, "show", f"evidence:{path}")

    def locks(self) -> dict[str, int]:
        """Which locks are held, by which start."""
        with self.workspace() as opened, closing(opened.ledger()) as ledger:
            return dict(ledger.refresh(fetch=False).locks)

    def times(self, file: str = "count") -> int:
        """How often a cell left its trace."""
        path = self.traces / file
        return len(path.read_text().splitlines()) if path.exists() else 0

    def commit(self, files: Mapping[str, bytes | str | None], *, person: str = "alice") -> str:
        """Commit files to the protected branch and push; None removes one. A policy names people by their addresses."""
        clone = self.clone(person)
        git(clone, "pull", "-q", "--ff-only", "origin", "main")
        for name, data in files.items():
            path = clone / name
            if data is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._told(name, data))
            git(clone, "add", "-A", "--", name)
        git(clone, "commit", "-q", "-m", "Change things")
        git(clone, "push", "-q", "origin", "HEAD:main")
        return git(clone, "rev-parse", "HEAD").decode().strip()

    def main(self, path: str) -> str:
        """A file of the protected branch, as it is on the remote."""
        return git(self.remote, "show", f"main:{path}").decode()

    def _told(self, name: str, data: bytes | str) -> bytes:
        """A file in the words of the forge."""
        if isinstance(data, str) and name in _TOLD:
            data = self.forge.policy(data) if name == POLICY_FILE else self.forge.settings(data)
        return data.encode() if isinstance(data, str) else data

    def admit(self, host: str, *, person: str = "bob") -> None:
        """Let another host write to the ledger."""
        with self.on(host):
            key = founding.join(self.clone(person))
        with self.on():
            founding.admit(self.clone("alice"), key, now=wiring.now)

    def spool(self, issue: str, *, host: str = HOME) -> Path:
        """The folder in which the worker of an issue's run works."""
        run = self.run(issue)
        with self.workspace(host=host) as opened:
            executor = opened.executor()
        found: Path = executor.spool(f"{run.id}/{run.attempt}")  # type: ignore[attr-defined] # only the local one has it
        return found

    def check(self) -> None:
        """Assert what must hold after any fault once it is over: S2, S4, S6 and S7 of the reference."""
        events = self.events()
        assert [event.seq for event in events] == list(range(len(events)))
        closed = [event.body.start for event in events if isinstance(event.body, Finish | Interrupt)]
        opened = [event.seq for event in events if isinstance(event.body, Start)]
        late = [event.body.start for event in events if isinstance(event.body, Late)]
        assert sorted(closed) == opened, "every start is closed once"
        assert len(set(late)) == len(late)
        for run in self.runs(events):
            self._check_comments(run)
        self.forge.check()

    def _check_comments(self, run: Run) -> None:
        thread = self.thread(run.plan.issue)
        for kind in Kind:
            last = attempt_of(run, kind)
            for attempt in range(min(last, 1), last + 1):
                marker = markers.of(run.id, kind, attempt)
                same = [one for one in thread.comments if one.ours and one.body.rstrip().endswith(marker)]
                assert len(same) <= 1, f"{kind} is said twice"
                if kind in {Kind.PLAN, Kind.RESULT} and (run.over or attempt < last):
                    assert same, f"{kind} of attempt {attempt} is not said"


def wait_for(path: Path, *, there: bool = True, seconds: float = 60.0) -> None:
    """Wait until a file is there, or is gone."""
    deadline = time.monotonic() + seconds
    while path.exists() is not there:
        assert time.monotonic() < deadline, f"{path} {'never came' if there else 'stayed'}"
        time.sleep(0.02)


def git(where: Path, *words: str) -> bytes:
    """Run git and return what it printed."""
    return subprocess.run(["git", "-C", str(where), *words], check=True, capture_output=True).stdout


def found(folder: Path, *, forge: Callable[[Path], AtForge] | None = None) -> World:
    """Make a world from nothing: as people would, with `runbook init` in the middle.

    Args:
        folder: a new one.
        forge: begins the forge in that folder; plain Git without.
    """
    folder.mkdir()
    world = World(folder=folder, forge=forge(folder) if forge else PlainGit())
    world.traces.mkdir()
    world.state().mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(world.remote)], check=True)
    signers = ""
    for name in PEOPLE:
        key = generate(folder / f"{name}.key")
        (folder / f"{name}.key.pub").write_text(key.public_key + "\n")
        if name != "mallory":
            signers += f'{name}@example.org namespaces="git,runbook-comment" {key.public_key}\n'
        clone = world.clone(name)
        subprocess.run(["git", "init", "-q", "-b", "main", str(clone)], check=True)
        for setting, value in (
            ("remote.origin.url", "../remote.git"),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            ("user.name", name.title()),
            ("user.email", f"{name}@example.org"),
            ("gpg.format", "ssh"),
        ):
            git(clone, "config", setting, value)
    _people(world)
    world_files: dict[str, bytes | str] = {
        SETTINGS_FILE: world.forge.settings(SETTINGS),
        POLICY_FILE: world.forge.policy(POLICY),
        "runbooks/allowed_signers": signers,
        **{f"runbooks/{name}.ipynb": data for name, data in runbooks.ALL.items()},
    }
    _first_commit(world, world_files)
    with world.on():
        founding.found(world.clone("alice"), now=wiring.now)
    return world


def copied(template: World, folder: Path) -> World:
    """A world like another one, somewhere else."""
    shutil.copytree(template.folder, folder, symlinks=True)
    world = World(folder=folder, forge=template.forge.copied(folder))
    _people(world)
    return world


def _people(world: World) -> None:
    for name in PEOPLE:
        git(world.clone(name), "config", "user.signingkey", str(world.folder / f"{name}.key.pub"))


def _first_commit(world: World, files: Mapping[str, bytes | str]) -> None:
    clone = world.clone("alice")
    for name, data in files.items():
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "A small repository of runbooks")
    git(clone, "push", "-q", "origin", "main")
