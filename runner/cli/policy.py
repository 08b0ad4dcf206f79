"""`runbook policy`: who may do what, as the protected branch says it now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, table

if TYPE_CHECKING:
    from runner.approval.rules import Policy, Requirement, Rule


@click.command("policy")
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Check this file instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def command(folder: Path, *, file: Path | None, as_json: bool) -> int:
    """Show the rules, or check a policy file before it is merged: every problem at once, with its line.

    \b
    Examples:
      runbook policy
      runbook policy --file runbooks/policy.toml
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.approval import policy as policies
    from runner.cli.supervise import open_folder
    from runner.errors import OperatorError
    from runner.wiring import POLICY

    text = file.read_text(encoding="utf-8", errors="replace") if file else open_folder(folder).text(POLICY)
    if text is None:
        raise OperatorError(
            "reading the policy", f"there is no {POLICY} on the protected branch", hint="run `runbook init`"
        )
    policy = policies.read(text)
    emit([_row(rule) for rule in policy.rules], as_json=as_json, text=lambda: _table(policy))
    return 0


def _row(rule: Rule) -> dict[str, str]:
    hurry = rule.emergency
    return {
        "rule": rule.name,
        "speaks of": f"{', '.join(rule.runbook)} (risk {', '.join(rule.risk)}) on {', '.join(rule.target)}",
        "may ask": str(rule.request) + (f"; in an emergency {hurry.request}" if hurry else "") + _broken_by(rule),
        "must approve": _asked(rule.approve) + (f"; in an emergency {_asked(hurry.approve)}" if hurry else ""),
        "isolation": rule.isolation,
        "secrets": ", ".join(rule.secrets) or "none",
    }


def _broken_by(rule: Rule) -> str:
    return f"; by break-glass {rule.break_glass}" if rule.break_glass.written else ""


def _asked(requirements: Iterable[Requirement]) -> str:
    return " and ".join(f"{one.count} of {one.people}" for one in requirements if one.count) or "nobody"


def _table(policy: Policy) -> object:
    rows = [_row(rule) for rule in policy.rules]
    if not rows:
        return "the policy has no rules, so nothing may run"
    return table(tuple(rows[0]), [tuple(row.values()) for row in rows], title=f"Identity: {policy.identity.value}")
