"""The worker's side of a proposal: files in by digest, proposals out by the gate."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from runner.digest import sha256
from runner.errors import IntegrityError, RequestError
from runner.execution import proposing
from runner.execution.isolation import Room, open_room
from runner.execution.order import Order
from runner.execution.redact import Masker
from tests.execution.conftest import order_for

FILES = {"infra/a.txt": b"old token: hunter2-hunter2\n", "infra/x/b.bin": b"\xff"}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    spool = tmp_path / "spool"
    spool.mkdir()
    return open_room(spool)


def order(spool: Path, *, present: dict[str, bytes] = FILES, merged: dict[str, bytes] | None = None) -> Order:
    digests = {}
    for name, files in ((proposing.PRESENT, present), (proposing.MERGED, merged)):
        if files is not None:
            (spool / name).write_bytes(proposing.pack(files))
            digests[name] = sha256(proposing.pack(files))
    return msgspec.structs.replace(
        order_for(b""),
        proposes=("infra/**/*.txt",),
        present=digests[proposing.PRESENT],
        merged=digests.get(proposing.MERGED),
    )


def given(room: Room) -> dict[str, bytes]:
    return {
        path.relative_to(room.files).as_posix(): path.read_bytes() for path in room.files.rglob("*") if path.is_file()
    }


def propose(room: Room, path: object, text: object) -> None:
    (room.proposal / f"{sha256(str(path).encode())}.json").write_text(json.dumps({"path": path, "text": text}))


def left(room: Room, order: Order, **secrets: str) -> dict[str, str | None]:
    found = proposing.left(room, room.private.parent, order, masker=Masker(secrets))
    made: dict[str, str | None] = json.loads(found[proposing.PROPOSAL])
    return made


def test_files_are_handed_over_and_exchanged_for_the_merged_ones(room: Room) -> None:
    spool = room.private.parent
    one = order(spool, merged={"infra/a.txt": b"new\n"})
    proposing.hand(room, spool, one)
    assert given(room) == FILES
    (room.files / "planted").symlink_to("/etc")
    proposing.hand(room, spool, one, merged=True)
    assert given(room) == {"infra/a.txt": b"new\n"}
    assert Path("/etc/passwd").exists()


def test_where_nothing_was_merged_the_files_stay(room: Room) -> None:
    spool = room.private.parent
    one = order(spool)
    proposing.hand(room, spool, one)
    proposing.hand(room, spool, one, merged=True)
    assert given(room) == FILES


def test_files_that_are_not_the_orders_are_refused(room: Room) -> None:
    spool = room.private.parent
    one = order(spool)
    (spool / proposing.PRESENT).write_bytes(proposing.pack({"infra/a.txt": b"other"}))
    with pytest.raises(IntegrityError):
        proposing.hand(room, spool, one)


def test_what_was_proposed_is_taken_as_data(room: Room) -> None:
    one = order(room.private.parent)
    propose(room, "infra/a.txt", "new\n")
    propose(room, "infra/x/b.txt", None)
    assert left(room, one) == {"infra/a.txt": "new\n", "infra/x/b.txt": None}
    assert proposing.left(room, room.private.parent, order_for(b""), masker=Masker({})) == {}


@pytest.mark.parametrize(
    ("path", "text"), [("../x", "y"), ("/etc/passwd", "y"), (".git/config", "y"), (7, "y"), ("infra/a.txt", 7)]
)
def test_a_path_that_could_lead_anywhere_is_refused(room: Room, path: object, text: object) -> None:
    propose(room, path, text)
    with pytest.raises(RequestError, match="cannot be proposed"):
        left(room, order(room.private.parent))


def test_anything_but_plain_entries_is_refused(room: Room) -> None:
    one = order(room.private.parent)
    (room.proposal / "x.json").symlink_to("/etc/passwd")
    with pytest.raises(RequestError):
        left(room, one)
    (room.proposal / "x.json").unlink()
    (room.proposal / "x.json").write_text("[1")
    with pytest.raises(RequestError):
        left(room, one)


def test_a_secret_is_not_proposed_in_any_form_and_not_named_by_its_value(room: Room) -> None:
    one = order(room.private.parent)
    propose(room, "infra/a.txt", "password = correct-horse-battery\n")
    with pytest.raises(RequestError, match="looks like a secret") as error:
        left(room, one, DB="correct-horse-battery")
    assert "correct-horse" not in str(error.value)
    propose(room, "infra/a.txt", "token: glpat-" + "a1B2c3D4e5F6g7H8i9J0\n")
    with pytest.raises(RequestError, match="looks like a secret"):
        left(room, one)
