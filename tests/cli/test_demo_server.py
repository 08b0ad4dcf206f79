from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.cli import demo_server
from runner.cli.demo_server import Server


def test_the_first_certificate_is_for_the_host_and_its_key_for_nobody_else(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    demo_server.first_certificate(tmp_path / "tls", host="localhost", now=now, days=3)
    assert stat.S_IMODE((tmp_path / "tls" / demo_server.KEY).stat().st_mode) == 0o600
    command = ["openssl", "x509", "-noout", "-enddate", "-ext", "subjectAltName", "-in"]
    shown = subprocess.run(
        [*command, str(tmp_path / "tls" / demo_server.CERTIFICATE)], check=True, capture_output=True, text=True
    ).stdout
    assert "Nov 27 00:00:00 2026 GMT" in shown
    assert "DNS:localhost" in shown


def test_the_server_listens_on_this_machine_alone(tmp_path: Path) -> None:
    demo_server.first_certificate(tmp_path, host="localhost", now=datetime.now(UTC), days=3)
    with Server(tmp_path, port=0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_folder_without_a_certificate_is_no_server(tmp_path: Path) -> None:
    with pytest.raises((FileNotFoundError, ssl.SSLError)):
        Server(tmp_path, port=0)


def test_the_port_is_announced_only_when_the_process_id_can_be_read(tmp_path: Path) -> None:
    demo_server.first_certificate(tmp_path, host="localhost", now=datetime.now(UTC), days=3)
    command = [sys.executable, "-m", "runner.cli.demo_server", "--folder", str(tmp_path)]
    with subprocess.Popen([*command, "--pid-file", str(tmp_path / "pid")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        assert int((tmp_path / "pid").read_text()) == process.pid
        process.terminate()
    assert process.returncode == 0
    assert not (tmp_path / "pid").exists()
