"""A full, valid history to read back: two people, one runbook, a few runs, sealed by the product's own code."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from runner.adapters.signer.ssh import SshSigner, generate
from runner.approval.merging import place
from runner.approval.policy import PATH as POLICY
from runner.audit.code import SIGNERS
from runner.digest import Digest, Json, sha256
from runner.evidence import seal
from runner.evidence.attempts import Attempted, attempts, standing
from runner.execution import executed, phases
from runner.execution.order import Mode
from runner.execution.outcome import Answered, CellFate, Environment, ExitReason, Fate, Outcome
from runner.ledger.bodies import (
    Answer,
    Approve,
    Body,
    Genesis,
    Interrupt,
    Note,
    Question,
    QuestionKind,
    Rehearsal,
    Resolution,
    Resolve,
    Resume,
    Rollback,
    Said,
    Start,
    Status,
)
from runner.ledger.chain import Draft, Ledger, Writer
from runner.ledger.event import Event, iso
from runner.ledger.merged import Merged
from runner.plan import proposal
from runner.plan.draft import run_id
from runner.plan.plan import Parameter, Plan, Rehearsed, Requested, Source, Undoing
from runner.plan.run import Run, fold
from runner.ports.signer import Signer
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.process import git
from runner.repository.repository import Repository
from runner.runbook import cells
from runner.runbook.literals import injected
from tests.builders import a_plan

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROJECT = "ops"
ALICE, BOB = "alice@example.org", "bob@example.org"
PATH = "runbooks/disk-cleanup.ipynb"

POLICY_TEXT = """
identity = "signed"

[groups]
ops = ["alice@example.org", "bob@example.org", "eve@example.org"]

[[rule]]
name = "all"
request = ["@ops"]
approve = {count = 1, from = ["@ops"], expires = "24h"}
resolve = ["@ops"]
answer = ["bob@example.org"]
break_glass = ["alice@example.org"]
"""


def cell(name: str, source: str, *tags: str, kind: str = "code") -> dict[str, Json]:
    """One cell of a notebook."""
    made: dict[str, Json] = {"cell_type": kind, "id": name, "metadata": {"tags": list(tags)}, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(*found: dict[str, Json]) -> bytes:
    """A notebook's bytes."""
    spec: Json = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    whole: Json = {"nbformat": 4, "nbformat_minor": 5, "metadata": spec, "cells": list(found)}
    return json.dumps(whole, indent=1, sort_keys=True).encode() + b"\n"


RUNBOOK = notebook(
    cell("header", "---\ntitle: Free disk space\nrisk: high\ntarget: prod/{host}\n---", kind="raw"),
    cell("parameters", 'host: str = "web-1"\nkeep_days: int = 7\n', "parameters"),
    cell("words", "Removes what is old.", kind="markdown"),
    cell("plan-1", "print('would remove 3 files')", "plan"),
    cell("change-1", "print('removed 3 files')", "change"),
    cell("undo-1", "print('put back')", "rollback"),
    cell("verify-1", "assert True", "verify"),
    cell("always-1", "print('done')", "always"),
    cell("verify-old", "#| when: keep_days > 30 and ok('plan')\nassert False", "verify"),
)


ASKING_PATH = "runbooks/asking.ipynb"
ASKING = notebook(
    cell("header", "---\ntitle: Free disk space slowly\nrisk: high\ntarget: prod/{host}\n---", kind="raw"),
    cell("parameters", 'host: str = "web-1"\nkeep_days: int = 7\n', "parameters"),
    cell("change-1", "#| confirm: Traffic drained?\nprint('removed 3 files')", "change"),
    cell("change-2", "#| ask: keep_days\nprint('removed 2 files')", "change"),
    cell("verify-1", "assert True", "verify"),
)
"""It asks twice."""


