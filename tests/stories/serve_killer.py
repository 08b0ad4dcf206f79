"""A `runbook serve` that kills itself (SIGKILL, nothing is tidied) over a delivery.

Run as a process: `python -m tests.stories.serve_killer before|after OPTION...`. `before`: the delivery is durable and
has no answer yet. `after`: it is answered, and its round has not begun.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future

from runner.cli.rounds import Rounds
from runner.server.delivery import Delivery
from runner.server.inbox import Inbox
from runner.snapshot import Snapshot

ANSWERED = 1.0
"""Seconds in which the answer is surely out."""


def killed_before_the_answer() -> None:
    """Die as soon as a delivery is on the disk."""
    put = Inbox.put_all

    def deadly(self: Inbox, taken: Sequence[tuple[Delivery, bool]]) -> Future[list[bool]]:
        result = put(self, taken)
        result.add_done_callback(lambda _done: os.kill(os.getpid(), signal.SIGKILL))
        return result

    Inbox.put_all = deadly  # type: ignore[method-assign]


def killed_before_the_work() -> None:
    """Die instead of the second round, which is the one that a delivery asks for."""
    real = Rounds.round
    begun: list[Rounds] = []

    def deadly(self: Rounds) -> Snapshot | None:
        if begun:
            time.sleep(ANSWERED)
            os.kill(os.getpid(), signal.SIGKILL)
        begun.append(self)
        return real(self)

    Rounds.round = deadly  # type: ignore[method-assign]


def main(argv: list[str]) -> int:
    """Serve, as far as one gets."""
    from runner.cli.main import run

    when, *words = argv
    {"before": killed_before_the_answer, "after": killed_before_the_work}[when]()
    return run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
