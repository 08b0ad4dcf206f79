"""What the attempts of a run came to, as far as the record says: what is in place, what was recorded, what is in doubt.

A pure fold over a run's events and the files that came with them. The supervisor asks it what the next attempt must not
repeat, a revert what it has to undo, and verification whether both kept to it. What nobody can know is a doubt in
words, and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from runner.digest import Digest, Json, parse, sha256
from runner.evidence import layout
from runner.evidence.manifest import Manifest, Previous
from runner.execution import transcript
from runner.execution.outcome import CellFate, ExitReason, Fate, Redaction, began
from runner.execution.outputs import RECORD
from runner.execution.phases import CHANGING
from runner.execution.record import FORWARD, ROLLBACK
from runner.ledger.bodies import Finish, Interrupt, Late, Resolution, Resolve, Rollback, Start
from runner.ledger.event import Event

Read = Callable[[str], bytes | None]
"""Gives a file of the evidence by its path; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What is on record of one attempt.

    Attributes:
        number: which attempt.
        manifest: its manifest's digest; None where its worker was lost and left none.
        cells: every cell's fate; None where nothing says which cells ran.
        records: the results that were recorded.
        rollback: what became of the undoing; None where nobody said.
        resolution: what a person found out, where the owner was lost.
        unkept: why what it recorded may be incomplete; empty if it is not.
    """

    number: int
    manifest: Digest | None = None
    cells: tuple[CellFate, ...] | None = None
    records: Mapping[str, Json] = field(default_factory=dict)
    rollback: Rollback | None = None
    resolution: Resolution | None = None
    unkept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where all attempts of a run leave it.

    `done` are the cells that were answered ok and not undone, `begun` those and the ones that began and ended
    otherwise, each with the attempt. `doubts` say what cannot be known; with one, nothing may be built on the rest.
    """

    done: Mapping[str, int]
    begun: Mapping[str, int]
    records: Mapping[str, Json]
    doubts: tuple[str, ...]
    previous: Previous | None


def attempts(events: Iterable[Event], read: Read) -> tuple[Attempted, ...]:
    """Every attempt of a run that has ended or was given up, or has started."""
    found: tuple[Attempted, ...] = ()
    for event in events:
        found = step(found, event, read)
    return found


def step(found: tuple[Attempted, ...], event: Event, read: Read) -> tuple[Attempted, ...]:
    """The attempts after one more event of the run."""
    run = event.run or ""
    match event.body:
        case Start() as body:
            return (*found, Attempted(number=body.attempt))
        case Finish() | Late() if found:
            made = _ended(found[-1], read(layout.manifest_file(run, found[-1].number)))
        case Interrupt() if found:
            made = _lost(found[-1], read(layout.transcript_file(run, found[-1].number)))
        case Resolve() as body if found:
            made = replace(found[-1], resolution=body.decision)
        case _:
            return found
    return (*found[:-1], made)


def standing(found: Iterable[Attempted]) -> Standing:
    """Say what is in place after these attempts, in their order."""
    done: dict[str, int] = {}
    begun: dict[str, int] = {}
    records: dict[str, Json] = {}
    doubts: list[str] = []
    previous = None
    for one in found:
        doubts += _doubts(one, done)
        if one.rollback is Rollback.COMPLETE or one.resolution is Resolution.REVERTED:
            done, begun = {}, {}
        elif one.resolution is not Resolution.DID_NOT_RUN:
            acting = [cell for cell in one.cells or () if _acts(cell)]
            done |= {cell.id: one.number for cell in acting if cell.fate is Fate.OK}
            begun |= {cell.id: one.number for cell in acting if began(cell)}
        doubts += [one.unkept] if one.unkept and done else []
        records |= one.records
        previous = Previous(attempt=one.number, manifest=one.manifest, done=dict(done))
    return Standing(done=done, begun=begun, records=records, doubts=tuple(doubts), previous=previous)


def _acts(cell: CellFate) -> bool:
    """What a run changes, and what a revert changes, goes forward."""
    return cell.phase == FORWARD and cell.role in CHANGING


def _ended(one: Attempted, data: bytes | None) -> Attempted:
    try:
        manifest = parse(Manifest, data or b"")
    except (msgspec.MsgspecError, RecursionError):
        return one
    result = manifest.result
    return replace(
        one,
        manifest=sha256(data or b""),
        cells=result.cells,
        records=result.records,
        rollback=result.rollback,
        unkept=_unkept(manifest),
    )


def _unkept(manifest: Manifest) -> str:
    attempt, result = manifest.attempt, manifest.result
    if result.withheld:
        return f"the outputs of attempt {attempt} are withheld, and what it recorded with them"
    if any(_in_a_record(one) for one in manifest.redactions):
        return f"a result that attempt {attempt} recorded held a secret, and is masked on record"
    if any(one.parameter for one in result.answers):
        return f"attempt {attempt} went on with a value that somebody answered, and no later one is given that"
    if result.exit_reason == ExitReason.INTERNAL_ERROR.value:
        return f"the worker of attempt {attempt} failed itself, and what it recorded may be incomplete"
    return ""


def _in_a_record(masked: Redaction) -> bool:
    return any(where.startswith("record of ") for where in masked.where)


def _lost(one: Attempted, data: bytes | None) -> Attempted:
    """What a dead worker's transcript proves."""
    if data is None:
        return one
    cells = transcript.fates(data, dead=True)
    records: dict[str, Json] = {}
    for line in transcript.lines(data):
        records |= dict(_recorded(line.outputs or ()))
    return replace(one, cells=cells, records=records)


def _recorded(outputs: Iterable[Mapping[str, Json]]) -> Iterable[tuple[str, Json]]:
    for output in outputs:
        data = output.get("data")
        kept = data.get(RECORD) if isinstance(data, dict) else None
        if isinstance(kept, dict) and isinstance(kept.get("name"), str):
            yield str(kept["name"]), kept.get("value")


def _doubts(one: Attempted, before: Mapping[str, int]) -> Iterable[str]:
    """What cannot be known of an attempt, from its record and from what a person said of it."""
    cells = one.cells or ()
    ok = next((cell for cell in cells if _acts(cell) and cell.fate is Fate.OK), None)
    undoing = any(cell.phase == ROLLBACK and began(cell) for cell in cells)
    said = one.resolution
    if one.cells is None and said is not Resolution.DID_NOT_RUN and said is not Resolution.REVERTED:
        yield f"nothing is on record that says which cells of attempt {one.number} ended, and how"
    if said is Resolution.DID_NOT_RUN and ok is not None:
        yield f"attempt {one.number} was resolved as did_not_run, and its record says that {ok.name} was answered ok"
    if said is Resolution.REVERTED and before:
        yield f"attempt {one.number} was resolved as reverted: nobody said whether that holds for earlier attempts too"
    if one.rollback in {Rollback.PARTIAL, Rollback.FAILED} and said is not Resolution.REVERTED:
        yield f"the rollback of attempt {one.number} is {one.rollback.value}, so nobody knows what is in place"
    if one.rollback is None and undoing and said is not Resolution.REVERTED:
        yield f"the worker of attempt {one.number} was lost while it undid its changes"
