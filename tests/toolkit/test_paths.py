"""Which files a glob opens, and which none does."""

from __future__ import annotations

import pytest

from runner.toolkit import paths

GOOD = ("infra/dns/a.yaml", "infra/a", "x/y/z/deep.txt", "infra/dns/a-b")
NEVER = (
    "",
    "/etc/passwd",
    "infra/../runbooks/policy.toml",
    "infra/./a",
    "infra//a",
    "infra/a/",
    ".gitlab-ci.yml",
    ".gitlab/CODEOWNERS",
    "infra/.gitattributes",
    "infra/dns/.git/config",
    "runbooks/policy.toml",
    "Runbooks/policy.toml",
    "outputs/x",
    "pyproject.toml",
    "PyProject.toml",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    "docs/codeowners",
    "infra/a\nb",
    "infra/a\\b",
    "infra/ä",
    "infra/a.",
    "-infra/a",
    "infra/a b",
    "infra/a:b",
    "i/" + "a" * 200,
)
GLOBS = {
    "infra/dns/*.yaml": (
        ("infra/dns/a.yaml", "infra/dns/b-1.yaml"),
        ("infra/dns/x/a.yaml", "infra/a.yaml"),
    ),
    "infra/**/*.yaml": (("infra/a.yaml", "infra/x/a.yaml", "infra/x/y/a.yaml"), ("infra/a.yml", "other/a.yaml")),
    "infra/a.txt": (("infra/a.txt",), ("infra/aXtxt", "infra/a.txt/b")),
    "infra/*/a": (("infra/x/a",), ("infra/a", "infra/x/y/a")),
}
BAD_GLOBS = (
    "*",
    "**/a",
    "*.yaml",
    "infra/**",
    "infra/a**",
    "runbooks/*",
    "outputs/**/x",
    ".gitlab/*",
    "a/" + "*" * 7,
    "../a",
)


@pytest.mark.parametrize("path", GOOD)
def test_a_plain_path_may_be_opened(path: str) -> None:
    assert paths.fault(path) == ""


@pytest.mark.parametrize("path", NEVER)
def test_what_configures_things_climbs_or_is_no_plain_name_is_never_opened(path: str) -> None:
    assert paths.fault(path)
    assert not paths.matches(path, path)
    assert not paths.matches("infra/**/*", path)


@pytest.mark.parametrize("glob", GLOBS)
def test_a_glob_opens_what_it_says(glob: str) -> None:
    opened, shut = GLOBS[glob]
    assert [path for path in opened if not paths.matches(glob, path)] == []
    assert [path for path in shut if paths.matches(glob, path)] == []


@pytest.mark.parametrize("glob", BAD_GLOBS)
def test_a_glob_that_could_open_anything_is_none(glob: str) -> None:
    assert paths.glob_fault(glob)


def test_a_star_never_opens_a_name_that_begins_with_a_dot() -> None:
    assert not paths.matches("infra/*", "infra/.env")
    assert not paths.matches("infra/*/x", "infra/.git/x")
