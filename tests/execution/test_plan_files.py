"""Files of the plan: exactly the bytes that the rehearsal left are handed to the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.digest import sha256
from runner.errors import IntegrityError, RequestError
from runner.execution import isolation, plan_files
from runner.execution.isolation import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return isolation.open_room(tmp_path)


def test_what_a_rehearsal_left_travels_under_its_name(room: Room) -> None:
    (room.plan_files / "saved.tfplan").write_bytes(b"\x00plan")
    assert plan_files.left(room) == {"plan-file-saved.tfplan": b"\x00plan"}


def test_a_link_is_not_followed(room: Room) -> None:
    (room.plan_files / "host").symlink_to("/etc/hostname")
    with pytest.raises(RequestError, match="not a plain file"):
        plan_files.left(room)


def test_an_altered_or_missing_file_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "plan-file-a").write_bytes(b"other bytes")
    for name in ("a", "b", "../a"):
        with pytest.raises(IntegrityError, match="not the approved file"):
            plan_files.check(tmp_path, {name: sha256(b"the approved bytes")})


def test_the_approved_file_can_be_read_and_not_changed(room: Room, tmp_path: Path) -> None:
    (tmp_path / "plan-file-a").write_bytes(b"plan")
    plan_files.hand(room, plan_files.check(tmp_path, {"a": sha256(b"plan")}))
    assert (room.plan_files / "a").read_bytes() == b"plan"
    assert (room.plan_files / "a").stat().st_mode & 0o777 == 0o400
