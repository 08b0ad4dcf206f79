"""`sh`: run a command, show its output as it comes, and fail the cell if it fails.

The command gets a process group of its own, so that a timeout or an interrupt ends everything that it started, and
stays in the kernel's session, so that it does not outlive the run.
"""

from __future__ import annotations

import codecs
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

_GRACE = 3.0
_TAIL = 20
_STEP = 0.1


@dataclass(frozen=True)
class Result:
    """What a command said. `code` is its exit status, negative for the signal that ended it."""

    code: int
    stdout: str
    stderr: str

    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.stdout.splitlines()


class CommandFailed(RuntimeError):  # noqa: N818 - authors read it in a notebook: it says what happened
    """A command failed or took too long; `result` is what it said until then."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def sh(
    command: Sequence[str] | str,
    *,
    shell: bool = False,
    timeout: float | None = None,
    ok: Sequence[int] = (0,),
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    quiet: bool = False,
) -> Result:
    """Run a command and wait for it.

    Args:
        command: the program and its arguments as a list; nothing in them is interpreted. A text only with `shell=True`.
        shell: run the text with `bash -e -o pipefail`. Parameters do not belong in it: pass them through `env`.
        timeout: seconds, after which the command and everything that it started are ended.
        ok: exit statuses that are no failure.
        cwd: where to run it.
        env: variables to set beside those that are there.
        stdin: text for its standard input.
        quiet: do not show the output; it is still in the result.

    Raises: CommandFailed: if it cannot be started, fails or takes too long; with the end of what it wrote to standard
        error. TypeError: if a text is given without `shell=True`, or a list with it.
    """
    words = _words(command, shell=shell)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            process_group=0,
        )
    except OSError as error:
        message = f"cannot start {_name(words)}: {error.strerror}"
        raise CommandFailed(message, Result(127, "", "")) from None
    pump = _Pump(process, stdin=stdin, quiet=quiet)
    try:
        in_time = pump.run(timeout)
    finally:
        _end(process)
    result = Result(process.returncode, pump.text("stdout"), pump.text("stderr"))
    if not in_time:
        raise CommandFailed(_told(words, f"took longer than {timeout:g} s and was ended", result), result)
    if result.code not in ok:
        raise CommandFailed(_told(words, f"failed with exit status {result.code}", result), result)
    return result


def _words(command: Sequence[str] | str, *, shell: bool) -> list[str]:
    if isinstance(command, str) != shell:
        message = (
            "a command as one text needs shell=True; better, pass a list: sh(['ls', '-l', folder])"
            if isinstance(command, str)
            else "shell=True needs the command as one text"
        )
        raise TypeError(message)
    return (
        ["bash", "-e", "-o", "pipefail", "-c", command] if isinstance(command, str) else [str(word) for word in command]
    )


class _Pump:
    """Moves bytes between the command and us, in one thread, so that output appears in the cell that runs."""

    def __init__(self, process: subprocess.Popen[bytes], *, stdin: str, quiet: bool) -> None:
        self._process = process
        self._input = stdin.encode()
        self._quiet = quiet
        self._kept: dict[str, list[str]] = {"stdout": [], "stderr": []}
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: decoder(errors="replace") for name in self._kept}
        self._selector = selectors.DefaultSelector()

    def run(self, timeout: float | None) -> bool:
        """Pump until the command has ended; False if its time was over first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._selector:
            self._open()
            while True:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                busy = self._step(_STEP if left is None else min(_STEP, left))
                # A child that it left behind may hold the pipes open: what counts is the command itself.
                if not busy and self._process.poll() is not None:
                    return True

    def text(self, name: str) -> str:
        """All that came out of `stdout` or `stderr`."""
        return "".join(self._kept[name])

    def _open(self) -> None:
        process = self._process
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            if stream is not None:
                self._selector.register(stream, selectors.EVENT_READ, name)
        if process.stdin is None:
            return
        if self._input:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE, "stdin")
        else:
            process.stdin.close()

    def _step(self, seconds: float) -> bool:
        if not self._selector.get_map():
            time.sleep(min(seconds, 0.01))
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            if key.data == "stdin":
                self._feed()
            else:
                self._take(str(key.data), key.fd)
        return bool(ready)

    def _feed(self) -> None:
        stream: IO[bytes] | None = self._process.stdin
        if stream is None:
            return
        try:
            self._input = self._input[os.write(stream.fileno(), self._input[:65536]) :]
        except BrokenPipeError:
            self._input = b""
        if not self._input:
            self._selector.unregister(stream)
            stream.close()

    def _take(self, name: str, fd: int) -> None:
        data = os.read(fd, 65536)
        text = self._decoders[name].decode(data, final=not data)
        self._kept[name].append(text)
        if text and not self._quiet:
            target: TextIO = sys.stdout if name == "stdout" else sys.stderr
            target.write(text)
            target.flush()
        if not data:
            self._selector.unregister(fd)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and its group if it still runs, asking first, and close the pipes."""
    if process.poll() is None:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, kind)
                process.wait(_GRACE)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        # Members that ignored the request outlive their leader: the group is ended whole.
        _kill_group(process.pid)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _name(words: Sequence[str]) -> str:
    text = shlex.join(words)
    return text if len(text) <= 120 else text[:117] + "..."  # noqa: PLR2004 - one line of a terminal


def _told(words: Sequence[str], what: str, result: Result) -> str:
    tail = "\n".join((result.stderr or result.stdout).splitlines()[-_TAIL:])
    return f"{_name(words)} {what}" + (f"\n{tail}" if tail else "")
