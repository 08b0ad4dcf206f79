"""The other side of the bell: what a command says to a supervisor that is at work on its machine, and what it hears.

It imports next to nothing: a command that rings has to be quick, and needs the rest only while the supervisor works.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from runner.digest import Json
from runner.ports.forge import CommentId, IssueId

if TYPE_CHECKING:
    from runner.supervisor.watcher import Watcher

NAME = "bell"
"""The socket's name in the state folder."""


class Ring(msgspec.Struct, frozen=True):
    """Why somebody rings: a request that they wrote."""

    issue: IssueId
    comment: CommentId


class Words(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said back: words for people, or how far a run is, while it goes on; and at last `end`."""

    say: str = ""
    run: str = ""
    progress: msgspec.Raw = msgspec.Raw()
    end: dict[str, Json] | None = None


class Call:
    """A supervisor that was woken, as long as it talks."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def listen(self, watcher: Watcher) -> Mapping[str, Json] | None:
        """Show what it says until it says what came of the request; None if it stops before: then nothing is known."""
        with self._line:
            for words in _heard(self._line):
                if words.end is not None:
                    return words.end
                _show(words, watcher)
        return None


def ring(file: Path, why: Ring) -> Call | None:
    """Wake the supervisor that has a bell there; None if there is none.

    Args:
        file: where its socket would be.
        why: the request.
    """
    line = socket.socket(socket.AF_UNIX)
    try:
        with address(file) as where:
            line.connect(where)
        line.sendall(msgspec.json.encode(why) + b"\n")
    except OSError:
        line.close()
        return None
    return Call(line)


def answered(file: Path) -> bool:
    """Whether there is a bell that somebody answers."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            with address(file) as where:
                line.connect(where)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def address(file: Path) -> Iterator[str]:
    """A socket's name as the system takes it: a hundred bytes at most, so the folder is named by an open handle."""
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)


def _heard(line: socket.socket) -> Iterator[Words]:
    with contextlib.suppress(OSError, msgspec.MsgspecError), line.makefile("rb") as stream:
        for data in stream:
            yield msgspec.json.decode(data, type=Words)


def _show(words: Words, watcher: Watcher) -> None:
    if words.say:
        watcher.say(words.say)
    if words.run:
        from runner.execution.progress import Progress

        watcher.progress(words.run, msgspec.json.decode(words.progress, type=Progress))
