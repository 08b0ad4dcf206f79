"""What an append must know of everything before it: number, head, keys, open locks, the kill switch. Nothing else.

The fold is pure: a state and the next event give the next state, or the reason why that event cannot follow. What an
event means for a run is not known here (`plan/run.py` knows). Request keys only ever grow, so they are asked for
through a container that the caller keeps (a table, or a set) instead of being copied from state to state.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from runner.digest import Digest
from runner.errors import IntegrityError
from runner.ledger.bodies import Finish, Genesis, Halt, Interrupt, Key, Plan, Resolve, Start, Unhalt
from runner.ledger.event import Event

FIRST = "0" * 64
"""What the first event names as the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The ledger folded up to `seq` (-1 before genesis).

    `keys` may sign the next event, `former` ones might once. `interrupted` maps an interrupt's number to its start.
    `halted` is the number of the halt in force: nothing starts then. None while everything may.
    """

    seq: int = -1
    head: str = FIRST
    time: str = ""
    genesis: Digest | None = None
    project: str = ""
    keys: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()
    locks: Mapping[str, int] = field(default_factory=dict)
    interrupted: Mapping[int, int] = field(default_factory=dict)
    halted: int | None = None


def check_link(state: State, event: Event) -> None:
    """Refuse an event that does not continue the chain.

    Raises:
        IntegrityError: naming the number and the broken link.
    """
    doing = f"reading ledger event {event.seq}"
    if event.seq != state.seq + 1:
        raise IntegrityError(doing, f"expected number {state.seq + 1}")
    if event.prev != state.head:
        raise IntegrityError(doing, f"it names {event.prev[:12]} as the event before, but that is {state.head[:12]}")
    if (event.seq == 0) != isinstance(event.body, Genesis):
        raise IntegrityError(doing, "a ledger begins with genesis, once")


def fold(state: State, event: Event, *, requests: Container[str]) -> State:
    """The state after an event that continues the chain.

    Args:
        state: the ledger before it.
        event: the next event, its signature already checked.
        requests: the keys of every request that was planned before.

    Raises:
        IntegrityError: if it does not, or breaks a rule of the ledger itself (a lock held twice, a request planned
            twice, a start while everything is halted).
    """
    check_link(state, event)
    after = replace(state, seq=event.seq, head=event.digest, time=event.time)
    match event.body:
        case Genesis() as body:
            return replace(after, genesis=event.digest, project=body.project, keys=frozenset({body.key}))
        case Key() as body:
            return _keyed(after, body)
        case Plan() as body if body.request_key in requests:
            raise IntegrityError(f"reading ledger event {event.seq}", "its request was planned before")
        case Start() as body:
            return _started(state, after, body)
        case Finish() as body:
            return replace(after, locks=free(state, body.start))
        case Interrupt() as body:
            return replace(after, interrupted={**state.interrupted, event.seq: body.start})
        case Resolve() as body:
            return _resolved(state, after, body)
        case Halt() | Unhalt() as body:
            return _switched(state, after, body)
        case _:
            return after


def _keyed(after: State, body: Key) -> State:
    if body.action == "add":
        return replace(after, keys=after.keys | {body.key}, former=after.former - {body.key})
    return replace(after, keys=after.keys - {body.key}, former=after.former | {body.key})


def _started(state: State, after: State, body: Start) -> State:
    # What ran by break-glass has happened: a halt does not keep it from the record.
    if state.halted is not None and not body.after:
        raise IntegrityError(f"reading ledger event {after.seq}", f"event {state.halted} halted everything")
    return replace(after, locks=take(state, body.locks, by=after.seq))


def _switched(state: State, after: State, body: Halt | Unhalt) -> State:
    if isinstance(body, Halt):
        # One on top of another is a second reason not to start: the newest is the one that has to be lifted.
        return replace(after, halted=after.seq)
    if body.halt != state.halted:
        raise IntegrityError(f"reading ledger event {after.seq}", f"{body.halt} is not the halt in force")
    return replace(after, halted=None)


def _resolved(state: State, after: State, body: Resolve) -> State:
    start = state.interrupted.get(body.interrupt)
    if start is None:
        raise IntegrityError(f"reading ledger event {after.seq}", f"{body.interrupt} is no open interrupt")
    left = {number: one for number, one in state.interrupted.items() if number != body.interrupt}
    return replace(after, locks=free(state, start), interrupted=left)


def take(state: State, names: tuple[str, ...], *, by: int) -> Mapping[str, int]:
    """The locks after a start took some.

    Raises:
        IntegrityError: if one of them is held.
    """
    held = [name for name in names if name in state.locks]
    if held:
        raise IntegrityError(f"reading ledger event {by}", f"lock {held[0]} is held by start {state.locks[held[0]]}")
    return {**state.locks, **dict.fromkeys(names, by)}


def free(state: State, start: int) -> Mapping[str, int]:
    """The locks after a start was closed."""
    return {name: holder for name, holder in state.locks.items() if holder != start}
