"""The thing that the demo changes, seen from outside: its HTTPS server as a process, and the certificate on its port.

The server is no child of any kernel, and it ends when its standard input does: a demo that is killed leaves nothing.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner.cli import demo_server
from runner.errors import OutsideError

HOST = "localhost"
DAYS = 3
"""How many days the first certificate has left."""
PATIENCE = 10.0
"""Seconds that a connection, or the end of the server, may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The running server. `folder` holds its certificate and key."""

    folder: Path
    pid_file: Path
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The certificate that a client gets. `serial` is in hexadecimal, `until` is aware."""

    serial: str
    until: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends."""
        return (self.until - now).days


@contextmanager
def serving(folder: Path, *, now: datetime) -> Iterator[Server]:
    """Run the server, with a certificate that ends soon, for as long as the block lasts.

    Raises:
        OutsideError: if it does not start.
    """
    demo_server.first_certificate(folder / "tls", host=HOST, now=now, days=DAYS)
    pid_file = folder / "server.pid"
    # -P: the folder that the person happens to be in is nothing to import from.
    command = [sys.executable, "-P", "-m", "runner.cli.demo_server", "--until-input-ends"]
    command += ["--folder", str(folder / "tls"), "--pid-file", str(pid_file)]
    # A session of its own: Ctrl-C on the terminal is for the demo, which then ends the server in good order.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, cwd=folder
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line.strip().isdigit():
            raise OutsideError("starting the demo's server", "it ended at once", hint="see what it says above")
        yield Server(folder=folder / "tls", pid_file=pid_file, port=int(line))
    finally:
        _end(process)


def presented(server: Server) -> Presented:
    """Connect as a client that trusts exactly the certificate in the server's folder, and look at what it presents.

    Raises:
        OutsideError: if there is no verified connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=server.folder / demo_server.CERTIFICATE)
        with (
            socket.create_connection((HOST, server.port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            facts = connection.getpeercert() or {}
    except OSError as error:
        raise OutsideError(f"connecting to https://{HOST}:{server.port}", str(error)) from error
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(facts["notAfter"])), tz=UTC)
    return Presented(serial=str(facts["serialNumber"]), until=until)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
