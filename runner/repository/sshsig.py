"""SSH signatures (SSHSIG, as in OpenSSH's PROTOCOL.sshsig): read, checked and put together in process.

Commits, comments and checkpoints carry them, and checking a history must not start a process per signature. Here, not
in an adapter, because `repository`, `ledger` and `audit` all check them. Ed25519, RSA and ECDSA are checked in process,
security keys (`sk-...`) by `ssh-keygen`. Who may sign what is not decided here, and no private key comes here: whoever
has one passes a function that signs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import IntegrityError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
VERSION = 1
WIDTH = 70
LARGEST = 20_000
"""Characters: more than any real signature needs (RSA with 16,384 bits takes about 6,000)."""
SMALLEST_RSA = 2048
TIMEOUT = 20.0
"""Seconds that `ssh-keygen` may take to check one signature."""

_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}


class _MalformedError(ValueError):
    """The armour or what is in it is malformed; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """The fields of an SSHSIG: `key` as SSH encodes it, `algorithm` and `blob` from the inner signature."""

    key: bytes
    namespace: bytes
    reserved: bytes
    hash_name: bytes
    algorithm: bytes
    blob: bytes


def verify(message: bytes, signature: str, *, public_key: str, namespace: str) -> bool:
    """Say whether an armoured signature over these bytes was made with this key for this namespace.

    Args:
        message: the exact bytes.
        signature: the armoured SSHSIG.
        public_key: one OpenSSH line, `ssh-ed25519 AAAA...`; a comment after it is ignored.
        namespace: what the signature must have been made for, for example `git`.

    Returns:
        False for anything else, garbage included; it never raises.
    """
    try:
        parsed = _parse(signature)
        if not hmac.compare_digest(parsed.key, key_bytes(public_key)):
            return False
        if parsed.namespace != namespace.encode() or not namespace:
            return False
        return _check(parsed, message, signature=signature)
    except Exception:  # noqa: BLE001 - hostile bytes meet several parsers here, and an answer that is not yes is no
        return False


def signed_by(signature: str) -> str:
    """Return the public key that a signature claims, as one OpenSSH line; whether it is valid is `verify`'s to say.

    Raises:
        IntegrityError: if this is not an SSH signature.
    """
    try:
        key = _parse(signature).key
        kind, _ = _string(key)
        return f"{kind.decode('ascii')} {base64.b64encode(key).decode()}"
    except (ValueError, UnicodeError) as error:
        raise IntegrityError(
            "reading an SSH signature", str(error), hint="compare it with what `ssh-keygen -Y sign` writes"
        ) from error


def encode(message: bytes, *, public_key: str, namespace: str, sign: Callable[[bytes], bytes]) -> str:
    """Make an armoured SSHSIG with an Ed25519 key.

    Args:
        message: the bytes to sign.
        public_key: the key as one OpenSSH line.
        namespace: what the signature is for; never empty.
        sign: returns the raw 64-byte Ed25519 signature over what it is given.

    Raises:
        ValueError: if the namespace is empty or the key is not Ed25519.
    """
    key = key_bytes(public_key)
    kind, _ = _string(key)
    if kind != b"ssh-ed25519" or not namespace:
        message_ = "an SSHSIG is made here with an ssh-ed25519 key and a namespace"
        raise ValueError(message_)
    name = namespace.encode()
    raw = sign(_signed_bytes(message, namespace=name, reserved=b"", hash_name=b"sha512"))
    blob = b"".join(
        (
            MAGIC,
            VERSION.to_bytes(4, "big"),
            *map(_pack, (key, name, b"", b"sha512")),
            _pack(_pack(b"ssh-ed25519") + _pack(raw)),
        )
    )
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    return "\n".join((BEGIN, *lines, END, ""))


def key_bytes(public_key: str) -> bytes:
    """Return the SSH encoding of an OpenSSH public key line: what two lines of the same key have in common.

    Raises:
        ValueError: if the line is not a public key.
    """
    words = public_key.split()
    if len(words) < 2:  # noqa: PLR2004 - a type and a key
        message = "a public key is a type and a base64 text"
        raise ValueError(message)
    blob = base64.b64decode(words[1], validate=True)
    kind, _ = _string(blob)
    if kind != words[0].encode():
        message = "the public key is of another type than its line says"
        raise ValueError(message)
    return blob


def _dearmour(armoured: str) -> bytes:
    if len(armoured) > LARGEST:
        raise _MalformedError("it is too long")
    lines = armoured.strip("\n").split("\n")
    if len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:  # noqa: PLR2004 - two marks and something between
        raise _MalformedError("its first or last line is missing")
    text = "".join(lines[1:-1])
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _MalformedError("it is not base64") from error
    if base64.b64encode(blob).decode() != text:
        # Unused last bits would let one signature be written in several ways.
        raise _MalformedError("its base64 is not in the one canonical form")
    return blob


