"""A picture that a cell showed: a PNG, and nothing that only calls itself one. Pure.

It is taken apart and put together again: what is shown to people is the pixels alone, without the texts, times and
profiles that such a file can carry unseen, and without anything behind its end.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST = 1024 * 1024
"""Bytes of a picture."""
SIDE = 10_000
"""Pixels of a side."""
AREA = 16_000_000
"""Pixels of the whole."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"pHYs", b"IDAT", b"IEND"}
_LEFT_OUT = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"iCCP", b"cHRM", b"sBIT", b"bKGD", b"eXIf", b"hIST", b"sPLT"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values of a pixel by the type of its colour."""
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_HEADER = 13
_STEP = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture. `data` are the bytes of a clean PNG; `address` is where people see it, if it is shown anywhere."""

    data: bytes
    width: int
    height: int
    address: str = ""


def read(data: bytes) -> Picture | None:
    """Take a PNG apart and keep its pixels; None if it is not one, is broken, or is too large to be shown."""
    chunks = _chunks(data) if len(data) <= LARGEST else None
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1] != (b"IEND", b""):
        return None
    kinds = [kind for kind, _ in chunks]
    if not {*kinds} <= _KEPT | _LEFT_OUT or kinds.count(b"IHDR") != 1 or kinds.count(b"IEND") != 1:
        return None
    size = _size(chunks[0][1])
    if size is None or not _is_whole(chunks, expected=size[2]):
        return None
    clean = b"".join(_chunk(kind, content) for kind, content in chunks if kind in _KEPT)
    return Picture(data=_SIGNATURE + clean, width=size[0], height=size[1])


def _chunks(data: bytes) -> list[tuple[bytes, bytes]] | None:
    """Every chunk with its content; None unless the file is made of whole ones and ends with the last."""
    found, at = [], len(_SIGNATURE)
    if not data.startswith(_SIGNATURE):
        return None
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        kind, content, end = data[at + 4 : at + 8], data[at + 8 : at + 8 + length], at + 12 + length
        if end > len(data) or int.from_bytes(data[end - 4 : end]) != zlib.crc32(kind + content):
            return None
        found.append((kind, content))
        at = end
    return found


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _size(header: bytes) -> tuple[int, int, int | None] | None:
    """Width, height, and how many bytes all rows have (None where they are interlaced); None if no PNG says so."""
    if len(header) != _HEADER:
        return None
    width, height, depth, colour, compression, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if not (0 < width <= SIDE and 0 < height <= SIDE and width * height <= AREA):
        return None
    if depth not in _DEPTHS.get(colour, set()) or compression or filtering or interlaced > 1:
        return None
    row = 1 + (width * _CHANNELS[colour] * depth + 7) // 8
    return width, height, None if interlaced else row * height


def _is_whole(chunks: list[tuple[bytes, bytes]], *, expected: int | None) -> bool:
    """Whether the pixels unpack to as many bytes as there have to be, and not to more than anybody asked for."""
    packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
    most = 9 * AREA if expected is None else expected
    length = 0
    try:
        for piece in _unpacked(packed):
            length += piece
            if length > most:
                return False
    except zlib.error:
        return False
    return length > 0 and (expected is None or length == expected)


def _unpacked(packed: bytes) -> Iterator[int]:
    """How long each piece is that comes out; nothing of it is kept."""
    unpacking = zlib.decompressobj()
    rest = packed
    while rest and not unpacking.eof:
        yield len(unpacking.decompress(rest, _STEP))
        rest = unpacking.unconsumed_tail
    yield len(unpacking.flush())
    if not unpacking.eof or unpacking.unused_data:
        raise zlib.error("it does not end where it should")
