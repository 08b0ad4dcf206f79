"""The live log's files: followed from any place, never torn, never larger than their bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.ports import live_log
from runner.ports.live_log import LiveLog, read


def test_a_reader_goes_on_from_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    assert read(folder, 0) == (b"", 0)
    log = LiveLog(folder)
    log.append(b"one\n")
    assert read(folder, 0) == (b"one\n", 4)
    log.append(b"two\n")
    assert read(folder, 4) == (b"two\n", 8)
    assert read(folder, 8) == (b"", 8)
    log.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_it_stays_within_its_bound_and_a_slow_reader_misses_only_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_log, "SEGMENT", 100)
    log = LiveLog(tmp_path / "live")
    for number in range(1000):
        log.append(b"%09d\n" % number)
    assert len(list((tmp_path / "live").iterdir())) == live_log.KEPT
    found, place = read(tmp_path / "live", 0)
    assert found.splitlines()[0] == b"000000960"
    assert found.splitlines()[-1] == b"000000999"
    assert place == 10_000
    assert read(tmp_path / "live", 9_950) == (b"".join(b"%09d\n" % number for number in range(995, 1000)), 10_000)


def test_an_entry_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    log = LiveLog(tmp_path / "live")
    log.append(b"one\n")
    file = tmp_path / "live" / "000000000000"
    with file.open("ab") as torn:
        torn.write(b"tw")
    assert read(tmp_path / "live", 0) == (b"one\n", 4)
    with file.open("ab") as torn:
        torn.write(b"o\n")
    assert read(tmp_path / "live", 4) == (b"two\n", 8)


def test_a_log_that_cannot_be_written_ends_and_troubles_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = LiveLog(tmp_path / "file" / "live")
    log.append(b"one\n")
    log.append(b"two\n")
    assert read(tmp_path / "file" / "live", 0) == (b"", 0)
