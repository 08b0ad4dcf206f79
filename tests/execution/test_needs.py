"""What an order needs before any cell, with the real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from runner.adapters.secrets.environment import PREFIX, EnvironmentSecrets
from runner.digest import sha256
from runner.errors import IntegrityError, OutsideError
from runner.execution import needs
from runner.execution.needs import Sources, UnavailableError
from runner.execution.order import Mode, Order
from runner.execution.outcome import ExitReason
from runner.ledger.bodies import Status
from runner.runbook import cells as notebook_cells
from runner.runbook import reader
from tests.execution.conftest import Prepare, notebook, order_for

CONTENT = notebook(("change", "print('pw-in-the-cell')"))
CELLS = notebook_cells.read(reader.notebook_json(CONTENT, doing="reading"))


class Away:
    """A store that cannot be asked."""

    def resolve(self, name: str) -> str:
        raise OutsideError(f"reading the secret {name}", "the store is sealed", hint="have it unsealed")


def sources(folder: Path, **values: str) -> Sources:
    store = EnvironmentSecrets({PREFIX + name: value for name, value in values.items()})
    return Sources(secrets=store, environments=folder, stopped=lambda: False)


def order(**changes: object) -> Order:
    return structs.replace(order_for(CONTENT), **changes)


def test_a_rehearsal_gets_no_secret_to_change_with(tmp_path: Path) -> None:
    both = order(read_secrets=("A",), change_secrets=("B",))
    given = sources(tmp_path, A="value-a1", B="value-b1")
    rehearsed = structs.replace(both, mode=Mode.REHEARSE)
    assert needs.secrets(both, cells=CELLS, sources=given) == {"A": "value-a1", "B": "value-b1"}
    assert needs.secrets(rehearsed, cells=CELLS, sources=given) == {"A": "value-a1"}


@pytest.mark.parametrize("value", ["", "x", "pw-in-the-cell"])
def test_a_secret_that_is_not_there_or_cannot_be_kept_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(UnavailableError, match="the secret A") as caught:
        needs.secrets(order(read_secrets=("A",)), cells=CELLS, sources=sources(tmp_path, A=value))
    assert caught.value.reason is ExitReason.SECRET_UNAVAILABLE


def test_a_store_that_is_away_is_told_from_a_secret_that_is_not_there(tmp_path: Path) -> None:
    away = Sources(secrets=Away(), environments=tmp_path, stopped=lambda: False)
    with pytest.raises(UnavailableError, match="is sealed; have it unsealed") as caught:
        needs.secrets(order(read_secrets=("A",)), cells=CELLS, sources=away)
    assert caught.value.reason is ExitReason.STORE_AWAY


@pytest.mark.parametrize("beside", [None, b"ipykernel==9.9.9\n"])
def test_a_lock_file_that_is_not_the_approved_one_is_not_installed(tmp_path: Path, beside: bytes | None) -> None:
    if beside:
        (tmp_path / needs.LOCK).write_bytes(beside)
    wanted = order(environment_lock=sha256(b"ipykernel==7.4.0\n"))
    with pytest.raises(IntegrityError, match="lock file"):
        needs.environment(tmp_path, wanted, sources=sources(tmp_path))


def test_an_order_without_a_lock_has_the_runners_own_packages(tmp_path: Path) -> None:
    assert needs.environment(tmp_path, order(), sources=sources(tmp_path)) is None


def test_preparing_says_what_is_missing_and_executes_nothing(prepare: Prepare, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    cell = ("change", f"open({str(trace)!r}, 'w')")
    made = prepare(cell, mode=Mode.PREPARE, secrets={"PW": "hunter2-canary"})
    made.wait(made.start())
    assert (made.outcome.status, made.outcome.cells, made.outcome.message) == (Status.SUCCEEDED, (), "")
    missing = prepare(cell, mode=Mode.PREPARE, change_secrets=("OTHER",))
    missing.wait(missing.start())
    assert (missing.outcome.exit_reason, missing.outcome.cells) == (ExitReason.SECRET_UNAVAILABLE, ())
    assert "RUNBOOK_SECRET_OTHER is not set" in missing.outcome.message
    assert not trace.exists()
    assert b"hunter2-canary" not in b"".join(path.read_bytes() for path in made.spool.rglob("*") if path.is_file())
