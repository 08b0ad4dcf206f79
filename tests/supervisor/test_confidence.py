"""What is said on a confidential issue stays there; on record is who said it, and a digest that nobody can undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from runner.adapters.signer.ssh import generate
from runner.approval.policy import read
from runner.digest import sha256
from runner.errors import RequestError
from runner.ledger.bodies import Answer, Approve, Halt, QuestionKind, Reject, Said
from runner.plan.plan import HUSHED, Asks, Parameter, Plan
from runner.ports.forge import Thread
from runner.request.request import Request, RequestKey
from runner.supervisor import confidence
from tests.builders import a_comment, a_plan, a_thread

POLICY = '[[rule]]\nname = "r"\nrequest = ["*"]\napprove = {count = 0}\n'
SAID = Said(by="bob", comment="7/1", verified=True, payload="d29yZHM=", signature="c2ln", account="17")
WORDS = "Customer ACME is leaving."


def request(**changes: Any) -> Request:
    asked = a_comment(WORDS, number=0)
    facts: dict[str, Any] = {"confidential": True, "comment": asked}
    return Request(runbook="disk-cleanup", parameters={}, key=RequestKey("k"), **(facts | changes))


def closed(thread: Thread) -> Thread:
    return replace(thread, issue=replace(thread.issue, confidential=True))


def test_an_event_says_who_and_where_and_not_what() -> None:
    kept = confidence.without_words(Reject(plan_digest=sha256(b"p"), said=SAID, reason=WORDS))
    assert (kept.said.by, kept.said.comment, kept.said.account, kept.said.verified) == ("bob", "7/1", "17", True)
    assert (kept.said.payload, kept.said.signature, kept.reason) == (None, None, HUSHED)
    assert confidence.without_words(Approve(plan_digest=sha256(b"p"), said=SAID)).reason == ""
    halt = Halt(request_key="k", policy_commit="c", issue="7", said=SAID, reason=WORDS)
    assert confidence.without_words(halt).reason == HUSHED


def test_a_run_stays_hushed_whatever_becomes_of_its_issue() -> None:
    plan, open_, shut = a_plan(), a_thread(), closed(a_thread())
    hushed = structs.replace(plan, requested=structs.replace(plan.requested, confidential=True))
    found = [confidence.hushed(one, thread) for one in (plan, hushed) for thread in (open_, shut)]
    assert found == [False, True, True, True]


def test_values_that_were_written_there_are_refused_unless_policy_lets_them() -> None:
    given, default = Parameter(value="ACME", source="request"), Parameter(value=7, source="default")
    plan = a_plan(parameters={"customer": given, "days": default})
    with pytest.raises(RequestError, match=r"values given there \(customer\)") as refused:
        confidence.check(read(POLICY), plan, request())
    assert "confidential = true" in refused.value.hint
    assert "ACME" not in str(refused.value)
    confidence.check(read(f"{POLICY}confidential = true\n"), plan, request())
    confidence.check(read(POLICY), plan, request(confidential=False))
    confidence.check(read(POLICY), plan, request(revert_of="earlier"))
    confidence.check(read(POLICY), a_plan(parameters={"days": default}), request())


def test_a_value_that_will_be_asked_for_there_is_refused_too_and_a_yes_is_not() -> None:
    def asking(kind: QuestionKind) -> Plan:
        asks = Asks(cell="c", step="s", kind=kind, text="Which?", parameter="customer", within=60.0)
        return a_plan(parameters={}, questions=(asks,))

    with pytest.raises(RequestError, match="customer"):
        confidence.check(read(POLICY), asking(QuestionKind.ASK), request())
    confidence.check(read(POLICY), asking(QuestionKind.CONFIRM), request())
    no, yes = (Answer(question=4, value=value, said=SAID, policy_commit="c") for value in ("ACME", True))
    there = {"thread": closed(a_thread())}
    assert "in the repository for good" in confidence.refusal(read(POLICY), a_plan(), no, **there)
    assert not confidence.refusal(read(POLICY), a_plan(), yes, **there)
    assert not confidence.refusal(read(POLICY), a_plan(), no, thread=a_thread())
    assert not confidence.refusal(read(f"{POLICY}confidential = true\n"), a_plan(), no, **there)


def test_the_digest_can_be_checked_by_whoever_reads_the_issue_and_guessed_by_nobody(tmp_path: Path) -> None:
    signer, other = generate(tmp_path / "one"), generate(tmp_path / "two")
    plan = confidence.asked_in(a_plan(emergency=WORDS), request(), signer=signer)
    assert (plan.requested.confidential, plan.emergency) == (True, HUSHED)
    assert plan.requested.text_sha256 not in {sha256(WORDS.encode()), sha256(f"\n{WORDS}".encode())}
    assert WORDS.encode() not in plan.to_bytes()
    thread = Thread(issue=a_thread().issue, comments=(a_comment(WORDS, number=0),))
    salt = confidence.salt_of(plan, thread, signer=signer)
    assert confidence.salted(WORDS, salt=salt) == plan.requested.text_sha256
    assert salt.encode() not in plan.to_bytes()
    assert confidence.salt_of(plan, thread, signer=other) == "", "another machine does not know it"
    changed = replace(thread, comments=(a_comment("Something else.", number=0),))
    assert confidence.salt_of(plan, changed, signer=signer) == ""
    twice = confidence.asked_in(a_plan(nonce="m" * 26), request(), signer=signer)
    assert twice.requested.text_sha256 != plan.requested.text_sha256, "the same words do not look the same"


def test_what_is_asked_for_in_the_open_is_as_it_was(tmp_path: Path) -> None:
    signer = generate(tmp_path / "one")
    assert confidence.asked_in(a_plan(), request(confidential=False), signer=signer) == a_plan()
    assert confidence.salt_of(a_plan(), a_thread(), signer=signer) == ""
