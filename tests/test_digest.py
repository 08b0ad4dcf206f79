"""One way to turn things into bytes, so that a hash means one thing."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from runner.digest import Wire, canonical, parse, readable, sha256


class Noun(Wire):
    """Something that is stored."""

    two_words: int
    name: str = "n"


def test_the_hash_is_sha256_in_hex() -> None:
    assert sha256(b"x") == hashlib.sha256(b"x").hexdigest()


def test_keys_are_sorted_whatever_their_order_was() -> None:
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1}'
    assert readable({"b": 1, "a": 2}) == b'{\n  "a": 2,\n  "b": 1\n}\n'


def test_a_stored_format_is_camel_case_and_reads_back() -> None:
    assert canonical(Noun(two_words=1)) == b'{"name":"n","twoWords":1}'
    assert parse(Noun, b'{"twoWords":1}') == Noun(two_words=1)


@pytest.mark.parametrize("data", [b'{"twoWords":1,"more":2}', b'{"twoWords":"1"}', b"{}", b"[]", b"", b"\xff"])
def test_anything_that_is_not_of_the_format_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        parse(Noun, data)
