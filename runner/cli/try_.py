"""`runbook try NOTEBOOK`: what a plan would show, for the author of a notebook that is not committed yet.

The real worker carries out a rehearsal of the work tree's file, on an order signed with a key that is thrown away.
There is no ledger and no stored secret: a secret comes from the author's own environment, or the cell fails.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.digest import Json
    from runner.execution.order import Order
    from runner.execution.outcome import Outcome
    from runner.runbook.runbook import Runbook

TIMEOUT = 600.0
"""Seconds for one cell, and for the whole where the header does not say."""


@click.command(name="try")
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--parameter", "-p", "given", multiple=True, metavar="NAME=VALUE", help="A value; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(notebook: Path, *, given: tuple[str, ...], as_json: bool) -> int:
    """Execute the setup, read and plan cells of NOTEBOOK. The header's examples stand in for required parameters.

    \b
    Examples:
      runbook try runbooks/disk-cleanup.ipynb
      runbook try disk-cleanup.ipynb -p directory=/var/tmp -p older_than_days=7
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.lint import beside
    from runner.ledger.bodies import Status
    from runner.runbook import reader

    content = notebook.read_bytes()
    runbook = reader.read(content, name=notebook.stem, path=str(notebook), commit="", beside=beside(notebook))
    values = runbook.parameters.values(_given(given), examples=dict(runbook.header.examples))
    files = _files(notebook, runbook.header.proposes)
    order = _order(runbook, values.plain(), files=files)
    with tempfile.TemporaryDirectory(prefix="runbook-try-") as folder:
        outcome, executed = _carried_out(Path(folder), order, runbook=runbook, files=files)
    shown = _shown(executed)
    emit(
        {"outcome": outcome, "parameters": values.plain(), "shown": shown},
        as_json=as_json,
        text=lambda: _told(outcome, shown),
    )
    return 0 if outcome.status is Status.SUCCEEDED else 1


def _given(words: tuple[str, ...]) -> dict[str, Json]:
    from runner.errors import RequestError
    from runner.request import strict_yaml

    found: dict[str, Json] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in found:
            raise RequestError("reading --parameter", f"{word!a} is not NAME=VALUE, once for each name")
        found[name] = strict_yaml.as_json(strict_yaml.load(value, doing=f"reading the value of {name!a}"))
    return found


def _files(notebook: Path, globs: tuple[str, ...]) -> dict[str, bytes]:
    """The files of the work tree that the header opens, as they travel beside an order."""
    from runner.execution import proposing
    from runner.toolkit import paths

    if not globs:
        return {}
    here = notebook.resolve().parent
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    found = {}
    for first in sorted({glob.split("/", maxsplit=1)[0] for glob in globs}):
        for path in sorted((top / first).rglob("*")):
            name = path.relative_to(top).as_posix()
            plain = path.is_file() and not path.is_symlink()
            if plain and any(paths.matches(glob, name) for glob in globs):
                found[name] = path.read_bytes()
    return {proposing.PRESENT: proposing.pack(found)}


def _order(runbook: Runbook, values: Mapping[str, Json], *, files: Mapping[str, bytes]) -> Order:
    from runner.digest import sha256
    from runner.execution import proposing, toolkit_copy
    from runner.execution.order import Mode, Order
    from runner.runbook import header
    from runner.runbook.parameters import injected

    access = runbook.header.access
    return Order(
        mode=Mode.REHEARSE,
        run=f"try-{secrets.token_hex(4)}",
        attempt=0,
        plan_digest=None,
        start=None,
        nonce=secrets.token_hex(16),
        repository="",
        notebook=runbook.digest,
        injected=injected(values),
        parameters=dict(values),
        read_secrets=runbook.header.read_secrets,
        change_secrets=(),
        network=access.network,
        write=(),
        read=(*header.opened(access.read, values), *header.opened(access.write, values)),
        processes=access.processes,
        timeout=runbook.header.timeout or TIMEOUT,
        cell_timeout=TIMEOUT,
        toolkit=toolkit_copy.digest(toolkit_copy.files()),
        isolation="none",
        fingerprint=None,
        plan_outputs={},
        environment={
            "RUNBOOK_RUN_ID": "try",
            "RUNBOOK_MODE": Mode.REHEARSE.value,
            "RUNBOOK_PROPOSES": json.dumps(runbook.header.proposes),
        },
        proposes=runbook.header.proposes,
        present=sha256(files[proposing.PRESENT]) if files else None,
        environment_lock=sha256(runbook.lock) if runbook.lock is not None else None,
    )


def _carried_out(folder: Path, order: Order, *, runbook: Runbook, files: Mapping[str, bytes]) -> tuple[Outcome, bytes]:
    """Give the order to a worker in this process, and read what it sealed."""
    from runner import wiring
    from runner.digest import canonical, parse
    from runner.errors import OutsideError
    from runner.execution.needs import LOCK
    from runner.execution.order import PAYLOAD_TYPE
    from runner.execution.outcome import Outcome
    from runner.execution.worker import Outside, carry_out
    from runner.ledger.envelope import make_envelope
    from runner.supervisor.start_check import still_open

    spool = folder / "spool"
    spool.mkdir(mode=0o700)
    signer = wiring.key_at(folder / "key")
    (spool / "order.dsse.json").write_bytes(make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=signer))
    (spool / "runbook.ipynb").write_bytes(runbook.content)
    for name, data in {**files, **({LOCK: runbook.lock} if runbook.lock is not None else {})}.items():
        (spool / name).write_bytes(data)
    (spool / "trusted_keys").write_text(signer.public_key + "\n")
    outside = Outside(secrets=wiring.own_secrets(), still_open=still_open, now=wiring.now, hidden=(str(folder),))
    carry_out(spool, outside=outside)
    sealed = spool / "outcome"
    if not sealed.is_dir():
        raise OutsideError("trying the notebook", "the worker left no outcome", hint="run again with --debug")
    executed = sealed / "executed.ipynb"
    return parse(Outcome, (sealed / "outcome.json").read_bytes()), executed.read_bytes() if executed.exists() else b"{}"


def _shown(executed: bytes) -> dict[str, str]:
    """What each cell printed or displayed as text, by cell id."""
    found: dict[str, str] = {}
    for cell in json.loads(executed).get("cells", []):
        parts = [_text(output) for output in cell.get("outputs", [])]
        if any(parts):
            found[str(cell.get("id"))] = "".join(parts)
    return found


def _text(output: Mapping[str, Json]) -> str:
    data = output.get("data")
    text = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else "") or ""
    joined = "".join(str(part) for part in text) if isinstance(text, list) else str(text)
    return joined if not joined or joined.endswith("\n") else joined + "\n"


def _told(outcome: Outcome, shown: Mapping[str, str]) -> str:
    lines: list[str] = []
    for cell in outcome.cells:
        lines.append(f"{cell.fate.value:>11}  {cell.name}")
        lines += [f"             {line}" for line in shown.get(cell.id, "").splitlines()]
        if cell.error or cell.why:
            lines.append(f"             {cell.error or cell.why}")
    lines.append(f"\n{outcome.status.value}: {outcome.message}" if outcome.message else f"\n{outcome.status.value}")
    lines.append("Nothing was changed: change, verify, rollback and always cells did not run.")
    return "\n".join(lines)
