"""What a worker asks before it begins: whether the remote shows the very start that its order is for as open."""

from __future__ import annotations

from pathlib import Path

from runner.errors import IntegrityError
from runner.execution.order import Order
from runner.ledger.bodies import Start
from runner.plan.run import RunState, fold
from runner.wiring import open_workspace


def still_open(order: Order, *, clone: Path | None = None) -> None:
    """Check that the remote shows a work order's start as open: nobody drives a worker past an approval.

    Args:
        order: of a run.
        clone: where the remote's ledger was fetched just now by somebody else; by default it is asked for, in the clone
            that the order names.

    Raises:
        IntegrityError: if it is not open, or is another plan's or claim's.
        OutsideError: if the remote does not answer.
    """
    doing = f"asking the ledger about start {order.start}"
    workspace = open_workspace(clone or Path(order.repository), fetch=False)
    ledger = workspace.ledger()
    ledger.refresh(fetch=clone is None)
    event = ledger.cache.event(order.start) if order.start is not None else None
    claim = event.body if event and event.run == order.run else None
    wanted = (order.plan_digest, order.nonce, False)
    if not isinstance(claim, Start) or (claim.plan_digest, claim.nonce, claim.after) != wanted:
        raise IntegrityError(doing, "it is not the start that this order is for")
    run = fold(ledger.cache.events(order.run))
    if run.state is not RunState.STARTED or run.start is None or run.start.seq != order.start:
        raise IntegrityError(doing, f"it is not open: the run is {run.state.value}")
