"""What came back from elsewhere is believed only if the order can have led to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from runner.digest import canonical, parse, readable, sha256
from runner.errors import IntegrityError
from runner.execution import outcomes, returned
from runner.execution.order import PAYLOAD_TYPE, Mode, Order
from runner.execution.outcome import Artifact, CellFate, ExitReason, Fate, Outcome
from runner.ledger.bodies import Rollback, Status
from runner.ledger.envelope import make_envelope
from tests.execution.conftest import TestKey, notebook, order_for

CELLS = (
    ("setup", "import os"),
    ("plan", "print('would change it')"),
    ("change", "#| when: 1 == 2\nprint('changed')"),
    ("rollback", "print('undone')"),
    ("verify", "assert True"),
    ("always", "print('bye')"),
)
CONTENT = notebook(*CELLS)
ORDER = order_for(CONTENT, plan_outputs={"c1": "would change it\n"})
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def cell(index: int, role: str, *, fate: Fate = Fate.OK, phase: str = "forward") -> CellFate:
    return CellFate(index=index, id=f"c{index}", role=role, name=f"c{index}", phase=phase, fate=fate, seconds=0.1)


RAN = (
    cell(0, "setup"),
    cell(1, "plan"),
    cell(2, "change", fate=Fate.SKIPPED),
    cell(4, "verify"),
    cell(3, "rollback", fate=Fate.NOT_RUN, phase="rollback"),
    cell(5, "always", phase="always"),
)


def sent(order: Order = ORDER) -> dict[str, bytes]:
    signed = make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=TestKey())
    return {"order.dsse.json": signed, "runbook.ipynb": CONTENT}


def brought(*, saved: bytes | None = None, more: Mapping[str, bytes] | None = None, **changes: Any) -> dict[str, bytes]:
    """The files of a run that succeeded, with changes to its outcome."""
    outcome, files = outcomes.refused("", now=NOW)
    data = files["executed.ipynb"] if saved == b"" else saved or _saved()
    whole: dict[str, Any] = {
        "status": Status.SUCCEEDED,
        "exit_reason": ExitReason.ALL_CELLS_RAN,
        "isolation": "bwrap",
        "cells": RAN,
        "fingerprint": ORDER.fingerprint,
        "notebook": sha256(data),
        "message": "",
    }
    outcome = msgspec.structs.replace(outcome, **{**whole, **changes})
    return {"outcome.json": readable(outcome), "executed.ipynb": data, **(more or {})}


def _saved(change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    whole = json.loads(CONTENT)
    for one in whole["cells"]:
        one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["seen\n"]}]
    change(whole)
    return json.dumps(whole).encode()


def test_a_success_and_a_failure_that_can_have_been_are_believed() -> None:
    returned.check(sent(), brought())
    failed = (cell(0, "setup"), cell(1, "plan", fate=Fate.FAILED))
    returned.check(sent(), brought(status=Status.FAILED, exit_reason=ExitReason.CELL_ERROR, cells=failed))
    prepared = msgspec.structs.replace(ORDER, mode=Mode.PREPARE, fingerprint=None)
    returned.check(sent(prepared), brought(cells=(), fingerprint=None))
    rehearsed = msgspec.structs.replace(ORDER, mode=Mode.REHEARSE, fingerprint=None)
    returned.check(sent(rehearsed), brought(cells=RAN[:2]))
    returned.check(sent(), outcomes.refused("no", now=NOW)[1])


ARTIFACT = b"\x89PNG"
PLACE = f"artifacts/{sha256(ARTIFACT)}.png"
MORE = {"path": PLACE, "sha256": sha256(ARTIFACT), "size": 4, "mediaType": "image/png", "cell": 1}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"status": Status.FAILED}, "it says failed and ended with all_cells_ran"),
        ({"exit_reason": ExitReason.CELL_ERROR}, "it says succeeded and ended with cell_error"),
        ({"cells": RAN[:3]}, "not every cell was answered ok"),
        ({"cells": (*RAN[:3], cell(4, "verify", fate=Fate.UNKNOWN), *RAN[4:])}, "not every cell was answered ok"),
        ({"cells": ()}, "not every cell was answered ok"),
        ({"cells": (*RAN, cell(9, "change"))}, "a cell that the order does not execute"),
        ({"cells": (*RAN[:4], cell(3, "rollback", phase="rollback"), RAN[5])}, "undid something"),
        ({"cells": (*RAN[:5], cell(5, "always", fate=Fate.RUNNING, phase="always"))}, "still runs"),
        ({"fingerprint": "0" * 64}, "the state is not the one of the plan"),
        ({"fingerprint": None}, "the state is not the one of the plan"),
        ({"moved": "-a\n+b"}, "the state is not the one of the plan"),
        ({"notebook": "0" * 64}, "executed.ipynb is not the file that the outcome names"),
        ({"more": {"key": b""}}, "its files are not those that the outcome names"),
        ({"started_at": "yesterday"}, "times are no times"),
        ({"started_at": "2026-11-26T00:00:00"}, "times are no times"),
        ({"seconds": -1.0}, "times are no times"),
        ({"saved": b"{}"}, "its notebook is not the one that was sent"),
        ({"saved": b"[" * 100_000}, "its notebook is not the one that was sent"),
        ({"saved": b""}, "its notebook is not the one that was sent"),
        ({"saved": _saved(lambda one: one["cells"][2].update(source="import evil"))}, "its notebook is not the one"),
        ({"saved": _saved(lambda one: one["cells"].pop())}, "its notebook is not the one"),
        ({"message": "glpat-" + "a1B2" * 5}, "what looks like a secret is in outcome.json"),
        ({"schema": 2}, "it says"),
    ],
)
def test_what_cannot_have_been_is_not_believed(changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(IntegrityError, match=wrong):
        returned.check(sent(), brought(**changes))


def test_weaker_isolation_than_was_demanded_is_not_believed() -> None:
    order = msgspec.structs.replace(ORDER, isolation="bwrap")
    returned.check(sent(order), brought())
    with pytest.raises(IntegrityError, match="less isolation than bwrap: subreaper"):
        returned.check(sent(order), brought(isolation="subreaper"))


@pytest.mark.parametrize("outcome", [None, b"", b"{}", b"[]", b'{"status": "succeeded"}'])
def test_what_is_no_outcome_is_not_believed(outcome: bytes | None) -> None:
    files = {**brought(), "outcome.json": outcome} if outcome is not None else {}
    with pytest.raises(IntegrityError, match="there is no outcome in it"):
        returned.check(sent(), {name: data for name, data in files.items() if data is not None})


def test_artifacts_are_called_by_what_they_are() -> None:
    def with_artifact(data: bytes = ARTIFACT, **changes: Any) -> dict[str, bytes]:
        made = msgspec.convert({**MORE, **changes}, type=Artifact)
        return brought(artifacts=(made,), more={made.path: data})

    returned.check(sent(), with_artifact())
    for wrong in ({"size": 5}, {"data": b"other"}, {"path": "artifacts/other.png"}, {"path": f"x/{sha256(ARTIFACT)}"}):
        with pytest.raises(IntegrityError):
            returned.check(sent(), with_artifact(**wrong))


def test_an_order_that_nobody_began_is_an_outcome_in_which_nothing_ran() -> None:
    for cancelled, status in ((True, Status.CANCELLED), (False, Status.FAILED)):
        files = returned.nothing(sent(), "no runner took it", cancelled=cancelled, now=NOW)
        returned.check(sent(), files)
        outcome = parse(Outcome, files["outcome.json"])
        assert (outcome.status, outcome.cells, outcome.rollback) == (status, (), Rollback.NOT_NEEDED)
        assert "no runner took it" in outcome.message
        assert [one["id"] for one in json.loads(files["executed.ipynb"])["cells"]] == [
            f"c{place}" for place in range(6)
        ]
