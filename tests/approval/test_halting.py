"""The kill switch: who may throw it, what counts, and that it fails closed."""

from __future__ import annotations

from datetime import timedelta

from runner.approval.collect import commands_of, key_of
from runner.approval.halting import Pulled, Switch, pull, words
from runner.approval.policy import read
from runner.digest import Digest
from runner.ledger.bodies import Body, Halt, Unhalt
from runner.ledger.event import Event
from runner.ports.forge import Comment, PersonId
from tests.builders import NOW, a_comment, a_thread, some_words

POLICY = read(
    """
halt = ["carol", "dan"]
[[rule]]
name = "all"
request = ["*"]
approve = {count = 0}
"""
)
MEMBERS = frozenset(PersonId(name) for name in ("bob", "carol"))
HALT = Halt(request_key="k", policy_commit="c", issue="7", said=some_words("dan", "9/1"), reason="smoke")


def event(body: Body, seq: int) -> Event:
    return Event(
        seq=seq, digest=Digest("0" * 64), prev="", run=None, time=NOW.isoformat(), actor="host/1", subject=(), body=body
    )


def pulled(*comments: Comment, before: tuple[Body, ...] = (), answered: frozenset[str] = frozenset()) -> Pulled:
    events = [event(body, seq) for seq, body in enumerate(before, start=5)]
    switch = Switch(policy=POLICY, policy_commit="c0ffee", forge="local:ops", events=events)
    return pull(switch, commands_of(a_thread(*comments), bot="runbook"), members=MEMBERS, answered=answered)


def refused(*comments: Comment, before: tuple[Body, ...] = ()) -> str:
    found = pulled(*comments, before=before)
    assert found.record is None
    (one,) = found.refuse
    return one.reason


def halting(by: str = "carol", number: int = 1, **changes: object) -> Comment:
    return a_comment("/runbook halt smoke in the server room", by=by, number=number, **changes)


def lifting(by: str = "carol", number: int = 2, **changes: object) -> Comment:
    return a_comment("/runbook unhalt it was toast", by=by, number=number, **changes)


def test_a_halt_is_recorded_with_its_person_reason_and_the_policy_that_let_them() -> None:
    found = pulled(halting())
    expected = Halt(
        request_key="local:ops:7/1:1",
        policy_commit="c0ffee",
        issue="7",
        said=some_words("carol", "7/1"),
        reason="smoke in the server room",
    )
    assert found.record == expected
    assert (found.done, found.refuse) == ([], [])


def test_only_members_whom_policy_names_with_a_signature_may_halt() -> None:
    assert refused(halting("bob")) == "policy lets carol, dan halt"
    assert "not a member" in refused(halting("dan"))
    assert "nothing proves" in refused(halting(verified=False))
    assert "edited" in refused(halting(edited=True))
    assert "policy lets carol, dan halt" in refused(lifting("bob"), before=(HALT,))


def test_an_unhalt_names_the_halt_in_force() -> None:
    found = pulled(
        lifting(), before=(HALT, Unhalt(halt=5, request_key="k", policy_commit="c", issue="7", said=HALT.said), HALT)
    )
    assert isinstance(found.record, Unhalt)
    assert (found.record.halt, found.record.reason) == (7, "it was toast")


def test_where_nothing_is_halted_there_is_nothing_to_lift() -> None:
    assert refused(lifting()) == "nothing is halted"


def test_words_from_before_a_halt_do_not_lift_it() -> None:
    before = lifting(created=NOW - timedelta(seconds=1))
    assert "event 5 halted everything after this was written" in refused(before, before=(HALT,))


def test_a_halt_on_top_of_another_counts_too() -> None:
    assert isinstance(pulled(halting(), before=(HALT,)).record, Halt)


def test_one_is_recorded_at_a_time_in_the_order_of_writing_and_the_next_is_judged_after_it() -> None:
    found = pulled(lifting(number=1, created=NOW + timedelta(minutes=2)), halting(number=2, created=NOW))
    assert isinstance(found.record, Halt)
    assert found.refuse == [], "the unhalt is not too early: the halt is just not on record yet"


def test_what_is_on_record_is_confirmed_once() -> None:
    mine = Halt(
        request_key="k",
        policy_commit="c",
        issue="7",
        said=some_words("carol", "7/1"),
        reason="smoke in the server room",
    )
    found = pulled(halting(), before=(mine,))
    assert found.record is None
    (done,) = found.done
    assert done.event.seq == 5
    assert pulled(halting(), before=(mine,), answered=frozenset({key_of(done.command)})) == Pulled()


def test_the_runner_never_halts_itself() -> None:
    assert pulled(halting(ours=True)) == Pulled()


def test_a_halt_is_told_with_who_and_why() -> None:
    assert words(event(HALT, 5)) == "nothing starts: dan halted everything (event 5): smoke"
