"""SSH signatures, judged by ssh-keygen and git."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import IntegrityError
from runner.repository.sshsig import encode, signed_by, verify

MESSAGE = b"restart staging/orders\n"


def keygen(folder: Path, *options: str) -> Path:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-C", "a@b", "-f", str(path)], check=True)
    return path


def signed_with_ssh_keygen(key: Path, message: bytes, namespace: str, *options: str) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace, *options],
        input=message,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def in_process(key: Path) -> tuple[Ed25519PrivateKey, str]:
    private = load_ssh_private_key(key.read_bytes(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    return private, private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    "options",
    [
        ("-t", "ed25519"),
        ("-t", "rsa", "-b", "2048"),
        ("-t", "ecdsa", "-b", "256"),
        ("-t", "ecdsa", "-b", "384"),
        ("-t", "ecdsa", "-b", "521"),
    ],
)
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_accepted(tmp_path: Path, options: tuple[str, ...], hash_name: str) -> None:
    key = keygen(tmp_path, *options)
    public = key.with_suffix(".pub").read_text()
    signature = signed_with_ssh_keygen(key, MESSAGE, "runbook-comment", "-O", f"hashalg={hash_name}")
    assert verify(MESSAGE, signature, public_key=public, namespace="runbook-comment")
    assert signed_by(signature).split() == public.split()[:2]
    assert not verify(MESSAGE + b" ", signature, public_key=public, namespace="runbook-comment")
    assert not verify(MESSAGE, signature, public_key=public, namespace="git")


def test_what_we_sign_is_accepted_by_ssh_keygen(tmp_path: Path) -> None:
    private, public = in_process(keygen(tmp_path, "-t", "ed25519"))
    signature = encode(MESSAGE, public_key=public, namespace="runbook-comment", sign=private.sign)
    (tmp_path / "signature").write_text(signature)
    (tmp_path / "signers").write_text(f"alice {public}\n")
    arguments = ["-f", str(tmp_path / "signers"), "-I", "alice", "-n", "runbook-comment"]
    arguments += ["-s", str(tmp_path / "signature")]
    subprocess.run(["ssh-keygen", "-Y", "verify", *arguments], input=MESSAGE, check=True, capture_output=True)
    assert verify(MESSAGE, signature, public_key=public, namespace="runbook-comment")


def test_git_accepts_a_commit_signed_in_process(tmp_path: Path) -> None:
    private, public = in_process(keygen(tmp_path, "-t", "ed25519"))
    (tmp_path / "signers").write_text(f"alice {public}\n")
    repo = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    tree = _git(repo, "mktree", stdin=b"").strip().decode()
    unsigned = f"tree {tree}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n"
    body = "\nhello\n"
    signature = encode((unsigned + body).encode(), public_key=public, namespace="git", sign=private.sign)
    header = "gpgsig " + signature.strip().replace("\n", "\n ") + "\n"
    commit = _git(repo, "hash-object", "-t", "commit", "-w", "--stdin", stdin=(unsigned + header + body).encode())
    config = ["-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}"]
    _git(repo, *config, "verify-commit", commit.strip().decode())


def _git(repo: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", "-C", str(repo), *arguments], input=stdin, check=True, capture_output=True).stdout


def test_a_signature_by_another_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    private, _ = in_process(keygen(tmp_path / "one", "-t", "ed25519"))
    _, other = in_process(keygen(tmp_path / "two", "-t", "ed25519"))
    mine = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    signature = encode(MESSAGE, public_key=mine, namespace="git", sign=private.sign)
    assert verify(MESSAGE, signature, public_key=mine, namespace="git")
    assert not verify(MESSAGE, signature, public_key=other, namespace="git")
    # A signature that names the other key but was made with this one.
    forged = encode(MESSAGE, public_key=other, namespace="git", sign=private.sign)
    assert not verify(MESSAGE, forged, public_key=other, namespace="git")


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    key = keygen(tmp_path, "-t", "rsa", "-b", "1024")
    signature = signed_with_ssh_keygen(key, MESSAGE, "git")
    assert not verify(MESSAGE, signature, public_key=key.with_suffix(".pub").read_text(), namespace="git")


def test_a_security_key_is_checked_through_ssh_keygen() -> None:
    # What a FIDO token does, done in software: it signs the application, its flags and counter, and the message.
    private = Ed25519PrivateKey.generate()
    raw_key = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"
    blob = _pack(kind) + _pack(raw_key) + _pack(application)
    hashed = _pack(b"git") + _pack(b"") + _pack(b"sha512") + _pack(hashlib.sha512(MESSAGE).digest())
    flags = bytes([1]) + (7).to_bytes(4, "big")
    asked = hashlib.sha256(application).digest() + flags + hashlib.sha256(b"SSHSIG" + hashed).digest()
    inner = _pack(kind) + _pack(private.sign(asked)) + flags
    whole = b"SSHSIG" + (1).to_bytes(4, "big") + _pack(blob) + _pack(b"git") + _pack(b"") + _pack(b"sha512")
    text = base64.b64encode(whole + _pack(inner)).decode()
    signature = f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n"
    public = f"{kind.decode()} {base64.b64encode(blob).decode()}"
    assert verify(MESSAGE, signature, public_key=public, namespace="git")
    assert not verify(MESSAGE + b"x", signature, public_key=public, namespace="git")


def _pack(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field


def test_every_truncation_and_every_changed_character_is_refused() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    signature = encode(MESSAGE, public_key=public, namespace="git", sign=private.sign)
    stripped = signature.strip()
    for length in range(len(stripped)):
        assert not verify(MESSAGE, stripped[:length], public_key=public, namespace="git")
    for place in range(len(stripped)):
        if stripped[place] == "\n":
            continue
        changed = stripped[:place] + ("B" if stripped[place] == "A" else "A") + stripped[place + 1 :]
        assert not verify(MESSAGE, changed, public_key=public, namespace="git"), place


@settings(max_examples=300)
@given(st.text(), st.text(), st.binary())
def test_garbage_is_not_a_signature_and_never_an_exception(signature: str, key: str, inside: bytes) -> None:
    armoured = f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(inside).decode()}\n-----END SSH SIGNATURE-----\n"
    blob = f"ssh-ed25519 {base64.b64encode(inside).decode()}"
    for text in (signature, armoured):
        for public_key in (key, blob):
            assert not verify(MESSAGE, text, public_key=public_key, namespace="git")


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_reading_the_key_of_garbage_says_that_it_is_no_signature(inside: bytes) -> None:
    text = base64.b64encode(b"SSHSIG" + (1).to_bytes(4, "big") + inside).decode()
    with pytest.raises(IntegrityError, match="SSH signature"):
        signed_by(f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----")


def test_an_empty_namespace_is_never_valid() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    with pytest.raises(ValueError, match="namespace"):
        encode(os.urandom(8), public_key=public, namespace="", sign=private.sign)
