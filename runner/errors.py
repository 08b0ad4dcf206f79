"""What can go wrong, classed by who acts next.

The class is also the exit code. A runbook that fails is not an error but an `Outcome`. A message says what was being
done and what was wrong; the hint says what to try. Neither ever holds a secret or a URL with a query.
"""

from __future__ import annotations

from typing import ClassVar


class RunbookError(Exception):
    """Root of every error that the product raises on purpose.

    Args:
        doing: what was being done, as a participle: "reading the policy".
        wrong: what is wrong, in words for the person who acts next.
        hint: the next thing to try.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, doing: str, wrong: str = "", *, hint: str = "") -> None:
        super().__init__(f"{doing}: {wrong}" if wrong else doing)
        self.doing = doing
        self.wrong = wrong
        self.hint = hint


class RequestError(RunbookError):
    """The requester (or the author of a runbook) has to change something."""

    exit_code = 2


class ApprovalError(RunbookError):
    """An approver has to act, or may not act as tried."""

    exit_code = 3


class IntegrityError(RunbookError):
    """Something is not what it was signed to be; an auditor has to look."""

    exit_code = 4


class OutsideError(RunbookError):
    """Git, the forge, the disk or the network is in trouble; trying again may help."""

    exit_code = 5


class OperatorError(RunbookError):
    """Configuration, policy or keys are missing or malformed; whoever runs the runner has to act."""

    exit_code = 6
