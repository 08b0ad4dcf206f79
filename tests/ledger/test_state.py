from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from runner.digest import Digest, sha256
from runner.errors import IntegrityError
from runner.ledger.bodies import (
    Body,
    Finish,
    Genesis,
    Halt,
    Interrupt,
    Key,
    Late,
    Note,
    Plan,
    Rehearsal,
    Resolution,
    Resolve,
    Rollback,
    Said,
    Start,
    Status,
    Unhalt,
)
from runner.ledger.event import Event
from runner.ledger.state import FIRST, State, fold

RUN = "20261123T120000Z-disk-cleanup-7k3q9x2m"
SAID = Said(by="alice", comment="7/1", verified=True)
GENESIS = Genesis(project="ops", code_branch="main", evidence_branch="evidence", object_format="sha1", key="first")


def event(body: Body, *, seq: int, prev: str) -> Event:
    return Event(
        seq=seq,
        digest=sha256(f"{seq}".encode()),
        prev=prev,
        run=RUN,
        time="2026-11-23T12:00:00.000Z",
        actor="host/1",
        subject=(),
        body=body,
    )


def after(*bodies: Body, requests: tuple[str, ...] = ()) -> State:
    state = State()
    for body in bodies:
        state = fold(state, event(body, seq=state.seq + 1, prev=state.head), requests=requests)
    return state


def start(*locks: str) -> Start:
    return Start(
        plan_digest=sha256(b""), attempt=1, nonce="n", locks=locks, approvals=(), policy_commit="c", executor="local",
        isolation="none", owner="host",
    )  # fmt: skip


def finish(number: int) -> Finish:
    return Finish(
        start=number, outcome=Status.SUCCEEDED, rollback=Rollback.NOT_NEEDED, exit_reason="all_cells_ran",
        manifest=sha256(b""), seconds=1.0,
    )  # fmt: skip


def plan(key: str) -> Plan:
    return Plan(
        plan_digest=sha256(b""), request_key=key, runbook="r", runbook_commit="c", risk="low", locks=("a",),
        policy_commit="c", expires="", rehearsal=Rehearsal.OK, nonce="n", issue="7", said=SAID,
    )  # fmt: skip


def resolve(number: int) -> Resolve:
    return Resolve(interrupt=number, decision=Resolution.COMPLETED, said=SAID, reason="seen")


def test_genesis_names_the_project_and_the_first_key() -> None:
    state = after(GENESIS)
    assert (state.seq, state.project, state.keys) == (0, "ops", frozenset({"first"}))
    assert state.genesis == state.head


@pytest.mark.parametrize("bodies", [(Note(text="x"),), (GENESIS, GENESIS)])
def test_a_ledger_begins_with_genesis_once(bodies: tuple[Body, ...]) -> None:
    with pytest.raises(IntegrityError, match="begins with genesis"):
        after(*bodies)


@pytest.mark.parametrize(("seq", "prev"), [(2, None), (0, None), (1, FIRST), (1, "f" * 64)])
def test_an_event_out_of_its_place_is_refused(seq: int, prev: str | None) -> None:
    state = after(GENESIS)
    with pytest.raises(IntegrityError):
        fold(state, event(Note(text="x"), seq=seq, prev=prev or state.head), requests=())


def test_keys_come_and_go() -> None:
    assert after(GENESIS, Key(key="second", action="add")).keys == {"first", "second"}
    assert after(GENESIS, Key(key="second", action="add"), Key(key="first", action="revoke")).keys == {"second"}


def test_a_lock_is_held_from_start_to_finish() -> None:
    assert after(GENESIS, start("a", "b")).locks == {"a": 1, "b": 1}
    assert after(GENESIS, start("a"), finish(1)).locks == {}
    with pytest.raises(IntegrityError, match="held by start 1"):
        after(GENESIS, start("a"), start("b", "a"))


def test_an_interrupt_keeps_the_lock_until_a_person_resolves_it() -> None:
    gone = Interrupt(start=1, reason="silent", observer="host")
    late = Late(**{name: getattr(finish(1), name) for name in Finish.__struct_fields__})
    assert after(GENESIS, start("a"), gone).locks == {"a": 1}
    assert after(GENESIS, start("a"), gone, late).locks == {"a": 1}
    assert after(GENESIS, start("a"), gone, resolve(2)).locks == {}
    with pytest.raises(IntegrityError, match="no open interrupt"):
        after(GENESIS, start("a"), gone, resolve(2), resolve(2))
    with pytest.raises(IntegrityError, match="no open interrupt"):
        after(GENESIS, start("a"), resolve(1))


HALT = Halt(request_key="k", policy_commit="c", issue="7", said=SAID, reason="the network is not itself")


def unhalt(number: int) -> Unhalt:
    return Unhalt(halt=number, request_key="k", policy_commit="c", issue="7", said=SAID)


def test_nothing_starts_while_everything_is_halted() -> None:
    assert after(GENESIS, HALT).halted == 1
    with pytest.raises(IntegrityError, match="event 1 halted everything"):
        after(GENESIS, HALT, start("a"))
    assert after(GENESIS, HALT, unhalt(1)).halted is None
    assert after(GENESIS, HALT, unhalt(1), start("a")).locks == {"a": 3}


def test_a_halt_does_not_keep_from_the_record_what_ran_by_break_glass() -> None:
    assert after(GENESIS, HALT, structs.replace(start("a"), locks=(), after=True)).locks == {}


def test_what_had_started_before_a_halt_comes_to_its_end() -> None:
    assert after(GENESIS, start("a"), HALT, finish(1)).locks == {}


def test_only_the_newest_halt_can_be_lifted_so_that_nobody_lifts_one_unseen() -> None:
    assert after(GENESIS, HALT, HALT).halted == 2
    assert after(GENESIS, HALT, HALT, unhalt(2)).halted is None
    for bodies in ((HALT, HALT, unhalt(1)), (unhalt(0),), (HALT, unhalt(1), unhalt(1))):
        with pytest.raises(IntegrityError, match="not the halt in force"):
            after(GENESIS, *bodies)


def test_a_request_is_planned_once() -> None:
    assert after(GENESIS, plan("local:ops:7/0:1")).seq == 1
    with pytest.raises(IntegrityError, match="planned before"):
        after(GENESIS, plan("local:ops:7/0:1"), requests=("local:ops:7/0:1",))


@given(st.lists(st.tuples(st.sampled_from(["start", "finish"]), st.sampled_from("abc")), max_size=30))
def test_no_lock_ever_has_two_holders(moves: list[tuple[str, str]]) -> None:
    state, holder = after(GENESIS), dict[str, int]()
    for kind, lock in moves:
        body = start(lock) if kind == "start" else finish(holder.get(lock, -1))
        expected = kind == "finish" or lock not in holder
        try:
            state = fold(state, event(body, seq=state.seq + 1, prev=state.head), requests=())
        except IntegrityError:
            assert not expected
            continue
        assert expected
        if kind == "start":
            holder[lock] = state.seq
        else:
            holder.pop(lock, None)
        assert dict(state.locks) == holder
    assert state.head != Digest("")
