"""A revert's plan: what it takes from the run that it undoes, and what is its own."""

from __future__ import annotations

from datetime import timedelta

from runner.config import Settings
from runner.digest import sha256
from runner.ledger.bodies import QuestionKind, Rehearsal
from runner.plan.draft import Terms
from runner.plan.plan import Asks, Parameter, Undoing, read
from runner.plan.revert import draft_revert
from tests.builders import NOW, a_comment, a_plan

TERMS = Terms(
    settings=Settings(project="ops"),
    policy_commit="f" * 40,
    isolation="none",
    toolkit=sha256(b"newer"),
    life=timedelta(hours=4),
    nonce="r" * 32,
    now=NOW,
)
UNDOES = Undoing(attempt=2, manifest=sha256(b"manifest"), changes=("c3",), fingerprint=sha256(b"before"))


def test_it_has_the_same_runbook_and_values_and_everything_else_of_its_own() -> None:
    old = a_plan(irreversible="something", emergency="it burned")
    asked = a_comment(f"/runbook revert {old.run}", by="carol@example.org", number=4)
    made = draft_revert(old, undoes=UNDOES, irreversible=None, asked=asked, key="local:ops:7/4:1", terms=TERMS)
    same = ("runbook", "parameters", "injected", "targets", "locks", "read_secrets", "change_secrets", "timeout")
    assert all(getattr(made, name) == getattr(old, name) for name in same)
    assert (made.revert_of, made.undoes) == (old.run, UNDOES)
    assert made.run != old.run
    assert made.title == f"Revert: {old.title}"
    assert (made.requested.by, made.requested.comment) == ("carol@example.org", "7/4")
    assert (made.policy_commit, made.toolkit, made.nonce) == ("f" * 40, sha256(b"newer"), "r" * 32)
    assert (made.irreversible, made.emergency, made.files) == (None, "", ())
    assert made.rehearsal.result is Rehearsal.NOTHING
    assert read(made.to_bytes()) == made


def test_what_people_answered_during_the_run_is_a_value_of_its_revert_which_asks_nobody() -> None:
    asks = Asks(cell="c3", step="go", kind=QuestionKind.ASK, text="How many?", parameter="keep_days", within=60.0)
    old = a_plan(questions=(asks,))
    asked = a_comment(f"/runbook revert {old.run}", by="carol@example.org", number=4)
    made = draft_revert(
        old, undoes=UNDOES, irreversible=None, asked=asked, key="k", terms=TERMS, given={"keep_days": 25}
    )
    assert made.parameters == old.parameters | {"keep_days": Parameter(value=25, source="answer")}
    assert made.injected.endswith("host = 'web-1'\nkeep_days = 25\n")
    assert made.questions == ()
