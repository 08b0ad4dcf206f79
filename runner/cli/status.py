"""`runbook status`: what runs, what waits, what changed last, and the next safe command, on one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, table

if TYPE_CHECKING:
    from runner.cli.supervise import Standing
    from runner.snapshot import Known

LAST = 3
"""Runs that are over and shown nevertheless: what was done here last."""


@click.command("status")
@click.option("--target", default="", help="Only runs on this target.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def command(folder: Path, *, target: str, as_json: bool) -> int:
    """Show who holds which lock, what waits for whom, the last changes, and the next safe command.

    \b
    Examples:
      runbook status
      runbook status --target staging/orders-db --json
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.approval.halting import words
    from runner.cli.supervise import open_folder, standing
    from runner.supervisor.desk import reading_desk
    from runner.supervisor.gather import look
    from runner.wiring import now

    with reading_desk(open_folder(folder), now=now) as desk:
        known = [one for one in look(desk) if not target or target in one.plan.targets]
        halt = desk.halt
        locks = {name: desk.ledger.cache.event(seq) for name, seq in sorted(desk.ledger.state.locks.items())}
    held = {name: event.run or "" for name, event in locks.items() if event and (not target or name == target)}
    live = [standing(one) for one in known if not one.run.over]
    last = [standing(one) for one in _last(known)]
    owed = {one.run.id: standing(one).owes for one in known if one.owed}
    halted = words(halt) if halt else ""
    value = {"halted": halted, "locks": held, "live": live, "owed": owed, "last": last, "next": _next(live, last)}
    emit(value, as_json=as_json, text=lambda: _screen(held, live, last, halted=halted, owed=owed))
    return 0


def _last(known: list[Known]) -> list[Known]:
    over = [one for one in known if one.run.over and one.run.end]
    return sorted(over, key=lambda one: one.run.end.seq if one.run.end else 0, reverse=True)[:LAST]


def _next(live: list[Standing], last: list[Standing]) -> str:
    """The next safe command: interrupted runs first, since they hold locks."""
    first = sorted(live, key=lambda one: one.state != "interrupted")
    if first:
        return first[0].next
    return last[0].next if last else "runbook list"


def _screen(
    held: dict[str, str], live: list[Standing], last: list[Standing], *, halted: str, owed: dict[str, str]
) -> object:
    from rich.console import Group

    rows = [
        (one.state, one.run, ", ".join(one.targets), f"issue {one.issue}", "; ".join(one.waits_for)) for one in live
    ]
    ended = [
        (one.outcome or one.state, one.run, ", ".join(one.targets), f"issue {one.issue}", one.message) for one in last
    ]
    parts = [
        *([f"HALTED: {halted}"] if halted else []),
        table(("lock", "held by"), list(held.items()), title="Locks"),
        table(("state", "run", "target", "asked in", "waits for"), rows, title="Under way"),
        *([table(("run", "owes"), list(owed.items()), title="Owed by emergencies")] if owed else []),
        table(("outcome", "run", "target", "asked in", "message"), ended, title="Last"),
        f"Next: {_next(live, last)}",
    ]
    return Group(*parts)
