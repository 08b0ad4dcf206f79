from __future__ import annotations

from pathlib import Path

import pytest

from runner.doctor.facts import Broken, Store
from runner.doctor.finding import Standing
from runner.doctor.machine import CHECKS
from runner.ports.premises import Unseen
from tests.doctor.place import KEY, POLICY, found, place, said

BWRAP = f'{POLICY}isolation = "bwrap"\n'


def test_a_machine_that_lacks_nothing_is_fine() -> None:
    facts = place(machine={"stores": (Store(name="files"),)})
    for check in CHECKS:
        assert [standing for standing, _ in said(CHECKS, check.number, facts)] == [Standing.FINE]


@pytest.mark.parametrize(
    ("papers", "fix"),
    [
        ({"keys": frozenset({"another"})}, "runbook init --admit"),
        ({"keys": frozenset({"another"}), "former": frozenset({KEY})}, "runbook init --join"),
        ({"keys": Broken(wrong="event 3: its signature does not hold", fix="runbook verify")}, "runbook verify"),
    ],
)
def test_a_key_that_may_not_write_is_told_with_who_can_let_it_in(papers: dict[str, object], fix: str) -> None:
    [one] = found(CHECKS, "D23", place(papers=papers))
    assert (one.standing, fix in one.fix) == (Standing.WRONG, True)


def test_a_ledger_that_was_not_seen_is_not_checked_and_a_machine_without_a_key_is_not_judged() -> None:
    assert said(CHECKS, "D23", place(papers={"keys": Unseen(why="away")})) == [(Standing.NOT_CHECKED, "away")]
    assert said(CHECKS, "D23", place(machine={"key": None})) == []
    broken = place(machine={"key": Broken(wrong="others can read it", fix="chmod 600 it")})
    assert said(CHECKS, "D23", broken)[0] == (Standing.WRONG, "others can read it")


def test_files_that_others_may_read_are_named_with_the_command_that_closes_them(tmp_path: Path) -> None:
    loose = ((tmp_path, 0o755), (tmp_path / "key", 0o644))
    folder, file = found(CHECKS, "D24", place(machine={"loose": loose}))
    assert folder.fix.startswith(f"chmod 700 {tmp_path}")
    assert file.fix.startswith(f"chmod 600 {tmp_path / 'key'}")


def test_runbooks_with_errors_are_their_authors_to_correct() -> None:
    bad = tuple((f"r{number}", ("R01: no", "R02: no")) for number in range(7))
    findings = found(CHECKS, "D25", place(papers={"runbooks": bad}))
    assert len(findings) == 6
    assert findings[0].says == "r0: R01: no (and 1 more)"
    assert {one.who.value for one in findings} == {2}


@pytest.mark.parametrize(
    ("version", "standing"), [("2.34.0", Standing.FINE), ("2.30.2", Standing.WRONG), ("", Standing.WRONG)]
)
def test_an_old_git_is_told(version: str, standing: Standing) -> None:
    assert said(CHECKS, "D26", place(machine={"git": version}))[0][0] is standing


@pytest.mark.parametrize(
    ("policy", "reached", "standing"),
    [
        (BWRAP, "bwrap", Standing.FINE),
        (BWRAP, "subreaper", Standing.WRONG),
        (POLICY, "subreaper", Standing.FINE),
        ("broken", "none", Standing.FINE),
    ],
)
def test_less_isolation_than_policy_demands_is_told(policy: str, reached: str, standing: Standing) -> None:
    facts = place(papers={"policy": policy}, machine={"isolation": reached})
    assert [one for one, _ in said(CHECKS, "D27", facts)] == [standing]


def test_where_runs_happen_elsewhere_this_machine_needs_neither_sandbox_nor_stores() -> None:
    elsewhere = place(settings={"executor": "gitlab-ci"}, machine={"stores": (Store(name="files"),)})
    assert [said(CHECKS, one, elsewhere) for one in ("D27", "D29")] == [[], []]


@pytest.mark.parametrize(
    ("free", "standing"), [(5 << 30, Standing.FINE), (500 << 20, Standing.WARNING), (50 << 20, Standing.WRONG)]
)
def test_a_disk_that_fills_up_is_told_in_time(free: int, standing: Standing) -> None:
    assert said(CHECKS, "D28", place(machine={"free": free}))[0][0] is standing


def test_a_store_that_cannot_be_opened_is_wrong_and_one_that_is_away_is_not_checked() -> None:
    stores = (
        Store(name="files"),
        Store(name="sops:a.yaml", problem=Broken(wrong="this machine has no age key", fix="put it there")),
        Store(name="vault:https://v/v1/kv/data/x", problem=Unseen(why="vault: it is sealed")),
    )
    standings = [one for one, _ in said(CHECKS, "D29", place(machine={"stores": stores}))]
    assert standings == [Standing.FINE, Standing.WRONG, Standing.NOT_CHECKED]
