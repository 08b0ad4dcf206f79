from __future__ import annotations

import tomllib

from runner.approval.table import Problems, Table

TEXT = """# a comment
first = 1

[[rule]]
name = "one"
[[rule]]   # the second
name = "two"
"quoted" = 3
[other]
name = "x"
"""


def test_lines_are_found_by_section_place_and_key() -> None:
    problems = Problems(TEXT)
    assert problems.line_of("", 0, "first") == 2
    assert problems.line_of("rule", 0, "name") == 5
    assert problems.line_of("rule", 1, "name") == 7
    assert problems.line_of("rule", 1, "quoted") == 8
    assert problems.line_of("rule", 1, "absent") == 6
    assert problems.line_of("rule", 1) == 6
    assert problems.line_of("absent", 0, "name") == 0


def test_a_key_that_nobody_takes_is_a_problem() -> None:
    table = Table(tomllib.loads("a = 1\nb = 2"), Problems("a = 1\nb = 2"))
    table.take("a")
    table.done()
    assert table.problems.found == ["line 2, the top of the file: b is not a word of policy"]


def test_one_string_stands_for_a_list_of_one() -> None:
    table = Table({"a": "x", "b": ["y", "z"]}, Problems(""))
    assert table.names("a") == ("x",)
    assert table.names("b") == ("y", "z")
    assert table.names("c", ("d",)) == ("d",)
    assert not table.problems.found
