"""Artifacts: what is handed to the runner, and what is refused."""

from __future__ import annotations

import base64
import sys
from types import SimpleNamespace

import pytest

from runner.toolkit import display
from runner.toolkit.artifacts import artifact

Published = list[dict[str, object]]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    """What a notebook's shell is given to show."""
    found: Published = []
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=found.append))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return found


@pytest.mark.parametrize(
    ("data", "given", "kind", "content"),
    [
        ("a,b\n1,ż\n", "text/csv", "text/csv", "a,b\n1,ż\n".encode()),
        ("words", "", "text/plain", b"words"),
        (b"\xff\x00", "", "application/octet-stream", b"\xff\x00"),
        (b"", "image/svg+xml", "image/svg+xml", b""),
    ],
)
def test_the_runner_gets_the_exact_bytes_and_their_type(
    *, published: Published, data: str | bytes, given: str, kind: str, content: bytes
) -> None:
    artifact("report.csv", data, given)
    (message,) = published
    assert message[display.ARTIFACT] == {
        "name": "report.csv", "media_type": kind, "data": base64.b64encode(content).decode(),
    }  # fmt: skip
    assert message["text/plain"] == f"artifact report.csv ({kind}, {len(content)} bytes)"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../x", ""), ("a/b", ""), (".x", ""), ("a..b", ""), ("a.txt", "text"), ("a.txt", "text/html; x")],
)
def test_an_artifact_needs_a_plain_name_and_type(name: str, kind: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        artifact(name, "x", kind)


def test_an_artifact_has_a_limit() -> None:
    with pytest.raises(ValueError, match="bytes"):
        artifact("a.bin", b"x" * (16 * 1024 * 1024 + 1))
