"""D18: the clock. Approvals, freezes and the replay window of webhooks are judged by it."""

from __future__ import annotations

from collections.abc import Iterator

from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.ports.premises import Unseen

NOTICED, REFUSED = 15.0, 120.0
"""Seconds from which on a difference is told, and from which on other supervisors refuse our events."""
FIX = "set the clock by the network (timedatectl set-ntp true), there or here"


def agrees(facts: Facts) -> Iterator[Remark]:
    """D18: this machine's clock and the forge's agree."""
    skew = facts.premises.skew
    if isinstance(skew, Unseen):
        yield not_checked(skew)
        return
    away = abs(skew.seconds)
    told = f"this machine is {away:.0f} s {'ahead of' if skew.seconds > 0 else 'behind'} {skew.beside}"
    if skew.rough:
        yield from _rough(skew.seconds, skew.beside)
    elif away > REFUSED:
        fix = f"{FIX}: supervisors refuse each other from {REFUSED:.0f} s on, webhooks from 300 s on"
        yield wrong(told, fix=fix)
    elif away > NOTICED:
        yield warning(told, fix=FIX)
    else:
        yield fine(f"within {NOTICED:.0f} s of {skew.beside}")


def _rough(seconds: float, beside: str) -> Iterator[Remark]:
    """Beside something that is only known to be in the past, a clock can be seen to be behind, and not to be ahead."""
    if seconds < -NOTICED:
        yield wrong(f"{beside} is {-seconds:.0f} s in the future: this clock is behind, or its writer's ahead", fix=FIX)
    else:
        yield fine(f"it is not behind {beside}; whether it is ahead, plain Git cannot tell")


CHECKS = (Check(number="D18", title="The clocks agree", judge=agrees),)
