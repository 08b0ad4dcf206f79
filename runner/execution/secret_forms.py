"""The ways in which one secret value gets written down.

Pure, and apart from the masking so that a new encoding is one line. Case variants are spelled out because matching is
exact.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Iterator

LINE_LEAST = 8
"""A line of a multi-line value is a secret of its own from this length on."""


def forms(value: str) -> frozenset[str]:
    """Return every form of a value that is looked for, each at least five characters long."""
    found = set(_of_text(value))
    stripped = value.strip()
    if stripped != value:
        found.update(_of_text(stripped))
    for line in value.splitlines():
        text = line.strip()
        # The frame of a key block is public, and masking it would hide what kind of thing was there.
        if len(text) >= LINE_LEAST and text != stripped and not text.startswith("-----"):
            found.update(_of_text(text))
    return frozenset(form for form in found if len(form) >= 5)  # noqa: PLR2004 - the shortest base64 core of six characters


def _of_text(value: str) -> Iterator[str]:
    data = value.encode("utf-8", errors="surrogatepass")
    yield value
    yield value[::-1]
    yield "\n".join(reversed(value.splitlines()))
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield from _escaped(value)
    yield from _of_url(value, data)
    yield from _of_hex(data)
    for encoding in ("utf-8", "utf-16-le"):
        yield from _of_base64(value.encode(encoding, errors="surrogatepass"))


def _escaped(value: str) -> Iterator[str]:
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    yield repr(value.encode("utf-8", errors="surrogatepass"))[2:-1]
    quoted = shlex.quote(value)
    yield quoted[1:-1] if quoted != value else value
    yield value.replace("'", "'\\''")
    yield re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", value)
    yield re.sub(r'(["$`\\])', r"\\\1", value)


def _of_url(value: str, data: bytes) -> Iterator[str]:
    for quoted in (
        urllib.parse.quote(value, safe="", errors="surrogatepass"),
        urllib.parse.quote(value, errors="surrogatepass"),
        urllib.parse.quote_plus(value, errors="surrogatepass"),
        "".join(f"%{byte:02X}" for byte in data),
    ):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), quoted)


def _of_hex(data: bytes) -> Iterator[str]:
    plain = data.hex()
    yield from (plain, data.hex(":"), data.hex(" "), "".join(f"\\x{byte:02x}" for byte in data))
    yield plain.upper()
    yield data.hex(":").upper()


def _of_base64(data: bytes) -> Iterator[str]:
    """The characters that depend on the value alone, whatever stands before and after it."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode("ascii").rstrip("=")
        first = (before * 8 + 5) // 6
        core = encoded[first : len(encoded) - (1 if (before + len(data)) % 3 else 0)]
        yield core
        yield core.replace("+", "-").replace("/", "_")
