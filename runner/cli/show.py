"""`runbook show NAME`: one runbook's contract. What looks like a run's id is answered by `show_run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import console, emit, table

if TYPE_CHECKING:
    from runner.runbook.runbook import Runbook

HISTORY = 10


@click.command("show")
@click.argument("name")
@click.option("--at", "revision", default="", help="A commit to look at, instead of the protected branch.")
@click.option("--schema", is_flag=True, help="Print only the JSON Schema of the parameters.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_obj
def command(folder: Path, name: str, *, revision: str, schema: bool, as_json: bool) -> None:
    """The contract of the runbook NAME (parameters, cells, history in Git), or the record of the run NAME.

    \b
    Examples:
      runbook show disk-cleanup
      runbook show disk-cleanup --schema
      runbook show 20261123T115900Z-disk-cleanup-7k3q2x2m
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli import show_run
    from runner.cli.at_commit import opened
    from runner.runbook import catalog

    if show_run.is_run(name):
        show_run.answer(folder, name, as_json=as_json)
        return
    objects, commit = opened(folder, revision)
    with objects:
        runbook = catalog.find(objects, name, commit=commit)
        history = _history(objects.repository.path, commit=commit, path=runbook.path)
    if schema:
        emit(runbook.parameters.json_schema(), as_json=True, text=str)
        return
    emit(_plain(runbook, history) if as_json else None, as_json=as_json, text=lambda: _told(runbook, history))


def _history(root: Path, *, commit: str, path: str) -> list[str]:
    """The last commits that touched the notebook: id, day, author, subject."""
    from runner.repository.process import git

    form = "--format=%h %as %an: %s"
    lines = git(["log", f"-n{HISTORY}", form, "--end-of-options", commit, "--", path], cwd=root).decode(
        errors="replace"
    )
    return lines.splitlines()


def _contract(runbook: Runbook) -> dict[str, object]:
    from runner.runbook import duration

    header = runbook.header
    return {
        "title": header.title,
        "owner": header.owner,
        "risk": header.risk,
        "target": list(header.target),
        "read secrets": list(header.read_secrets),
        "change secrets": list(header.change_secrets),
        "network": header.access.network,
        "read": list(header.access.read),
        "write": list(header.access.write),
        "processes": header.access.processes,
        "environment": header.environment or "",
        "timeout": duration.words(header.timeout) if header.timeout else "",
        "closes the issue": header.close_issue,
        "irreversible": header.irreversible or "",
        "commit": runbook.commit,
        "sha256": runbook.digest,
    }


def _plain(runbook: Runbook, history: list[str]) -> dict[str, object]:
    names = ("name", "accepted", "default", "description")
    return {
        "name": runbook.name,
        "path": runbook.path,
        **{key.replace(" ", "_"): value for key, value in _contract(runbook).items()},
        "parameters": [dict(zip(names, row, strict=True)) for row in runbook.parameters.rows()],
        "schema": runbook.parameters.json_schema(),
        "cells": [
            {"cell": cell.index + 1, "role": cell.role.value, "name": cell.name} for cell in runbook.cells if cell.role
        ],
        "history": history,
    }


def _told(runbook: Runbook, history: list[str]) -> None:
    screen = console()
    facts = [[key, _words(value)] for key, value in _contract(runbook).items() if value not in ("", [], False)]
    screen.print(table(["runbook", runbook.name], facts))
    rows = [[name, default, accepted, told] for name, accepted, default, told in runbook.parameters.rows()]
    screen.print(table(["parameter", "default", "accepted", "what it is"], rows))
    cells = [[str(cell.index + 1), cell.role.value, cell.name] for cell in runbook.cells if cell.role]
    screen.print(table(["cell", "role", "name"], cells))
    screen.print("history:", *(f"\n  {line}" for line in history), markup=False, sep="")
    screen.print(f"\nask for it:  runbook form {runbook.name}", markup=False)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "yes" if value is True else str(value)