@dataclass(slots=True)
class Clock:
    """Ticks by a second each time it is asked."""

    time: datetime = BEGIN

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Which cell asks for what; `parameter` is empty for a yes or no."""

    ordinal: int
    cell: str
    parameter: str


@dataclass(slots=True, kw_only=True)
class History:
    """A clone with a ledger, and what is needed to go on writing it."""

    path: Path
    ledger: Ledger
    keys: Mapping[str, SshSigner]
    main: str
    clock: Clock = field(default_factory=Clock)
    issue: int = 6
    project: str = PROJECT
    runs: list[str] = field(default_factory=list)
    host: str = "web-1"

    @property
    def objects(self) -> Objects:
        return self.ledger.objects

    @property
    def writer(self) -> Writer:
        return Writer(signer=self.keys["runner"], name="runbook", email="runbook@ops.invalid", actor="host/1")

    def append(self, *drafts: Draft) -> tuple[Event, ...]:
        """Append drafts in one push."""
        return self.ledger.append(lambda _state: drafts, writer=self.writer, now=self.clock)

    def say(self, body: Body) -> Event:
        """Append an event that is about no run."""
        key = body.key if isinstance(body, Genesis) else getattr(body, "key", "")
        about = (("key", sha256(key.encode())),) if key else (("ledger", sha256(b"")),)
        return self.append(Draft(body=body, run=None, title=type(body).__name__.lower(), about=about))[0]

    def said(self, who: str, body: str, *, number: int) -> Said:
        """A person's signed comment on the current issue."""
        entry = {
            "author": who,
            "body": body,
            "issue": self.issue,
            "kind": "comment",
            "nonce": f"n{self.issue}",
            "number": number,
            "prev": None,
            "project": self.project,
            "time": iso(self.clock.time),
        }
        payload = json.dumps(entry, indent=2, sort_keys=True).encode() + b"\n"
        signature = self.keys[who].sign_ssh(payload, namespace="runbook-comment")
        return Said(
            by=who,
            comment=f"{self.issue}/{number}",
            verified=True,
            payload=b64encode(payload).decode(),
            signature=b64encode(signature.encode()).decode(),
        )

    def plan(self, *, by: str = ALICE, stored: bytes | None = None, **changes: Any) -> Plan:
        """Ask and plan; the event is on record when this returns."""
        self.issue += 1
        words = "```runbook\nrunbook: disk-cleanup\n```"
        made = self._plan(words, by=by)
        plan = replace(made, **changes)
        said = self.said(by, words, number=0)
        rehearsal = executed.notebook(RUNBOOK, injected=plan.injected, shown={})
        plan = replace(plan, rehearsal=replace(plan.rehearsal, notebook=sha256(rehearsal)))
        self.append(seal.plan_draft(plan, said=said, request=words, rehearsal=rehearsal, proposal=stored))
        self.runs.append(plan.run)
        return plan

    def _plan(self, words: str, *, by: str) -> Plan:
        now = self.clock.time
        values: dict[str, Json] = {"host": self.host, "keep_days": 7}
        nonce = f"{self.issue:026d}"
        return a_plan(
            isolation="bwrap",
            run=run_id("disk-cleanup", nonce=nonce, now=now),
            project=self.project,
            runbook=Source(name="disk-cleanup", path=PATH, commit=self.main, sha256=sha256(RUNBOOK)),
            parameters={name: Parameter(value=value, source="request") for name, value in values.items()},
            injected=injected(values),
            targets=(f"prod/{self.host}",),
            locks=(f"prod/{self.host}",),
            policy_commit=self.main,
            requested=Requested(
                by=by,
                verified=True,
                issue=str(self.issue),
                comment=f"{self.issue}/0",
                key=f"local:{self.project}:{self.issue}/0:1",
                text_sha256=sha256(words.encode()),
            ),
            rehearsal=Rehearsed(result=Rehearsal.OK, notebook=None, fingerprint=None, outputs={}),
            files=(),
            nonce=nonce,
            made_at=iso(now),
            expires_at=iso(now + timedelta(days=1)),
        )

    def run(self, run: str) -> Run:
        """A run as it is now."""
        return fold(self.ledger.cache.events(run))

    def about(self, plan: Plan, body: Body, *, trailers: tuple[tuple[str, str], ...] = ()) -> Event:
        """Append an event about a run that adds no file."""
        title = f"{type(body).__name__.lower()}: {plan.runbook.name}"
        return self.append(seal.event_draft(self.run(plan.run), plan, body, title=title, trailers_too=trailers))[0]

    def approve(self, plan: Plan, *, by: str = BOB, number: int = 1, digest: Digest | None = None) -> Event:
        """Somebody says yes."""
        wanted = digest or plan.digest
        said = self.said(by, f"/runbook approve {wanted[:12]}", number=number)
        return self.about(plan, Approve(plan_digest=plan.digest, said=said))

    def start(
        self,
        plan: Plan,
        *,
        approvals: tuple[int, ...],
        attempt: int = 1,
        after: bool = False,
        merged: Merged | None = None,
    ) -> Event:
        """Take the locks."""
        body = Start(
            plan_digest=self.run(plan.run).digest,
            attempt=attempt,
            nonce=f"s{self.issue}",
            locks=plan.locks,
            approvals=approvals,
            policy_commit=self.main,
            executor="local",
            isolation="bwrap",
            owner="host/1",
            after=after,
            merged=merged,
        )
        return self.about(plan, body)

    def finish(self, plan: Plan, status: Status = Status.SUCCEEDED, **changes: Any) -> Event:
        """Seal an outcome; a failed one failed in its change, if `changes` do not say otherwise."""
        run = self.run(plan.run)
        files = {"executed.ipynb": executed.notebook(RUNBOOK, injected=plan.injected, shown=_shown(status))}
        outcome = an_outcome(plan, status, notebook=sha256(files["executed.ipynb"]), now=self.clock.time)
        outcome = replace(outcome, **changes)
        start = run.start.body if run.start else None
        named = start.approvals if isinstance(start, Start) else ()
        approvals = tuple(event for event in run.approvals if event.seq in named)
        before = standing(one for one in self.attempts(plan) if one.number < run.attempt).previous
        draft = seal.end_draft(run, plan, approvals=approvals, outcome=outcome, files=files, previous=before)
        return self.append(draft)[0]

    def attempts(self, plan: Plan) -> tuple[Attempted, ...]:
        """What is on record of a run's attempts."""
        return attempts(self.ledger.cache.events(plan.run), lambda path: self.objects.read(self.ledger.tip or "", path))

    def whole(self, status: Status = Status.SUCCEEDED, **changes: Any) -> Plan:
        """One run from request to evidence."""
        plan = self.plan(**changes)
        yes = self.approve(plan)
        self.start(plan, approvals=(yes.seq,))
        self.finish(plan, status)
        return plan

    def resumed(self) -> Plan:
        """A run whose change was made and whose verification failed, resumed with a new approval."""
        plan = self.plan()
        self.start(plan, approvals=(self.approve(plan).seq,))
        cells = cells_of(plan, verify=Fate.FAILED)
        self.finish(plan, Status.FAILED, cells=cells, rollback=Rollback.NOT_POSSIBLE)
        said = self.said(ALICE, f"/runbook resume {plan.run} it is up again", number=3)
        body = Resume(plan_digest=plan.digest, attempt=2, approval="new", said=said, reason="it is up again")
        self.about(plan, body)
        self.start(plan, approvals=(self.approve(plan, number=4).seq,), attempt=2)
        self.finish(plan, cells=cells_of(plan, change=Fate.SKIPPED))
        return plan

    def reverted(self) -> Plan:
        """A run that undoes another one."""
        old = self.whole()
        (only,) = self.attempts(old)
        assert only.manifest
        undoes = Undoing(attempt=1, manifest=only.manifest, changes=("change-1",), fingerprint=None)
        plan = self.plan(title=f"Revert: {old.title}", revert_of=old.run, undoes=undoes)
        self.start(plan, approvals=(self.approve(plan).seq,))
        self.finish(plan, cells=cells_of(plan))
        return plan

    def asked(self) -> Plan:
        """A run that asked twice and was answered by somebody allowed."""
        source = Source(name="asking", path=ASKING_PATH, commit=self.main, sha256=sha256(ASKING))
        plan = self.plan(runbook=source)
        start = self.start(plan, approvals=(self.approve(plan).seq,))
        answers = (
            self._answered(plan, start, Asking(ordinal=1, cell="change-1", parameter=""), value=True, index=2),
            self._answered(plan, start, Asking(ordinal=2, cell="change-2", parameter="keep_days"), value=9, index=3),
        )
        data = executed.notebook(ASKING, injected=plan.injected, shown={}, answers=answers)
        cells = tuple(
            CellFate(index=place, id=name, role=role, name=name, phase="forward", fate=Fate.OK, seconds=0.1)
            for place, name, role in (
                (1, "parameters", "parameters"),
                (1, phases.INJECTED, "parameters"),
                (2, "change-1", "change"),
                (3, answers[1].cell, "parameters"),
                (3, "change-2", "change"),
                (4, "verify-1", "verify"),
            )
        )
        good = an_outcome(plan, Status.SUCCEEDED, notebook=sha256(data), now=self.clock.time)
        run = self.run(plan.run)
        approvals = tuple(run.approvals)
        outcome = replace(good, cells=cells, answers=answers)
        self.append(seal.end_draft(run, plan, approvals=approvals, outcome=outcome, files={"executed.ipynb": data}))
        return plan

    def _answered(self, plan: Plan, start: Event, asking: Asking, *, value: Json, index: int) -> Answered:
        """A question on record with its answer, as the worker keeps it."""
        kind = QuestionKind.ASK if asking.parameter else QuestionKind.CONFIRM
        question = Question(
            start=start.seq,
            ordinal=asking.ordinal,
            kind=kind,
            cell=asking.cell,
            step=asking.cell,
            text="Traffic drained?",
            until=iso(self.clock.time + timedelta(hours=1)),
            parameter=asking.parameter,
        )
        asked = self.about(plan, question)
        text = f"/runbook answer q{asking.ordinal} {'yes' if value is True else value}"
        said = self.said(BOB, text, number=4 + asking.ordinal)
        answer = self.about(plan, Answer(question=asked.seq, value=value, said=said, policy_commit=self.main))
        return Answered(
            ordinal=asking.ordinal,
            event=answer.seq,
            by=BOB,
            kind=kind,
            asked_by=asking.cell,
            parameter=asking.parameter,
            value=value,
            index=index,
            cell=f"answer-{index + 1}" if asking.parameter else "",
            source=injected({asking.parameter: value}) if asking.parameter else "",
        )

    def lost(self) -> Plan:
        """A run whose owner was lost, resolved by a person."""
        plan = self.plan()
        yes = self.approve(plan)
        start = self.start(plan, approvals=(yes.seq,))
        gone = self.about(plan, Interrupt(start=start.seq, reason="its owner was silent", observer="host/2"))
        said = self.said(ALICE, f"/runbook resolve {plan.run} did_not_run looked at it", number=2)
        body = Resolve(interrupt=gone.seq, decision=Resolution.DID_NOT_RUN, said=said, reason="looked at it")
        self.about(plan, body)
        return plan

    def glass(self) -> Plan:
        """A run by break-glass, owned up to afterwards."""
        made = self._plan("", by=ALICE)
        words = f"break the glass for {made.run}\n"
        requested = replace(
            made.requested,
            issue="",
            comment=f"glass:{made.run}",
            key=f"glass:{self.project}:{made.run}:1",
            text_sha256=sha256(words.encode()),
        )
        nothing = replace(made.rehearsal, result=Rehearsal.NOTHING)
        plan = replace(made, requested=requested, rehearsal=nothing, break_glass="the forge is down")
        signature = self.keys[ALICE].sign_ssh(words.encode(), namespace="runbook-comment")
        payload, proof = b64encode(words.encode()).decode(), b64encode(signature.encode()).decode()
        said = Said(by=ALICE, comment=requested.comment, verified=True, payload=payload, signature=proof)
        self.append(seal.plan_draft(plan, said=said, request=words, rehearsal=None, issue="9"))
        self.runs.append(plan.run)
        start = self.start(replace(plan, locks=()), approvals=(), after=True)
        self.about(plan, Interrupt(start=start.seq, reason="ran without the remote", observer="host/1"))
        self.finish(plan)
        return plan

    def merged(self) -> Plan:
        """A run whose plan proposes a change to a file in Git, which Bob merged on plain Git."""
        wanted: dict[str, bytes | None] = {"infra/a.txt": b"new\n"}
        run = run_id("disk-cleanup", nonce=f"{self.issue + 1:026d}", now=self.clock.time)
        change = proposal.proposal(
            run, wanted, globs=("infra/*.txt",), base=self.main, into="main", now=lambda _path: None
        )
        plan = self.plan(proposes=("infra/*.txt",), proposal=change.proposal, stored=proposal.written(wanted))
        commit = self.merge(wanted)
        found = self.objects.commit(commit)
        assert found
        assert found.signature
        said = Said(
            by=BOB,
            comment=place(change.proposal.source, BOB),
            verified=True,
            payload=b64encode(found.signed_payload).decode(),
            signature=b64encode(found.signature.encode()).decode(),
        )
        yes = self.about(plan, Approve(plan_digest=plan.digest, said=said))
        merged = Merged(review=change.proposal.source, url="git merge", commit=commit, by=BOB)
        self.start(plan, approvals=(yes.seq,), merged=merged)
        self.finish(plan)
        return plan

    def merge(self, files: Mapping[str, bytes | None]) -> str:
        """Bob puts files on the code branch, and signs that."""
        author = Author(name="Bob", email=BOB, when=self.clock())
        sign = self.keys[BOB].sign_ssh
        commit = write(
            self.objects,
            files,
            parent=self.main,
            message="merged\n",
            author=author,
            sign=lambda data: sign(data, namespace="git"),
        )
        assert refs.publish(self.objects.repository, commit, "main", expected=self.main)
        return commit

    def close(self) -> None:
        """Let files and processes go."""
        self.ledger.close()
        self.ledger.objects.close()


