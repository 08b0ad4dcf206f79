"""The way in: help, completion, exit codes, and what a person sees of an error."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from runner.cli import main as way_in
from runner.cli.main import SUBCOMMANDS, group, run
from runner.errors import ApprovalError, IntegrityError, OperatorError, OutsideError, RequestError

HEAVY = ("papermill", "nbformat", "pydantic", "git", "rich", "jinja2", "cryptography")


def runbook(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runner.cli.main", *words]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_command_explains_itself_with_an_example_on_a_narrow_terminal(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([name, "--help"]) == 0
    told = capsys.readouterr().out
    _, _, examples = told.partition("Examples:\n")
    # The worker is started by a program, which names the clone.
    assert f"  runbook {'-C CLONE ' if name == 'worker' else ''}{name}" in examples
    assert [line for line in told.splitlines() if len(line) > 80] == []


# `serve` speaks in lines of JSON whether it is asked to or not.
@pytest.mark.parametrize("name", sorted(set(SUBCOMMANDS) - {"worker", "issue", "serve"}))
def test_every_command_can_be_asked_for_json(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command
    assert any("--json" in option.opts for option in command.params)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_line_in_the_overview_belongs_to_a_command_that_is_there(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command
    assert (command.name, bool(command.help)) == (name, True)


def test_the_overview_names_every_command_for_people_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    listed = {line.split()[0] for line in told.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(SUBCOMMANDS) - {"worker"} <= listed
    assert "worker" not in listed
    assert "Exit codes: 0" in told


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\nfrom runner.cli.main import run\nrun(['--help'])\n"
        f"sys.stderr.write(json.dumps([one for one in {HEAVY!r} if one in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []


def test_the_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"runbook, version {version('runbook-runner')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_completion_script(shell: str) -> None:
    done = runbook(_RUNBOOK_COMPLETE=f"{shell}_source")
    assert (done.returncode, done.stderr) == (0, "")
    assert "_RUNBOOK_COMPLETE" in done.stdout


def test_completion_knows_commands_and_their_options() -> None:
    commands = runbook(_RUNBOOK_COMPLETE="bash_complete", COMP_WORDS="runbook re", COMP_CWORD="1")
    assert commands.stdout.split() == [f"plain,{name}" for name in SUBCOMMANDS if name.startswith("re")]
    assert "plain,revoke" in commands.stdout
    options = runbook(_RUNBOOK_COMPLETE="bash_complete", COMP_WORDS="runbook verify --g", COMP_CWORD="2")
    assert options.stdout.split() == ["plain,--genesis"]


def test_the_completion_script_is_one_that_bash_reads(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(runbook(_RUNBOOK_COMPLETE="bash_source").stdout)
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["log", "--nonsense"], "No such option '--nonsense'"),
        (["approve"], "Missing argument 'DIGEST'"),
        (["verify", "--witness", "/nonexistent/heads"], "does not exist"),
    ],
)
def test_a_mistake_in_typing_is_the_typists(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert told in capsys.readouterr().err.replace("option: ", "option '").replace("--nonsense\n", "--nonsense'\n")


def test_a_command_without_words_shows_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    said = capsys.readouterr()
    assert "Commands:" in said.out + said.err


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What the next command raises."""
    raised: list[BaseException] = []

    @click.command("fail")
    def fail() -> None:
        raise raised[0]

    monkeypatch.delenv("RUNBOOK_DEBUG", raising=False)
    monkeypatch.setattr(way_in.group, "get_command", lambda _context, _name: fail)
    return raised


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (RequestError("asking", "no", hint="yes"), 2, ["runbook: asking: no", "try: yes"]),
        (ApprovalError("approving", "no"), 3, ["approving: no"]),
        (IntegrityError("reading", "altered"), 4, ["reading: altered"]),
        (OutsideError("pushing", "away"), 5, ["pushing: away"]),
        (OperatorError("reading the policy", "none"), 6, ["reading the policy: none"]),
        (OSError(errno.ENOSPC, "No space left on device"), 5, ["No space left", "make room"]),
        (PermissionError(errno.EACCES, "Permission denied"), 5, ["Permission denied", "--debug"]),
        (ZeroDivisionError("division"), 6, ["unexpected ZeroDivisionError: division", "--debug"]),
        (KeyboardInterrupt(), 130, ["stopped"]),
        (RequestError("asking for \x1b[2J", "no\x07", hint="\x9bJ"), 2, ["asking for"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_told_in_words_with_the_code_of_who_acts_next(
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
    *,
    error: BaseException,
    code: int,
    told: list[str],
) -> None:
    failing.append(error)
    assert run(["fail"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert all(words in said.err for words in told)
    assert "Traceback" not in said.err
    assert not {"\x1b", "\x07", "\x9b"} & set(said.err)


def test_only_who_asks_for_it_sees_a_traceback(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_DEBUG", "")
    failing.append(RequestError("asking", "no"))
    assert run(["--debug", "fail"]) == 2
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "runbook: asking: no" in told


def test_a_reader_who_has_enough_gets_no_complaint() -> None:
    command = f"{sys.executable} -m runner.cli.main --help | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_on_a_real_terminal_an_error_is_coloured_and_still_ends_with_its_code(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "runner.cli.main", "-C", str(tmp_path), "log"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:
            pass  # the terminal is closed: that is how a pty ends
    os.close(ours)
    assert process.returncode == 6
    assert b"\x1b[31m" in said
    assert b"not a Git repository" in said
    assert b"Traceback" not in said
