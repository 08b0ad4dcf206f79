"""An issue template of GitLab for a runbook: what it does, its fields explained, the request to fill in, quick actions.

The same runbook, settings and policy give the same bytes. What stands in a notebook was reviewed, and is made harmless
all the same: nothing of it mentions people, refers to issues, or is taken for a command or for another request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.label_names import LabelNames
from runner.publication.markdown import code
from runner.runbook.form import written
from runner.runbook.parameters import MISSING, Parameter
from runner.runbook.runbook import Runbook

FOLDER = ".gitlab/issue_templates"
_OURS = "<!-- Written by `runbook form --gitlab`"
_PIECES = re.compile(r"`+[^`]+`+|[^\s`]+|\s+|`+")
_PLAIN = re.compile(r"[A-Za-z0-9À-ɏ(\"'][A-Za-z0-9À-ɏ.,;:()'\"?+=/-]*|[.,;:)'\"?-]+")
"""A word that Markdown and GitLab take for a word."""
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""A user name of GitLab, and no address of a key."""
_LONGEST = 600
"""Characters of what a runbook says that it does."""


def file_name(runbook: str) -> str:
    """The template's file: GitLab looks at no folders there, so a runbook in one has its name joined."""
    return f"{runbook.replace('/', '-')}.md"


def is_ours(text: str) -> bool:
    """Whether a template was written here, and not by hand."""
    return text.startswith(_OURS)


def template(runbook: Runbook, *, names: LabelNames, assignee: str = "") -> str:
    """Write a runbook's template.

    Args:
        runbook: with its header and parameters.
        names: what labels are called.
        assignee: the user name of its owner, where that is one person; a group's turn is the runner's to take.
    """
    return "\n\n".join(_parts(runbook, names, assignee=assignee)) + "\n"


def _parts(runbook: Runbook, names: LabelNames, *, assignee: str) -> Iterator[str]:
    yield f"{_OURS} from {runbook.path.replace('--', '- -')}: change the runbook, and write it again. -->"
    yield f"## {prose(runbook.header.title)}"
    does = _does(runbook)
    if does:
        yield prose(does)
    yield "\n".join(_facts(runbook))
    parameters = runbook.parameters.parameters
    if parameters:
        yield "\n".join(_table(parameters))
    yield "Fill in what is required, in the block below. What is left as it is keeps its default."
    yield f"```runbook\n{_block(runbook)}\n```"
    yield "\n".join(_actions(runbook, names, assignee=assignee))


def prose(text: str) -> str:
    """Words on one line; whatever GitLab could take for something else is shown as code."""
    made = ""
    for found in _PIECES.finditer(text.strip()):
        piece = found[0]
        if piece.isspace():
            made += " "
        elif _PLAIN.fullmatch(piece) and "//" not in piece:
            made += piece
        else:
            # Two code spans that touch would be one.
            made += " " * made.endswith("`") + code(piece.strip("`") or piece)
    return made


def _does(runbook: Runbook) -> str:
    """The first paragraph of words in the notebook."""
    for cell in runbook.cells:
        for paragraph in re.split(r"\n\s*\n", cell.source) if cell.kind == "markdown" else ():
            lines = [line for line in paragraph.strip().splitlines() if not line.lstrip().startswith("#")]
            if lines:
                return " ".join(lines)[:_LONGEST]
    return ""


def _facts(runbook: Runbook) -> Iterator[str]:
    header = runbook.header
    yield f"- **Runbook:** {code(runbook.name)}, risk {code(header.risk)}"
    yield f"- **Acts on:** {', '.join(code(target) for target in header.target)}"
    if header.irreversible:
        yield f"- **IRREVERSIBLE:** {prose(header.irreversible)}"
    if header.owner:
        yield f"- **Owner:** {code(header.owner)}"


def _table(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    yield "| field | what it is | what is accepted | if it is left out |"
    yield "|---|---|---|---|"
    for one in parameters:
        missing = "**required**" if one.default is MISSING else code(written(one.default))
        cells = (code(one.name), prose(one.description), code(one.shape.accepted(), 400), missing)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _block(runbook: Runbook) -> str:
    examples = dict(runbook.header.examples)
    lines = [f"runbook: {runbook.name}"]
    parameters = runbook.parameters.parameters
    lines += ["parameters:"] if parameters else []
    lines += [_line(one, example=examples.get(one.name, MISSING)) for one in parameters]
    return "\n".join([*lines, "# reason: why it is needed now", '# related: "#12 !34"'])


def _line(one: Parameter, *, example: object) -> str:
    if one.default is not MISSING:
        return f"  {one.name}: {written(one.default)}"
    such = "" if example is MISSING else f", for example {written(example)}"
    return f"  {one.name}:  # required{such}"


def _actions(runbook: Runbook, names: LabelNames, *, assignee: str) -> Iterator[str]:
    """Quick actions; GitLab passes over a label that the project does not have yet."""
    wanted = (names.states["requested"], names.risks.get(runbook.header.risk, ""))
    yield "/label " + " ".join(f'~"{label}"' for label in wanted if label and '"' not in label)
    if _USER.fullmatch(assignee):
        yield f"/assign @{assignee}"
