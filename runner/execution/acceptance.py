"""Accepting an order: it is what the supervisor signed, and no other worker has made it its own."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from runner.digest import canonical, parse, sha256
from runner.errors import IntegrityError
from runner.execution import seal_outcome, toolkit_copy
from runner.execution.order import PAYLOAD_TYPE, Order
from runner.ledger.envelope import open_envelope
from runner.ports import claim

ORDER, NOTEBOOK, KEYS = "order.dsse.json", "runbook.ipynb", "trusted_keys"
"""What the executor puts into a spool: the signed order, the runbook's exact bytes, the keys to believe."""


def checked(spool: Path) -> tuple[Order, bytes]:
    """Read the order and what belongs to it, and check every digest.

    Raises:
        IntegrityError: if anything is not what the supervisor signed.
    """
    doing = "checking the work order"
    try:
        envelope, notebook = (spool / ORDER).read_bytes(), (spool / NOTEBOOK).read_bytes()
        believed = keys(spool)
    except (OSError, UnicodeDecodeError) as error:
        raise IntegrityError(doing, f"the spool is not complete ({type(error).__name__})") from error
    payload = open_envelope(envelope, keys=believed, payload_type=PAYLOAD_TYPE)
    try:
        order = parse(Order, payload)
    except msgspec.MsgspecError as error:
        raise IntegrityError(doing, f"it is not a work order ({error})") from error
    if sha256(notebook) != order.notebook:
        raise IntegrityError(doing, "the notebook beside it is not the one that it names")
    if toolkit_copy.digest(toolkit_copy.files()) != order.toolkit:
        raise IntegrityError(
            doing, "the toolkit installed here is not the one that was planned with", hint="plan again after an update"
        )
    return order, notebook


def claimed(spool: Path) -> bool:
    """Make the spool this process's own, durably; False if it is somebody's already."""
    mine = spool / f"{claim.NAME}.{os.getpid()}"
    with mine.open("wb") as file:
        file.write(canonical(claim.of_process()))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link is made whole or not at all, and never over another one.
        os.link(mine, spool / claim.NAME)
    except FileExistsError:
        return False
    finally:
        mine.unlink()
    seal_outcome.sync(spool)
    return True


def keys(spool: Path) -> tuple[str, ...]:
    """The keys whose signature is believed."""
    return tuple(key for key in (spool / KEYS).read_text(encoding="utf-8").splitlines() if key.strip())
