"""The header: what a runbook declares about itself in the YAML of its first raw cell."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the sandbox opens; nothing by default."""

    network: bool = False
    write: tuple[str, ...] = ()
    processes: str = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A checked header. `timeout` is the whole run's, in seconds; `present` is False for a notebook without one."""

    title: str
    owner: str = ""
    risk: str = "unclassified"
    target: tuple[str, ...] = ()
    read_secrets: tuple[str, ...] = ()
    change_secrets: tuple[str, ...] = ()
    access: Access = field(default_factory=Access)
    timeout: float | None = None
    close_issue: bool = False
    irreversible: str | None = None
    examples: tuple[tuple[str, object], ...] = ()
    present: bool = True
