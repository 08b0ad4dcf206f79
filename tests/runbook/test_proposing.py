"""The header's `proposes`."""

from __future__ import annotations

import pytest

from runner.errors import RequestError
from runner.runbook import header, proposing

HEAD = "---\ntitle: T\nproposes: {}\n---"


def test_globs_are_read_from_one_or_a_list() -> None:
    assert header.read(HEAD.format("infra/*.yaml")).proposes == ("infra/*.yaml",)
    assert header.read(HEAD.format("[infra/*.yaml, a/b, a/b]")).proposes == ("infra/*.yaml", "a/b")
    assert header.read("---\ntitle: T\n---").proposes == ()


@pytest.mark.parametrize(
    "written", ["[]", '"*"', "runbooks/*", "[infra/a, .gitlab-ci.yml]", '"../x"', "[[a/b]]", '"infra/**"']
)
def test_what_would_open_more_than_it_says_is_refused(written: str) -> None:
    with pytest.raises(RequestError, match="proposes"):
        header.read(HEAD.format(written))


def test_no_more_globs_than_people_read() -> None:
    with pytest.raises(ValueError, match="at most"):
        proposing.globs([f"a/b{number}" for number in range(proposing.MOST + 1)])
