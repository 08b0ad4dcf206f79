from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.ledger.bodies import Reject
from runner.ledger.cache import Cache
from tests.audit.ledgers import BOB, History, a_history


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = a_history(tmp_path)
    yield made
    made.close()


def test_a_run_is_found_with_its_events_and_commits(history: History) -> None:
    cache = history.ledger.cache
    events = cache.events(history.runs[0])
    assert [event.type for event in events] == ["plan", "approve", "start", "finish"]
    assert cache.commit_of(events[0].seq) is not None
    assert cache.commit_of(999) is None
    assert cache.events("nothing") == ()


def test_a_request_leads_to_its_run_for_ever(history: History) -> None:
    cache = history.ledger.cache
    assert "local:ops:7/0:1" in cache
    assert cache.run_of("local:ops:7/0:1") == history.runs[0]
    assert "local:ops:7/0:2" not in cache
    assert cache.run_of("local:ops:7/0:2") is None


def test_live_runs_are_those_that_are_not_over(history: History) -> None:
    cache = history.ledger.cache
    assert cache.live() == ()
    plan = history.plan()
    assert cache.live() == (plan.run,)
    history.about(plan, Reject(plan_digest=plan.digest, said=history.said(BOB, "no", number=1), reason="no"))
    assert cache.live() == ()


def test_a_run_is_found_by_the_beginning_or_end_of_its_id(history: History) -> None:
    cache = history.ledger.cache
    assert cache.runs(history.runs[1][-8:]) == (history.runs[1],)
    assert set(cache.runs("20261123T")) == set(history.runs)
    assert cache.runs("%nothing%") == ()


def test_a_write_that_fails_leaves_nothing(history: History) -> None:
    cache = history.ledger.cache
    before = cache.load()

    def fail() -> None:
        with cache.writing():
            cache.clear()
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the very one that was raised above
        fail()
    assert cache.load() == before


def test_a_table_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    with cache.writing():
        cache._db.execute("INSERT INTO live VALUES ('x')")  # noqa: SLF001 - what an older version left
    cache._db.execute("PRAGMA user_version=999")  # noqa: SLF001 - the same
    cache.close()
    cache = Cache(tmp_path / "cache.sqlite")
    assert cache.live() == ()
    assert cache.load()[0] is None
    cache.close()
