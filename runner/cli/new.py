"""`runbook new NAME`: a first notebook in the work tree. It never overwrites anything."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.output import emit


@click.command("new")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(folder: Path, name: str, *, as_json: bool) -> None:
    """Write runbooks/NAME.ipynb to start from: header, typed parameters, one cell of each role.

    \b
    Examples:
      runbook new disk-cleanup
      runbook new db/rotate-password
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.errors import RequestError
    from runner.repository.repository import Repository
    from runner.runbook import scaffold

    content = scaffold.new(name)
    root = Repository.open(folder).path
    path = root / "runbooks" / f"{name}.ipynb"
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise RequestError(f"making the runbook {name}", "its folder is a link that leads out of the repository")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        hint = "Choose another name, or edit the notebook that is there."
        raise RequestError(f"making the runbook {name}", f"{path} is already there", hint=hint) from None
    shown = path.relative_to(root)
    emit(
        {"name": name, "path": str(shown)},
        as_json=as_json,
        text=lambda: (
            f"wrote {shown}\n\nopen it:    jupyter lab {shown}\ncheck it:   runbook lint {shown}\n"
            f"try it:     runbook try {shown}\nthen commit it: a runbook is what is in Git."
        ),
    )
