"""Issue templates in the work tree: which have to be written, which are as they should be, which belong to nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner import config
from runner.approval import owner
from runner.approval import policy as policies
from runner.approval.rules import Policy
from runner.cli.lint import beside
from runner.errors import OperatorError, RequestError
from runner.label_names import LabelNames
from runner.publication.issue_template import FOLDER, file_name, is_ours, template
from runner.runbook import catalog, reader

_DOING = "writing issue templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """What was found, each by its path from the repository's root; `texts` are what is to be written.

    `stale` are ours and of a runbook that is no more; `foreign` stand where ours would and were not written here.
    """

    texts: dict[str, str]
    current: tuple[str, ...]
    stale: tuple[str, ...]
    foreign: tuple[str, ...]


def found(root: Path, names: Sequence[str], *, force: bool) -> Templates:
    """Compare the templates of a work tree with what its runbooks, settings and policy make of them now.

    Args:
        root: of the work tree.
        names: the runbooks to look at; none stands for all.
        force: take what was written by hand for ours.

    Raises:
        RequestError: if a runbook is not there or cannot be read, or two would have the same template.
        OperatorError: if the settings cannot be read.
    """
    if not (root / catalog.FOLDER).is_dir():
        hint = "check something out, or make a runbook with `runbook new NAME`"
        raise RequestError(_DOING, f"there is no folder {catalog.FOLDER} in this work tree", hint=hint)
    known = tuple(_names(root))
    for name in names:
        if name not in known:
            hint = f"there are: {', '.join(known) or 'none'}"
            raise RequestError(_DOING, f"there is no runbook {name!a} in this work tree", hint=hint)
    wanted = _wanted(root, names or known)
    there = {path: text for path in wanted if (text := _text(root / path)) is not None}
    foreign = () if force else tuple(sorted(path for path, text in there.items() if not is_ours(text)))
    current = tuple(sorted(path for path, text in there.items() if text == wanted[path]))
    texts = {path: text for path, text in wanted.items() if path not in {*current, *foreign}}
    stale = () if names else tuple(_stale(root, set(wanted)))
    return Templates(
        texts=texts, current=current, stale=stale, foreign=tuple(one for one in foreign if one not in current)
    )


def write(root: Path, texts: dict[str, str]) -> None:
    """Write templates; a link is never written through.

    Raises:
        RequestError: if one is a link, or lies behind one.
    """
    for path, text in texts.items():
        file = root / path
        if any(one.is_symlink() for one in (file, file.parent, file.parent.parent)):
            hint = "put a plain folder and plain files there"
            raise RequestError(_DOING, f"{path} is a symbolic link, or lies behind one", hint=hint)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _names(root: Path) -> Iterator[str]:
    """The runbooks of the work tree, by the names that the catalog would give them."""
    folder = root / catalog.FOLDER
    for path in sorted(folder.rglob(f"*{catalog.ENDING}")):
        name = path.relative_to(folder).as_posix().removesuffix(catalog.ENDING)
        if path.is_file() and not path.is_symlink() and catalog.NAME.fullmatch(name):
            yield name


def _wanted(root: Path, names: Sequence[str]) -> dict[str, str]:
    labels, policy = config.read(_text(root / "pyproject.toml")).labels, _policy(root)
    texts: dict[str, str] = {}
    for name in names:
        path = f"{FOLDER}/{file_name(name)}"
        if path in texts:
            hint = "give one of the runbooks another name, or write the templates of the others by their names"
            raise RequestError(_DOING, f"two runbooks would have the template {path}", hint=hint)
        texts[path] = _written(root, name, labels=labels, policy=policy)
    return texts


def _written(root: Path, name: str, *, labels: LabelNames, policy: Policy) -> str:
    path = f"{catalog.FOLDER}/{name}{catalog.ENDING}"
    file = root / path
    runbook = reader.read(file.read_bytes(), name=name, path=path, commit="", beside=beside(file))
    return template(runbook, names=labels, assignee=owner.only_person(runbook.header.owner, policy) or "")


def _policy(root: Path) -> Policy:
    """Policy says which owner is a person; one that is not there or wrong says so of nobody."""
    try:
        return policies.read(_text(root / policies.PATH) or "")
    except OperatorError:
        return Policy()


def _stale(root: Path, wanted: set[str]) -> Iterator[str]:
    for file in sorted((root / FOLDER).glob("*.md")):
        path = file.relative_to(root).as_posix()
        if path not in wanted and is_ours(_text(file) or ""):
            yield path


def _text(file: Path) -> str | None:
    return file.read_bytes().decode(errors="replace") if file.is_file() else None
