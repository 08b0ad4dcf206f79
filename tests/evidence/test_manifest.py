"""The manifest: one attempt, whole, and only from what is on record."""

from __future__ import annotations

import pytest

from runner.digest import parse
from runner.evidence import manifest
from runner.evidence.manifest import Manifest
from runner.ledger.bodies import Approve
from tests.builders import A_START, a_run, an_outcome, some_words

APPROVE = Approve(plan_digest=a_run().run.digest, said=some_words("bob@example.org", "7/3"), reason="fine")


def made() -> Manifest:
    known = a_run(APPROVE, A_START)
    start = known.run.start
    assert start
    return manifest.make(
        known.plan,
        digest=known.run.digest,
        start=start,
        approvals=known.run.approvals,
        outcome=an_outcome(message="all is well"),
        files={"attempts/1/b": b"b", "attempts/1/a.unknown": b"a"},
    )


def test_it_says_who_asked_who_approved_what_ran_and_what_came_of_it() -> None:
    record = made()
    assert record.request.by == "alice@example.org"
    assert [(one.by, one.event, one.reason) for one in record.approvals] == [("bob@example.org", 3, "fine")]
    assert (record.execution.start_event, record.attempt) == (4, 1)
    assert (record.result.message, len(record.result.cells)) == ("all is well", 4)
    assert record.plan_digest == a_run().run.digest


def test_files_are_in_order_and_an_unknown_ending_is_only_bytes() -> None:
    assert [(one.path, one.media_type) for one in made().files] == [
        ("attempts/1/a.unknown", "application/octet-stream"),
        ("attempts/1/b", "application/octet-stream"),
    ]


def test_its_bytes_read_back_to_the_same() -> None:
    assert parse(Manifest, made().to_bytes()) == made()


def test_only_a_start_begins_an_attempt_and_only_an_approve_event_is_an_approval() -> None:
    known = a_run(APPROVE, A_START)
    start = known.run.start
    assert start
    for wrong in ({"start": known.run.planned, "approvals": ()}, {"start": start, "approvals": (start,)}):
        with pytest.raises(TypeError):
            manifest.make(known.plan, digest=known.run.digest, outcome=an_outcome(), files={}, **wrong)  # type: ignore[arg-type] # wrong on purpose
