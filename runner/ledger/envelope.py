"""DSSE envelopes: sign bytes, and give bytes back only when a trusted key signed them.

Follows the DSSE 1.0 specification (secure-systems-lab/dsse): the signature covers the pre-authentication encoding of
type and payload, the key id is only a hint, and nothing of the payload is looked at before the signature holds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from runner.digest import Wire, canonical, parse, sha256
from runner.errors import IntegrityError
from runner.ports.signer import Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

STATEMENT = "application/vnd.in-toto+json"
"""Payload type of every ledger event."""


class Signature(Wire):
    """One signature; `keyid` is the sha256 of the public key line, and only a hint."""

    keyid: str
    sig: str


class Envelope(Wire):
    """As in the DSSE specification."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...]


def pae(payload: bytes, payload_type: str) -> bytes:
    """The pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def make_envelope(payload: bytes, *, payload_type: str, signer: Signer) -> bytes:
    """Sign a payload and return the envelope's bytes, with a final newline."""
    signature = base64.b64encode(signer.sign(pae(payload, payload_type))).decode()
    envelope = Envelope(
        payload=base64.b64encode(payload).decode(),
        payload_type=payload_type,
        signatures=(Signature(keyid=sha256(signer.public_key.encode()), sig=signature),),
    )
    return canonical(envelope) + b"\n"


def open_envelope(data: bytes, *, keys: Iterable[str], payload_type: str) -> bytes:
    """Return the payload if one of the keys (OpenSSH lines) signed it.

    Raises:
        IntegrityError: in every other case; the payload is then not to be used for anything.
    """
    doing = "checking a signed envelope"
    try:
        envelope = parse(Envelope, data)
        payload = base64.b64decode(envelope.payload, validate=True)
        signatures = [base64.b64decode(one.sig, validate=True) for one in envelope.signatures]
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise IntegrityError(doing, f"not a DSSE envelope ({error})") from error
    if envelope.payload_type != payload_type:
        raise IntegrityError(doing, f"it holds {envelope.payload_type}, expected {payload_type}")
    if not signed_by_any(pae(payload, payload_type), signatures, keys):
        raise IntegrityError(doing, "no trusted key signed it", hint="see `runbook verify` for which keys are trusted")
    return payload


def unchecked_payload(data: bytes) -> bytes:
    """The payload of an envelope that was not checked: for finding out which key to trust, never to act on."""
    try:
        return base64.b64decode(parse(Envelope, data).payload, validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise IntegrityError("reading a signed envelope", f"not a DSSE envelope ({error})") from error


def signed_by_any(message: bytes, signatures: Iterable[bytes], keys: Iterable[str]) -> bool:
    """Whether one of the keys (OpenSSH lines, Ed25519) made one of the raw signatures over these bytes."""
    tried = tuple(signatures)
    return any(_holds(message, signature, key) for key in keys for signature in tried)


def is_key(line: str) -> bool:
    """Whether a line is an OpenSSH Ed25519 public key: the only kind that signs events."""
    return _public(line) is not None


def _holds(message: bytes, signature: bytes, key: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    public = _public(key)
    if public is None:
        return False
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=256)
def _public(key: str) -> Ed25519PublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        public = load_ssh_public_key(key.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return public if isinstance(public, Ed25519PublicKey) else None
