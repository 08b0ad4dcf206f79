"""Trigger tokens: who made one lends its holder the right to start pipelines, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, not_found
from tests.gitlab.api.pipelines import begun, shape
from tests.gitlab.call import Call, on, time
from tests.gitlab.site import Level, User


@on("POST", "/projects/{id}/triggers")
def create(call: Call) -> Answer:
    """Make a token; for maintainers. Only its maker ever sees the whole of it."""
    call.needs(Level.MAINTAINER)
    number = call.site.number()
    token = f"glptt-standin{number:06d}"
    call.project.triggers[token] = call.user
    return Answer(status=201, body=_shape(number, token, call.user, call=call))


def _shape(number: int, token: str, owner: User, *, call: Call) -> dict[str, Any]:
    moment = time(call.now())
    plain = {"id": number, "token": token, "description": call.text("description"), "last_used": None}
    return plain | {"created_at": moment, "updated_at": moment, "owner": shapes.user(owner, call.base)}


@on("POST", "/projects/{id}/trigger/pipeline")
def trigger(call: Call) -> Answer:
    """Start a pipeline with a token, and the rights of whoever made it."""
    owner = call.project.triggers.get(call.text("token"))
    if owner is None:
        raise not_found()
    return Answer(status=201, body=shape(begun(call, user=owner, source="trigger"), call))
