"""The shipped runbooks, on real files, a real server and a real service; their cells run as plain Python."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.cli import demo_server
from runner.digest import Json
from runner.runbook import lint, reader
from runner.runbook.cells import FORWARD, REHEARSED, Role
from runner.runbook.parameters import injected
from runner.runbook.runbook import Runbook

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.stem for path in (ROOT / "runbooks").glob("*.ipynb"))


def read(name: str) -> Runbook:
    content = (ROOT / "runbooks" / f"{name}.ipynb").read_bytes()
    return reader.read(content, name=name, path=f"runbooks/{name}.ipynb", commit="")


def execute(name: str, values: dict[str, Json], *roles: Role, change: str = "") -> subprocess.CompletedProcess[str]:
    """Run the cells of some roles, in order, in one fresh interpreter; `change` runs instead and finds it as CHANGE."""
    runbook = read(name)
    source = [
        cell.source + "\n" + injected(runbook.parameters.values(values))
        if cell.role is Role.PARAMETERS
        else f"CHANGE = {cell.source!r}\n{change}"
        if change and cell.role is Role.CHANGE
        else cell.source
        for cell in runbook.cells
        if cell.role is Role.PARAMETERS or cell.role in roles
    ]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(source)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "RUNBOOK_RUN_ID": "20261123T000000Z-test-abcdefgh"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def succeeded(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_all_of_them_are_there() -> None:
    assert {"rotate-certificate", "disk-cleanup", "service-restart", "terraform-apply"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_they_are_lint_clean_and_can_be_tried_with_their_examples(name: str) -> None:
    runbook = read(name)
    assert lint.lint(runbook) == ()
    assert runbook.parameters.values({}, examples=dict(runbook.header.examples))
    assert runbook.parameters.json_schema()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, Json]]:
    folder = tmp_path / "tls"
    demo_server.first_certificate(folder, host="localhost", now=datetime.now(UTC), days=3)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.cli.demo_server", "--folder", str(folder), "--pid-file", str(tmp_path / "pid")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        yield {"port": process.stdout.readline().strip(), "folder": str(folder), "pid_file": str(tmp_path / "pid")}
        process.terminate()
    assert not (tmp_path / "pid").exists()


def live(values: dict[str, Json]) -> str:
    return ssl.get_server_certificate(("127.0.0.1", int(str(values["port"]))))


def test_the_certificate_is_rotated_and_verified(server: dict[str, Json]) -> None:
    before = live(server)
    shown = succeeded(execute("rotate-certificate", server, *FORWARD))
    assert "ends in 3 days" in shown
    assert "would replace the certificate of localhost" in shown
    assert live(server) != before
    assert (Path(str(server["folder"])) / "server.key").stat().st_mode & 0o777 == 0o600


def test_rehearsing_the_rotation_changes_nothing_and_shows_the_same_twice(server: dict[str, Json]) -> None:
    before = live(server)
    first = succeeded(execute("rotate-certificate", server, *REHEARSED))
    assert succeeded(execute("rotate-certificate", server, *REHEARSED)) == first
    assert live(server) == before
    assert sorted(path.name for path in Path(str(server["folder"])).iterdir()) == ["server.crt", "server.key"]


def test_the_rotation_can_be_rolled_back(server: dict[str, Json]) -> None:
    before = live(server)
    shown = succeeded(execute("rotate-certificate", server, *REHEARSED, Role.CHANGE, Role.ROLLBACK))
    assert "the old certificate is live again" in shown
    assert live(server) == before


def test_a_pair_that_does_not_fit_leaves_the_old_certificate_live(server: dict[str, Json]) -> None:
    before = live(server)
    (Path(str(server["folder"])) / "server.key").write_text("broken")
    os.kill(int(Path(str(server["pid_file"])).read_text()), signal.SIGHUP)
    assert live(server) == before


@pytest.fixture
def spool(tmp_path: Path) -> dict[str, Json]:
    folder = tmp_path / "spool"
    folder.mkdir()
    month_ago = time.time() - 31 * 24 * 3600
    for name, old in (("a.log", True), ("b.log", True), ("new.log", False), ("old.txt", True)):
        (folder / name).write_text(name)
        if old:
            os.utime(folder / name, (month_ago, month_ago))
    (folder / "link.log").symlink_to("a.log")
    return {"directory": str(folder), "trash": str(tmp_path / "trash")}


def test_old_files_are_moved_away_and_nothing_else(spool: dict[str, Json], tmp_path: Path) -> None:
    shown = succeeded(execute("disk-cleanup", spool, *FORWARD))
    assert "would move 2 files, 10 bytes" in shown
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == ["link.log", "new.log", "old.txt"]
    assert sorted(path.name for path in (tmp_path / "trash").rglob("*.log")) == ["a.log", "b.log"]


def test_moved_files_come_back_but_never_over_newer_ones(spool: dict[str, Json], tmp_path: Path) -> None:
    succeeded(execute("disk-cleanup", spool, *REHEARSED, Role.CHANGE))
    (tmp_path / "spool" / "b.log").write_text("newer")
    shown = succeeded(execute("disk-cleanup", spool, Role.SETUP, Role.ROLLBACK))
    assert "newer b.log" in shown
    assert (tmp_path / "spool" / "a.log").read_text() == "a.log"
    assert (tmp_path / "spool" / "b.log").read_text() == "newer"


SERVE = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status}); self.end_headers()
    def log_message(self, *words): pass
http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, Json]]:
    for version, status in (("1.0", 200), ("1.1", 200), ("2.0", 500)):
        (tmp_path / "releases" / version).mkdir(parents=True)
        (tmp_path / "releases" / version / "serve.py").write_text(SERVE.format(status=status))
    (tmp_path / "current").symlink_to("releases/1.0")
    port = free_port()
    manager = Path(__file__).with_name("small_manager.py")
    process = subprocess.Popen([sys.executable, str(manager), str(tmp_path), str(port)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout
        process.stdout.readline()
        yield {"service": str(tmp_path), "health_url": f"http://127.0.0.1:{port}/health", "patience": "20"}
        process.terminate()


def test_the_service_is_restarted_on_another_version(service: dict[str, Json], tmp_path: Path) -> None:
    before = (tmp_path / "service.pid").read_text()
    shown = succeeded(execute("service-restart", service | {"version": "1.1"}, *FORWARD))
    assert "answers its health check" in shown
    assert str((tmp_path / "current").readlink()) == "releases/1.1"
    assert (tmp_path / "service.pid").read_text() != before


def test_a_version_that_is_not_well_fails_and_the_old_one_comes_back(service: dict[str, Json], tmp_path: Path) -> None:
    values = service | {"version": "2.0", "patience": "2"}
    failed = execute("service-restart", values, *FORWARD)
    assert failed.returncode != 0
    assert "not so within 2 s" in failed.stderr
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("releases/1.0")
    values["patience"] = "20"
    shown = succeeded(execute("service-restart", values, *REHEARSED, Role.CHANGE, Role.ROLLBACK))
    assert "releases/1.0 is up again" in shown
    assert str((tmp_path / "current").readlink()) == "releases/1.0"


def test_a_version_that_is_not_there_is_found_out_before_the_change(service: dict[str, Json]) -> None:
    failed = execute("service-restart", service | {"version": "9.9"}, *REHEARSED)
    assert "9.9 is there" in failed.stderr
