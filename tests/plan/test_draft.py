"""The draft: everything that will happen, read from the runbook, the values and the terms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.config import Settings
from runner.digest import Digest, sha256
from runner.ledger.bodies import Rehearsal
from runner.ledger.event import RUN_ID
from runner.plan.draft import Terms, draft, freeze, run_id
from runner.plan.plan import Plan
from tests.builders import NOW, a_comment, rehearsed
from tests.runbook.notebooks import HEADER, clean, code, raw, runbook

TERMS = Terms(
    settings=Settings(project="ops", timeout=120, cell_timeout=30),
    policy_commit="c" * 40,
    isolation="none",
    toolkit=Digest("d" * 64),
    life=timedelta(hours=2),
    nonce="0" * 32,
    now=NOW,
)


def drafted(header: str = HEADER, **values: str) -> Plan:
    book = runbook([raw(header), *clean()[1:]])
    return draft(book, book.parameters.values(dict(values)), asked=a_comment("please"), key="k", terms=TERMS)


def test_values_defaults_target_and_locks_are_what_was_asked_for() -> None:
    plan = drafted(environment="production")
    assert {name: (one.value, one.source) for name, one in plan.parameters.items()} == {
        "environment": ("production", "request"),
        "database": ("orders", "default"),
    }
    assert plan.targets == plan.locks == ("production/orders",)
    assert plan.requested.text_sha256 == sha256(b"please")
    assert plan.expires_at == "2026-11-23T14:00:00.000Z"


def test_a_target_is_named_and_locked_once() -> None:
    header = HEADER.replace('target: "{environment}/{database}"', 'target: ["b/{database}", "a", "b/{database}"]')
    assert drafted(header).locks == ("a", "b/orders")


def test_the_headers_timeout_outranks_the_setting() -> None:
    assert drafted().timeout == 1200.0
    assert drafted(HEADER.replace("timeout: 20m\n", "")).timeout == 120.0


def test_what_cannot_be_undone_is_said_of_header_and_cells_together() -> None:
    book = runbook(
        [
            raw(HEADER.replace("timeout:", "irreversible: all of it\ntimeout:")),
            *clean()[1:],
            code('#| irreversible: "this too"\nx = 1', "change"),
        ]
    )
    plan = draft(book, book.parameters.values({}), asked=a_comment("please"), key="k", terms=TERMS)
    assert plan.irreversible == "all of it; this too"
    assert drafted().irreversible is None


def test_what_the_parameters_leave_out_is_known_and_cannot_be_irreversible() -> None:
    book = runbook(
        [
            *clean(),
            code('#| step: purge\n#| irreversible: gone\n#| when: environment == "production"\nx = 1', "change"),
            code('#| step: look\n#| when: ok("purge")\nx = 1', "verify"),
        ]
    )
    plans = {
        environment: draft(
            book, book.parameters.values({"environment": environment}), asked=a_comment("x"), key="k", terms=TERMS
        )
        for environment in ("staging", "production")
    }
    assert {name: [one.runs for one in plan.conditional] for name, plan in plans.items()} == {
        "staging": [False, None],
        "production": [True, None],
    }
    assert {name: plan.irreversible for name, plan in plans.items()} == {"staging": None, "production": "gone"}


def test_freezing_adds_what_the_rehearsal_saw_and_counts_the_time_from_then() -> None:
    later = NOW + timedelta(minutes=5)
    plan = freeze(drafted(), rehearsed=rehearsed(Rehearsal.OK), files=(), now=later, life=timedelta(hours=1))
    assert (plan.rehearsal.result, plan.made_at, plan.expires_at) == (
        Rehearsal.OK,
        "2026-11-23T12:05:00.000Z",
        "2026-11-23T13:05:00.000Z",
    )


@pytest.mark.parametrize("name", ["count", "Ünïcode/ name", "-", "x" * 300, "a--b"])
def test_a_run_id_has_its_form_whatever_the_runbook_is_called(name: str) -> None:
    assert RUN_ID.match(run_id(name, nonce="1", now=NOW))


def test_two_runs_of_one_second_have_different_ids() -> None:
    assert run_id("count", nonce="1", now=NOW) != run_id("count", nonce="2", now=NOW)
