"""Goals 3 and 13: what the command line costs before and around a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.row import Row, at_most, in_turn, middle, ratio
from tests.benchmarks.stage import BIN, does, staged


def help_text() -> Iterator[Row]:
    """Goal 13."""
    mine, other = in_turn([does([str(BIN / "runbook"), "--help"]), does([str(BIN / "papermill"), "--help"])], rounds=7)
    detail = f"{middle(mine) * 1000:.0f} ms beside {middle(other) * 1000:.0f} ms"
    yield at_most("13", "runbook --help / papermill --help", ratio(mine, other), limit=0.2, detail=detail)


def cold_run(*, rounds: int = 3) -> Iterator[Row]:
    """Goal 3: request, plan, decision, execution, evidence and push, beside the papermill command alone."""
    with staged() as stage:
        for name, words in (("plain", "a plain notebook"), ("rehearsed", "the same with roles, rehearsed first")):
            mine, other = in_turn([stage.runbook("run", name), stage.papermill(name)], rounds=rounds)
            detail = f"{middle(mine):.2f} s beside {middle(other):.2f} s"
            what = f"cold `runbook run` of {words} / papermill"
            yield at_most("3", what, ratio(mine, other), limit=1.0, detail=detail)
