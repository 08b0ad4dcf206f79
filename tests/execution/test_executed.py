from __future__ import annotations

import json

import nbformat

from runner.execution.executed import Shown, notebook


def made(**changes: object) -> bytes:
    whole = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "# Title "},
            {
                "cell_type": "code",
                "metadata": {"tags": ["parameters"], "papermill": {"status": "completed"}},
                "source": ["a = 1\n", "b = 'é'"],
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "old"}],
                "execution_count": 9,
            },
            {"cell_type": "code", "metadata": {}, "source": "a", "outputs": [], "execution_count": None},
        ],
        "metadata": {"papermill": {"parameters": {"a": 1}}, "kernelspec": {"name": "python3", "display_name": "P"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    return json.dumps(whole | changes).encode()


def test_an_old_notebook_gets_ids_and_keeps_its_sources() -> None:
    shown = {"cell-2": Shown(outputs=({"output_type": "stream", "name": "stdout", "text": "1\n2"},), count=3)}
    data = notebook(made(), injected="a = 5\n", shown=shown)
    nbformat.validate(nbformat.reads(data.decode(), as_version=4))  # type: ignore[no-untyped-call] # no types
    whole = json.loads(data)
    assert [cell["id"] for cell in whole["cells"]] == ["cell-0", "cell-1", "injected-parameters", "cell-2"]
    assert whole["cells"][1]["source"] == ["a = 1\n", "b = 'é'"]
    assert whole["cells"][1]["outputs"] == []
    assert whole["cells"][3]["outputs"][0]["text"] == ["1\n", "2"]
    assert whole["cells"][3]["execution_count"] == 3
    assert b"papermill" not in data
    assert list(whole) == sorted(whole)


def test_without_a_parameters_cell_the_injected_one_comes_first() -> None:
    bare = made(cells=[{"cell_type": "code", "metadata": {}, "source": "a", "outputs": [], "execution_count": None}])
    assert [c["id"] for c in json.loads(notebook(bare, injected="a = 1", shown={}))["cells"]] == [
        "injected-parameters",
        "cell-0",
    ]
    assert len(json.loads(notebook(bare, injected="", shown={}))["cells"]) == 1


def test_the_same_input_gives_the_same_bytes() -> None:
    assert notebook(made(), injected="a = 1", shown={}) == notebook(made(), injected="a = 1", shown={})
