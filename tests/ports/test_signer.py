"""What every signing key promises: judged by others' software. The supervisor's key and people's keys are both here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from runner.adapters.signer.person import PersonSigner, person_signer
from runner.adapters.signer.ssh import generate
from runner.ports.signer import Signer

Made = Callable[[Path], tuple[PersonSigner, str]]
COMMENT = "runbook-comment"


def supervisor(folder: Path) -> tuple[Signer, str]:
    signer = generate(folder / "key")
    return signer, signer.public_key


def person(kind: str) -> Made:
    def made(folder: Path) -> tuple[PersonSigner, str]:
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "alice", "-f", str(folder / "key")]
        subprocess.run(command, check=True)
        settings = {"user.signingkey": str(folder / "key"), "gpg.format": "ssh"}
        return person_signer(settings.get), (folder / "key.pub").read_text()

    return made


SSH_SIGNERS: dict[str, Made] = {
    "supervisor": supervisor,
    "person, ed25519": person("ed25519"),
    "person, through ssh-keygen": person("ecdsa"),
}


@pytest.fixture(params=SSH_SIGNERS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[PersonSigner, str]:
    return SSH_SIGNERS[str(request.param)](tmp_path)


def judged(
    signature: str, message: bytes, *, public_key: str, folder: Path, namespace: str = "runbook-comment"
) -> bool:
    """What stock ssh-keygen says of a signature."""
    (folder / "signers").write_text(f"alice {public_key.strip()}\n")
    (folder / "sig").write_text(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "signers"), "-I", "alice", "-n", namespace]
    done = subprocess.run([*command, "-s", str(folder / "sig")], input=message, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("message", [b"", b"yes", bytes(range(256)) * 100])
def test_stock_ssh_keygen_believes_the_signature_of_exactly_this_message(
    made: tuple[PersonSigner, str], tmp_path: Path, message: bytes
) -> None:
    signer, public_key = made
    signature = signer.sign_ssh(message, namespace=COMMENT)
    assert judged(signature, message, public_key=public_key, folder=tmp_path)
    assert not judged(signature, message + b".", public_key=public_key, folder=tmp_path)


def test_a_signature_for_one_purpose_is_none_for_another(made: tuple[PersonSigner, str], tmp_path: Path) -> None:
    signer, public_key = made
    signature = signer.sign_ssh(b"yes", namespace="git")
    assert judged(signature, b"yes", public_key=public_key, folder=tmp_path, namespace="git")
    assert not judged(signature, b"yes", public_key=public_key, folder=tmp_path)


def test_the_public_key_is_one_line_of_type_and_key(made: tuple[PersonSigner, str]) -> None:
    signer, public_key = made
    assert signer.public_key == " ".join(public_key.split()[:2])


def test_the_raw_signature_is_64_bytes_of_ed25519_over_exactly_this_message(tmp_path: Path) -> None:
    signer, public_key = supervisor(tmp_path)
    judge = load_ssh_public_key(public_key.encode())
    assert isinstance(judge, Ed25519PublicKey)
    signature = signer.sign(b"words")
    assert len(signature) == 64
    judge.verify(signature, b"words")
    with pytest.raises(InvalidSignature):
        judge.verify(signature, b"word")
