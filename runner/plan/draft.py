"""The draft: a request that was understood, before it was rehearsed. `freeze` makes the plan of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from runner.config import Settings
from runner.digest import Digest, sha256
from runner.ledger.bodies import Rehearsal
from runner.ledger.event import from_iso, iso
from runner.plan.conditional import conditional
from runner.plan.plan import Asks, Environment, Parameter, Plan, Proposal, Rehearsed, Requested, SavedFile, Source
from runner.ports.forge import Comment
from runner.runbook import header, questions
from runner.runbook.parameters import Values, injected
from runner.runbook.runbook import Runbook

NOT_REHEARSED = Rehearsed(result=Rehearsal.NOTHING, notebook=None, fingerprint=None, outputs={})
_CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789abcdefghjkmnpqrstvwxyz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan takes from its surroundings. `nonce` is fresh randomness; `life` is how long the plan may wait."""

    settings: Settings
    policy_commit: str
    isolation: str
    toolkit: Digest
    life: timedelta
    nonce: str
    now: datetime


def run_id(runbook: str, *, nonce: str, now: datetime) -> str:
    """A run's id: the time, the runbook's name, and eight digits that keep two of the same second apart."""
    slug = re.sub(r"[^a-z0-9]+", "-", runbook.lower()).strip("-")[:60].strip("-") or "runbook"
    tail = base64.b32encode(bytes.fromhex(sha256(nonce.encode()))[:5]).decode().translate(_CROCKFORD)
    return f"{now:%Y%m%dT%H%M%SZ}-{slug}-{tail}"


def draft(runbook: Runbook, values: Values, *, asked: Comment, key: str, terms: Terms) -> Plan:
    """Say exactly what would happen, all but the rehearsal.

    Args:
        runbook: at the pinned commit.
        values: checked.
        asked: the comment that holds the request.
        key: the request key: one plan for each, ever.
        terms: settings, policy and clock.

    Raises:
        RequestError: if a condition has no answer for these values.
    """
    head = runbook.header
    targets = tuple(sorted(set(header.targets(head, values))))
    conditions = conditional(runbook, values)
    return Plan(
        run=run_id(runbook.name, nonce=terms.nonce, now=terms.now),
        project=terms.settings.project,
        runbook=Source(name=runbook.name, path=runbook.path, commit=runbook.commit, sha256=runbook.digest),
        title=head.title,
        risk=head.risk,
        parameters={name: Parameter(value=value, source=values.origin(name)) for name, value in values.items()},
        injected=injected(values),
        targets=targets,
        locks=targets,
        read_secrets=head.read_secrets,
        change_secrets=head.change_secrets,
        network=head.access.network,
        irreversible=_irreversible(runbook, without={one.cell for one in conditions if one.runs is False}),
        read=header.opened(head.access.read, values),
        write=header.opened(head.access.write, values),
        processes=head.access.processes,
        proposes=head.proposes,
        timeout=head.timeout or float(terms.settings.timeout),
        cell_timeout=float(terms.settings.cell_timeout),
        executor=terms.settings.executor,
        isolation=terms.isolation,
        toolkit=terms.toolkit,
        policy_commit=terms.policy_commit,
        requested=requested(asked, key=key),
        rehearsal=NOT_REHEARSED,
        files=(),
        unreviewed=False,
        close_issue=head.close_issue,
        nonce=terms.nonce,
        made_at=iso(terms.now),
        expires_at=iso(terms.now + terms.life),
        environment=_environment(runbook),
        conditional=conditions,
        questions=_questions(runbook, without={one.cell for one in conditions if one.runs is False}),
    )


def owing(plan: Plan, *, due: timedelta) -> Plan:
    """An emergency's plan, frozen, with when the approvals have to be there that it may start without."""
    return msgspec.structs.replace(plan, owes_by=iso(from_iso(plan.made_at) + due))


def freeze(
    plan: Plan,
    *,
    rehearsed: Rehearsed,
    files: tuple[SavedFile, ...],
    now: datetime,
    life: timedelta,
    proposal: Proposal | None = None,
) -> Plan:
    """The plan as it will be approved: with what the rehearsal saw, left and proposed, its time counted from now."""
    times = {"made_at": iso(now), "expires_at": iso(now + life)}
    return msgspec.structs.replace(plan, rehearsal=rehearsed, files=files, proposal=proposal, **times)


def requested(asked: Comment, *, key: str) -> Requested:
    """Who asked, where, and the digest of the words."""
    return Requested(
        by=asked.author,
        verified=asked.verified,
        issue=asked.issue,
        comment=asked.id,
        key=key,
        text_sha256=sha256(asked.body.encode()),
        account=asked.account,
    )


def _environment(runbook: Runbook) -> Environment | None:
    """The lock by its digest, which lint has found to pin everything."""
    path = runbook.header.environment
    return Environment(path=path, sha256=sha256(runbook.lock)) if path and runbook.lock is not None else None


def _questions(runbook: Runbook, *, without: Collection[str]) -> tuple[Asks, ...]:
    """What people will be asked, as far as those cells may run."""
    return tuple(
        Asks(
            cell=cell.id,
            step=cell.name,
            kind=asks.kind,
            text=asks.text,
            parameter=asks.parameter,
            within=asks.within,
        )
        for cell, asks in questions.of(runbook.cells)
        if cell.id not in without
    )


def _irreversible(runbook: Runbook, *, without: Collection[str]) -> str | None:
    """What approvers must know cannot be undone: the header's word, and that of every such cell that may run."""
    cells = [cell.options.irreversible for cell in runbook.cells if cell.id not in without]
    said = [runbook.header.irreversible, *cells]
    words = [text for text in said if text]
    return "; ".join(words) or None
