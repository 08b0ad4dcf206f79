"""The summary: readable on a forge, and nothing that was written into it acts there."""

from __future__ import annotations

import re

from msgspec.structs import replace

from runner.evidence import summary
from runner.execution.outcome import CellFate, Fate, Redaction
from runner.plan.plan import Parameter
from tests.evidence.test_manifest import made


def test_the_first_lines_say_what_how_and_who() -> None:
    text = summary.render(made())
    assert text.startswith("# Free disk space: succeeded\n")
    for words in (
        "`prod/web-1`",
        "alice@example.org",
        "bob@example.org",
        "all is well",
        "| `keep_days` | `7` | default |",
    ):
        assert words.replace("@", " ") in text.replace("@", " ")


def test_without_approvals_it_says_that_nobody_had_to() -> None:
    assert "nobody: policy asks for no approval" in summary.render(replace(made(), approvals=()))


def test_hostile_words_stay_words() -> None:
    record = made()
    hostile = "x](javascript:1) <img> @everybody | `a`\n# heading\n```\n/close"
    record = replace(
        record,
        title=hostile,
        parameters={"a": Parameter(value=hostile, source="request")},
        result=replace(record.result, message=hostile, moved="````\nfence"),
    )
    text = summary.render(record)
    fenced = text.split("````text")[1].split("\n````\n")[0]
    outside = re.sub(r"`[^`\n]*`", "", text.replace(fenced, ""))
    assert "<img>" not in outside
    assert "@everybody" not in outside
    assert "\n# heading" not in outside
    assert "`````text\n````\nfence\n`````" in text


def test_a_skipped_cell_says_why_and_a_cell_that_was_tried_again_how_often() -> None:
    record = made()
    cells = (
        CellFate(index=1, id="a", role="read", name="probe", phase="forward", fate=Fate.OK, seconds=7.0, tries=3),
        CellFate(index=2, id="b", role="change", name="act", phase="forward", fate=Fate.SKIPPED, why="x | y"),
    )
    text = summary.render(replace(record, result=replace(record.result, cells=cells)))
    assert "| `probe` | read | forward | ok (3 tries) | 7.00 |" in text
    assert "| `act` | change | forward | skipped: `x y` |  |" in text


def test_what_was_not_ok_stands_out_and_masking_is_told() -> None:
    record = made()
    bad = CellFate(index=1, id="c", role="change", name="act", phase="forward", fate=Fate.TIMED_OUT, seconds=None)
    record = replace(
        record,
        result=replace(record.result, cells=(bad,), withheld=True),
        redactions=(Redaction(rule="TOKEN", where=("outputs",), count=2),),
    )
    text = summary.render(record)
    assert "| change | forward | **timed out** |  |" in text
    assert "Masked: TOKEN (2)." in text
    assert "withheld" in text
