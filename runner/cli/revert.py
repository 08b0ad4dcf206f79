"""`runbook revert`: ask for a new run that undoes an earlier one."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("revert")
@click.argument("run")
@click.argument("reason", nargs=-1)
@click.option("--issue", default="", help="Ask in this issue instead of the run's own (or a new one, if it is closed).")
@click.option("--no-wait", is_flag=True, help="Leave the revert to whoever reconciles next.")
@click.option("--json", "as_json", is_flag=True, help="Print where the revert stands as JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, reason: tuple[str, ...], issue: str, no_wait: bool, as_json: bool) -> int:
    """Ask for a new run that undoes RUN (its id, or the end of it): its rollback cells, from the last change back.

    It is planned, rehearsed and approved like every run, and ends by comparing the state with the one before RUN.

    \b
    Examples:
      runbook revert 7k3q2x2m the new version leaks memory
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.run import asked
    from runner.cli.say import find
    from runner.cli.supervise import open_folder
    from runner.ports.forge import IssueId

    workspace = open_folder(folder)
    old = find(workspace, run)
    own = IssueId(old.plan.issue)
    forge = workspace.forge_as_person()
    where = issue or (own if forge.thread(own).issue.open else "")
    body = " ".join(["/runbook revert", old.id, *reason]) + "\n"
    return asked(workspace, where, body, title=f"Revert {old.id}", wait=not no_wait, as_json=as_json)
