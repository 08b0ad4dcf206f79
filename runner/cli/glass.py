"""`runbook run --break-glass`: run it here and now while the remote is away, and say what is left to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.output import emit
from runner.cli.progress import watching

if TYPE_CHECKING:
    from runner.digest import Json
    from runner.execution.outcome import Outcome
    from runner.execution.progress import Progress
    from runner.plan.plan import Plan
    from runner.supervisor.glass import Wish
    from runner.wiring import Workspace

NEXT = "runbook reconcile --once"


def break_glass(
    workspace: Workspace, name: str, parameters: tuple[str, ...], *, why: str, as_json: bool, log: bool = True
) -> int:
    """Run it, if the remote is away and the person may, and leave the record of it on this machine.

    Returns:
        The exit code: 1 if it did not succeed.

    Raises:
        RequestError: if the remote answers, or what is asked for cannot be planned.
    """
    from runner.cli.supervise import RUN_FAILED
    from runner.errors import RequestError
    from runner.ledger.bodies import Status
    from runner.supervisor import glass
    from runner.supervisor.desk import away_desk
    from runner.wiring import now

    if workspace.asked is not None:
        hint = 'ask in the ordinary way, or with --emergency "why" if it cannot wait for the usual approvals'
        raise RequestError(glass.DOING, "the remote answers", hint=hint)
    values = _values(parameters)

    def wish(run: str) -> Wish:
        project = workspace.settings.project
        return glass.Wish(project=project, run=run, runbook=name, parameters=values, break_glass=why)

    with away_desk(workspace, now=now) as desk, watching(quiet=as_json, log=log) as watcher:
        watcher.say(f"the remote is away: run {name} by break-glass")

        def watch(so_far: Progress | None) -> None:
            if so_far is not None:
                watcher.progress(so_far.key, so_far)

        plan = glass.broke(desk, wish, watch=watch)
        outcome = glass.outcome(desk, plan)
    value = {"run": plan.run, "outcome": outcome.status.value, "message": outcome.message, "next": NEXT}
    emit(value, as_json=as_json, text=lambda: _told(plan, outcome))
    return 0 if outcome.status is Status.SUCCEEDED else RUN_FAILED


def _told(plan: Plan, outcome: Outcome) -> str:
    why = f" ({outcome.message})" if outcome.message else ""
    return (
        f"{plan.run}: ran by break-glass: {outcome.status.value}{why}\n"
        "  nothing of it is on record yet: it waits on this machine for the remote\n"
        f"  next, when the remote answers: {NEXT}"
    )


def _values(parameters: tuple[str, ...]) -> dict[str, Json]:
    """The values as text; `name.key=value` is an entry of a mapping."""
    from runner.errors import RequestError

    found: dict[str, Json] = {}
    for one in parameters:
        key, sign, value = one.partition("=")
        name, dot, inner = key.partition(".")
        entries = found.setdefault(name, {}) if dot else None
        if not sign or (not dot and name in found) or (dot and not isinstance(entries, dict)):
            wrong = f"{one!r} is not of the form key=value, or given twice"
            raise RequestError("reading the parameters", wrong, hint="write name=value, once for each")
        if isinstance(entries, dict):
            entries[inner] = value
        else:
            found[name] = value
    return found
