"""Carry out the order in the spool given first, with secrets from the environment; what follows are hidden folders.

What `runbook worker` does, without the command line and with a look at the remote that a test decides: a file
`closed` in the spool says that the start is not open any more, a file `away` that the remote does not answer.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.secrets.environment import EnvironmentSecrets
from runner.errors import IntegrityError, OutsideError, RunbookError
from runner.execution.order import Order
from runner.execution.worker import Outside, carry_out


def main() -> int:
    spool = Path(sys.argv[1])

    def still_open(order: Order) -> None:
        if (spool / "closed").exists():
            raise IntegrityError("looking at the remote", f"start {order.start} is not open")
        if (spool / "away").exists():
            raise OutsideError("looking at the remote", "it does not answer")

    outside = Outside(
        secrets=EnvironmentSecrets(os.environ),
        still_open=still_open,
        now=lambda: datetime.now(UTC),
        hidden=tuple(sys.argv[2:]),
    )
    try:
        outcome = carry_out(spool, outside=outside)
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0 if outcome is None or outcome.status.value == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
