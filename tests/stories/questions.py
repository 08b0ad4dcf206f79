"""Runbooks that ask, and who may answer them: what the stories of questions are told with."""

from __future__ import annotations

from tests.runbook.notebooks import code, notebook, raw
from tests.stories.runbooks import header, trace
from tests.stories.world import POLICY, World

ANSWERING = POLICY.replace('cancel = ["@oncall"]', 'answer = ["@oncall", "bob@example.org"]\ncancel = ["@oncall"]')
"""Bob and Carol may answer; Alice, who asks for runs, may not."""

_PARAMETERS = """from runner.toolkit import Annotated, Field

folder: str  # where its traces go
host: str = "web-1"  # what it acts on
batch: Annotated[int, Field(ge=1, le=50)] = 10  # how many at once
"""


def made(*cells: tuple[str, str], title: str) -> bytes:
    """A runbook of (role, source) cells with a parameter to ask for."""
    rest = [code(source, role) for role, source in cells]
    return notebook([raw(header(title)), code(_PARAMETERS, "parameters"), *rest])


def confirming(*, within: str = "5m") -> bytes:
    """It changes, asks, and goes on with a yes."""
    return made(
        ("change", trace("count", "first")),
        ("rollback", trace("undone")),
        (
            "change",
            f'#| step: go-on\n#| confirm: "Traffic drained?"\n#| answer-within: {within}\n' + trace("count", "second"),
        ),
        ("rollback", trace("undone")),
        ("verify", "assert (__import__('pathlib').Path(folder) / 'count').exists()"),
        ("always", trace("always")),
        title="Confirm",
    )


ASKING = made(
    (
        "change",
        "#| step: sized\n#| ask: batch\n#| prompt: How many at once?\n" + trace("count") + "print('with', batch)\n",
    ),
    ("rollback", "from pathlib import Path\n(Path(folder) / 'undone').write_text(str(batch))"),
    ("verify", "from pathlib import Path\n(Path(folder) / 'seen').write_text(str(batch))"),
    title="Ask",
)
"""It asks for a value that the next cell sees too."""


def asking_world(world: World, *, within: str = "5m", policy: str = ANSWERING) -> World:
    """A world with these runbooks, in which somebody may answer."""
    files = {"confirm": confirming(within=within), "ask": ASKING}
    world.commit({"runbooks/policy.toml": policy, **{f"runbooks/{name}.ipynb": data for name, data in files.items()}})
    return world
