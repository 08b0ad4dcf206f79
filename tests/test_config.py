"""What a machine adds to settings; the settings themselves are tested where they are read at a commit."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runner import config
from runner.errors import OperatorError


def test_no_file_means_defaults() -> None:
    assert config.read(None) == config.Settings()


def test_a_setting_is_read_by_its_name_with_hyphens() -> None:
    assert config.read('[tool.runbook]\nevidence-branch = "proof"\nlease = 5\n').evidence_branch == "proof"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[tool.runbook]\nbanch = "x"\nlease = "long"\n', "banch is not a setting; lease must be of type int"),
        ("[tool.runbook]\nlease = 0\n", "lease must be"),
        ("[tool.runbook]\nlease = true\n", "lease must be"),
        ('[tool.runbook]\nbot = ""\n', "bot must be"),
        ('[tool.runbook]\nproject = "../x"\n', "project = '../x' must be of letters"),
        ('[tool.runbook]\nproject = "a--b"\nbot = "a b"\n', "project = .*; bot = 'a b'"),
        ("[tool]\nrunbook = 1\n", "not a table"),
        ("[tool.runbook", "reading"),
    ],
)
def test_what_is_unknown_or_of_another_type_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(OperatorError, match=wrong):
        config.read(text)


def test_a_machine_may_be_called_by_another_name_in_events() -> None:
    assert config.host({"RUNBOOK_HOST": "ops-1"}) == "ops-1"
    assert config.host({"RUNBOOK_HOST": ""}) == socket.gethostname()


def test_state_is_where_the_environment_says_and_never_in_the_repository() -> None:
    assert config.state_folder("p", {"RUNBOOK_STATE": "/s"}) == Path("/s/p")
    assert config.state_folder("p", {"XDG_STATE_HOME": "/x"}) == Path("/x/runbook/p")
    assert config.state_folder("p", {}) == Path.home() / ".local" / "state" / "runbook" / "p"
