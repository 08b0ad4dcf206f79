"""One look of the loop: everything as it is now, and what of it is this supervisor's to do.

Where the forge does not answer, or does not let us, only what has started here is seen, and brought to its end.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from runner.actions import Action, Await, Finish, Interrupt, MakePlan, Start, Stop, name_of
from runner.errors import OperatorError, OutsideError, RunbookError
from runner.lifecycle import next_actions
from runner.ports.forge import IssueId
from runner.snapshot import Snapshot
from runner.supervisor.desk import Desk
from runner.supervisor.gather import gather, unheard
from runner.supervisor.heartbeat import Observer

_TO_ITS_END = Finish | Interrupt | Stop | Await


def look(desk: Desk, observer: Observer, *, only: IssueId | None) -> tuple[Snapshot, RunbookError | None]:
    """Look at everything once.

    Returns:
        What is seen; and why that is only what has started on this machine, if the forge is away.
    """
    try:
        return gather(desk, observer, only=only), None
    except (OutsideError, OperatorError) as away:
        return unheard(desk, observer), away


def wanted(
    snapshot: Snapshot, refused: Collection[str], *, now: datetime, wait: bool, ending: bool, deaf: bool
) -> list[Action]:
    """What to do now.

    Args:
        snapshot: as it was seen.
        refused: what came to nothing in this call: it is left for the next one, or two would repeat it for ever.
        now: the supervisor's time.
        wait: whether workers are waited for.
        ending: whether this process was asked to end: it takes up nothing new, and ends what is open.
        deaf: whether the forge is away: then nothing begins, and nothing is said.
    """
    actions = [one for one in next_actions(snapshot, now) if name_of(one) not in refused]
    if not wait:
        actions = [one for one in actions if not isinstance(one, Await)]
    if ending:
        actions = [one for one in actions if not isinstance(one, MakePlan | Start)]
    return [one for one in actions if isinstance(one, _TO_ITS_END)] if deaf else actions
