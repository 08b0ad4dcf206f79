"""The examination: every check in its order, and what is said where there is nothing to examine."""

from __future__ import annotations

from collections.abc import Iterator

from runner.doctor import branches, clock, machine, people, runners, token, webhook
from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Finding, Remark, examined, fine, not_checked, wrong
from runner.errors import RunbookError
from runner.ports.premises import Blind, Unseen

OPENED, OPENED_TITLE = "D01", "The repository is set up, and its settings can be read"


def _opened(facts: Facts) -> Iterator[Remark]:
    """D01: what was opened, and whether it is the newest."""
    settings = facts.settings
    where = f" at {settings.gitlab}/{settings.gitlab_project}" if facts.gitlab else ""
    yield fine(f"project {settings.project}, forge {settings.forge}{where}, executor {settings.executor}")
    if facts.papers.stale:
        why = "the remote does not answer Git: policy, runbooks and ledger were judged as they were last fetched"
        yield not_checked(Unseen(why=why))


def unopened(error: RunbookError) -> tuple[Finding, ...]:
    """What is said where the repository cannot be opened: nothing else was looked at."""
    told = wrong(str(error), fix=error.hint or "correct it, then: runbook doctor")
    rest = Unseen(why="without settings nobody knows what to look at", blind=Blind.NOBODY)
    skipped = not_checked(rest, fix=f"see to {OPENED} first, then: runbook doctor")
    return (CHECKS[0].finding(told), *(check.finding(skipped) for check in CHECKS[1:]))


CHECKS: tuple[Check, ...] = (
    Check(number=OPENED, title=OPENED_TITLE, judge=_opened),
    *token.CHECKS,
    *branches.CHECKS,
    *webhook.CHECKS,
    *runners.CHECKS,
    *clock.CHECKS,
    *people.CHECKS,
    *machine.CHECKS,
    *branches.LATER,
    *runners.LATER,
)


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Make every check."""
    return examined(facts, CHECKS)
