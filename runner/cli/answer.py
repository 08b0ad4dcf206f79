"""`runbook answer`: answer what a run asks in the middle of it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("answer")
@click.argument("run")
@click.argument("text", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, text: tuple[str, ...], as_json: bool) -> int:
    """Answer what RUN asks (its id, or the end of it) with TEXT: yes or no and a reason, or the value it asks for.

    A run that has asked before has to be told which question is answered: q2 for its second one, before the answer.

    \b
    Examples:
      runbook answer 7k3q2x2m yes the graphs are flat
      runbook answer 7k3q2x2m q2 25
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "answer", run, words=text, as_json=as_json)
