"""`runbook run`: ask for a runbook from the command line, and let this machine do what it may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.ports.forge import Comment, Forge
    from runner.wiring import Workspace


@click.command("run")
@click.argument("name")
@click.argument("parameters", nargs=-1)
@click.option("--issue", default="", help="Ask in this issue instead of a new one.")
@click.option("--title", default="", help="The new issue's title.")
@click.option("--reason", default="", help="Why; it stands in the request.")
@click.option("--emergency", default="", help="Why it cannot wait for the usual approvals; policy says who may say so.")
@click.option("--break-glass", default="", help="Why it is run while the remote is away; policy says who may.")
@click.option("--no-wait", is_flag=True, help="Leave the run to whoever reconciles next.")
@click.option("--log/--no-log", default=True, help="Show what the cells say, too.")
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(
    folder: Path,
    *,
    name: str,
    parameters: tuple[str, ...],
    issue: str,
    title: str,
    reason: str,
    emergency: str,
    break_glass: str,
    no_wait: bool,
    log: bool,
    as_json: bool,
) -> int:
    """Ask for the runbook NAME with PARAMETERS of the form key=value, or name.key=value for an entry of a mapping.

    The request is a comment, signed with your key, in an issue; policy says who may ask and who must approve. Where
    this machine may supervise, everything that can be done now is done at once.

    \b
    Examples:
      runbook run disk-cleanup directory=/var/tmp/demo older_than_days=7
      runbook run rotate-certificate --issue 12 host=127.0.0.1 port=8443
      runbook run terraform-apply module=/srv/shop variables.release=2.0
      runbook run restart host=web-1 --emergency "the shop is down"
      runbook run restart host=web-1 --break-glass "the forge is down too"
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.supervise import open_folder

    if break_glass:
        from runner.cli.glass import break_glass as broke

        _alone(issue, title, reason, emergency, no_wait=no_wait)
        return broke(open_folder(folder), name, parameters, why=break_glass, as_json=as_json, log=log)
    body, heading = _request(name, parameters, reason=reason, emergency=emergency), title or f"Run {name}"
    return asked(open_folder(folder), issue, body, title=heading, wait=not no_wait, as_json=as_json, log=log)


def asked(
    workspace: Workspace, issue: str, body: str, *, title: str, wait: bool, as_json: bool, log: bool = True
) -> int:
    """Write what asks for a run into an issue, or a new one of that title, let this machine do what it may, and say it.

    Returns:
        The exit code.
    """
    from runner.cli.rings import came_of, rung
    from runner.cli.supervise import may_supervise, reconcile, told
    from runner.supervisor.ringing import Ring

    forge = workspace.forge_as_person()
    comment = _ask(forge, issue, body, title=title)
    value: dict[str, object] = {"issue": comment.issue, "comment": comment.id, "runs": [], "refused": ""}
    if not may_supervise(workspace):
        emit(value, as_json=as_json, text=lambda: f"asked in issue {comment.issue}, comment {comment.id}")
        return 0
    ring = Ring(issue=comment.issue, comment=comment.id)
    came = rung(workspace, ring, quiet=as_json, log=log) if wait else None
    if came is None:
        snapshot = reconcile(workspace, only=comment.issue, wait=wait, quiet=as_json, log=log)
        came = came_of(workspace, snapshot, ring=ring)
    value |= {"runs": came.runs, "refused": came.refused}
    emit(value, as_json=as_json, text=lambda: told(came.runs) or came.refused)
    return came.code


def _alone(*others: str, no_wait: bool) -> None:
    """Nobody can be asked by break-glass, in no issue, and nobody else could go on with it."""
    from runner.errors import RequestError

    if any(others) or no_wait:
        wrong = "--break-glass goes with none of --issue, --title, --reason, --emergency and --no-wait"
        raise RequestError("reading the command", wrong, hint="leave the others out")


def _ask(forge: Forge, issue: str, body: str, *, title: str) -> Comment:
    """Write the request into an issue, or into a new one."""
    from runner.ports.forge import IssueId

    if issue:
        return forge.comment(IssueId(issue), body)
    return forge.thread(forge.open_issue(title, body).id).comments[0]


def _request(name: str, parameters: tuple[str, ...], *, reason: str, emergency: str) -> str:
    """The request as the fenced block that issues hold: quoted, so that every value stays the text that it is."""
    import json

    from runner.errors import RequestError

    lines = ["```runbook", f"runbook: {json.dumps(name)}"]
    values = [one.partition("=") for one in parameters]
    wrong = [key for key, sign, _ in values if not sign]
    if wrong:
        raise RequestError(
            "reading the parameters", f"{wrong[0]!r} is not of the form key=value", hint="write name=value"
        )
    if values:
        lines += ["parameters:", *_lines((key, json.dumps(value, ensure_ascii=False)) for key, _, value in values)]
    if reason:
        lines.append(f"reason: {json.dumps(reason, ensure_ascii=False)}")
    if emergency:
        lines.append(f"emergency: {json.dumps(emergency, ensure_ascii=False)}")
    return "\n".join([*lines, "```", ""])


def _lines(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The parameters' lines; those of the form `name.key` are the entries of one mapping (no name has a dot in it)."""
    entries: dict[str, list[str]] = {}
    for key, value in values:
        name, dot, inner = key.partition(".")
        if dot:
            entries.setdefault(name, []).append(f"    {inner}: {value}")
        else:
            yield f"  {key}: {value}"
    for name, lines in entries.items():
        yield from (f"  {name}:", *lines)
