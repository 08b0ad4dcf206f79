"""Sealing: the event and its files are one commit, and each names the other."""

from __future__ import annotations

import pytest

from runner.digest import parse, sha256
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.evidence.seal import end_draft, event_draft, plan_draft
from runner.ledger import bodies
from runner.ledger.bodies import Finish, Late, Rehearsal, Status
from runner.ledger.chain import Draft
from tests.builders import A_LOSS, A_START, a_plan, a_run, an_outcome, rehearsed, some_words

FILES = {"executed.ipynb": b"{}", "artifacts/ab.png": b"png", "outcome.json": b"not kept"}


def ended(*later: bodies.Body) -> Draft:
    known = a_run(A_START, *later)
    return end_draft(known.run, known.plan, approvals=(), outcome=an_outcome(), files=FILES)


def test_a_finish_names_the_manifest_and_the_manifest_names_every_file() -> None:
    draft = ended()
    run = a_plan().run
    assert isinstance(draft.body, Finish)
    data = draft.files[layout.manifest_file(run, 1)]
    assert draft.body.manifest == sha256(data)
    record = parse(Manifest, data)
    assert [(one.path, one.sha256, one.media_type) for one in record.files] == [
        ("attempts/1/artifacts/ab.png", sha256(b"png"), "image/png"),
        ("attempts/1/executed.ipynb", sha256(b"{}"), "application/x-ipynb+json"),
    ]
    kept = {name.removeprefix(layout.attempt_folder(run, 1)) for name in draft.files}
    assert kept == {"manifest.json", "summary.md", "executed.ipynb", "artifacts/ab.png"}
    assert ("Runbook-Outcome", "succeeded") in draft.trailers


def test_after_an_interrupt_the_result_is_late() -> None:
    draft = ended(A_LOSS)
    assert isinstance(draft.body, Late)
    assert draft.title.startswith("late: ")


def test_a_run_that_was_never_started_has_no_end() -> None:
    known = a_run()
    with pytest.raises(TypeError, match="never started"):
        end_draft(known.run, known.plan, approvals=(), outcome=an_outcome(status=Status.FAILED), files={})


def test_a_plan_comes_with_its_exact_bytes_the_words_and_the_rehearsal() -> None:
    plan = a_plan(rehearsal=rehearsed(Rehearsal.FAILED))
    draft = plan_draft(plan, said=some_words("alice@example.org", "7/0"), request="please", rehearsal=b"{}")
    assert draft.files == {
        layout.plan_file(plan.run): plan.to_bytes(),
        layout.request_file(plan.run): b"please",
        layout.rehearsal_file(plan.run): b"{}",
    }
    assert isinstance(draft.body, bodies.Plan)
    assert (draft.body.plan_digest, draft.body.request_key) == (plan.digest, plan.requested.key)
    assert draft.title.endswith("(rehearsal failed)")
    large = {"artifacts/ab.txt": b"much"}
    words = some_words("alice@example.org", "7/0")
    more = plan_draft(plan, said=words, request="please", rehearsal=b"{}", artifacts=large)
    assert {path: data for path, data in more.files.items() if path not in draft.files} == {
        f"{layout.run_folder(plan.run)}artifacts/ab.txt": b"much"
    }
    bare = plan_draft(plan, said=some_words("alice@example.org", "7/0"), request="please", rehearsal=None)
    assert layout.rehearsal_file(plan.run) not in bare.files


def test_an_event_that_adds_no_file_speaks_of_the_plan() -> None:
    known = a_run()
    body = bodies.Expire(plan_digest=known.run.digest)
    draft = event_draft(known.run, known.plan, body, title="expire", trailers_too=(("A", "b"),))
    assert draft.files == {}
    assert draft.about == ((layout.plan_file(known.run.id).removeprefix("outputs/"), known.run.digest),)
    assert dict(draft.trailers)["Requested-By"] == "alice@example.org"
    assert draft.trailers[-1] == ("A", "b")