def _shown(status: Status) -> dict[str, executed.Shown]:
    def printed(text: str) -> tuple[dict[str, Json], ...]:
        return ({"output_type": "stream", "name": "stdout", "text": text},)

    shown = {"plan-1": executed.Shown(outputs=printed("would remove 3 files\n"), count=3)}
    if status is Status.SUCCEEDED:
        shown["change-1"] = executed.Shown(outputs=printed("removed 3 files\n"), count=4)
    else:
        wrong: dict[str, Json] = {"output_type": "error", "ename": "OSError", "evalue": "full", "traceback": []}
        shown["change-1"] = executed.Shown(outputs=(wrong,), count=4)
    return shown


def cells_of(plan: Plan, *, change: Fate = Fate.OK, verify: Fate = Fate.OK) -> tuple[CellFate, ...]:
    """The fates of every cell of an attempt, of a run or of a revert."""
    found = cells.read(json.loads(RUNBOOK))
    mode, undo = (Mode.REVERT, plan.undoes.changes) if plan.undoes else (Mode.RUN, ())
    special = {"change-1": change, "verify-1": verify, "verify-old": Fate.SKIPPED}
    why = {"change-1": "done in attempt 1", "verify-old": "its condition is not met"}
    phased = [("forward", step) for step in (*phases.prelude(found, injected=plan.injected),)]
    phased += [("forward", step) for step in phases.forward(found, mode=mode, undo=undo)]
    phased += [("always", step) for step in phases.always(found)]
    phased += [("proof", step) for step in phases.look(found) if plan.undoes]
    return tuple(
        CellFate(
            index=step.index,
            id=step.id,
            role=step.role,
            name=step.name,
            phase=phase,
            fate=special.get(step.id, Fate.OK),
            seconds=0.1,
            why=why.get(step.id, "") if special.get(step.id) is Fate.SKIPPED else "",
        )
        for phase, step in phased
    )


