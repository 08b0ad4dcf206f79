"""Paths of files in Git that a runbook may propose to change: what such a path may be, and what a header's glob opens.

Here, because cells and the runner have to agree on it, and the kernel has nothing else of the runner. Fail closed: what
configures the runner, the forge or Git itself is opened by no glob.
"""

from __future__ import annotations

import re

LONGEST = 200
"""Characters of a path or glob."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,+=@~-]*")
_STARS = 6
_RUNNER_OWN = frozenset({"runbooks", "outputs"})
_ROOT_OWN = frozenset({"pyproject.toml"})


def fault(path: str) -> str:
    """Say why a path can never be proposed; empty if a glob may open it."""
    parts = path.split("/")
    if len(path) > LONGEST:
        return f"it has more than {LONGEST} characters"
    if not all(_PART.fullmatch(part) for part in parts):
        # A leading dot also names what configures Git and the forge: .gitlab-ci.yml, .gitlab/, .gitattributes.
        return "each part of it has to begin with a letter, a digit or _, and hold only those and . , + = @ ~ -"
    lowered = [part.lower() for part in parts]
    if any(part == ".." or part.endswith(".") for part in parts):
        return "a part of it ends with a dot"
    if lowered[0] in _RUNNER_OWN or lowered[-1] == "codeowners" or (len(parts) == 1 and lowered[0] in _ROOT_OWN):
        return "it holds what the runner or the forge obeys, which no runbook proposes"
    return ""


def glob_fault(glob: str) -> str:
    """Say why a glob cannot stand in a header; empty if it can."""
    first = glob.split("/", maxsplit=1)[0]
    if "*" in first:
        return "its first part has to be written out"
    if glob.count("*") > _STARS:
        return f"it has more than {_STARS} stars"
    if any("**" in part and part != "**" for part in glob.split("/")) or glob.endswith("**"):
        return "** stands for whole folders alone, and a file's name or * comes last"
    return fault(glob.replace("**", "x").replace("*", "x"))


def matches(glob: str, path: str) -> bool:
    """Whether a glob opens a path: `*` is anything but a slash, `**` any number of whole folders."""
    pattern = "".join(
        "(?:[^/]+/)*" if part == "**" else re.escape(part).replace(r"\*", "[^/]*") + "/" for part in glob.split("/")
    )
    return not fault(path) and not glob_fault(glob) and re.fullmatch(pattern, path + "/") is not None
