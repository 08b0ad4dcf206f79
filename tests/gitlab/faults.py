"""Trouble on order: what the stand-in is told to do wrong, to which requests, and how often."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What goes wrong."""

    STATUS = "status"
    """An error status, with nothing done; 429 comes with the headers that the fault names, or with none."""
    HTML = "html"
    """A page for people where JSON was asked for, as a proxy answers; nothing done."""
    HANG = "hang"
    """No answer within `seconds`; nothing done."""
    SLOW = "slow"
    """The true answer, byte by byte over `seconds`."""
    CUT = "cut"
    """The true answer, cut off in the middle."""
    LOST = "lost"
    """Everything is done, and the connection breaks before the answer."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order.

    Args:
        kind: what goes wrong.
        method: of the requests that it concerns; empty for all.
        path: an expression that their path has to contain.
        times: how often it happens before it is over.
        skip: how many such requests pass before.
    """

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 2.0

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is its; counts it if so."""
        if self.times <= 0 or (self.method and self.method != method) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class Faults:
    """All orders that are in force."""

    orders: list[Fault] = field(default_factory=list)

    def order(self, fault: Fault) -> Fault:
        """Let something go wrong."""
        self.orders.append(fault)
        return fault

    def next(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets."""
        return next((one for one in self.orders if one.takes(method, path)), None)


async def hang(fault: Fault) -> None:
    """Wait as long as the order says."""
    await asyncio.sleep(fault.seconds)