def an_outcome(plan: Plan, status: Status, *, notebook: Digest, now: datetime) -> Outcome:
    """A plausible word of the worker."""
    found = cells.read(json.loads(RUNBOOK))
    steps = (*phases.prelude(found, injected=plan.injected), *phases.forward(found, mode=Mode.RUN))
    good = status is Status.SUCCEEDED
    fates = [
        CellFate(
            index=step.index,
            id=step.id,
            role=step.role,
            name=step.name,
            phase="forward",
            fate=_fate(step, good=good),
            seconds=0.1,
            why="its condition is not met" if step.when else "",
        )
        for step in steps
        if good or step.role != "verify"
    ]
    fates += [
        CellFate(
            index=step.index, id=step.id, role=step.role, name=step.name, phase="always", fate=Fate.OK, seconds=0.1
        )
        for step in phases.always(found)
    ]
    environment = Environment(
        python="3.11", kernel="python3", platform="linux", packages=sha256(b""), toolkit=plan.toolkit
    )
    return Outcome(
        status=status,
        exit_reason=ExitReason.ALL_CELLS_RAN if good else ExitReason.CELL_ERROR,
        rollback=Rollback.NOT_NEEDED if good else Rollback.FAILED,
        started_at=iso(now),
        finished_at=iso(now),
        seconds=1.5,
        message="" if good else "OSError: full",
        isolation="bwrap",
        environment=environment,
        cells=tuple(fates),
        fingerprint=None,
        moved="",
        records={},
        artifacts=(),
        redactions=(),
        withheld=False,
        notebook=notebook,
    )


