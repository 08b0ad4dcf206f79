"""Signing with SSH keys: the supervisor's Ed25519 key file, in process.

The file is in OpenSSH's own format, so that `ssh-keygen` can read it, and lies outside the repository. It is opened
here and nowhere else; everybody else sees the `Signer` port. People's keys are in `person`. Which keys are trusted is
said by the ledger and by `runbooks/allowed_signers`, not here.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import OperatorError
from runner.repository import sshsig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LARGEST = 16_384
"""Bytes; an Ed25519 key file has about 400."""


class SshSigner:
    """The `Signer` port on one unencrypted Ed25519 key file.

    Args:
        path: the private key file, readable by its owner alone.

    Raises:
        OperatorError: if the file is missing, readable by others, encrypted, or not an Ed25519 key.
    """

    def __init__(self, path: Path) -> None:
        self._key = load(path)
        self._public_key = _public_line(self._key)

    @property
    def public_key(self) -> str:
        """The public key as one OpenSSH line, without a comment."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the raw 64-byte Ed25519 signature."""
        return self._key.sign(message)

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        """Return an armoured SSHSIG."""
        return sshsig.encode(message, public_key=self._public_key, namespace=namespace, sign=self._key.sign)

    def __repr__(self) -> str:
        return f"SshSigner({self._public_key})"


def load(path: Path) -> Ed25519PrivateKey:
    """Read an unencrypted Ed25519 private key that nobody else can read.

    Raises:
        OperatorError: if that is not what the file is; the message never holds a part of it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    doing = f"reading the signing key {path}"
    data = _content(path, doing)
    try:
        key = load_ssh_private_key(data, password=None)
    except TypeError as error:
        hint = "the runner signs unattended: give it a key of its own, without a passphrase (`runbook init` makes one)"
        raise OperatorError(doing, "the key is encrypted with a passphrase", hint=hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "an OpenSSH private key is wanted; `runbook init` makes one"
        raise OperatorError(doing, "this is not an OpenSSH private key", hint=hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OperatorError(doing, "the key is not Ed25519", hint="`runbook init` makes one that is")
    return key


def generate(path: Path) -> SshSigner:
    """Make a new key file (0600, its folder 0700) and return its signer. What exists is never overwritten.

    Raises:
        OperatorError: if the file exists or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    doing = f"making the signing key {path}"
    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(draft, data)
        try:
            # A link appears whole or not at all, and unlike a rename it never replaces what is there.
            path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        if path.is_file() and isinstance(error, FileExistsError):
            hint = "use the key that is there, or move it away first; events may have been signed with it"
            raise OperatorError(doing, "the file exists", hint=hint) from error
        hint = "check the folder's owner and free space"
        raise OperatorError(doing, f"it cannot be written ({error.strerror})", hint=hint) from error
    return SshSigner(path)


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _content(path: Path, doing: str) -> bytes:
    """Read the file through one descriptor, so that what was judged is what is read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OperatorError(doing, "it is not a regular file", hint="name the private key file itself")
            if status.st_mode & 0o077:
                raise OperatorError(doing, "others can read it", hint=f"run: chmod 600 {path}")
            if status.st_uid not in {os.geteuid(), 0}:
                raise OperatorError(doing, "it belongs to somebody else", hint="use a key of this account's own")
            return file.read(LARGEST)
    except FileNotFoundError as error:
        raise OperatorError(doing, "there is no such file", hint="make one with: runbook init") from error
    except OSError as error:
        raise OperatorError(doing, f"it cannot be read ({error.strerror})", hint="check its owner and mode") from error


def _public_line(key: Ed25519PrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
