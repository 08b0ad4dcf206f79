"""From the bytes of a notebook to a runbook. Nothing is executed, repaired or looked up; what is unclear is refused.

The bytes may come from Git at a commit or from an author's work tree: this module does not know where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NoReturn

from runner.digest import Json, sha256
from runner.errors import RequestError
from runner.runbook import cells, header
from runner.runbook.cells import Cell, Role
from runner.runbook.header import Header
from runner.runbook.parameters import Schema
from runner.runbook.runbook import Runbook

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64
_KERNEL = re.compile(r"[A-Za-z0-9._-]{1,64}")


def read(
    content: bytes, *, name: str, path: str, commit: str, beside: Callable[[str], bytes | None] = lambda _path: None
) -> Runbook:
    """Read a runbook.

    Args:
        content: the notebook's exact bytes.
        name: what people call it: its path under `runbooks/` without the ending.
        path: where it lies in the repository, for messages and for the plan.
        commit: the commit it was read at; empty for a work tree.
        beside: gives another file of the same commit or work tree by its path, None where there is none.

    Raises:
        RequestError: if it is not a notebook (nbformat 4, Python) or its header, cells or options are malformed.
    """
    doing = f"reading the runbook {name}"
    notebook = notebook_json(content, doing=doing)
    _format(notebook, doing=doing)
    language, kernel = _language(notebook, doing=doing)
    try:
        found = cells.read(notebook)
        head = _header(found, name=name)
    except RequestError as error:
        raise RequestError(doing, str(error), hint=error.hint) from None
    return Runbook(
        name=name,
        path=path,
        commit=commit,
        digest=sha256(content),
        content=content,
        header=head,
        parameters=_schema(found, doing=doing),
        cells=found,
        language=language,
        kernel=kernel or "python3",
        kernel_declared=bool(kernel),
        lock=beside(head.environment) if head.environment else None,
    )


def notebook_json(content: bytes, *, doing: str) -> dict[str, Json]:
    """Parse JSON strictly: one object, no doubled keys, no NaN, bounded in size and depth.

    Raises:
        RequestError: if it is anything else.
    """
    if len(content) > MAX_BYTES:
        raise RequestError(
            doing,
            f"{len(content)} bytes is too much (at most {MAX_BYTES})",
            hint="Clear the saved outputs: Edit > Clear Outputs of All Cells.",
        )
    try:
        found: Json = json.loads(content.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise RequestError(doing, "it is not UTF-8 text", hint="Save the notebook again from Jupyter.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError(
            doing, f"it is not JSON: {where}: {error.msg}", hint="Look for merge conflict marks."
        ) from None
    except (ValueError, RecursionError) as error:
        wrong = str(error) if isinstance(error, ValueError) else f"nested deeper than {MAX_DEPTH} levels"
        raise RequestError(doing, f"it is not a notebook's JSON: {wrong}", hint="Save it again from Jupyter.") from None
    if not isinstance(found, dict) or _too_deep(found):
        raise RequestError(doing, "it is not a notebook's JSON", hint="Save the notebook again from Jupyter.")
    return found


def _object(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!a} is there twice")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _too_deep(value: Json) -> bool:
    """Whether it is nested deeper than a notebook ever is; without recursion, since depth is the question."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _format(notebook: dict[str, Json], *, doing: str) -> None:
    major, minor = notebook.get("nbformat"), notebook.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int:
        raise RequestError(doing, "it does not say which notebook format it has", hint="Save it again from Jupyter.")
    if major != 4:  # noqa: PLR2004 - the one major version there is a reader for
        raise RequestError(
            doing,
            f"it has notebook format {major}.{minor}, and only format 4 is read",
            hint="Convert it: jupyter nbconvert --to notebook --nbformat 4 NOTEBOOK",
        )


def _language(notebook: dict[str, Json], *, doing: str) -> tuple[str, str]:
    """Find language and kernel; a notebook that names neither is taken as Python, and lint says so."""
    metadata = notebook.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    kernel = spec.get("name", "") if isinstance(spec, dict) else ""
    language = info.get("name", "") if isinstance(info, dict) else ""
    language = language or (spec.get("language", "") if isinstance(spec, dict) else "")
    if not isinstance(kernel, str) or (kernel and not _KERNEL.fullmatch(kernel)) or not isinstance(language, str):
        raise RequestError(doing, "its kernel has no usable name", hint="Choose a Python kernel in Jupyter and save.")
    language = language or ("python" if not kernel or kernel.startswith("python") else kernel)
    if language.lower() not in {"python", "ipython"}:
        raise RequestError(
            doing,
            f"its language is {language[:40]!a}, and only python is accepted now",
            hint="Choose a Python kernel (python3) in Jupyter; call other tools from it with %%bash or sh().",
        )
    return "python", kernel


def _header(found: tuple[Cell, ...], *, name: str) -> Header:
    """Read the first cell if it is a header; what nobody declared, the runbook's name stands for."""
    first = found[0] if found else None
    if first is None or first.kind != "raw" or not header.is_header(first.source):
        return Header(title=name, target=(name,), present=False)
    head = header.read(first.source)
    return replace(head, title=head.title or name, target=head.target or (name,))


def _schema(found: tuple[Cell, ...], *, doing: str) -> Schema:
    tagged = [cell for cell in found if cell.role is Role.PARAMETERS]
    if len(tagged) > 1:
        raise RequestError(
            doing,
            f"{len(tagged)} cells have the role parameters",
            hint="Keep one parameters cell, before all other code.",
        )
    return Schema.read(tagged[0].source) if tagged else Schema()
