"""The supervisor's key file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from runner.adapters.signer.ssh import SshSigner, generate
from runner.errors import OperatorError
from runner.ports.signer import Signer
from runner.repository.sshsig import verify


def test_a_generated_key_is_private_and_readable_by_ssh_keygen(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "runner"
    signer: Signer = generate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    done = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], capture_output=True, check=True)
    assert done.stdout.decode().split()[:2] == signer.public_key.split()
    assert list(path.parent.iterdir()) == [path]


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "runner"
    first = generate(path)
    with pytest.raises(OperatorError, match="exists"):
        generate(path)
    assert SshSigner(path).public_key == first.public_key
    assert [one.name for one in tmp_path.iterdir()] == ["runner"]


def test_a_folder_that_cannot_be_made_is_an_operators_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="cannot be written"):
        generate(tmp_path / "file" / "runner")


def test_its_signatures_verify(tmp_path: Path) -> None:
    signer = generate(tmp_path / "runner")
    public = load_ssh_public_key(signer.public_key.encode())
    assert isinstance(public, Ed25519PublicKey)
    public.verify(signer.sign(b"words"), b"words")
    assert verify(b"words", signer.sign_ssh(b"words", namespace="git"), public_key=signer.public_key, namespace="git")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runner"
    generate(path)
    path.chmod(0o640)
    with pytest.raises(OperatorError, match="others can read") as caught:
        SshSigner(path)
    assert "chmod 600" in caught.value.hint


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no such file"):
        SshSigner(tmp_path / "nothing")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read"):
        SshSigner(tmp_path)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [(("-t", "ed25519", "-N", "secret words"), "passphrase"), (("-t", "ecdsa", "-N", ""), "not Ed25519")],
)
def test_an_encrypted_key_and_one_of_another_type_are_refused(
    tmp_path: Path, options: tuple[str, ...], wrong: str
) -> None:
    path = tmp_path / "runner"
    subprocess.run(["ssh-keygen", "-q", *options, "-f", str(path)], check=True)
    with pytest.raises(OperatorError, match=wrong):
        SshSigner(path)


def test_garbage_is_refused_without_being_shown(tmp_path: Path) -> None:
    path = tmp_path / "runner"
    path.write_text("hunter2 hunter2")
    path.chmod(0o600)
    with pytest.raises(OperatorError) as caught:
        SshSigner(path)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caught.value.hint