def _parse(armoured: str) -> _Signature:
    blob = _dearmour(armoured)
    if blob[: len(MAGIC)] != MAGIC or blob[len(MAGIC) : len(MAGIC) + 4] != VERSION.to_bytes(4, "big"):
        raise _MalformedError("it does not begin as an SSHSIG of version 1")
    rest = blob[len(MAGIC) + 4 :]
    fields: list[bytes] = []
    for _ in range(5):
        field, rest = _string(rest)
        fields.append(field)
    key, namespace, reserved, hash_name, inner = fields
    if rest:
        raise _MalformedError("bytes follow it")
    if hash_name not in _HASHES:
        raise _MalformedError("its hash is neither sha256 nor sha512")
    algorithm, rest = _string(inner)
    if algorithm.startswith(b"sk-"):
        # The signature string, flags and a counter: ssh-keygen reads those.
        return _Signature(
            key=key, namespace=namespace, reserved=reserved, hash_name=hash_name, algorithm=algorithm, blob=rest
        )
    raw, rest = _string(rest)
    if rest:
        raise _MalformedError("bytes follow the inner signature")
    return _Signature(
        key=key, namespace=namespace, reserved=reserved, hash_name=hash_name, algorithm=algorithm, blob=raw
    )


def _check(parsed: _Signature, message: bytes, *, signature: str) -> bool:
    """Check the inner signature; a wrong one is False or an exception, which `verify` turns into False."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    kind, _ = _string(parsed.key)
    if kind.startswith(b"sk-"):
        return _ssh_keygen_agrees(parsed, message, signature=signature)
    data = _signed_bytes(message, namespace=parsed.namespace, reserved=parsed.reserved, hash_name=parsed.hash_name)
    key = load_ssh_public_key(kind + b" " + base64.b64encode(parsed.key))
    match key:
        case ed25519.Ed25519PublicKey() if parsed.algorithm == b"ssh-ed25519":
            key.verify(parsed.blob, data)
        case rsa.RSAPublicKey():
            _check_rsa(key, parsed, data)
        case ec.EllipticCurvePublicKey() if parsed.algorithm == kind:
            _check_ecdsa(key, parsed, data)
        case _:
            return False
    return True


def _check_rsa(key: rsa.RSAPublicKey, parsed: _Signature, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    kinds = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
    if parsed.algorithm not in kinds or key.key_size < SMALLEST_RSA:
        raise _MalformedError("RSA needs rsa-sha2-256 or rsa-sha2-512 and 2048 bits")
    key.verify(parsed.blob, data, padding.PKCS1v15(), kinds[parsed.algorithm])


def _check_ecdsa(key: ec.EllipticCurvePublicKey, parsed: _Signature, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    kinds = {
        b"ecdsa-sha2-nistp256": hashes.SHA256(),
        b"ecdsa-sha2-nistp384": hashes.SHA384(),
        b"ecdsa-sha2-nistp521": hashes.SHA512(),
    }
    r, rest = _string(parsed.blob)
    s, rest = _string(rest)
    if rest:
        raise _MalformedError("bytes follow the ECDSA signature")
    numbers = int.from_bytes(r, "big", signed=True), int.from_bytes(s, "big", signed=True)
    key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(kinds[parsed.algorithm]))


def _ssh_keygen_agrees(parsed: _Signature, message: bytes, *, signature: str) -> bool:
    kind, _ = _string(parsed.key)
    with tempfile.TemporaryDirectory(prefix="runbook-sshsig-") as name:
        folder = Path(name)
        line = f"signer {kind.decode('ascii')} {base64.b64encode(parsed.key).decode()}\n"
        (folder / "signers").write_text(line, encoding="ascii")
        (folder / "signature").write_text(signature, encoding="ascii")
        arguments = ["-f", str(folder / "signers"), "-I", "signer", "-s", str(folder / "signature")]
        arguments += ["-n", parsed.namespace.decode()]
        done = subprocess.run(
            ["ssh-keygen", "-Y", "verify", *arguments], input=message, capture_output=True, timeout=TIMEOUT, check=False
        )
    return done.returncode == 0


def _signed_bytes(message: bytes, *, namespace: bytes, reserved: bytes, hash_name: bytes) -> bytes:
    """Return what the key really signs."""
    return MAGIC + b"".join(map(_pack, (namespace, reserved, hash_name, _HASHES[hash_name](message).digest())))


def _pack(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Take one length-prefixed field; return it and the rest."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise _MalformedError("it is cut short")
    return data[4 : 4 + size], data[4 + size :]
