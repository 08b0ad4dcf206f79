"""`runbook form NAME`: the text of an issue that asks for a runbook, ready to paste."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.output import emit


@click.command("form")
@click.argument("name")
@click.option("--at", "revision", default="", help="A commit to look at, instead of the protected branch.")
@click.option("--json", "as_json", is_flag=True, help="Print the text and the JSON Schema of the parameters.")
@click.pass_obj
def command(folder: Path, name: str, *, revision: str, as_json: bool) -> None:
    """The text of an issue that asks for the runbook NAME.

    \b
    Examples:
      runbook form disk-cleanup > ask.md
      runbook form disk-cleanup | runbook issue new "Disk is full" --file -
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.at_commit import opened
    from runner.runbook import catalog, form

    objects, commit = opened(folder, revision)
    with objects:
        runbook = catalog.find(objects, name, commit=commit)
    text = form.issue(runbook)
    schema = runbook.parameters.json_schema() if as_json else None
    emit({"runbook": name, "text": text, "schema": schema}, as_json=as_json, text=lambda: text.rstrip("\n"))
