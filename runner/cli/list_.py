"""`runbook list`: the runbooks at a commit, each with what matters before asking for it."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.output import emit, table


@click.command(name="list")
@click.option("--at", "revision", default="", help="A commit to look at, instead of the protected branch.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(folder: Path, *, revision: str, as_json: bool) -> None:
    """The runbooks of this repository.

    \b
    Examples:
      runbook list
      runbook list --at v1.2 --json
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.at_commit import opened
    from runner.errors import RequestError
    from runner.runbook import catalog

    objects, commit = opened(folder, revision)
    found: list[dict[str, str]] = []
    with objects:
        for name in catalog.names(objects, commit):
            try:
                header = catalog.find(objects, name, commit=commit).header
                found.append({"name": name, "title": header.title, "risk": header.risk, "owner": header.owner})
            except RequestError as error:
                found.append({"name": name, "title": f"(cannot be read: {error.wrong})", "risk": "", "owner": ""})
    emit(
        {"commit": commit, "runbooks": found},
        as_json=as_json,
        text=lambda: (
            table(["runbook", "what it does", "risk", "owner"], [list(each.values()) for each in found])
            if found
            else "no runbooks yet: make one with `runbook new NAME` and commit it"
        ),
    )
