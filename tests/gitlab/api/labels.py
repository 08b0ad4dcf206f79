"""The project's labels."""

from __future__ import annotations

from typing import Any

from tests.gitlab.answers import Answer, RefusedError
from tests.gitlab.call import Call, on
from tests.gitlab.paging import paged
from tests.gitlab.site import Level


@on("GET", "/projects/{id}/labels")
def labels(call: Call) -> Answer:
    """All labels, by name."""
    return paged(call, sorted(call.project.labels.items()), lambda one: _shape(*one))


@on("POST", "/projects/{id}/labels")
def make_label(call: Call) -> Answer:
    """Make one."""
    call.needs(Level.PLANNER)
    name = call.text("name")
    call.text("color")
    if name in call.project.labels:
        raise RefusedError(409, "Label already exists")
    call.project.labels[name] = call.site.number()
    return Answer(status=201, body=_shape(name, call.project.labels[name]))


def _shape(name: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "description": None,
        "description_html": "",
        "text_color": "#FFFFFF",
        "color": "#6699cc",
        "subscribed": False,
        "priority": None,
        "is_project_label": True,
    }
