"""The plan: frozen, complete, and known by the sha256 of its exact bytes. What is approved is what runs."""

from __future__ import annotations

from runner.digest import Digest, Json, Wire, parse, readable, sha256
from runner.ledger.bodies import QuestionKind, Rehearsal

HUSHED = "(said on a confidential issue)"
"""Stands on record for words that stay where they were said."""


class Source(Wire):
    """The runbook, pinned."""

    name: str
    path: str
    commit: str
    sha256: Digest


class Requested(Wire):
    """Who asked, where, and the digest of the words (the words themselves are in `request.md`).

    Of a `confidential` issue the words are not kept, and the digest is that of a salt and the words: see
    `outputs/README.md`.
    """

    by: str
    verified: bool
    issue: str
    comment: str
    key: str
    text_sha256: Digest
    account: str = ""
    confidential: bool = False


class Rehearsed(Wire):
    """What the rehearsal saw. `outputs` maps a plan cell's id to its redacted, normalised text."""

    result: Rehearsal
    notebook: Digest | None
    fingerprint: Digest | None
    outputs: dict[str, str]
    message: str = ""


class SavedFile(Wire):
    """A file that the rehearsal left for the run (a saved Terraform plan): only its digest is in the plan."""

    name: str
    sha256: Digest
    size: int


class Environment(Wire):
    """The lock file of the packages that the kernel has, at the runbook's commit."""

    path: str
    sha256: Digest


class Parameter(Wire):
    """One value and where it came from: `request`, `default`, or in a revert an `answer` that the run was given."""

    value: Json
    source: str


class Undoing(Wire):
    """What a revert undoes, taken from the record of the run that it reverts.

    `manifest` is the digest of that run's last manifest: the recorded results come from exactly those bytes. `changes`
    are the ids of the change cells whose rollback cells run, last first. `fingerprint` is the state before that run,
    and None where it had no plan cell to see it with.
    """

    attempt: int
    manifest: Digest
    changes: tuple[str, ...]
    fingerprint: Digest | None


class Conditional(Wire):
    """A cell that runs only under a condition. `runs` is what the parameters alone decide: None if they do not."""

    cell: str
    name: str
    when: str
    runs: bool | None


class Asks(Wire):
    """What a person will be asked before a cell. `within` is how many seconds the run waits for the answer."""

    cell: str
    step: str
    kind: QuestionKind
    text: str
    parameter: str
    within: float


class Proposed(Wire):
    """One file of a proposal: the digests of its bytes before and after; None where there is no such file."""

    path: str
    before: Digest | None
    after: Digest | None
    size: int


class Proposal(Wire):
    """A change to files in Git that people review: made on the commit `base`, pushed as `source`, merged `into`."""

    base: str
    into: str
    source: str
    files: tuple[Proposed, ...]


class Plan(Wire):
    """Everything that will happen, and nothing else will. Times are ISO 8601 in UTC, timeouts in seconds."""

    run: str
    project: str
    runbook: Source
    title: str
    risk: str
    parameters: dict[str, Parameter]
    injected: str
    targets: tuple[str, ...]
    locks: tuple[str, ...]
    read_secrets: tuple[str, ...]
    change_secrets: tuple[str, ...]
    network: bool
    write: tuple[str, ...]
    irreversible: str | None
    timeout: float
    cell_timeout: float
    executor: str
    isolation: str
    toolkit: Digest
    policy_commit: str
    requested: Requested
    rehearsal: Rehearsed
    files: tuple[SavedFile, ...]
    unreviewed: bool
    close_issue: bool
    nonce: str
    made_at: str
    expires_at: str
    emergency: str = ""
    """Why it may start with fewer approvals, in its requester's words; empty for every other plan."""
    owes_by: str = ""
    """When the approvals that an emergency started without have to be there."""
    break_glass: str = ""
    """Why it ran while the remote was away, in the words of whoever ran it; empty for every other plan."""
    environment: Environment | None = None
    """None for the runner's own packages."""
    revert_of: str | None = None
    """The run that this one undoes; `undoes` says what exactly."""
    undoes: Undoing | None = None
    conditional: tuple[Conditional, ...] = ()
    questions: tuple[Asks, ...] = ()
    read: tuple[str, ...] = ()
    processes: str = "own"
    proposes: tuple[str, ...] = ()
    """Globs of the files in Git that it is given, and that its plan cells may propose to change."""
    proposal: Proposal | None = None
    """What they proposed: it starts only when exactly that is merged. None where it has no `proposes`."""
    schema: int = 1

    def to_bytes(self) -> bytes:
        """The exact bytes that are hashed, stored as `plan.json` and approved."""
        return readable(self)

    @property
    def digest(self) -> Digest:
        """What approvers write: sha256 of the exact bytes."""
        return sha256(self.to_bytes())


def read(data: bytes) -> Plan:
    """Parse `plan.json`; the caller compares digests of bytes, never of a re-encoding."""
    return parse(Plan, data)
