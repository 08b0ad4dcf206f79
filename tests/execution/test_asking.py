"""Asking in the middle of an attempt: the kernel waits, and only a signed answer to that question lets it go on."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from msgspec.structs import replace

from runner.digest import Json, canonical
from runner.execution import transcript
from runner.execution.asking import PAYLOAD_TYPE, Given, file_of
from runner.execution.order import Mode
from runner.execution.outcome import ExitReason, Fate
from runner.execution.transcript import Asked
from runner.ledger.bodies import QuestionKind, Rollback, Status
from runner.ledger.envelope import make_envelope

from .conftest import Prepare, Run, TestKey, until

GIVEN = Given(
    run="20261123T023028Z-test-abcdefgh", attempt=1, nonce="nonce", ordinal=1, event=9, by="bob@example.org", value=True
)
PARAMETERS = (
    "parameters",
    "from runner.toolkit import Annotated, Field\nbatch: Annotated[int, Field(ge=1, le=50)] = 10  # how many at once",
)


def asked(run: Run) -> Asked:
    """What the worker asks, as soon as it does."""
    file = run.spool / transcript.NAME
    until(lambda: file.exists() and transcript.question(file.read_bytes()) is not None)
    found = transcript.question(file.read_bytes())
    assert found
    return found


def answer(work: Run, key: TestKey, value: Json, /, **changes: object) -> None:
    """Put an answer into the spool as the supervisor does."""
    given = replace(GIVEN, value=value, **changes)
    file = work.spool / file_of(int(changes.get("ordinal", 1)))  # type: ignore[call-overload] # it is a number
    made = make_envelope(canonical(given), payload_type=PAYLOAD_TYPE, signer=key)
    (work.spool / "new").write_bytes(made)
    (work.spool / "new").rename(file)


def test_a_confirmed_cell_runs_and_who_said_yes_is_kept(prepare: Prepare, key: TestKey) -> None:
    run = prepare(
        ("setup", "before = 'alive'"),
        ("change", '#| step: go\n#| confirm: "Traffic drained?"\nprint(before, "still")'),
        ("verify", "assert before"),
    )
    process = run.start()
    question = asked(run)
    assert (question.ordinal, question.kind, question.cell) == (1, QuestionKind.CONFIRM, "c1")
    assert (question.step, question.text, question.accepted) == ("go", "Traffic drained?", "yes or no")
    assert transcript.fates((run.spool / transcript.NAME).read_bytes())[1].fate is Fate.NOT_RUN
    answer(run, key, True)
    outcome = run.wait(process).outcome
    assert (outcome.status, outcome.message) == (Status.SUCCEEDED, "")
    assert run.text("c1") == "alive still\n"
    (kept,) = outcome.answers
    assert (kept.ordinal, kept.event, kept.by, kept.asked_by, kept.value) == (1, 9, "bob@example.org", "c1", True)


def test_an_answer_becomes_the_value_for_this_and_later_cells_and_for_a_fresh_kernel(
    prepare: Prepare, key: TestKey
) -> None:
    run = prepare(
        PARAMETERS,
        ("setup", "print(batch)"),
        ("change", "#| ask: batch\n#| prompt: How many?\nprint('with', batch)"),
        ("rollback", "print('undone with', batch)"),
        ("change", "#| confirm: On?\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        ("verify", "assert batch == 25"),
        injected="batch = 10\n",
        parameters={"batch": 10},
    )
    process = run.start()
    question = asked(run)
    assert (question.text, question.parameter, question.kind) == ("How many?", "batch", QuestionKind.ASK)
    assert "50" in question.accepted
    assert question.schema["properties"]
    answer(run, key, 25)
    until(lambda: transcript.question((run.spool / transcript.NAME).read_bytes()) != question)
    second = asked(run)
    assert (second.ordinal, second.text) == (2, "On?")
    answer(run, key, True, ordinal=2)
    outcome = run.wait(process).outcome
    assert (outcome.exit_reason, outcome.rollback) == (ExitReason.KERNEL_DIED, Rollback.PARTIAL)
    assert run.text("c1") == "10\n"
    assert run.text("c2") == "with 25\n"
    assert run.text("c3") == "undone with 25\n"
    cells = run.executed["cells"]
    assert isinstance(cells, list)
    ids = [cell["id"] for cell in cells]
    assert ids[ids.index("c2") - 1] == "answer-3", "right before the cell that asked"
    setter = cells[ids.index("answer-3")]
    assert setter["metadata"]["tags"] == ["runbook-answer"]
    assert "batch = 25\n" in setter["source"]
    assert run.fates()["answer-3"] is Fate.OK
    assert [one.value for one in outcome.answers] == [25, True]


def test_no_ends_the_attempt_with_the_ordinary_rollback(prepare: Prepare, key: TestKey) -> None:
    run = prepare(
        ("change", "print('changed')"),
        ("rollback", "print('undone')"),
        ("change", "#| confirm: Shall the old one go?\nprint('never')"),
        ("rollback", "print('nothing to undo')"),
        ("always", "print('cleaned')"),
    )
    process = run.start()
    asked(run)
    answer(run, key, False)
    outcome = run.wait(process).outcome
    assert (outcome.status, outcome.exit_reason) == (Status.FAILED, ExitReason.DECLINED)
    assert outcome.message == "bob@example.org said no: Shall the old one go?"
    assert (outcome.rollback, run.text("c1"), run.text("c4")) == (Rollback.COMPLETE, "undone\n", "cleaned\n")
    assert run.fates()["c2"] is Fate.NOT_RUN
    assert run.fates("rollback")["c3"] is Fate.NOT_RUN


def test_nobody_in_time_ends_the_attempt_and_takes_nothing_from_the_time_of_cells(execute: Prepare) -> None:
    run = execute(
        ("change", "x = 1"),
        ("rollback", "import time\ntime.sleep(1.5)\nprint('undone')"),
        ("change", "#| confirm: Anybody?\n#| answer-within: 2s\nx = 2"),
        timeout=1.0,
        cell_timeout=30.0,
    )
    outcome = run.outcome
    assert (outcome.status, outcome.exit_reason) == (Status.FAILED, ExitReason.UNANSWERED)
    assert "nobody answered in time: Anybody?" in outcome.message
    assert (outcome.rollback, run.text("c1")) == (Rollback.COMPLETE, "undone\n")


def test_waiting_is_not_counted_in_the_time_of_the_run(prepare: Prepare, key: TestKey) -> None:
    run = prepare(("change", "#| confirm: On?\nimport time\ntime.sleep(0.5)"), ("verify", "x = 1"), timeout=2.0)
    process = run.start()
    asked(run)
    assert waits_on(process, seconds=3)
    answer(run, key, True)
    assert run.wait(process).outcome.status is Status.SUCCEEDED


@pytest.mark.parametrize("number", [signal.SIGTERM, "cancel"])
def test_cancel_ends_the_waiting(prepare: Prepare, number: object) -> None:
    run = prepare(("change", "x = 1"), ("rollback", "x = 0"), ("change", "#| confirm: On?\nx = 2"), ("always", "x = 3"))
    process = run.start()
    asked(run)
    if isinstance(number, int):
        os.kill(process.pid, number)
    else:
        (run.spool / "cancel").write_text("rollback")
    outcome = run.wait(process).outcome
    assert (outcome.status, outcome.exit_reason) == (Status.CANCELLED, ExitReason.CANCELLED)
    assert outcome.rollback is (Rollback.NOT_NEEDED if isinstance(number, int) else Rollback.COMPLETE)
    assert run.fates("always")["c3"] is Fate.OK


def test_only_a_signed_answer_to_this_very_question_counts(prepare: Prepare, key: TestKey) -> None:
    run = prepare(("change", "#| confirm: On?\n#| answer-within: 6s\nprint('went on')"), ("verify", "x = 1"))
    process = run.start()
    asked(run)
    for wrong in ({"run": "other"}, {"attempt": 2}, {"nonce": "other"}):
        answer(run, key, True, **wrong)
        assert waits_on(process, seconds=0.4)
    (run.spool / file_of(1)).write_bytes(b"not an envelope")
    answer(run, TestKey(), True)
    assert waits_on(process, seconds=0.4)
    made = make_envelope(canonical(GIVEN), payload_type="application/vnd.runbook.order+json", signer=key)
    (run.spool / file_of(1)).write_bytes(made)
    assert run.wait(process).outcome.exit_reason is ExitReason.UNANSWERED
    assert run.fates()["c0"] is Fate.NOT_RUN


def test_a_value_that_its_schema_does_not_accept_is_not_believed_even_when_signed(
    prepare: Prepare, key: TestKey
) -> None:
    run = prepare(PARAMETERS, ("change", "#| ask: batch\nx = 1"), injected="batch = 10\n", parameters={"batch": 10})
    process = run.start()
    asked(run)
    answer(run, key, 51)
    outcome = run.wait(process).outcome
    assert outcome.exit_reason is ExitReason.INTERNAL_ERROR
    assert "outside what is accepted" in outcome.message
    assert outcome.answers == ()


def test_an_answer_that_holds_a_secrets_value_is_not_kept(prepare: Prepare, key: TestKey) -> None:
    run = prepare(
        ("parameters", "word: str = 'x'"),
        ("change", "#| ask: word\nprint(word)"),
        injected="word = 'x'\n",
        parameters={"word": "x"},
        secrets={"TOKEN": "hunter2-hunter2"},
    )
    process = run.start()
    asked(run)
    answer(run, key, "it is hunter2-hunter2")
    outcome = run.wait(process).outcome
    assert outcome.exit_reason is ExitReason.SECRET_UNAVAILABLE
    assert b"hunter2" not in run.sealed


def test_a_kernel_that_dies_while_it_waits_is_told(prepare: Prepare) -> None:
    run = prepare(
        ("setup", "import os, threading\nthreading.Timer(0.8, os._exit, (3,)).start()"),
        ("change", "#| confirm: On?\nx = 1"),
    )
    outcome = run.wait(run.start()).outcome
    assert outcome.exit_reason is ExitReason.KERNEL_DIED
    assert "died while this was asked" in outcome.message


def test_a_rehearsal_asks_nobody(execute: Prepare) -> None:
    run = execute(
        ("read", "x = 1"), ("change", "#| confirm: On?\nx = 2"), mode=Mode.REHEARSE, plan_digest=None, start=None
    )
    assert run.outcome.status is Status.SUCCEEDED
    assert run.outcome.answers == ()


def waits_on(process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """Whether a worker still lives after so long."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_nobody_is_asked_about_a_cell_that_is_skipped_and_conditions_see_what_was_answered(
    prepare: Prepare, key: TestKey
) -> None:
    run = prepare(
        PARAMETERS,
        ("change", "#| when: batch > 40\n#| confirm: Never asked?\nprint('never')"),
        ("change", "#| ask: batch\n#| when: batch == 10\nprint('asked', batch)"),
        ("verify", "#| when: batch == 50\nprint('seen')"),
        injected="batch = 10\n",
        parameters={"batch": 10},
    )
    process = run.start()
    assert asked(run).parameter == "batch"
    answer(run, key, 50)
    outcome = run.wait(process).outcome
    assert (outcome.status, outcome.message) == (Status.SUCCEEDED, "")
    assert run.fates()["c1"] is Fate.SKIPPED
    assert (run.text("c2"), run.text("c3")) == ("asked 50\n", "seen\n")
