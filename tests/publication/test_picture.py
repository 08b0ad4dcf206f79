"""Pictures: what is a PNG, what is none, and what is left of one."""

from __future__ import annotations

import struct
import zlib

import pytest

from runner.publication.picture import AREA, LARGEST, SIDE, read

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, content: bytes = b"", *, crc: int | None = None) -> bytes:
    check = zlib.crc32(kind + content) if crc is None else crc
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def header(width: int = 4, height: int = 3, *, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def pixels(length: int = 3 * (1 + 4 * 3)) -> bytes:
    return chunk(b"IDAT", zlib.compress(bytes(length)))


END = chunk(b"IEND")


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks or (header(), pixels(), END))


def test_a_png_is_taken_with_its_size() -> None:
    found = read(png())
    assert found is not None
    assert (found.width, found.height, found.data) == (4, 3, png())


def test_only_the_pixels_are_kept() -> None:
    hidden = [chunk(b"tEXt", b"Comment\0hunter2"), chunk(b"eXIf", b"here"), chunk(b"tIME", bytes(7))]
    found = read(png(header(), *hidden, pixels(), END))
    assert found is not None
    assert found.data == png()


def test_rows_in_several_parts_and_interlaced_ones_are_taken() -> None:
    packed = zlib.compress(bytes(39))
    parts = [chunk(b"IDAT", packed[:5]), chunk(b"IDAT", packed[5:])]
    assert read(png(header(), *parts, END))
    assert read(png(header(interlaced=1), pixels(60), END))


BAD = {
    "empty": b"",
    "another kind": b"GIF89a" + bytes(40),
    "a page that begins like one": SIGNATURE + b"<script>alert(1)</script>",
    "nothing but its beginning": SIGNATURE,
    "something behind its end": png() + b"<html>",
    "a second picture": png(header(), pixels(), END, header(), pixels(), END),
    "cut off": png()[:-3],
    "no end": png(header(), pixels()),
    "no pixels": png(header(), END),
    "a wrong sum": png(header(), chunk(b"IDAT", zlib.compress(bytes(39)), crc=1), END),
    "no header": png(pixels(), END),
    "two headers": png(header(), header(), pixels(), END),
    "an unknown chunk": png(header(), chunk(b"acTL", bytes(8)), pixels(), END),
    "too wide": png(header(SIDE + 1, 1), pixels(), END),
    "too large": png(header(AREA // 1000 + 1, 1000), pixels(), END),
    "no width": png(header(0, 3), pixels(), END),
    "no such colour": png(header(colour=5), pixels(), END),
    "no such depth": png(header(depth=3), pixels(), END),
    "too few rows": png(header(), pixels(38), END),
    "too many rows": png(header(), pixels(10_000_000), END),
    "not packed": png(header(), chunk(b"IDAT", b"not packed"), END),
    "something behind the rows": png(header(), chunk(b"IDAT", zlib.compress(bytes(39)) + b"more"), END),
    "too many bytes": png(header(), chunk(b"tEXt", bytes(LARGEST)), pixels(), END),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_not_a_whole_small_png_is_not_shown(data: bytes) -> None:
    assert read(data) is None
