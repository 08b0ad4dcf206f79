from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.signer.ssh import SshSigner, generate
from runner.errors import IntegrityError
from runner.ledger.envelope import STATEMENT, make_envelope, open_envelope, pae, unchecked_payload


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> SshSigner:
    return generate(tmp_path_factory.mktemp("keys") / "key")


def made(signer: SshSigner, **changes: Any) -> bytes:
    envelope = json.loads(make_envelope(b"words", payload_type=STATEMENT, signer=signer))
    return json.dumps(envelope | changes).encode()


def test_the_bytes_that_are_signed_are_those_of_the_specification() -> None:
    # The example of the DSSE specification, protocol.md.
    assert (
        pae(b"hello world", "http://example.com/HelloWorld")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_what_was_signed_comes_back(signer: SshSigner) -> None:
    data = make_envelope(b"words", payload_type=STATEMENT, signer=signer)
    assert open_envelope(data, keys=[signer.public_key], payload_type=STATEMENT) == b"words"
    assert unchecked_payload(data) == b"words"
    assert data.endswith(b"}\n")
    assert b"\n" not in data[:-1]


def test_the_key_id_is_only_a_hint(signer: SshSigner) -> None:
    envelope = json.loads(made(signer))
    envelope["signatures"][0]["keyid"] = "another"
    data = json.dumps(envelope).encode()
    assert open_envelope(data, keys=[signer.public_key], payload_type=STATEMENT) == b"words"


def test_one_good_signature_among_several_is_enough(signer: SshSigner, tmp_path: Path) -> None:
    envelope = json.loads(made(signer))
    other = json.loads(make_envelope(b"words", payload_type=STATEMENT, signer=generate(tmp_path / "other")))
    envelope["signatures"] = [*other["signatures"], *envelope["signatures"]]
    data = json.dumps(envelope).encode()
    assert open_envelope(data, keys=["garbage", signer.public_key], payload_type=STATEMENT) == b"words"


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": base64.b64encode(b"other words").decode()},
        {"payload": "not base64!"},
        {"payloadType": "application/json"},
        {"signatures": []},
        {"signatures": [{"keyid": "x", "sig": base64.b64encode(bytes(64)).decode()}]},
        {"signatures": [{"keyid": "x", "sig": ""}]},
        {"signatures": "none"},
        {"unknown": 1},
    ],
)
def test_anything_else_is_refused(signer: SshSigner, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        open_envelope(made(signer, **changes), keys=[signer.public_key], payload_type=STATEMENT)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_no_envelope_is_refused(signer: SshSigner, data: bytes) -> None:
    with pytest.raises(IntegrityError):
        open_envelope(data, keys=[signer.public_key], payload_type=STATEMENT)
    with pytest.raises(IntegrityError):
        unchecked_payload(data)


def test_no_trusted_key_means_no_words(signer: SshSigner) -> None:
    with pytest.raises(IntegrityError, match="no trusted key"):
        open_envelope(made(signer), keys=[], payload_type=STATEMENT)
