"""The demo's story, act by act, with the real product: the same functions that the other subcommands call.

Every act says what it did and proves it; an act that does not come out as told ends the demo with an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import demo_stage, demo_target
from runner.cli.demo_stage import Stage
from runner.cli.demo_target import HOST, Presented, Server
from runner.cli.demo_words import Voice
from runner.errors import IntegrityError, RunbookError
from runner.execution.outcome import Fate

if TYPE_CHECKING:
    from runner.audit.finding import Report
    from runner.evidence.manifest import Manifest
    from runner.ports.forge import Forge, Issue, IssueId
    from runner.snapshot import Known

RUNBOOK = "rotate-certificate"


class StoryError(RunbookError):
    """The demo did not come out as it should."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What clients got before and after: serials in hexadecimal."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it, for scripts. Folders are absolute; `plan` and `genesis` are digests."""

    repository: str
    issue: str
    run: str
    plan: str
    evidence_commit: str
    outcome: str
    clones: dict[str, str]
    genesis: str
    state: str
    notebook: str
    certificates: Certificates
    verified: str
    level: str


def tell(stage: Stage, voice: Voice) -> Told:
    """Go through the whole story in an empty folder.

    Raises:
        StoryError: if something did not come out as it should.
        RunbookError: whatever the product itself raises.
    """
    from runner.wiring import now

    genesis = _repository(stage, voice)
    with demo_target.serving(_made(stage.server), now=now()) as server:
        before = _server(server, voice, now=now())
        issue = _issue(stage, voice, server=server, before=before, now=now())
        planned = _plan(stage, voice, issue=issue.id)
        _approve(stage, voice, issue=issue.id, digest=planned.run.digest)
        record = _run(stage, voice, issue=issue.id)
        after = _live(server, voice, before=before, now=now())
    commit = _evidence(stage, voice, run=planned.run.id)
    _told_on(stage, voice, issue=issue.id)
    report = _verify(stage, voice, issue=issue.id, genesis=genesis)
    return Told(
        repository=str(stage.remote),
        issue=issue.id,
        run=planned.run.id,
        plan=planned.run.digest,
        evidence_commit=commit,
        outcome=record.result.outcome.value,
        clones={"alice": str(stage.alice), "bob": str(stage.bob)},
        genesis=genesis,
        state=str(stage.state),
        notebook=str(_notebook(stage, planned.run.id)),
        certificates=Certificates(before=before.serial, after=after.serial),
        verified=report.standing.value,
        level=report.level.value,
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _repository(stage: Stage, voice: Voice) -> str:
    voice.step("An ops repository, with nothing but Git")
    demo_stage.make_remote(stage)
    demo_stage.clone_for(stage, "alice")
    voice.say("ops.git is the bare remote; Alice has a clone of it, and an SSH key to sign what she says.")
    voice.typed("runbook init")
    founded = demo_stage.found(stage)
    voice.say(f"The ledger begins with event 0; its digest {founded.genesis[:12]} pins everything that follows.")
    demo_stage.add_rules(stage, signers=demo_stage.clone_for(stage, "bob"))
    demo_stage.catch_up(stage)
    voice.did("Bob has a clone and a key too; policy says: Alice may ask, Bob has to say yes")
    return founded.genesis


def _server(server: Server, voice: Voice, *, now: datetime) -> Presented:
    voice.step("A server whose certificate is about to expire")
    before = demo_target.presented(server)
    voice.say(f"https://{HOST}:{server.port} is a real HTTPS server, a process of its own on this machine.")
    voice.did(f"its certificate {before.serial[:16]} ends on {before.until:%Y-%m-%d}, in {before.days_left(now)} days")
    return before


def _issue(stage: Stage, voice: Voice, *, server: Server, before: Presented, now: datetime) -> Issue:
    voice.step("Alice opens an issue")
    values = {"host": HOST, "port": str(server.port), "folder": str(server.folder), "pid_file": str(server.pid_file)}
    lines = [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    block = "\n".join(["```runbook", f"runbook: {RUNBOOK}", "parameters:", *lines, "```", ""])
    text = f"Clients of {HOST}:{server.port} see a certificate that ends in {before.days_left(now)} days.\n\n{block}"
    title = f"Rotate the certificate of {HOST}"
    voice.typed(f'runbook issue new "{title}" --file ask.md')
    with _forge(stage.alice) as forge:
        issue = forge.open_issue(title, text)
    voice.quote(text)
    voice.did(f"issue {issue.id} is on the branch `issues`, signed with Alice's key")
    return issue


def _plan(stage: Stage, voice: Voice, *, issue: IssueId) -> Known:
    voice.step("The runner rehearses, and makes the plan")
    voice.typed("runbook reconcile --once")
    voice.say("It pins the runbook to a commit, checks the values, and executes only the cells that change nothing.")
    known = _only_run(stage.alice, issue)
    plan = known.plan
    _expect(plan.rehearsal.result.value == "ok", f"the rehearsal failed: {plan.rehearsal.message}")
    voice.say(f"who:   {plan.requested.by}, in issue {plan.requested.issue}")
    voice.say(f"what:  {plan.title}, {plan.runbook.path} at {plan.runbook.commit[:12]}")
    voice.say(f"on:    {', '.join(plan.targets)}, risk {plan.risk}")
    for output in plan.rehearsal.outputs.values():
        voice.quote(output)
    for reason in known.decision.reasons if known.decision else ():
        voice.say(f"policy: {reason}")
    voice.did(f"the plan is frozen: its digest is {known.run.digest[:12]}, and the issue has a comment that says so")
    return known


def _approve(stage: Stage, voice: Voice, *, issue: IssueId, digest: str) -> None:
    voice.step("Bob approves exactly this plan")
    voice.typed(f"runbook approve {digest[:12]}")
    words = f"/runbook approve {digest[:12]} looks right, three days is too short\n"
    with _forge(stage.bob) as forge:
        forge.comment(issue, words)
    voice.did("his comment is signed with his own key; Alice's own yes would not count")


def _run(stage: Stage, voice: Voice, *, issue: IssueId) -> Manifest:
    voice.step("The run")
    voice.say("Policy is asked again, the target's lock is taken, and papermill executes the notebook.")
    known = _only_run(stage.bob, issue)
    record = _manifest(stage.bob, known)
    for cell in record.result.cells:
        if cell.fate is not Fate.NOT_RUN:
            role = "" if cell.role in cell.name else f"{cell.role} "
            voice.say(f"{cell.fate.value}  {role}{cell.name}, {cell.seconds or 0:.1f} s")
    outcome = record.result.outcome.value
    _expect(outcome == "succeeded", f"the run {outcome}: {record.result.message}")
    voice.did(f"{known.run.id} {outcome} in {record.execution.seconds:.1f} s")
    return record


def _live(server: Server, voice: Voice, *, before: Presented, now: datetime) -> Presented:
    voice.step("The new certificate is live")
    after = demo_target.presented(server)
    _expect(after.serial != before.serial, "the server still presents the old certificate")
    _expect(after.days_left(now) > before.days_left(now), "the new certificate ends no later than the old one")
    voice.did(f"a verified TLS connection gets certificate {after.serial[:16]}, good for {after.days_left(now)} days")
    return after


def _evidence(stage: Stage, voice: Voice, *, run: str) -> str:
    from runner.repository.process import git

    voice.step("The evidence is committed and pushed")
    args = ["log", "-1", "--format=%H", "--fixed-strings", f"--grep=Runbook-Run: {run}", "evidence"]
    commit = git(args, cwd=stage.remote).decode().strip()
    shown = git(["log", "-1", "--format=%h %s%n%(trailers:only)", commit], cwd=stage.remote).decode()
    voice.quote(shown)
    names = git(["show", "--format=", "--name-only", commit], cwd=stage.remote).decode().splitlines()
    voice.did(f"one signed commit with {len(names)} files on the branch `evidence` of ops.git")
    return commit


def _told_on(stage: Stage, voice: Voice, *, issue: IssueId) -> None:
    voice.step("The issue knows, and is closed")
    voice.typed(f"runbook issue show {issue}")
    with _forge(stage.alice) as forge:
        thread = forge.thread(issue)
    for comment in thread.comments:
        first = next((line for line in comment.body.splitlines() if line.strip()), "")
        voice.say(f"{comment.id}  {comment.author}: {first}")
    _expect(not thread.issue.open, f"issue {issue} is still open")
    voice.did("the result links the executed notebook, and the issue is closed")


def _verify(stage: Stage, voice: Voice, *, issue: IssueId, genesis: str) -> Report:
    from runner.audit.source import opened
    from runner.audit.verify import Pins, read_witness, verify
    from runner.wiring import now

    voice.step("Anybody with a clone can prove it, offline")
    with _forge(stage.bob) as forge:
        thread = forge.thread(issue)
    witness = stage.folder / "witness.txt"
    witness.write_text("".join(comment.body for comment in thread.comments if comment.ours))
    voice.say("In earnest the genesis digest and the heads that comments carry are kept where the runner cannot write.")
    voice.typed(f"runbook verify --genesis {genesis[:12]} --witness ../{witness.name}")
    with opened("", at=stage.bob) as source:
        pins = Pins(genesis=genesis, witness=read_witness(witness.read_text()))
        report = verify(source, now=now(), pins=pins)
    for line in report.lines:
        for wrong in line.violations:
            voice.say(f"{line.invariant}: {wrong.file}: {wrong.wrong}")
    if report.exit_code:
        raise IntegrityError("verifying the demo's evidence", f"{', '.join(report.violated())} do not hold")
    checked = sum(line.standing.value == "clean" for line in report.lines)
    voice.did(f"{report.events} events, {checked} invariants hold")
    voice.did(f"assurance level {report.level.value} ({report.level.meaning})")
    if report.level_reason:
        voice.say(f"why not more: {report.level_reason}")
    return report


@contextmanager
def _forge(clone: Path) -> Iterator[Forge]:
    """The forge of a clone, writing as the person whose clone it is."""
    from runner.wiring import open_workspace

    workspace = open_workspace(clone)
    with workspace.objects:
        yield workspace.forge_as_person()


def _only_run(clone: Path, issue: IssueId) -> Known:
    from runner.cli.supervise import open_folder, reconcile

    snapshot = reconcile(open_folder(clone), only=issue)
    if len(snapshot.runs) != 1:
        with _forge(clone) as forge:
            said = [comment.body for comment in forge.thread(issue).comments if comment.ours]
        raise StoryError("telling the demo's story", said[-1] if said else "the runner made no plan", hint=_HINT)
    return snapshot.runs[0]


_HINT = "run it again with --dir and --debug; the folder shows how far it came"


def _manifest(clone: Path, known: Known) -> Manifest:
    from runner.digest import parse
    from runner.evidence import layout
    from runner.evidence.manifest import Manifest

    file = clone / layout.manifest_file(known.run.id, known.run.attempt)
    _expect(file.is_file(), f"the run is {known.run.state.value} and left no manifest: {known.run.message}")
    return parse(Manifest, file.read_bytes())


def _notebook(stage: Stage, run: str) -> Path:
    from runner.evidence import layout

    return stage.bob / layout.executed_file(run, 1)


def _expect(held: bool, wrong: str) -> None:  # noqa: FBT001 - the one thing that it is about
    if not held:
        raise StoryError("telling the demo's story", wrong, hint=_HINT)
