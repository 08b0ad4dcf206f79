"""Lock files: what pins is read, and everything else is refused with its line and its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.runbook import environment
from runner.runbook.environment import LARGEST, PATH

HASH = f"--hash=sha256:{'a' * 64}"


def test_pins_are_read_as_pip_writes_them() -> None:
    lock = environment.read(
        f"# by uv\nipykernel==7.4.0 \\\n    {HASH} \\\n    {HASH}  # two\n\nRuamel_Yaml==0.18+local.1 {HASH}\n".encode()
    )
    assert lock.problems == ()
    assert [(one.name, one.version) for one in lock.packages] == [
        ("ipykernel", "7.4.0"),
        ("ruamel-yaml", "0.18+local.1"),
    ]
    assert lock.hashed


def test_a_lock_without_hashes_pins_too() -> None:
    lock = environment.read(b"ipykernel==7.4.0\ncomm==0.2.3\n")
    assert (lock.problems, lock.hashed) == ((), False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("requests", "not pinned"),
        ("requests>=2", "not pinned"),
        ("requests==2.*", "not pinned"),
        ("requests===2.0", "not pinned"),
        ("requests==2.0,<3", "not pinned"),
        ("requests == 2.0", "not pinned"),
        ("-e .", "an option"),
        ("-r other.txt", "an option"),
        ("--index-url https://example.org/simple", "an option"),
        ("requests @ https://example.org/r.whl", "an address"),
        ("git+https://example.org/r.git", "an address"),
        ("file:///tmp/r.whl", "an address"),
        ("./r.whl", "not pinned"),
        ('requests==2.0; python_version < "3.12"', "a marker"),
        ("requests[socks]==2.0", "extras"),
        ("requests==2.0 --hash=md5:aaaa", "something else than sha256"),
        ("requests==2.0 --config-settings=x", "not pinned"),
        ("requ\u0435sts==2.0", "not pinned"),
    ],
)
def test_a_line_that_does_not_pin_is_refused_with_its_number(line: str, why: str) -> None:
    (problem,) = environment.read(f"ipykernel==7.4.0\n{line}\n".encode()).problems
    assert (problem.line, why in problem.message) == (2, True), problem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "ipykernel is not in it"),
        (b"comm==0.2.3\n", "ipykernel is not in it"),
        (b"ipykernel==7.4.0\nIPyKernel==7.4.1\n", "line 2: ipykernel is there twice"),
        (f"ipykernel==7.4.0 {HASH}\ncomm==0.2.3\n".encode(), "comm has none: all or none"),
        (b"\xff\xfe", "not UTF-8"),
        (b"#" * (LARGEST + 1), "larger than"),
    ],
)
def test_a_lock_that_does_not_hold_together_is_refused(text: bytes, why: str) -> None:
    (problem,) = environment.read(text).problems
    assert why in str(problem)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception_and_only_pins_come_out(content: bytes) -> None:
    lock = environment.read(content)
    assert lock.problems or all(one.version and "*" not in one.version for one in lock.packages)


@pytest.mark.parametrize("path", ["runbooks/environments/db.lock", "requirements.txt", "a_b/c-1.lock"])
def test_a_lock_lies_in_the_repository(path: str) -> None:
    assert PATH.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    ["/etc/db.lock", "../db.lock", "a/../db.lock", "a//db.lock", "db", "db.lock\n", ".git/x.lock", "~/x.lock", ""],
)
def test_what_is_no_path_of_a_lock_is_refused(path: str) -> None:
    assert not PATH.fullmatch(path)
