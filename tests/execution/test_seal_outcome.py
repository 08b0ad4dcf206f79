from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.errors import OutsideError
from runner.execution import seal_outcome
from runner.execution.seal_outcome import NAME, RESERVE, reserve, seal


def test_a_sealed_outcome_is_whole_and_gives_its_reserve_back(tmp_path: Path) -> None:
    reserve(tmp_path)
    seal(tmp_path, {"outcome.json": b"{}", "artifacts/a.txt": b"a"}, make_room=lambda: None)
    assert (tmp_path / NAME / "artifacts/a.txt").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_left_over_of_an_earlier_try_is_not_sealed(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.tmp").mkdir()
    (tmp_path / f"{NAME}.tmp" / "stale").touch()
    seal(tmp_path, {"outcome.json": b"{}"}, make_room=lambda: None)
    assert [path.name for path in (tmp_path / NAME).iterdir()] == ["outcome.json"]


def test_an_outcome_is_never_replaced(tmp_path: Path) -> None:
    seal(tmp_path, {"outcome.json": b"1"}, make_room=lambda: None)
    with pytest.raises(OutsideError):
        seal(tmp_path, {"outcome.json": b"2"}, make_room=lambda: None)
    assert (tmp_path / NAME / "outcome.json").read_bytes() == b"1"
    assert not (tmp_path / f"{NAME}.tmp").exists()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    return folder


def test_a_full_disk_leaves_nothing_half_written(small: Path) -> None:
    try:
        reserve(small)
        (small / "filler").write_bytes(b"\0" * 1_000_000)
        # The first try fails, the reserve makes room, the second holds.
        seal(small, {"outcome.json": b"\1" * 1_500_000}, make_room=lambda: None)
        assert (small / NAME / "outcome.json").stat().st_size == 1_500_000
        with pytest.raises(OutsideError, match="No space"):
            reserve(small)
        with pytest.raises(OutsideError, match="No space"):
            seal(small, {"other": b"\1" * 2_000_000}, make_room=lambda: None)
        assert sorted(path.name for path in small.iterdir()) == ["filler", seal_outcome.NAME]
        assert not (small / RESERVE).exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)
