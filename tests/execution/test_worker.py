from __future__ import annotations

from .conftest import Prepare


def test_a_simple_notebook_is_executed_and_sealed(execute: Prepare) -> None:
    run = execute(
        ("setup", "import os"), ("change", "print('hi', os.environ['RUNBOOK_RUN_ID'])\nprint('x')"), ("verify", "1+1")
    )
    assert run.outcome.message == ""
    assert run.outcome.status.value == "succeeded"
    assert run.text("c1") == "hi 20261123T023028Z-test-abcdefgh\nx\n"
