"""The supervisor's signing key, seen only through what it can do."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """An Ed25519 key in OpenSSH form."""

    @property
    def public_key(self) -> str:
        """The public key as one OpenSSH line, `ssh-ed25519 AAAA...`, without a comment."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the raw 64-byte Ed25519 signature (DSSE envelopes)."""
        ...

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        """Return an armoured SSHSIG (commits, comments, checkpoints)."""
        ...
