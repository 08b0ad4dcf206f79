"""What comments show of a notebook: the chosen cells, as text and pictures, and never what could do something."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from runner.errors import OutsideError
from runner.publication.outputs import PICTURES, CellOutput, Outputs, attached, of
from runner.publication.picture import Picture
from runner.runbook.cells import Role
from tests.publication.test_picture import png

PLOT = b64encode(png()).decode()


def notebook(*outputs: dict[str, Any], tag: str = "plan") -> bytes:
    cell = {"cell_type": "code", "id": "c", "source": "1", "metadata": {"tags": [tag]}, "outputs": list(outputs)}
    injected = {"cell_type": "code", "id": "i", "source": "x = 1", "metadata": {"tags": ["injected-parameters"]}}
    return json.dumps({"cells": [injected | {"outputs": []}, cell], "nbformat": 4}).encode()


def stream(text: str | list[str], name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def display(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind.replace("_", "/"): value for kind, value in data.items()}}


def shown(*outputs: dict[str, Any]) -> CellOutput:
    (found,) = of(notebook(*outputs), roles={Role.PLAN})
    return found


def test_the_cells_of_the_roles_are_shown_by_the_name_that_they_have_in_the_runbook() -> None:
    assert shown(stream("3 to add\n")) == CellOutput(name="plan (cell 1)", text="3 to add")
    assert of(notebook(stream("x"), tag="setup"), roles={Role.READ, Role.PLAN}) == ()
    assert of(notebook(), roles={Role.PLAN}) == (), "it showed nothing"


def test_texts_come_in_the_order_in_which_they_were_shown() -> None:
    found = shown(
        stream(["a\n", "b"]),
        display(text_plain=["<table>", "\n2"], text_html="<b>2</b>"),
        {"output_type": "error", "ename": "OSError", "evalue": "busy", "traceback": ["hidden"]},
        stream("warning", "stderr"),
    )
    assert found.text == "a\nb\n<table>\n2\nOSError: busy\nwarning"


def test_colours_go_and_what_a_carriage_return_would_hide_stays() -> None:
    assert shown(stream("\x1b[1;31mrm -rf /\x1b[0m\rls\r\n")).text == "rm -rf /\nls"


def test_a_png_is_a_picture_and_its_words_are_not_repeated() -> None:
    found = shown(display(image_png=PLOT, text_plain="<Figure size 4x3>"))
    assert (found.text, [(one.width, one.height) for one in found.pictures]) == ("", [(4, 3)])


@pytest.mark.parametrize(
    "data",
    [
        {"image/svg+xml": "<svg onload=alert(1)/>"},
        {"text/html": "<script>alert(1)</script>"},
        {"image/jpeg": PLOT},
        {"image/png": "not base64"},
        {"image/png": b64encode(b"<svg/>").decode()},
        {"image/png": {"x": 1}},
    ],
)
def test_what_is_no_png_is_not_shown_and_it_is_said(data: dict[str, Any]) -> None:
    found = shown({"output_type": "display_data", "data": data})
    assert found.pictures == ()
    assert found.text.startswith("[")
    assert "<" not in found.text


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"cells": 1}', b"\xff", b'{"cells": [1]}', b"[" * 100_000])
def test_what_is_no_notebook_shows_nothing(data: bytes) -> None:
    assert of(data, roles={Role.PLAN}) == ()


def test_pictures_get_their_addresses_up_to_a_number_and_one_that_cannot_be_kept_keeps_nobody_waiting() -> None:
    one = Picture(data=png(), width=4, height=3)

    def attach(name: str, data: bytes) -> str:
        assert data == png()
        if name == "picture-2.png":
            raise OutsideError("uploading", "away")
        return f"/uploads/{name}"

    (found,), more = attached([CellOutput(name="c", text="", pictures=(one,) * (PICTURES + 3))], attach)
    assert [picture.address for picture in found.pictures][:3] == [
        "/uploads/picture-1.png",
        "",
        "/uploads/picture-3.png",
    ]
    assert (len(found.pictures), more) == (PICTURES, 3)


def test_a_budget_goes_to_whoever_needs_it() -> None:
    cells = tuple(CellOutput(name=str(length), text="x" * length) for length in (900, 10, 20, 5000, 7))
    assert Outputs(cells=cells).shares(1000, 4) == (485, 10, 20, 485)
    assert Outputs(cells=cells).shares(100_000, 9) == (900, 10, 20, 5000, 7)
    assert Outputs().shares(10, 3) == ()
