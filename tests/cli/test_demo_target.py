from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.cli import demo_server, demo_target
from runner.errors import OutsideError


def test_a_client_gets_a_certificate_with_a_few_days_left(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with demo_target.serving(tmp_path, now=now) as server:
        assert demo_target.presented(server).days_left(now) == demo_target.DAYS


def test_the_server_is_gone_afterwards_even_if_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), demo_target.serving(tmp_path, now=datetime.now(UTC)) as server:
        raise KeyError
    with pytest.raises(OutsideError, match="connecting"):
        demo_target.presented(server)
    assert not server.pid_file.exists()


def test_a_new_pair_is_presented_after_a_signal(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with demo_target.serving(tmp_path, now=now) as server:
        old = demo_target.presented(server)
        demo_server.first_certificate(server.folder, host=demo_target.HOST, now=now, days=50)
        os.kill(int(server.pid_file.read_text()), signal.SIGHUP)
        assert _soon(lambda: demo_target.presented(server).days_left(now) == 50)
        assert demo_target.presented(server).serial != old.serial


def test_a_pair_that_does_not_fit_leaves_the_old_one_in_place(tmp_path: Path) -> None:
    with demo_target.serving(tmp_path, now=datetime.now(UTC)) as server:
        certificate = server.folder / demo_server.CERTIFICATE
        kept = certificate.read_bytes()
        certificate.write_text("broken")
        os.kill(int(server.pid_file.read_text()), signal.SIGHUP)
        certificate.write_bytes(kept)
        assert demo_target.presented(server)


def test_a_certificate_that_the_client_does_not_trust_is_no_connection(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with demo_target.serving(tmp_path, now=now) as server:
        demo_server.first_certificate(server.folder, host=demo_target.HOST, now=now, days=50)
        with pytest.raises(OutsideError, match="CERTIFICATE_VERIFY_FAILED"):
            demo_target.presented(server)


def test_the_server_ends_with_whoever_started_it(tmp_path: Path) -> None:
    demo_server.first_certificate(tmp_path / "tls", host="localhost", now=datetime.now(UTC), days=3)
    command = [sys.executable, "-m", "runner.cli.demo_server", "--until-input-ends"]
    command += ["--folder", str(tmp_path / "tls"), "--pid-file", str(tmp_path / "pid")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")


def _soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if holds():
                return True
        except OutsideError:
            pass
        time.sleep(0.05)
    return False
