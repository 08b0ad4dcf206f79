"""What a plan may propose, and what takes it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.digest import sha256
from runner.errors import RequestError
from runner.plan import proposal
from runner.plan.proposal import NOT_A_FILE, Change

GLOBS = ("infra/**/*.txt",)
TREE: dict[str, bytes | object] = {"infra/a.txt": b"old\n", "infra/link.txt": NOT_A_FILE, "infra/same.txt": b"same\n"}


def now(tree: dict[str, bytes | object]) -> Callable[[str], bytes | object | None]:
    return tree.get


def made(wanted: dict[str, bytes | None]) -> Change:
    return proposal.proposal("run-1", wanted, globs=GLOBS, base="c" * 40, into="main", now=now(TREE))


def test_it_names_every_file_with_its_bytes_before_and_after() -> None:
    change = made({"infra/b.txt": b"new\n", "infra/a.txt": None, "infra/same.txt": b"same\n"})
    assert change.proposal.source == "runbook/run-1"
    found = [(one.path, one.before, one.after) for one in change.proposal.files]
    assert found == [("infra/a.txt", sha256(b"old\n"), None), ("infra/b.txt", None, sha256(b"new\n"))]
    assert change.files == {"infra/a.txt": None, "infra/b.txt": b"new\n"}
    assert proposal.read(proposal.written(change.files)) == change.files


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "propose no change"),
        ({"infra/same.txt": b"same\n"}, "like that already"),
        ({"infra/none.txt": None}, "like that already"),
        ({"infra/a.yaml": b""}, "no line"),
        ({"other/a.txt": b""}, "no line"),
        ({"runbooks/a.txt": b""}, "no runbook proposes"),
        ({"infra/../a.txt": b""}, "each part"),
        ({"infra/link.txt": b""}, "something else than a plain file"),
        ({"infra/link.txt": None}, "something else than a plain file"),
        ({"infra/x.txt": b"", "infra/x.txt/y.txt": b""}, "lies in another"),
        ({"infra/X.txt": b"", "infra/x.txt": b""}, "upper and lower"),
        ({f"infra/{number}.txt": b"" for number in range(101)}, "more than"),
        ({"infra/x.txt": b"x" * (proposal.LARGEST + 1)}, "more than"),
    ],
)
def test_what_may_not_be_proposed_or_changes_nothing_is_refused(wanted: dict[str, bytes | None], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        made(wanted)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": 1}', b'{"a": {"b": null}}', b"{" * 5000])
def test_what_a_worker_left_is_read_strictly(data: bytes) -> None:
    with pytest.raises(RequestError):
        proposal.read(data)


def test_the_reverse_restores_what_was_and_only_while_nobody_has_changed_it() -> None:
    old = made({"infra/b.txt": b"new\n", "infra/a.txt": None}).proposal
    before: dict[str, bytes | None] = {"infra/a.txt": b"old\n", "infra/b.txt": None}
    merged: dict[str, bytes | object] = {"infra/b.txt": b"new\n"}
    back = proposal.undoing("run-2", old, before=before, base="d" * 40, now=now(merged))
    assert back.files == before
    assert [(one.before, one.after) for one in back.proposal.files] == [(one.after, one.before) for one in old.files]
    assert (back.proposal.base, back.proposal.source) == ("d" * 40, "runbook/run-2")
    moved: tuple[dict[str, bytes | object], ...] = (
        {"infra/b.txt": b"newer\n"},
        {},
        {"infra/b.txt": NOT_A_FILE},
        {**merged, "infra/a.txt": b"again\n"},
    )
    for tree in moved:
        with pytest.raises(RequestError, match="changed since"):
            proposal.undoing("run-2", old, before=before, base="d" * 40, now=now(tree))


def test_differences_name_every_file_that_is_not_as_it_should_be() -> None:
    change = made({"infra/b.txt": b"new\n", "infra/a.txt": None}).proposal
    assert proposal.differences(change, now({"infra/b.txt": b"new\n"})) == ()
    assert proposal.differences(change, now({"infra/b.txt": b"NEW\n"})) == ("infra/b.txt",)
    assert proposal.differences(change, now({"infra/b.txt": NOT_A_FILE, "infra/a.txt": b""})) == (
        "infra/a.txt",
        "infra/b.txt",
    )
