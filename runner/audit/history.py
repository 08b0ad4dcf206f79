"""Reading the whole evidence branch as a stream: each commit of its first-parent history, with every file it adds.

Two git processes do the work (`diff-tree --stdin` says what each commit changes, `cat-file --batch` gives the bytes),
and requests are sent in groups so that neither waits for us. Nothing is kept: memory does not grow with the history.
The ledger's own cache is not used; a record is not proved by what a supervisor remembers of it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from runner.audit.page import Change, File, Page
from runner.digest import sha256
from runner.errors import OutsideError
from runner.repository.objects import REGULAR, CommitObject, parse_commit
from runner.repository.process import command, environment, git

GROUP = 400
"""Objects asked for at once: their names must fit into a pipe (64 KiB), or both sides would wait."""
_DOING = "reading the evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    commit: str
    changes: tuple[Change, ...]


def pages(path: Path, tip: str) -> Iterator[Page]:
    """Read the history of a commit, oldest first.

    Raises:
        OutsideError: if the clone is damaged or incomplete.
    """
    with tempfile.TemporaryFile() as asked, Reader(path) as reader:
        asked.write(_first_parents(path, tip))
        asked.seek(0)
        for group in _groups(_steps(path, asked)):
            yield from _read(reader, group)


def _first_parents(path: Path, tip: str) -> bytes:
    out = git(["rev-list", "--first-parent", "--parents", "--reverse", tip, "--"], cwd=path, timeout=600, doing=_DOING)
    return b"".join(b" ".join(line.split()[:2]) + b"\n" for line in out.splitlines())


def _steps(path: Path, asked: IO[bytes]) -> Iterator[_Step]:
    arguments = ["diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--always"]
    process = subprocess.Popen(
        command(*arguments), cwd=path, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    )
    try:
        if process.stdout is None:
            raise OutsideError(_DOING, "git gave no output")
        yield from _parse(_fields(process.stdout))
        if process.wait():
            raise OutsideError(_DOING, "git diff-tree ended early", hint="check the clone with: git fsck")
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(65536):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def _parse(fields: Iterator[bytes]) -> Iterator[_Step]:
    commit, changes = "", list[Change]()
    for field in fields:
        if field.startswith(b":"):
            _, mode, _, oid, status = field[1:].split(b" ")
            where = next(fields).decode(errors="surrogateescape")
            changes.append(Change(status=status.decode(), path=where, mode=int(mode, 8), oid=oid.decode()))
            continue
        if commit:
            yield _Step(commit=commit, changes=tuple(changes))
        commit, changes = field.decode().strip(), []
    if commit:
        yield _Step(commit=commit, changes=tuple(changes))


def _groups(steps: Iterable[_Step]) -> Iterator[list[_Step]]:
    group, size = list[_Step](), 0
    for step in steps:
        if group and size + 1 + len(step.changes) > GROUP:
            yield group
            group, size = [], 0
        group.append(step)
        size += 1 + len(step.changes)
    if group:
        yield group


def _read(reader: Reader, group: Sequence[_Step]) -> Iterator[Page]:
    present = [[one for one in step.changes if one.status != "D" and one.mode in REGULAR] for step in group]
    names = (name for step, found in zip(group, present, strict=True) for name in (step.commit, *_ids(found)))
    answers = reader.ask(names)
    for step, found in zip(group, present, strict=True):
        commit = _commit(step.commit, next(answers))
        files = []
        for change in found:
            data = next(answers)
            files.append(File(path=change.path, sha256=sha256(data), data=data))
        yield Page(commit=commit, changes=step.changes, files=tuple(files))


def _ids(changes: Iterable[Change]) -> Iterator[str]:
    return (change.oid for change in changes)


def _commit(oid: str, data: bytes) -> CommitObject:
    try:
        return parse_commit(oid, data)
    except (KeyError, ValueError, IndexError) as error:
        raise OutsideError(_DOING, f"commit {oid[:12]} is malformed", hint="check with: git fsck") from error


class Reader:
    """A `cat-file --batch` that is asked many things at once."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            command("cat-file", "--batch"),
            cwd=path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()

    def ask(self, names: Iterable[str]) -> Iterator[bytes]:
        """The bytes of each object, in order; asked in groups that fit into the pipe."""
        pending = list(names)
        for start in range(0, len(pending), GROUP):
            yield from self._some(pending[start : start + GROUP])

    def _some(self, names: Sequence[str]) -> Iterator[bytes]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise OutsideError(_DOING, "the reader is closed")
        stdin.write("".join(f"{name}\n" for name in names).encode())
        stdin.flush()
        for name in names:
            head = stdout.readline().split()
            if len(head) != 3:  # noqa: PLR2004 - id, type and size
                raise OutsideError(_DOING, f"object {name[:12]} is missing", hint="check the clone with: git fsck")
            data = stdout.read(int(head[2]))
            stdout.read(1)
            yield data
