"""Nouns for tests, complete and plausible: a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from runner.approval.approval import Approval
from runner.approval.meant import Known
from runner.digest import Digest, sha256
from runner.execution.outcome import CellFate, Environment, ExitReason, Fate, Outcome
from runner.ledger import bodies
from runner.ledger.bodies import Body, Rehearsal, Rollback, Status
from runner.ledger.event import Event
from runner.plan.plan import Parameter, Plan, Proposal, Proposed, Rehearsed, Requested, SavedFile, Source
from runner.plan.run import fold
from runner.ports.forge import Comment, CommentId, Issue, IssueId, PersonId, Thread
from runner.ports.review import Review, ReviewId, ReviewState

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""

_PLAN = Plan(
    run="20261123T115900Z-disk-cleanup-7k3q2x2m",
    project="ops",
    runbook=Source(
        name="disk-cleanup",
        path="runbooks/disk-cleanup.ipynb",
        commit="4f9d1c0a8be37a5d2c61f0e94d7b8a3c5e6f7081",
        sha256=sha256(b"notebook"),
    ),
    title="Free disk space",
    risk="high",
    parameters={
        "host": Parameter(value="web-1", source="request"),
        "keep_days": Parameter(value=7, source="default"),
    },
    injected="host = 'web-1'\nkeep_days = 7\n",
    targets=("prod/web-1",),
    locks=("prod/web-1",),
    read_secrets=(),
    change_secrets=(),
    network=False,
    write=(),
    irreversible=None,
    timeout=600.0,
    cell_timeout=60.0,
    executor="local",
    isolation="none",
    toolkit=sha256(b"toolkit"),
    policy_commit="4f9d1c0a8be37a5d2c61f0e94d7b8a3c5e6f7081",
    requested=Requested(
        by="alice@example.org",
        verified=True,
        issue="7",
        comment="7/0",
        key="local:ops:7/0:0",
        text_sha256=sha256(b"words"),
    ),
    rehearsal=Rehearsed(
        result=Rehearsal.OK,
        notebook=sha256(b"rehearsal"),
        fingerprint=sha256(b"fingerprint"),
        outputs={"plan-1": "would remove 3 files, 1.2 GiB"},
    ),
    files=(SavedFile(name="files.txt", sha256=sha256(b"files"), size=120),),
    unreviewed=False,
    close_issue=True,
    nonce="n" * 26,
    made_at="2026-11-23T11:59:00+00:00",
    expires_at="2026-11-24T11:59:00+00:00",
)


def a_plan(**changes: Any) -> Plan:
    """Alice wants to free disk space on prod/web-1."""
    return replace(_PLAN, **changes)


A_PROPOSAL = Proposal(
    base=_PLAN.policy_commit,
    into="main",
    source=f"runbook/{_PLAN.run}",
    files=(Proposed(path="infra/a.txt", before=sha256(b"old"), after=sha256(b"new"), size=3),),
)
"""A change of one file."""


def a_proposing_plan(**changes: Any) -> Plan:
    """Alice wants a file in Git changed."""
    return replace(_PLAN, **({"proposes": ("infra/*.txt",), "proposal": A_PROPOSAL} | changes))


def a_review(state: ReviewState = ReviewState.OPEN, **changes: Any) -> Review:
    """The review of that change."""
    values: dict[str, Any] = {"id": ReviewId("!1"), "url": "https://gitlab.example.org/ops/-/merge_requests/1"}
    return Review(**(values | {"state": state} | changes))


def requested_by(person: str, *, verified: bool = True) -> Requested:
    """The request part of a plan, by somebody else."""
    return replace(_PLAN.requested, by=person, verified=verified)


def rehearsed(result: Rehearsal, outputs: dict[str, str] | None = None) -> Rehearsed:
    """The rehearsal part of a plan."""
    return replace(_PLAN.rehearsal, result=result, outputs=_PLAN.rehearsal.outputs if outputs is None else outputs)


def a_yes(by: str = "bob@example.org", *, number: int = 3, plan: Digest | None = None, **changes: Any) -> Approval:
    """An approval as the ledger has it, of the plan that `a_plan()` makes."""
    values: dict[str, Any] = {
        "number": number,
        "by": PersonId(by),
        "at": NOW,
        "plan": plan if plan is not None else _PLAN.digest,
        "comment": CommentId(f"7/{number}"),
        "verified": True,
    }
    return Approval(**(values | changes))


def a_comment(body: str, *, by: str = "bob@example.org", number: int = 1, **changes: Any) -> Comment:
    """A comment on issue 7."""
    values: dict[str, Any] = {
        "id": CommentId(f"7/{number}"),
        "issue": IssueId("7"),
        "author": PersonId(by),
        "body": body,
        "created": NOW,
        "verified": True,
    }
    return Comment(**(values | changes))


def a_thread(*comments: Comment) -> Thread:
    """Issue 7 with these comments after its description."""
    alice = PersonId("alice@example.org")
    issue = Issue(id=IssueId("7"), title="Disk full on web-1", author=alice, created=NOW, open=True)
    return Thread(issue=issue, comments=(a_comment("The disk is full.", by=alice, number=0), *comments))


def some_words(by: str, comment: str) -> bodies.Said:
    """What somebody said, as an event keeps it."""
    return bodies.Said(by=by, comment=comment, verified=True)


A_START = bodies.Start(
    plan_digest=_PLAN.digest,
    attempt=1,
    nonce="s" * 26,
    locks=_PLAN.locks,
    approvals=(),
    policy_commit=_PLAN.policy_commit,
    executor="local",
    isolation="none",
    owner="host",
)
A_LOSS = bodies.Interrupt(start=3, reason="its heartbeat stopped", observer="host")
"""What may follow `A_START`, which is event 3 of `a_run`."""
A_QUESTION = bodies.Question(
    start=3,
    ordinal=1,
    kind=bodies.QuestionKind.CONFIRM,
    cell="c3",
    step="restart",
    text="Traffic drained?",
    until="2026-11-23T13:00:00.000Z",
)
AN_ANSWER = bodies.Answer(
    question=4, value=True, said=some_words("carol@example.org", "7/5"), policy_commit=_PLAN.policy_commit
)
"""What may follow `A_QUESTION`, where that is event 4."""


def a_run(*later: Body, plan: Plan = _PLAN) -> Known:
    """A run whose plan is event 2 and whose later events are 3, 4, ..."""
    planned = bodies.Plan(
        plan_digest=plan.digest,
        request_key=plan.requested.key,
        runbook=plan.runbook.name,
        runbook_commit=plan.runbook.commit,
        risk=plan.risk,
        locks=plan.locks,
        policy_commit=plan.policy_commit,
        expires=plan.expires_at,
        rehearsal=plan.rehearsal.result,
        nonce=plan.nonce,
        issue="7",
        said=some_words(plan.requested.by, plan.requested.comment),
        owes_by=plan.owes_by,
        break_glass=bool(plan.break_glass),
    )
    events = [
        Event(
            seq=number,
            digest=Digest("0" * 64),
            prev="0" * 64,
            run=plan.run,
            time=NOW.isoformat(),
            actor="supervisor",
            subject=(),
            body=body,
        )
        for number, body in enumerate((planned, *later), start=2)
    ]
    return Known(run=fold(events), plan=plan, events=tuple((one.seq, one.time, one.body) for one in events))


def an_outcome(**changes: Any) -> Outcome:
    """A run that went well."""
    cells = tuple(
        CellFate(index=index, id=f"c{index}", role=role, name=role, phase="forward", fate=Fate.OK, seconds=1.0)
        for index, role in enumerate(("read", "plan", "change", "verify"), start=1)
    )
    good = Outcome(
        status=Status.SUCCEEDED,
        exit_reason=ExitReason.ALL_CELLS_RAN,
        rollback=Rollback.NOT_NEEDED,
        started_at="2026-11-23T12:00:00Z",
        finished_at="2026-11-23T12:00:04Z",
        seconds=4.2,
        message="",
        isolation="none",
        environment=Environment(
            python="3.11.7", kernel="python3", platform="linux", packages=sha256(b"p"), toolkit=sha256(b"t")
        ),
        cells=cells,
        fingerprint=sha256(b"fingerprint"),
        records={},
        artifacts=(),
        moved="",
        withheld=False,
        redactions=(),
        notebook=sha256(b"executed"),
    )
    return replace(good, **changes)
