from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from runner.errors import OperatorError
from runner.execution import isolation, toolkit_copy


def test_the_level_reached_is_said_and_a_stronger_one_refused() -> None:
    for least in ("none", "subreaper"):
        isolation.require(least, level="subreaper")
    for stronger in ("bwrap", "container", "moon"):
        with pytest.raises(OperatorError, match=stronger):
            isolation.require(stronger, level="subreaper")
    isolation.require("container", level="bwrap")


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "SSH_AUTH_SOCK", "RUNBOOK_TOKEN", "MY_API_KEY", "PYTHONPATH", "LD_PRELOAD", "PATH"]
)
def test_an_order_cannot_bring_credentials_or_code_in_by_a_variable(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatorError, match=name):
        isolation.environment(isolation.open_room(tmp_path), {name: "x"})


def test_a_room_is_private_holds_the_toolkit_only_and_goes_away(tmp_path: Path) -> None:
    room = isolation.open_room(tmp_path)
    isolation.hand_secrets(room, {"PW": "value"})
    isolation.hand_secrets(room, {"PW": "other"})
    assert stat.S_IMODE(room.private.stat().st_mode) == 0o700
    assert stat.S_IMODE(room.secrets_file.stat().st_mode) == 0o600
    assert json.loads(room.secrets_file.read_text()) == {"PW": "other"}
    importable = {path.name for path in (room.private / "path" / "runner").iterdir()}
    assert importable == {"__init__.py", "toolkit"}
    assert (room.private / "path" / "runner" / "__init__.py").read_bytes() == b""
    isolation.close_room(room)
    assert list(tmp_path.iterdir()) == []


def test_the_toolkits_digest_changes_with_any_byte_and_any_name() -> None:
    files = toolkit_copy.files()
    assert "runner/toolkit/__init__.py" in files
    digest = toolkit_copy.digest(files)
    assert toolkit_copy.digest({**files, "runner/toolkit/__init__.py": b""}) != digest
    assert toolkit_copy.digest({**files, "runner/toolkit/more.py": b""}) != digest
