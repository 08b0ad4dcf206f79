"""What every store promises, and what each refuses; kept together because it is one promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.adapters.secrets.chain import ChainedSecrets
from runner.adapters.secrets.environment import EnvironmentSecrets
from runner.adapters.secrets.files import FileSecrets
from runner.errors import OperatorError
from runner.ports.secrets import Secrets


@pytest.fixture(params=["environment", "files", "chain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Secrets:
    put(tmp_path, "PW", b"from-here-9\n")
    put(tmp_path, "EMPTY", b"")
    files, variables = FileSecrets(tmp_path), EnvironmentSecrets({"RUNBOOK_SECRET_PW": "from-here-9"})
    stores: dict[str, Secrets] = {
        "environment": variables,
        "files": files,
        "chain": ChainedSecrets((EnvironmentSecrets({}), files)),
    }
    return stores[str(request.param)]


def put(folder: Path, name: str, data: bytes, *, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_known_name_gives_its_value(store: Secrets) -> None:
    assert store.resolve("PW") == "from-here-9"


@pytest.mark.parametrize("name", ["OTHER", "EMPTY", "../PW", "", "PW\n", "P W"])
def test_every_other_name_is_refused(store: Secrets, name: str) -> None:
    with pytest.raises(OperatorError) as caught:
        store.resolve(name)
    assert "from-here-9" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o700])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "PW", b"from-here-9", mode=mode)
    with pytest.raises(OperatorError, match="others may"):
        FileSecrets(tmp_path).resolve("PW")


def test_a_read_only_file_with_several_lines_is_taken_whole(tmp_path: Path) -> None:
    put(tmp_path, "KEY", b"line 1\nline 2\n\n", mode=0o400)
    assert FileSecrets(tmp_path).resolve("KEY") == "line 1\nline 2\n"


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "binary", "large"])
def test_what_is_not_a_small_text_file_of_ours_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "PW"
    match kind:
        case "link":
            path.symlink_to(put(tmp_path, "REAL", b"from-here-9"))
        case "folder":
            path.mkdir(mode=0o600)
        case "fifo":
            os.mkfifo(path, 0o600)
        case "binary":
            put(tmp_path, "PW", b"\xff\xfe\x00abcdef")
        case "large":
            put(tmp_path, "PW", b"x" * 70_000)
    with pytest.raises(OperatorError):
        FileSecrets(tmp_path).resolve("PW")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    os.chown(put(tmp_path, "PW", b"from-here-9"), 65534, 65534)
    with pytest.raises(OperatorError, match="somebody else"):
        FileSecrets(tmp_path).resolve("PW")


def test_a_chain_says_what_each_store_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="RUNBOOK_SECRET_PW is not set; there is no such file"):
        ChainedSecrets((EnvironmentSecrets({}), FileSecrets(tmp_path))).resolve("PW")
    with pytest.raises(OperatorError, match="no store is configured"):
        ChainedSecrets(()).resolve("PW")
