"""Documentation that cannot drift: what the program knows, its pages explain."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from runner import errors
from runner.cli.main import SUBCOMMANDS
from runner.config import Settings
from runner.ledger.bodies import TYPES
from runner.publication.labels import Label
from runner.request.command import Verb
from runner.runbook.cells import Role

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *(ROOT / room / "README.md" for room in ("runner", "runbooks", "outputs"))]


def headings(page: str) -> str:
    """All headings of a page, and the first cells of its tables, without their code marks."""
    text = (ROOT / page).read_text()
    text = re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$|^\| *(`[^|]+`) *\|", text, flags=re.MULTILINE)
    return "\n".join((heading or cell).replace("`", "") for heading, cell in found)


def missing(page: str, names: list[str]) -> list[str]:
    there = headings(page)
    return [name for name in names if not re.search(rf"(?<![\w:-]){re.escape(name)}(?![\w:-])", there)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_exists_and_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_subcommand_has_its_heading_or_row() -> None:
    assert missing("README.md", list(SUBCOMMANDS)) == []


def test_every_setting_has_its_heading_or_row() -> None:
    names = [field.name.replace("_", "-") for field in dataclasses.fields(Settings)]
    assert missing("README.md", names) == []


def test_every_environment_variable_is_named() -> None:
    text = (ROOT / "README.md").read_text()
    read = set(re.findall(r"RUNBOOK_[A-Z]+", (ROOT / "runner" / "config.py").read_text()))
    assert {name for name in read if name not in text} == set()


def test_every_comment_command_has_its_heading_or_row() -> None:
    assert missing("README.md", [verb.value for verb in Verb]) == []


def test_every_label_has_its_heading_or_row() -> None:
    assert missing("README.md", [label.value for label in Label]) == []


def test_every_class_of_error_has_its_heading_or_row() -> None:
    names = [
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
    ]
    assert len(names) > 5
    assert missing("runner/README.md", names) == []


def test_every_cell_role_has_its_heading_or_row() -> None:
    assert missing("runbooks/README.md", [role.value for role in Role]) == []


def test_every_event_type_has_its_heading_or_row() -> None:
    assert missing("outputs/README.md", list(TYPES)) == []


def test_the_readme_shows_the_command_that_runs_everything() -> None:
    assert "-m tests" in (ROOT / "README.md").read_text()
