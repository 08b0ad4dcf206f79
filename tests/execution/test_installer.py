"""The installers' surroundings; that they install is told by `test_environments`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runner.execution import installer
from runner.execution.installer import FailedError, Installing


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is taken for uv."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


def installing(*, stopped: bool = False) -> Installing:
    return Installing(held=0, stopped=lambda: stopped)


def test_what_an_installer_says_is_kept_without_addresses(fake: Path, tmp_path: Path) -> None:
    fake.write_text(
        "#!/bin/sh\necho 'no  answer from https://user:pw-canary@index.example.org/simple?t=1 today' >&2\nexit 1\n"
    )
    with pytest.raises(FailedError, match=r"uv failed: no answer from \(address\) today"):
        installing().install(tmp_path / "python", tmp_path / "lock", hashed=False, timeout=60)


def test_an_installer_sees_no_secret_of_the_worker(fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_SECRET_PW", "canary")
    monkeypatch.setenv("UV_INDEX_URL", "https://index.example.org/simple")
    fake.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\n")
    installing().install(tmp_path / "python", tmp_path / "lock", hashed=False, timeout=60)
    seen = (tmp_path / "env").read_text()
    assert ("canary" in seen, "UV_INDEX_URL" in seen) == (False, True)


@pytest.mark.parametrize(("stopped", "timeout", "why"), [(True, 60, "asked for the end"), (False, 0.3, "longer than")])
def test_an_installer_that_hangs_is_ended_with_its_children(
    fake: Path, tmp_path: Path, *, stopped: bool, timeout: float, why: str
) -> None:
    fake.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\nwait\n")
    with pytest.raises(FailedError, match=why):
        installing(stopped=stopped).install(tmp_path / "python", tmp_path / "lock", hashed=False, timeout=timeout)
    if (tmp_path / "child").exists() and (pid := (tmp_path / "child").read_text().strip()):
        deadline = time.monotonic() + 30
        while _lives(int(pid)):
            assert time.monotonic() < deadline, "its child stayed"
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_machine_without_installers_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr(installer, "find_spec", lambda _name: None)
    with pytest.raises(FailedError, match="neither uv nor pip") as caught:
        installing().check(tmp_path / "python", timeout=60)
    assert caught.value.hint == "install uv"
