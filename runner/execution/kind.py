"""The kind of an order: what can be made ready for it before it is there."""

from __future__ import annotations

from runner.digest import Digest, Wire, canonical
from runner.execution.order import Mode, Order
from runner.execution.sandbox import Limits


class Kind(Wire):
    """What its sandbox opens, and its environment. Orders of one kind can use each other's spare."""

    network: bool = False
    processes: str = "own"
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    limits: Limits = Limits()
    environment: Digest | None = None

    @classmethod
    def of(cls, order: Order) -> Kind:
        """The kind of an order."""
        return cls(
            network=order.network,
            processes=order.processes,
            read=order.read,
            write=order.write,
            limits=order.limits,
            environment=order.environment_lock,
        )

    def __str__(self) -> str:
        """In one line, the same for equal ones."""
        return canonical(self).decode()


def kind_of(order: Order) -> str:
    """An order's kind in one line, the same for equal ones; empty for an order that no kernel carries out."""
    return "" if order.mode is Mode.PREPARE else str(Kind.of(order))
