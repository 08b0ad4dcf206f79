"""Bytes that are hashed, and their hashes.

Everything that is signed, approved or compared is first turned into bytes here, so that there is one way to do it.
`Wire` is the base of every format that we keep: frozen, strict (an unknown field is refused), camel-case in JSON.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NewType, TypeAlias, TypeVar, dataclass_transform

import msgspec

Digest = NewType("Digest", str)
"""A sha256 as 64 lower-case hex digits."""

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
else:
    # msgspec cannot resolve a recursive alias; at run time anything that JSON holds is right here.
    Json = Any

SHORT = 12
"""Digits of a digest that people write and read."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Base of every stored format."""


W = TypeVar("W")


def sha256(data: bytes) -> Digest:
    """Hash bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def canonical(value: object) -> bytes:
    """Encode as compact JSON with sorted keys: for envelopes and other formats that machines read."""
    return msgspec.json.encode(value, order="sorted")


def readable(value: object) -> bytes:
    """Encode as indented JSON with sorted keys and a final newline: for files that people open."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"


def parse(kind: type[W], data: bytes) -> W:
    """Decode and check one stored format.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: if the bytes are not of that format; the caller
            says what was read.
    """
    return msgspec.json.decode(data, type=kind)
