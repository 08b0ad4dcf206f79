"""From bytes to a runbook."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from runner.digest import sha256
from runner.errors import RequestError
from runner.runbook import reader
from runner.runbook.runbook import Runbook
from tests.runbook.notebooks import HEADER, PARAMETERS, SPEC, clean, code, notebook, raw, text

nbformat: Any = importlib.import_module("nbformat")  # its types are partial


def read(content: bytes) -> Runbook:
    return reader.read(content, name="db/rotate", path="runbooks/db/rotate.ipynb", commit="c" * 40)


def test_a_notebook_becomes_a_runbook() -> None:
    content = notebook(clean())
    found = read(content)
    assert (found.content, found.digest) == (content, sha256(content))
    assert (found.language, found.kernel, found.kernel_declared) == ("python", "python3", True)
    assert found.header.title == "Rotate a password"
    assert [each.name for each in found.parameters.parameters] == ["environment", "database"]
    assert len(found.cells) == len(clean())


def test_a_notebook_without_a_header_locks_its_own_name() -> None:
    found = read(notebook([raw("% latex"), code("x = 1")]))
    assert not found.header.present
    assert (found.header.title, found.header.target, found.header.risk) == ("db/rotate", ("db/rotate",), "unclassified")


def test_what_a_header_leaves_out_the_name_stands_for() -> None:
    found = read(notebook([raw("---\nrisk: low\n---")]))
    assert found.header.present
    assert (found.header.title, found.header.target) == ("db/rotate", ("db/rotate",))


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 4])
def test_older_minor_formats_are_read(minor: int) -> None:
    assert [cell.id for cell in read(notebook([raw(), code("x", "read")], minor=minor)).cells] == ["cell-0", "cell-1"]


def test_a_notebook_that_jupyter_wrote_is_read() -> None:
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_raw_cell(HEADER),
            nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        ],
        metadata={"kernelspec": SPEC},
    )
    assert len(read(nbformat.writes(made).encode()).parameters.parameters) == 2


def test_format_3_is_refused_with_the_way_to_convert_it() -> None:
    content = json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}).encode()
    with pytest.raises(RequestError, match="format 3") as caught:
        read(content)
    assert "jupyter nbconvert --to notebook --nbformat 4" in caught.value.hint


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "julia-1.9", "language": "julia"}},
        {"kernelspec": {"name": "ir"}},
        {"language_info": {"name": "R"}},
        {"kernelspec": {"name": "python3", "language": "python"}, "language_info": {"name": "bash"}},
    ],
)
def test_another_language_is_refused_with_what_would_be_accepted(metadata: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="python") as caught:
        read(notebook([code("x", "read")], metadata=metadata))
    assert "Python" in caught.value.hint


@pytest.mark.parametrize("metadata", [{}, {"kernelspec": {}}, {"language_info": {"name": "python"}}])
def test_a_notebook_without_a_kernel_is_taken_as_python(metadata: dict[str, object]) -> None:
    found = read(notebook([code("x", "read")], metadata=metadata))
    assert (found.kernel, found.kernel_declared) == ("python3", False)


@pytest.mark.parametrize("spec", [{"name": "../../evil"}, {"name": 3}, {"name": "python3", "language": 1}])
def test_a_kernel_with_an_odd_name_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        read(notebook([code("x", "read")], metadata={"kernelspec": spec}))


GOOD = notebook(clean()).decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON: line 1"),
        (b"<<<<<<< HEAD\n", "not JSON"),
        (b"[]", "not a notebook"),
        (b"null", "not a notebook"),
        (b"\xff\xfe", "UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"nbformat": 4, "nbformat": 4}', "twice"),
        (b'{"nbformat": NaN}', "NaN"),
        (b'{"nbformat": 1' + b"0" * 5000 + b"}", "JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 80 + b"1" + b"}" * 80, "not a notebook"),
        (b"{}", "which notebook format"),
        (b'{"nbformat": "4"}', "which notebook format"),
        (b'{"nbformat": true}', "which notebook format"),
        (b'{"nbformat": 5, "cells": []}', "format 5"),
        (b'{"nbformat": 4, "nbformat_minor": 5}', "no list of cells"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(content)
    assert words in str(caught.value)
    assert "db/rotate" in caught.value.doing
    assert caught.value.exit_code == 2


def test_a_notebook_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(RequestError, match="too much"):
        read(b" " * (reader.MAX_BYTES + 1))


def test_a_large_body_within_the_limit_is_read() -> None:
    assert read(notebook([raw(), text("x" * 2_000_000)])).header.present


def test_two_parameters_cells_are_refused() -> None:
    with pytest.raises(RequestError, match="2 cells have the role parameters"):
        read(notebook([code("x = 1", "parameters"), code("y = 1", "parameters")]))


@pytest.mark.parametrize("cells", [[raw("---\nnope: 1\n---")], [code("#| timeout: x")], [code("x", "read", "plan")]])
def test_a_malformed_part_names_the_runbook(cells: list[dict[str, object]]) -> None:
    with pytest.raises(RequestError, match="db/rotate"):
        read(notebook(cells))
