"""`runbook form`: the text of an issue that asks for a runbook, ready to paste, or issue templates of GitLab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit
from runner.errors import RequestError

if TYPE_CHECKING:
    from runner.cli.issue_templates import Templates


@click.command("form")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--at", "revision", default="", help="A commit to look at, instead of the protected branch.")
@click.option("--gitlab", is_flag=True, help="Write .gitlab/issue_templates of the work tree: of NAMEs, or of all.")
@click.option("--check", is_flag=True, help="With --gitlab: write nothing, and end with 2 if something is out of date.")
@click.option("--force", is_flag=True, help="With --gitlab: overwrite templates that were written by hand, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the text and the JSON Schema, or the files, as JSON.")
@click.pass_obj
def command(
    folder: Path, names: tuple[str, ...], *, revision: str, gitlab: bool, check: bool, force: bool, as_json: bool
) -> int:
    """The text of an issue that asks for the runbook NAME; with --gitlab, issue templates for all.

    \b
    Examples:
      runbook form disk-cleanup > ask.md
      runbook form disk-cleanup | runbook issue new "Disk is full" --file -
      runbook form --gitlab && git add .gitlab
      runbook form --gitlab --check                 # in CI
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    _check_options(names, gitlab=gitlab, revision=revision, others=check or force)
    if gitlab:
        return _templates(folder, names, check=check, force=force, as_json=as_json)
    _ask(folder, names[0], revision=revision, as_json=as_json)
    return 0


def _check_options(names: tuple[str, ...], *, gitlab: bool, revision: str, others: bool) -> None:
    if gitlab and revision:
        raise click.UsageError("--gitlab writes what the work tree says: leave --at out.")
    if not gitlab and others:
        raise click.UsageError("--check and --force are for --gitlab.")
    if not gitlab and len(names) != 1:
        raise click.UsageError("Name one runbook, or write --gitlab for the issue templates of all.")


def _ask(folder: Path, name: str, *, revision: str, as_json: bool) -> None:
    from runner.cli.at_commit import opened
    from runner.runbook import catalog, form

    objects, commit = opened(folder, revision)
    with objects:
        runbook = catalog.find(objects, name, commit=commit)
    text = form.issue(runbook)
    schema = runbook.parameters.json_schema() if as_json else None
    emit({"runbook": name, "text": text, "schema": schema}, as_json=as_json, text=lambda: text.rstrip("\n"))


def _templates(folder: Path, names: tuple[str, ...], *, check: bool, force: bool, as_json: bool) -> int:
    from runner.cli import issue_templates
    from runner.repository.repository import Repository

    root = Repository.open(folder).path
    found = issue_templates.found(root, names, force=force)
    if not check:
        issue_templates.write(root, found.texts)
    value = {
        ("out_of_date" if check else "written"): sorted(found.texts),
        "current": found.current,
        "stale": found.stale,
        "by_hand": found.foreign,
    }
    emit(value, as_json=as_json, text=lambda: _told(found, check=check))
    if names and found.foreign:
        wrong = f"{', '.join(found.foreign)} was written by hand"
        raise RequestError("writing issue templates", wrong, hint="overwrite it with --force")
    wanting = sorted([*found.texts, *found.stale]) if check else []
    if wanting:
        hint = "run `runbook form --gitlab`, remove what is stale, and commit"
        raise RequestError("checking the issue templates", f"out of date: {', '.join(wanting)}", hint=hint)
    return 0


def _told(found: Templates, *, check: bool) -> str:
    lines = [f"{'out of date' if check else 'written'}: {path}" for path in sorted(found.texts)]
    lines += [f"as it should be: {path}" for path in found.current]
    lines += [f"stale, its runbook is no more: {path}" for path in found.stale]
    lines += [f"written by hand, and left alone: {path}" for path in found.foreign]
    return "\n".join(lines) or "there are no runbooks here"
