"""The demo's server: HTTPS on this machine only, with a certificate that it reads again on SIGHUP.

It is the real thing that the demo changes: a process of its own, started before the run and not by it. It serves
nothing but one line of text.
"""

from __future__ import annotations

import argparse
import os
import signal
import ssl
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import FrameType

CERTIFICATE = "server.crt"
KEY = "server.key"


class Hello(BaseHTTPRequestHandler):
    """Answers every GET with one line."""

    timeout = 10

    def do_GET(self) -> None:
        """Answer."""
        body = b"the demo's server is here\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing: the demo's screen belongs to the demo."""


class Server(ThreadingHTTPServer):
    """An HTTP server whose handshakes happen in the connection's own thread, so that a silent client blocks nobody."""

    daemon_threads = True

    def __init__(self, folder: Path, *, port: int) -> None:
        self._folder = folder
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(self._context)
        super().__init__(("127.0.0.1", port), Hello)
        self.socket = self._context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without asking for the machine's name: a broken resolver would take many seconds to say nothing."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def reload(self) -> None:
        """Read certificate and key again; a pair that does not fit is left alone and the old one goes on."""
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self._context)
        except (ssl.SSLError, OSError) as error:
            sys.stderr.write(f"kept the old certificate: {error}\n")

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is no news."""

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._folder / CERTIFICATE, self._folder / KEY)


def first_certificate(folder: Path, *, host: str, now: datetime, days: int) -> None:
    """Write the certificate that is about to expire: self-signed, for `host`, valid for `days` more days.

    Args:
        folder: where `server.crt` and `server.key` go; made if it is not there.
        host: the name in the certificate.
        now: an aware time; the certificate began 90 days before.
        days: how many whole days are left.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days, hours=12))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / KEY).touch(mode=0o600)
    (folder / KEY).write_bytes(private)
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _end_with_input(server: Server) -> None:
    """Whoever started the server holds the other end of its input; killed or not, that end is closed with them."""
    # Not through sys.stdin: its lock, held by a thread that waits, breaks the interpreter's own end.
    while os.read(0, 1024):
        pass
    server.shutdown()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM. The port is printed as the first line, once the process id is in its file."""
    parser = argparse.ArgumentParser(description="The demo's HTTPS server.")
    parser.add_argument("--folder", type=Path, required=True, help=f"holds {CERTIFICATE} and {KEY}")
    parser.add_argument("--pid-file", type=Path, required=True, help="where to write the process id")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose one")
    parser.add_argument("--until-input-ends", action="store_true", help="end when standard input does")
    options = parser.parse_args(arguments)
    server = Server(options.folder, port=options.port)

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        server.reload()

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGHUP, hang_up)
    signal.signal(signal.SIGTERM, terminate)
    try:
        options.pid_file.write_text(f"{os.getpid()}\n")
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        if options.until_input_ends:
            threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
        server.serve_forever()
    finally:
        server.server_close()
        options.pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