def _fate(step: phases.Step, *, good: bool) -> Fate:
    if step.when is not None:
        return Fate.SKIPPED
    return Fate.OK if good or step.role in {"parameters", "plan"} else Fate.FAILED


def begin(
    folder: Path, *, project: str = PROJECT, key: SshSigner | None = None, object_format: str = "sha1"
) -> History:
    """A clone with a reviewed runbook, a policy and a genesis."""
    path = folder / project
    path.mkdir(parents=True)
    git(["init", "--quiet", "--initial-branch=main", f"--object-format={object_format}"], cwd=path)
    keys = {name: generate(folder / f"keys-{project}" / name) for name in ("runner", "second", ALICE, BOB)}
    if key:
        keys["runner"] = key
    repository = Repository.open(path)
    objects = Objects(repository)
    main = commit_code(objects, keys)
    cache = folder / f"{project}.sqlite"
    history = History(
        path=path,
        ledger=Ledger(objects, branch="evidence", cache=cache),
        keys=keys,
        main=main,
        project=project,
    )
    genesis = Genesis(
        project=project,
        code_branch="main",
        evidence_branch="evidence",
        object_format=object_format,
        key=keys["runner"].public_key,
    )
    history.say(genesis)
    return history


def commit_code(
    objects: Objects,
    keys: Mapping[str, Signer],
    *,
    parent: str | None = None,
    policy: str = POLICY_TEXT,
    runbook: bytes = RUNBOOK,
) -> str:
    """Put runbook, policy and people on the code branch."""
    people = "".join(f'{who} namespaces="git,runbook-comment" {keys[who].public_key}\n' for who in (ALICE, BOB))
    files = {PATH: runbook, ASKING_PATH: ASKING, POLICY: policy.encode(), SIGNERS: people.encode()}
    author = Author(name="Alice", email=ALICE, when=BEGIN - timedelta(days=1))
    commit = write(objects, files, parent=parent, message="reviewed\n", author=author, sign=None)
    assert refs.publish(objects.repository, commit, "main", expected=parent)
    return commit


def a_history(folder: Path, *, make: Callable[[History], object] | None = None, **options: Any) -> History:
    """Everything that can happen, once; or what `make` does."""
    history = begin(folder, **options)
    if make:
        make(history)
        return history
    history.say(Note(text="the first words"))
    history.whole()
    history.whole(Status.FAILED)
    history.lost()
    history.say(Note(text="the last words"))
    return history
