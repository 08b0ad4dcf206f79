"""`sh`: fails loudly, streams, and leaves nothing behind."""

# ruff: noqa: S604 - the shell of `sh` is what is tested

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runner.toolkit.shell import CommandFailed, sh


def test_output_is_shown_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    result = sh("echo out; echo err >&2", shell=True)
    assert (result.code, result.stdout, result.stderr) == (0, "out\n", "err\n")
    assert capsys.readouterr() == ("out\n", "err\n")


def test_quiet_output_is_only_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert sh(["printf", "a\nb"], quiet=True).lines() == ["a", "b"]
    assert capsys.readouterr().out == ""


def test_words_of_a_list_are_not_interpreted() -> None:
    assert sh(["printf", "%s", "$HOME; *"], quiet=True).stdout == "$HOME; *"


@pytest.mark.parametrize("command", ["false", "false; true", "false | true"])
def test_any_failing_part_fails_the_whole(command: str) -> None:
    with pytest.raises(CommandFailed, match="exit status 1"):
        sh(command, shell=True)


def test_a_failure_shows_the_end_of_standard_error() -> None:
    with pytest.raises(CommandFailed, match="line 30") as caught:
        sh("for i in $(seq 30); do echo line $i >&2; done; exit 7", shell=True, quiet=True)
    assert "line 5\n" not in str(caught.value)
    assert caught.value.result.code == 7


def test_other_statuses_may_be_declared_no_failure() -> None:
    assert sh("exit 3", shell=True, ok=(0, 3)).code == 3


def test_a_text_needs_a_stated_shell_and_a_list_needs_none() -> None:
    with pytest.raises(TypeError, match="shell=True"):
        sh("ls -l")
    with pytest.raises(TypeError, match="one text"):
        sh(["ls"], shell=True)


def test_what_cannot_be_started_fails_in_words() -> None:
    with pytest.raises(CommandFailed, match="cannot start no-such-program"):
        sh(["no-such-program"])


def test_input_of_any_size_reaches_the_command() -> None:
    assert len(sh(["cat"], stdin="é" * 400_000, quiet=True).stdout) == 400_000
    assert sh(["true"], stdin="x" * 400_000).code == 0


def test_broken_bytes_are_shown_as_replaced() -> None:
    assert sh(["printf", r"\377\303"], quiet=True).stdout == "\ufffd\ufffd"


def test_where_and_with_what_it_runs(tmp_path: Path) -> None:
    assert sh('pwd; echo "$EXTRA"', shell=True, cwd=tmp_path, env={"EXTRA": "a b"}, quiet=True).lines() == [
        str(tmp_path.resolve()),
        "a b",
    ]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A dead process stays listed until its parent has looked at it.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_timeout_ends_everything_that_was_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"sleep 60 & echo $! >> {pids}; (trap '' TERM; sleep 60) & echo $! >> {pids}; wait"
    with pytest.raises(CommandFailed, match=r"longer than 0\.5 s"):
        sh(command, shell=True, timeout=0.5)
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 2
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(alive(pid) for pid in started)


def test_a_child_left_behind_does_not_hold_the_cell() -> None:
    assert sh("sleep 20 & echo $!", shell=True, timeout=10, quiet=True).code == 0
