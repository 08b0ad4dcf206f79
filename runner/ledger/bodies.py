"""What each event says: one strict type per event type, the `body` of its predicate."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, get_args

from runner.digest import Digest, Json, Wire
from runner.ledger.frozen import Frozen
from runner.ledger.merged import Merged


class Status(Enum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class Rollback(Enum):
    """What became of the undoing."""

    NOT_NEEDED = "not_needed"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


class Rehearsal(Enum):
    """How the rehearsal went; only a plan that was not `failed` can be approved."""

    OK = "ok"
    FAILED = "failed"
    NOTHING = "nothing"  # there was no cell to rehearse


class Resolution(Enum):
    """What a person found out about an interrupted run."""

    DID_NOT_RUN = "did_not_run"
    COMPLETED = "completed"
    PARTIALLY_APPLIED = "partially_applied"
    REVERTED = "reverted"


class QuestionKind(Enum):
    """What a run asks a person in the middle of it."""

    CONFIRM = "confirm"  # whether to go on: yes or no
    ASK = "ask"  # the value of a parameter


class Said(Wire):
    """A person's words behind an event: the comment, and the signature that proves it where there is one (base64)."""

    by: str
    comment: str
    verified: bool
    payload: str | None = None
    signature: str | None = None
    account: str = ""  # the forge's number of the author, where names can change hands


class Genesis(Wire):
    """What is frozen for the ledger's life."""

    project: str
    code_branch: str
    evidence_branch: str
    object_format: str
    key: str


class Key(Wire):
    """A key that may sign from the next event on, or may not any more."""

    key: str
    action: str  # add | revoke


class Plan(Wire):
    """A plan was made; its files come with this event. `owes_by` is when an emergency's missing approvals are due."""

    plan_digest: Digest
    request_key: str
    runbook: str
    runbook_commit: str
    risk: str
    locks: tuple[str, ...]
    policy_commit: str
    expires: str
    rehearsal: Rehearsal
    nonce: str
    issue: str
    said: Said
    owes_by: str = ""
    revert_of: str | None = None  # the run that this one undoes
    break_glass: bool = False  # it ran before it was recorded, while the remote was away


class Approve(Wire):
    """One person's yes to one plan digest."""

    plan_digest: Digest
    said: Said
    reason: str = ""


class Revoke(Wire):
    """An approver takes the yes back; `approval` is the number of the approve event."""

    plan_digest: Digest
    approval: int
    said: Said
    reason: str = ""


class Reject(Wire):
    """An approver's no."""

    plan_digest: Digest
    said: Said
    reason: str


class Start(Wire):
    """The claim that lets one attempt execute: it holds the locks, and its number is the fencing token."""

    plan_digest: Digest
    attempt: int
    nonce: str
    locks: tuple[str, ...]
    approvals: tuple[int, ...]
    policy_commit: str
    executor: str
    isolation: str
    owner: str
    merged: Merged | None = None  # the merge that approved a proposal
    freezes: tuple[Frozen, ...] = ()  # the forge's freeze periods that it was judged by
    after: bool = False  # recorded of what ran by break-glass: it lets nothing execute and holds no lock


class Cancel(Wire):
    """Somebody allowed asked to end the run; `mode` is `leave` or `rollback`."""

    plan_digest: Digest
    mode: str
    said: Said
    reason: str = ""


class Question(Wire):
    """A run waits for a person before a cell. `ordinal` counts the questions of an attempt from 1."""

    start: int
    ordinal: int
    kind: QuestionKind
    cell: str
    step: str
    text: str
    until: str  # when the worker stops waiting, and the run fails
    parameter: str = ""  # what an `ask` gives a value to


class Answer(Wire):
    """Somebody allowed answered the open question; `question` is that event's number.

    `value` is true or false for a `confirm`, else the typed value. `policy_commit` is the policy that let them.
    """

    question: int
    value: Json
    said: Said
    policy_commit: str
    reason: str = ""


class Finish(Wire):
    """An attempt's outcome; its files come with this event. `start` is the number of the start event."""

    start: int
    outcome: Status
    rollback: Rollback
    exit_reason: str
    manifest: Digest
    seconds: float
    message: str = ""


class Interrupt(Wire):
    """The owner of a start was lost; what happened is unknown and the locks stay held."""

    start: int
    reason: str
    observer: str


class Late(Wire):
    """The lost owner came back with a result."""

    start: int
    outcome: Status
    rollback: Rollback
    exit_reason: str
    manifest: Digest
    seconds: float
    message: str = ""


class Resolve(Wire):
    """A person decided what an interrupted run has done; frees its locks. `interrupt` is that event's number."""

    interrupt: int
    decision: Resolution
    said: Said
    reason: str


class Resume(Wire):
    """A requester asked for the next attempt of a run that did not succeed; `attempt` is that one's number."""

    plan_digest: Digest
    attempt: int
    approval: str  # `same` where policy lets the earlier approvals count again, `new` where only later ones do
    said: Said
    reason: str = ""


class Expire(Wire):
    """A plan's time ran out before it started."""

    plan_digest: Digest


class Halt(Wire):
    """The kill switch: nothing starts from here on. `policy_commit` has the policy that lets this person halt."""

    request_key: str
    policy_commit: str
    issue: str
    said: Said
    reason: str


class Unhalt(Wire):
    """Starting is possible again. `halt` is the number of the newest halt: nobody lifts one that they have not seen."""

    halt: int
    request_key: str
    policy_commit: str
    issue: str
    said: Said
    reason: str = ""


class Witness(Wire):
    """Where the head was shown to the outside."""

    head: int
    digest: Digest
    where: str


class Note(Wire):
    """Words for the record, for example about an expunged file."""

    text: str
    said: Said | None = None


Body: TypeAlias = (
    Genesis
    | Key
    | Plan
    | Approve
    | Revoke
    | Reject
    | Start
    | Cancel
    | Question
    | Answer
    | Finish
    | Interrupt
    | Late
    | Resolve
    | Resume
    | Expire
    | Halt
    | Unhalt
    | Witness
    | Note
)

TYPES: dict[str, type[Body]] = {kind.__name__.lower(): kind for kind in get_args(Body)}
"""Event type name to body type; `Body` is the only list of event types."""
