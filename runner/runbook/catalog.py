"""The catalog: which runbooks there are at a commit, by exact name, read from Git's own tree.

A name is compared with the names in the tree and is never joined into a path, expanded, decoded or fetched.
"""

from __future__ import annotations

import difflib
import re

from runner.errors import RequestError
from runner.repository.objects import Objects
from runner.runbook import reader
from runner.runbook.reader import MAX_BYTES
from runner.runbook.runbook import Runbook
from runner.runbook.spelling import shown

FOLDER = "runbooks"
ENDING = ".ipynb"
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,7}}")
"""Names that a runbook may have; files with other names are no runbooks."""


def names(objects: Objects, commit: str) -> tuple[str, ...]:
    """List the runbooks at a commit, sorted: regular files `runbooks/**/*.ipynb` with a plain name."""
    return tuple(sorted(name for name, kind in _listed(objects, commit).items() if kind == "blob"))


def find(objects: Objects, name: str, *, commit: str) -> Runbook:
    """Read one runbook at a commit.

    Args:
        objects: the repository's objects.
        name: exactly as `names` lists it, for example `db/rotate`.
        commit: the full id of the commit.

    Raises: RequestError: if the name is not one, there is no such runbook, it is a link or a submodule, or it cannot
        be read.
    """
    doing = f"finding the runbook {shown(name)}"
    listed = _listed(objects, commit)
    kind = listed.get(name)
    if kind is None:
        raise RequestError(doing, _why_not(name), hint=_near(name, listed))
    if kind != "blob":
        raise RequestError(
            doing,
            f"it is a {'symbolic link' if kind == 'symlink' else kind}, and only regular files are runbooks",
            hint="Commit the notebook itself under runbooks/.",
        )
    path = f"{FOLDER}/{name}{ENDING}"
    content = objects.read(commit, path)
    if content is None:
        raise RequestError(doing, "it cannot be read at this commit", hint="Ask again in a new comment.")
    if len(content) > MAX_BYTES:
        raise RequestError(doing, f"{len(content)} bytes is too much (at most {MAX_BYTES})", hint="Clear its outputs.")
    return reader.read(content, name=name, path=path, commit=commit, beside=lambda other: objects.read(commit, other))


def _listed(objects: Objects, commit: str) -> dict[str, str]:
    """Map every name under `runbooks/` to the kind of its entry."""
    found: dict[str, str] = {}
    for path, entry in objects.walk(commit, FOLDER):
        below = path.removeprefix(FOLDER + "/")
        name = below.removesuffix(ENDING)
        ends = below.endswith(ENDING)
        # A link or submodule is listed under the name that somebody would ask for, to be refused in clear words.
        if (ends or entry.kind in {"symlink", "submodule"}) and NAME.fullmatch(name):
            found[name] = entry.kind
    return found


def _why_not(name: str) -> str:
    if not name.isascii():
        odd = next(character for character in name if not character.isascii())
        return f"names are ASCII, and this one holds U+{ord(odd):04X}, which may look like another letter"
    if "://" in name:
        return "it is a URL, and runbooks are only run from this repository"
    if name.startswith(("/", "~")) or "\\" in name:
        return "it is a path, and a runbook is named from runbooks/ on"
    if ".." in name.split("/"):
        return "it climbs out of runbooks/"
    if name.endswith(ENDING):
        return "a runbook is named without its ending"
    return "there is no runbook of that name" if NAME.fullmatch(name) else "it is not the name of a runbook"


def _near(name: str, listed: dict[str, str]) -> str:
    known = sorted(each for each, kind in listed.items() if kind == "blob")
    plain = name.rsplit("/", maxsplit=1)[-1].removesuffix(ENDING)[:200]
    near = difflib.get_close_matches(name[:200], known, n=3, cutoff=0.5) or difflib.get_close_matches(plain, known, n=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if not known:
        return "There are no runbooks at this commit: make one with `runbook new NAME` and commit it."
    return f"There are: {', '.join(known[:20])}."
