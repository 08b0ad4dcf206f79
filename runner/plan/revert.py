"""A revert's plan: the plan of the run that it undoes, with the same runbook and values, and another course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import msgspec

from runner.digest import Json
from runner.ledger.event import iso
from runner.plan.draft import NOT_REHEARSED, Terms, requested, run_id
from runner.plan.plan import Parameter, Plan, Undoing
from runner.ports.forge import Comment
from runner.runbook.literals import injected, read_back

TITLE = "Revert: "
"""How the title of a revert begins; the rest is that of the run that it undoes."""


def draft_revert(
    old: Plan,
    *,
    undoes: Undoing,
    irreversible: str | None,
    asked: Comment,
    key: str,
    terms: Terms,
    given: Mapping[str, Json] | None = None,
) -> Plan:
    """Say exactly what a revert would do, all but the rehearsal.

    Args:
        old: the plan of the run that is undone.
        undoes: what of it, from its record.
        irreversible: what the undoing itself cannot take back, in its author's words.
        asked: the comment that asks for it.
        key: the request key.
        terms: settings, policy and clock as they are now.
        given: the values that people gave while that run went on: what undoes it needs the same.
    """
    return msgspec.structs.replace(
        old,
        run=run_id(old.runbook.name, nonce=terms.nonce, now=terms.now),
        title=TITLE + old.title,
        irreversible=irreversible,
        executor=terms.settings.executor,
        isolation=terms.isolation,
        toolkit=terms.toolkit,
        policy_commit=terms.policy_commit,
        requested=requested(asked, key=key),
        rehearsal=NOT_REHEARSED,
        files=(),
        proposal=None,
        nonce=terms.nonce,
        made_at=iso(terms.now),
        expires_at=iso(terms.now + terms.life),
        emergency="",
        owes_by="",
        revert_of=old.run,
        undoes=undoes,
        **_values(old, given or {}),
        questions=(),
    )


class _Values(TypedDict):
    parameters: dict[str, Parameter]
    injected: str


def _values(old: Plan, given: Mapping[str, Json]) -> _Values:
    """The values of the run that is undone, as they were in the end."""
    parameters = old.parameters | {name: Parameter(value=value, source="answer") for name, value in given.items()}
    source = injected(read_back(old.injected) | dict(given)) if given else old.injected
    return _Values(parameters=parameters, injected=source)
