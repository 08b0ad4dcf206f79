"""Freeze periods that people keep at the forge, as far as policy lets them count. Pure, and fail closed.

Policy says on what they hold runs (by default on everything); when each of them is, the forge says. One that cannot be
understood holds, and so does a forge that does not tell: no answer is never "no freeze".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from runner.approval import cron
from runner.approval.freeze import Hold
from runner.approval.glob import matches_any
from runner.approval.table import Table
from runner.ports.forge import FreezePeriod

KEY = "freeze_periods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """What policy says about them: whether they count, for which runbooks on which targets, `exempt` ones left out."""

    apply: bool = True
    runbook: tuple[str, ...] = ("*",)
    target: tuple[str, ...] = ("*",)
    exempt: tuple[str, ...] = ()

    def speak_of(self, runbook: str, targets: Iterable[str]) -> bool:
        """Whether they concern this runbook on any of these targets."""
        return (
            self.apply
            and matches_any(self.runbook, runbook)
            and not matches_any(self.exempt, runbook)
            and any(matches_any(self.target, target) for target in targets)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the forge said: its periods, or why it did not say."""

    periods: tuple[FreezePeriod, ...] = ()
    problem: str = ""


NOTHING_KEPT = Kept()


def read(top: Table) -> Periods:
    """Read `[freeze_periods]` of a policy; without it they count everywhere."""
    raw = top.take(KEY)
    if raw is None:
        return Periods()
    if not isinstance(raw, dict):
        top.wrong(KEY, f'must be a [{KEY}] section, such as: target = ["production/*"]')
        return Periods()
    table = Table(raw, top.problems, section=KEY, where=f"[{KEY}]")
    periods = Periods(
        apply=table.flag("apply", default=True),
        runbook=table.names("runbook", ("*",)),
        target=table.names("target", ("*",)),
        exempt=table.names("except", ()),
    )
    table.done()
    return periods


def held(periods: Periods, kept: Kept, *, runbook: str, targets: tuple[str, ...], now: datetime) -> tuple[Hold, ...]:
    """Say what of them holds back a start now; nothing means that they let it start."""
    return tuple(_held(kept, now)) if periods.speak_of(runbook, targets) else ()


def _held(kept: Kept, now: datetime) -> Iterator[Hold]:
    if kept.problem:
        yield Hold(reason=f"the forge's freeze periods cannot be read, so nothing starts: {kept.problem}", until=None)
    for one in kept.periods:
        name = f"the forge's freeze period {one.id}"
        try:
            until = cron.ends(one.start, one.end, zone=one.zone, now=now)
        except ValueError as error:
            yield Hold(reason=f"held by {name}, which cannot be understood: {error}", until=None)
            continue
        if until is not None:
            at = until.isoformat(sep=" ", timespec="minutes")
            yield Hold(reason=f'held by {name} ("{one.start}" to "{one.end}", {one.zone}) until {at}', until=until)
