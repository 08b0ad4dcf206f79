"""`runbook init`: set a repository up, or let another machine in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.supervisor.founding import Founded


@click.command("init")
@click.option("--join", is_flag=True, help="Make this machine's key for a project that is set up already.")
@click.option("--admit", metavar="KEY", default="", help="Let another machine's key write to the ledger.")
@click.option("--revoke", metavar="KEY", default="", help="Stop a machine's key from writing from now on.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_obj
def command(folder: Path, *, join: bool, admit: str, revoke: str, as_json: bool) -> int:
    """Set a repository up: a signing key for this machine, the ledger's first event, and a policy to start from.

    Repeating it changes nothing that is there. The key stays outside the repository and needs no configuration.

    \b
    Examples:
      runbook init
      runbook init --join              on a second machine, then on the first:
      runbook init --admit 'ssh-ed25519 AAAA...'
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.supervisor import founding
    from runner.wiring import now

    if join:
        key = founding.join(folder)
        emit(
            {"publicKey": key},
            as_json=as_json,
            text=lambda: f"On a machine that may write:\n  runbook init --admit '{key}'",
        )
        return 0
    if admit or revoke:
        event = founding.admit(folder, admit or revoke, now=now, revoke=bool(revoke))
        said = f"on record as event {event.seq}" if event else "nothing to do: it is so already"
        emit({"event": event.seq if event else None}, as_json=as_json, text=lambda: said)
        return 0
    done = founding.found(folder, now=now)
    emit(done, as_json=as_json, text=lambda: _words(done))
    return 0


def _words(done: Founded) -> str:
    lines = [
        f"project   {done.project}",
        f"genesis   {done.genesis}",
        f"key       {done.key_file} (keep it; it never leaves this machine)",
    ]
    lines += [f"committed {name}" for name in done.committed]
    if done.proposed:
        lines.append(
            f"The protected branch refused the push: merge the branch {done.proposed}; until then nothing may run."
        )
    lines += ["", "Keep the genesis digest somewhere else: `runbook verify --genesis DIGEST` pins the ledger with it."]
    lines += ["Next: look at runbooks/policy.toml and runbooks/allowed_signers, then `runbook new NAME`."]
    return "\n".join(lines)
