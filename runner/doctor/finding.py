"""What an examination says: how each check stands, what was found, and the exact thing to do about it.

A check is a pure function of the facts. It says nothing where it has nothing to look at here, and `not checked` where
it could not look: that never counts as fine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from runner.doctor.facts import Facts
from runner.ports.premises import Blind, Unseen

AGAIN = 5
"""The exit code of an examination that found nothing wrong and could not see everything."""


class Standing(Enum):
    """How one check stands, best first."""

    FINE = "fine"
    WARNING = "warning"
    """It works, and should be changed, or will not work for much longer."""
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


class Who(Enum):
    """Who acts next; the value is the exit code."""

    OPERATOR = 6
    AUTHOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a check says. `fix` is a command, a page of settings or a call of the API; empty only where it is fine."""

    standing: Standing
    says: str
    fix: str = ""
    who: Who = Who.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A remark with the check that made it. Numbers never change their meaning."""

    number: str
    title: str
    standing: Standing
    says: str
    fix: str
    who: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One judgement. `title` says what is so where it is fine."""

    number: str
    title: str
    judge: Callable[[Facts], Iterable[Remark]]

    def finding(self, remark: Remark) -> Finding:
        """A remark of this check."""
        return Finding(
            number=self.number,
            title=self.title,
            standing=remark.standing,
            says=remark.says,
            fix=remark.fix,
            who=remark.who,
        )


def fine(says: str) -> Remark:
    """Nothing to do."""
    return Remark(standing=Standing.FINE, says=says)


def warning(says: str, *, fix: str) -> Remark:
    """Something to do before it is too late."""
    return Remark(standing=Standing.WARNING, says=says, fix=fix)


def wrong(says: str, *, fix: str, who: Who = Who.OPERATOR) -> Remark:
    """Something to do now."""
    return Remark(standing=Standing.WRONG, says=says, fix=fix, who=who)


def not_checked(unseen: Unseen, *, fix: str = "") -> Remark:
    """Nobody looked, and why."""
    return Remark(standing=Standing.NOT_CHECKED, says=unseen.why, fix=fix or _LOOK[unseen.blind])


_LOOK = {
    Blind.AWAY: "ask again once it answers: runbook doctor",
    Blind.RIGHT: "runbook doctor --maintainer-token FILE, with a maintainer's token of scope read_api in that file",
    Blind.NOBODY: "see to the token first, then: runbook doctor",
}


def examined(facts: Facts, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """Every finding of these checks, in their order."""
    return tuple(check.finding(remark) for check in checks for remark in check.judge(facts))


def exit_code(findings: Iterable[Finding]) -> int:
    """By who acts next: the operator, else an author, else whoever asks again; 0 if all is fine and was seen."""
    all_ = tuple(findings)
    acting = [one.who for one in all_ if one.standing in {Standing.WARNING, Standing.WRONG}]
    if acting:
        return max(who.value for who in acting)
    return AGAIN if any(one.standing is Standing.NOT_CHECKED for one in all_) else 0
