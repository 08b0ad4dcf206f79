"""Secrets from a Vault API, on a real OpenBao server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runner.adapters.secrets.vault import VaultSecrets, address
from runner.errors import OperatorError, OutsideError
from tests.adapters.secrets.bao import Bao, hand, put

CANARY = "hunter2-canary-value"


@pytest.fixture
def store(bao: Bao, tmp_path: Path) -> VaultSecrets:
    hand(tmp_path, bao, token=bao.token())
    return VaultSecrets(bao.url, credentials=tmp_path)


def test_an_address_names_server_mount_path_and_version() -> None:
    found = address("https://vault.example.org:8200/v1/team/kv/data/ops/db?version=3")
    assert (found.host, found.mount, found.path, found.version) == ("vault.example.org:8200", "team/kv", "ops/db", 3)
    assert str(found) == "https://vault.example.org:8200/v1/team/kv/data/ops/db"


def test_a_token_that_may_read_gets_the_value(store: VaultSecrets) -> None:
    assert (store.resolve("PW"), store.resolve("KEY")) == ("from-bao-9", "line 1\nline 2")


def test_whether_it_can_be_opened_is_found_out_without_reading_a_secret(bao: Bao, tmp_path: Path) -> None:
    hand(tmp_path, bao, token=bao.token())
    store = VaultSecrets(bao.url, credentials=tmp_path)
    store.ready()
    assert CANARY not in repr(vars(store))
    hand(tmp_path, bao, token="hvs.wrong")
    with pytest.raises(OperatorError, match="denied"):
        VaultSecrets(bao.url, credentials=tmp_path).ready()


def test_a_role_logs_in_reads_and_gives_its_token_back(bao: Bao, tmp_path: Path) -> None:
    role, secret = bao.role()
    hand(tmp_path, bao, role_id=role, secret_id=secret)
    before = len(bao.client.list("auth/token/accessors")["data"]["keys"])
    assert VaultSecrets(bao.url, credentials=tmp_path).resolve("PW") == "from-bao-9"
    assert len(bao.client.list("auth/token/accessors")["data"]["keys"]) == before


def test_a_version_that_is_named_is_the_one_that_is_read(bao: Bao, tmp_path: Path) -> None:
    hand(tmp_path, bao, token=bao.token())
    bao.write({"PW": "newer-value"})
    newest = bao.client.secrets.kv.v2.read_secret_metadata("ops", mount_point="kv")["data"]["current_version"]

    def at(version: int) -> str:
        return VaultSecrets(f"{bao.url}?version={version}", credentials=tmp_path).resolve("PW")

    assert (at(newest), at(newest - 1)) == ("newer-value", "from-bao-9")
    with pytest.raises(OperatorError, match=f"nothing at .* in version {newest + 9}"):
        at(newest + 9)
    bao.client.secrets.kv.v2.delete_secret_versions("ops", [newest - 1], mount_point="kv")
    with pytest.raises(OperatorError, match="is deleted"):
        at(newest - 1)


@pytest.mark.parametrize(
    ("name", "why"), [("OTHER", "has no OTHER"), ("EMPTY", "not a text of 1 to"), ("NUMBER", "not a text of 1 to")]
)
def test_what_the_document_does_not_hold_as_text_is_named(store: VaultSecrets, name: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        store.resolve(name)


def test_a_machine_without_a_token_for_this_server_sends_none(bao: Bao, tmp_path: Path) -> None:
    put(tmp_path, "vault.example.org", token=bao.token())
    with pytest.raises(OperatorError, match=f"no token for {bao.host}") as caught:
        VaultSecrets(bao.url, credentials=tmp_path).resolve("PW")
    assert "mode 0600" in caught.value.hint


def test_a_token_file_that_others_may_read_is_refused(bao: Bao, tmp_path: Path) -> None:
    (hand(tmp_path, bao, token=bao.token()) / "token").chmod(0o644)
    with pytest.raises(OperatorError, match="others may read"):
        VaultSecrets(bao.url, credentials=tmp_path).resolve("PW")


def test_a_token_or_role_that_is_denied_is_the_operators_matter(bao: Bao, tmp_path: Path) -> None:
    hand(tmp_path, bao, token=CANARY)
    with pytest.raises(OperatorError, match="denied to this machine") as caught:
        VaultSecrets(bao.url, credentials=tmp_path).resolve("PW")
    assert CANARY not in str(caught.value) + caught.value.hint
    hand(tmp_path, bao, role_id="runner", secret_id=CANARY)
    with pytest.raises(OperatorError, match="refuses this machine's role") as caught:
        VaultSecrets(bao.url, credentials=tmp_path).resolve("PW")
    assert CANARY not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("kv/data/other", "denied"),
        ("nowhere/data/ops", "denied"),
        ("old/data/ops", "no answer of a key-value engine, version 2"),
        ("kv/data/none", "nothing at"),
    ],
)
def test_a_wrong_place_is_told_from_a_denied_one(bao: Bao, tmp_path: Path, *, path: str, why: str) -> None:
    bao.client.secrets.kv.v1.create_or_update_secret("data/ops", secret={"PW": CANARY}, mount_point="old")
    token = bao.token() if why == "denied" else bao.root
    hand(tmp_path, bao, token=token)
    with pytest.raises(OperatorError, match=why) as caught:
        VaultSecrets(f"https://{bao.host}/v1/{path}", credentials=tmp_path).resolve("PW")
    assert CANARY not in str(caught.value)


def test_a_sealed_server_is_outside_trouble_until_it_is_unsealed(bao: Bao, store: VaultSecrets) -> None:
    bao.seal()
    try:
        with pytest.raises(OutsideError, match="is sealed") as caught:
            store.resolve("PW")
        assert "unsealed" in caught.value.hint
    finally:
        bao.unseal()
    assert store.resolve("PW") == "from-bao-9"


def test_a_server_that_is_away_is_outside_trouble(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        put(tmp_path, host, token="t")
        with pytest.raises(OutsideError, match=f"http://{host} is away"):
            VaultSecrets(f"http://{host}/v1/kv/data/ops", credentials=tmp_path).resolve("PW")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        host = f"127.0.0.1:{mute.getsockname()[1]}"
        put(tmp_path, host, token="t")
        with pytest.raises(OutsideError, match=r"was silent for 0\.2 s"):
            VaultSecrets(f"http://{host}/v1/kv/data/ops", credentials=tmp_path, timeout=0.2).resolve("PW")


def test_a_server_with_a_certificate_of_nobody_known_gets_nothing(bao: Bao, tmp_path: Path) -> None:
    (hand(tmp_path, bao, token=bao.token()) / "ca.pem").unlink()
    with pytest.raises(OperatorError, match=r"certificate of .* is not trusted") as caught:
        VaultSecrets(bao.url, credentials=tmp_path).resolve("PW")
    assert "ca.pem" in caught.value.hint


def test_a_redirect_takes_the_token_nowhere(bao: Bao, tmp_path: Path) -> None:
    with redirecting(f"https://{bao.host}") as (host, asked):
        put(tmp_path, host, token=bao.token())
        with pytest.raises(OperatorError, match="no answer of a key-value engine"):
            VaultSecrets(f"http://{host}/v1/kv/data/ops", credentials=tmp_path).resolve("PW")
    assert asked == ["/v1/kv/data/ops"]


@contextmanager
def redirecting(to: str) -> Iterator[tuple[str, list[str]]]:
    """A server that sends everybody on to another one."""
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", f"{to}{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()
