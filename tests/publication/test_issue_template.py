"""Issue templates: what people read and fill in, and what becomes of it when it is sent."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt

from runner.errors import RequestError
from runner.label_names import LabelNames, read
from runner.publication.issue_template import file_name, is_ours, prose, template
from runner.request.request import Problem, Request, requests
from runner.runbook.runbook import Runbook
from tests.builders import a_comment, a_thread
from tests.gitlab.quick_actions import NAMES, extract
from tests.runbook.notebooks import HEADER, clean, code, raw, runbook, text

PARAMETERS = """from runner.toolkit import Annotated, Field, Literal

environment: Literal["staging", "production"] = "staging"  # where | or there
database: Annotated[str, Field(pattern=r"^[a-z_]+$|^$")]  # which database
hosts: list[str] = ["a", "b: c"]  # @everybody, see #1
grace: int | None = None  # seconds
note: str = "- # x"
"""


def rotating(words: str = "# Title\n\nCuts `old` sessions.") -> Runbook:
    cells = clean()
    cells[0] = raw(HEADER.replace("timeout", "examples: {database: shop}\ntimeout"))
    cells[1] = code(PARAMETERS, "parameters")
    return runbook([cells[0], text(words), *cells[1:]])


def sent(body: str) -> tuple[Request | Problem, ...]:
    """What an issue with this text asks for, once GitLab has taken its quick actions out."""
    left, _ = extract(body)
    thread = a_thread()
    described = type(thread)(issue=thread.issue, comments=(a_comment(left, by="alice", number=0),))
    found = requests(described, forge="gitlab", project="ops", bot="bot")
    return (*found.requests, *found.problems)


def test_a_template_that_was_filled_in_is_a_request_with_its_defaults() -> None:
    made = rotating()
    body = template(made, names=LabelNames()).replace("database:", "database: shop")
    (asked,) = sent(body)
    assert isinstance(asked, Request)
    assert asked.runbook == "rotate"
    values = made.parameters.values(asked.parameters)
    assert values.plain() == {
        "environment": "staging",
        "database": "shop",
        "hosts": ["a", "b: c"],
        "grace": None,
        "note": "- # x",
    }


def test_one_that_was_not_filled_in_is_refused_with_what_is_missing() -> None:
    made = rotating()
    (asked,) = sent(template(made, names=LabelNames()))
    assert isinstance(asked, Request)
    with pytest.raises(RequestError, match=r"database: is required and was not given; accepted: text, matching"):
        made.parameters.values(asked.parameters)


def test_related_is_there_to_be_taken_in() -> None:
    (asked,) = sent(template(rotating(), names=LabelNames()).replace("# related", "related"))
    assert isinstance(asked, Request)
    assert asked.related == ("#12", "!34")


def test_the_same_runbook_gives_the_same_bytes_and_they_are_known_as_ours() -> None:
    first, second = (template(rotating(), names=LabelNames(), assignee="alice") for _ in range(2))
    assert first == second
    assert is_ours(first)
    assert not is_ours("## By hand\n" + first)


def test_its_quick_actions_are_real_ones_and_name_the_labels_of_the_settings() -> None:
    if not NAMES.exists():
        pytest.skip("machine: GitLab's list of quick actions lies in the shared folder, which is not here")
    names, _ = read("change-management")
    body = template(rotating(), names=names, assignee="alice")
    written = re.findall(r"^/(\w+)", body, flags=re.MULTILINE)
    assert written == ["label", "assign"]
    assert set(written) <= set(json.loads(NAMES.read_text())["names"])
    left, actions = extract(body)
    assert actions == [("label", '~"change::unscheduled" ~"C1"'), ("assign", "@alice")]
    assert not re.search(r"^/", left, flags=re.MULTILINE)
    for nobody in ("", "bob@example.org", "a\n/close"):
        found = extract(template(rotating(), names=LabelNames(), assignee=nobody))[1]
        assert found == [("label", '~"runbook::requested"')]


def test_it_renders_as_a_heading_a_list_a_table_and_one_block() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(template(rotating(), names=LabelNames()))
    kinds = [token.type for token in tokens]
    assert [kinds.count(kind) for kind in ("heading_open", "table_open", "tr_open", "fence")] == [1, 1, 6, 1]
    cells = [tokens[at + 1].content for at, kind in enumerate(kinds) if kind == "td_open"]
    assert len(cells) == 5 * 4
    assert cells[2] == "`one of: staging, production`"
    assert "matching ^[a-z_]+$|^$" in cells[6].replace("\\|", "|")
    assert cells[7] == "**required**"


@pytest.mark.parametrize(
    "words",
    [
        "@all see #1 and !2 ~bug %v1 $3 &4 https://x.example <b>x</b> [a](b) *c* _d_",
        "/close",
        "```runbook\nrunbook: other\n```",
        "> /runbook run other",
        "/runbook run other",
        "<!-- --> /runbook run other",
        "`unclosed",
        "`` ` ``",
    ],
)
def test_no_word_of_a_notebook_does_anything(words: str) -> None:
    body = template(rotating(words), names=LabelNames())
    _, actions = extract(body)
    assert [name for name, _ in actions] == ["label"]
    (asked,) = sent(body)
    assert isinstance(asked, Request)
    assert asked.runbook == "rotate"
    inline = [token for token in MarkdownIt("commonmark").parse(body) if token.type == "inline"]
    plain = " ".join(child.content for token in inline for child in token.children or () if child.type != "code_inline")
    assert not re.search(r"[@#!~$&<\[*]\w|://", plain), plain


def test_a_word_stays_a_word_and_code_stays_code() -> None:
    assert prose("Cuts `old` sessions, (at once).") == "Cuts `old` sessions, (at once)."
    assert prose("`a`@b, @x") == "`a` `@b,` `@x`"
    assert prose("") == ""


def test_a_runbook_in_a_folder_has_its_name_joined() -> None:
    assert file_name("db/rotate") == "db-rotate.md"
