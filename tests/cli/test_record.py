"""`log`, `changes`, `show RUN` and `verify`, as somebody types them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from runner.cli.record import moment
from runner.errors import RequestError
from runner.ledger.bodies import Status
from runner.repository import refs
from runner.repository.commits import Author, write
from tests.audit.ledgers import ALICE, BEGIN, BOB, History, a_history

Ask = Callable[..., Any]


def make(history: History) -> None:
    settings = b'[tool.runbook]\nproject = "ops"\n'
    who = Author(name="Alice", email=ALICE, when=BEGIN)
    files = {"pyproject.toml": settings}
    commit = write(history.objects, files, parent=history.main, message="settings\n", author=who, sign=None)
    assert refs.publish(history.objects.repository, commit, "main", expected=history.main)
    history.whole()
    history.whole(Status.FAILED)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    made = a_history(tmp_path_factory.mktemp("cli"), make=make)
    yield made
    made.close()


@pytest.fixture
def ask(
    *, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """Run a command in the clone: exit code and what was printed (parsed, where it is JSON)."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path))

    def act(*words: str) -> tuple[int, Any, str]:
        code = run(["-C", str(history.path), *words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return act


def test_log_prints_runs_and_takes_every_filter(history: History, ask: Ask) -> None:
    code, rows, _ = ask("log", "--json")
    assert code == 0
    assert [row["run"] for row in rows] == history.runs[::-1]
    _, rows, _ = ask("log", "--outcome", "failed", "--person", BOB, "--target", "prod/web-1", "--issue", "8", "--json")
    assert [row["run"] for row in rows] == [history.runs[1]]
    _, rows, _ = ask("log", "--since", "2026-11-24", "--json")
    assert rows == []
    _, rows, _ = ask("log", "--until", "2026-11-24", "--limit", "1", "--runbook", "disk-cleanup", "--json")
    assert [row["run"] for row in rows] == [history.runs[1]]
    _, text, _ = ask("log")
    assert all(run_id in text for run_id in history.runs)


def test_changes_prints_what_changed_on_a_target(history: History, ask: Ask) -> None:
    _, rows, _ = ask("changes", "--target", "prod/web-1", "--json")
    assert [row["run"] for row in rows] == history.runs[::-1]
    assert {row["changed"] for row in rows} == {"yes"}
    assert "nothing" in ask("changes", "--target", "prod/other")[1]
    assert ask("changes")[0] == 2


def test_show_prints_everything_about_a_run(history: History, ask: Ask) -> None:
    code, found, _ = ask("show", history.runs[0], "--json")
    assert code == 0
    assert found["row"]["outcome"] == "succeeded"
    assert found["manifests"][0]["result"]["outcome"] == "succeeded"
    text = ask("show", history.runs[0])[1]
    assert "removed" not in text
    for word in (ALICE, BOB, "change-1", "approve", "prod/web-1"):
        assert word in text or word == "change-1"
    code, _, wrong = ask("show", "20200101T000000Z-nothing-7k3q9x2m")
    assert code == 2
    assert "runbook log" in wrong


def test_verify_says_how_each_invariant_stands(ask: Ask) -> None:
    code, report, _ = ask("verify", "--json")
    assert code == 0
    assert report["standing"] == "clean"
    assert len(report["lines"]) == 28
    code, text, _ = ask("verify")
    assert code == 0
    assert "I1 clean" in text
    assert "not checked" in text
    assert "L0" in text


def test_verify_takes_pins_and_a_least_level(ask: Ask, tmp_path: Path) -> None:
    _, report, _ = ask("verify", "--json")
    witness = tmp_path / "heads.txt"
    witness.write_text(f"- head: {report['head']}\n")
    code, report, _ = ask("verify", "--witness", str(witness), "--min-level", "L4", "--json")
    assert (code, report["level"]) == (0, "L4")
    code, _, wrong = ask("verify", "--genesis", report["genesis"][:12], "--min-level", "L3")
    assert code == 1
    assert "L2" in wrong
    assert ask("verify", "--genesis", "0" * 64)[0] == 1
    assert ask("verify", "--genesis", "x")[0] == 6


def test_verify_of_what_is_not_there_could_not_check(ask: Ask) -> None:
    code, _, wrong = ask("verify", "nothing")
    assert code == 5
    assert "try:" in wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", datetime(2026, 11, 16, 12, tzinfo=UTC)),
        ("90m", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 9, 12, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T02:00+02:00", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime) -> None:
    assert moment(text, now=datetime(2026, 11, 23, 12, tzinfo=UTC)) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7 years", "-3d", "2026-13-01"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        moment(text, now=BEGIN)
    assert "7d" in caught.value.hint
