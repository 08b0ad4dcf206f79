from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from runner.audit.finding import Standing
from runner.audit.source import opened
from runner.audit.verify import verify
from tests.audit.ledgers import BEGIN, a_history

NOW = BEGIN + timedelta(hours=1)


def test_a_valid_history_is_clean(tmp_path: Path) -> None:
    history = a_history(tmp_path)
    history.close()
    with opened("", at=history.path) as source:
        report = verify(source, now=NOW, deep=True)
    problems = [violation for line in report.lines for violation in line.violations]
    assert problems == []
    assert report.standing is Standing.CLEAN
