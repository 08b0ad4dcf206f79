"""What a parameters cell declares."""

from __future__ import annotations

import pytest

from runner.runbook import declaration
from runner.runbook.declaration import MISSING, Fault
from runner.runbook.shape import Kind

IMPORTS = "from runner.toolkit import Annotated, Field, Literal, Optional\nfrom datetime import date, datetime\n"


def test_the_cell_of_the_design_is_understood() -> None:
    parameters, problems = declaration.read(
        "from runner.toolkit import Annotated, Field, Literal\n"
        "\n"
        'environment: Literal["staging", "production"] = "staging"   # where\n'
        'database: Annotated[str, Field(pattern=r"^[a-z_]+$")]       # which database; no default: required\n'
        "grace: Annotated[int, Field(ge=0, le=600)] = 30             # seconds before old sessions are cut\n"
    )
    assert problems == ()
    assert [each.name for each in parameters] == ["environment", "database", "grace"]
    assert [each.required for each in parameters] == [False, True, False]
    assert parameters[1].default is MISSING
    assert parameters[1].description == "which database; no default: required"
    assert parameters[2].shape.bounds == (("ge", 0), ("le", 600))
    assert parameters[0].annotation == "Literal['staging', 'production']"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("x = 3", Kind.INT),
        ("x = -3", Kind.INT),
        ("x = 1.5", Kind.FLOAT),
        ("x = True", Kind.BOOL),
        ("x = 'a'", Kind.STR),
        ("x = ['a', 'b']", Kind.LIST),
        ("x = {'a': 1}", Kind.DICT),
        ("x: float = 1", Kind.FLOAT),
        ("x: date = '2026-11-23'", Kind.DATE),
        ("x: datetime = '2026-11-23T01:00:00'", Kind.DATETIME),
        ("x: Optional[int] = None", Kind.INT),
        ("x: int | None = None", Kind.INT),
        ("x: list[Literal[1, 2]] = [1]", Kind.LIST),
        ("x: dict[str, list[int]] = {}", Kind.DICT),
        ("x: Annotated[list[str], Field(min_length=1), Field(max_length=3)]", Kind.LIST),
    ],
)
def test_a_literal_assignment_declares_a_parameter(line: str, kind: Kind) -> None:
    parameters, problems = declaration.read(IMPORTS + line)
    assert problems == ()
    assert [(each.name, each.shape.kind) for each in parameters] == [("x", kind)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x = 1 + 1", Fault.COMPUTED),
        ("x: int = int('3')", Fault.COMPUTED),
        ("x = f'{y}'", Fault.COMPUTED),
        ("x: int = Field(default=3)", Fault.COMPUTED),
        ("x = y", Fault.COMPUTED),
        ("x = (1, 2)", Fault.TYPE),
        ("x = {1}", Fault.TYPE),
        ("x = b'a'", Fault.TYPE),
        ("x = 1j", Fault.TYPE),
        ("x = {1: 2}", Fault.TYPE),
        ("x = None", Fault.TYPE),
        ("x = []", Fault.TYPE),
        ("x = [1, 'a']", Fault.TYPE),
        ("x: int = 'a'", Fault.TYPE),
        ("x: int = '3'", Fault.TYPE),
        ("x: bool = 1", Fault.TYPE),
        ("x: Literal['a'] = 'b'", Fault.TYPE),
        ("x: Any", Fault.TYPE),
        ("x: int | str", Fault.TYPE),
        ("x: list", Fault.TYPE),
        ("x: dict[int, str]", Fault.TYPE),
        ("x: 'int'", Fault.TYPE),
        ("x: os.PathLike", Fault.TYPE),
        ("x: Literal[1.5]", Fault.TYPE),
        ("x: Literal[1, '1']", Fault.TYPE),
        ("x: Annotated[int, 3]", Fault.TYPE),
        ("x: Annotated[int, Field(3)]", Fault.TYPE),
        ("x: Annotated[int, Field(pattern='a')]", Fault.TYPE),
        ("x: Annotated[str, Field(ge=1)]", Fault.TYPE),
        ("x: Annotated[int, Field(ge=y)]", Fault.TYPE),
        ("x: Annotated[int, Field(gt='1')]", Fault.TYPE),
        ("x: Annotated[str, Field(pattern='(')]", Fault.TYPE),
        ("x: Annotated[str, Field(pattern='(?=a)')]", Fault.TYPE),
        ("x: Annotated[str, Field(max_length=-1)]", Fault.TYPE),
        ("x: Annotated[int, Field(multiple_of=0)]", Fault.TYPE),
        ("x: Annotated[int, Field(**{'ge': 1})]", Fault.TYPE),
        ("import os", Fault.STATEMENT),
        ("from os import path", Fault.STATEMENT),
        ("from runner.toolkit import secret", Fault.STATEMENT),
        ("from runner.toolkit import Field as F", Fault.STATEMENT),
        ("from . import Field", Fault.STATEMENT),
        ("from typing import *", Fault.STATEMENT),
        ("print('x')", Fault.STATEMENT),
        ("x += 1", Fault.STATEMENT),
        ("x, y = 1, 2", Fault.STATEMENT),
        ("x = y = 1", Fault.STATEMENT),
        ("x.y = 1", Fault.STATEMENT),
        ("if True:\n    x = 1", Fault.STATEMENT),
        ("def f(): pass", Fault.STATEMENT),
        ("!ls", Fault.STATEMENT),
        ("%%bash\nls", Fault.STATEMENT),
        ("x = [" * 200, Fault.STATEMENT),
        ("X = 1", Fault.NAME),
        ("list = 1", Fault.NAME),
        ("print = 1", Fault.NAME),
        ("__name__ = 'a'", Fault.NAME),
        ("_ = 1", Fault.NAME),
        ("_i1 = 1", Fault.NAME),
        ("_exit_code = 1", Fault.NAME),
        ("get_ipython = 1", Fault.NAME),
        ("date = '2026-01-01'", Fault.NAME),
        ("r\u0435start = 1", Fault.NAME),
        ("a" * 65 + " = 1", Fault.NAME),
        ("x = 1\nx = 2", Fault.NAME),
    ],
)
def test_everything_else_is_a_problem_and_declares_nothing_by_it(line: str, fault: Fault) -> None:
    _, problems = declaration.read(IMPORTS + line)
    assert {each.fault for each in problems} == {fault}
    assert all(each.hint for each in problems)


def test_a_word_without_its_import_would_fail_in_the_kernel() -> None:
    parameters, problems = declaration.read("x: Annotated[int, Field(ge=0)] = 1\ny: Literal['a'] = 'a'\nz: date")
    assert parameters == ()
    assert ["import" in each.message for each in problems] == [True, True, True]


def test_problems_know_their_line() -> None:
    _, problems = declaration.read("x = 1\n\nimport os\ny = x\n")
    assert [each.line for each in problems] == [3, 4]


def test_nothing_is_executed_to_be_understood(tmp_path: object) -> None:
    declaration.read(f"x: open({str(tmp_path) + '/made'!r}, 'w') = open({str(tmp_path) + '/made'!r}, 'w')")
    assert list(__import__("pathlib").Path(str(tmp_path)).iterdir()) == []
