"""The fenced request block: strict, and never guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RequestError
from runner.request.asks import Block
from runner.request.block import read


def block(text: str, doubt: str = "") -> Block:
    return Block(ordinal=1, line=4, text=text, doubt=doubt)


def test_values_stay_text_at_any_depth() -> None:
    wanted = read(
        block("runbook: disk-cleanup\nparameters:\n  a: no\n  b: [012, 1:30]\n  c: {d: 2026-11-23}\nreason: full\n")
    )
    assert wanted.runbook == "disk-cleanup"
    assert wanted.parameters == {"a": "no", "b": ["012", "1:30"], "c": {"d": "2026-11-23"}}
    assert wanted.reason == "full"


@pytest.mark.parametrize("text", ["runbook: x", "runbook: x\nparameters:\n", "runbook: x\nparameters: {}\n"])
def test_parameters_may_be_left_out(text: str) -> None:
    assert read(block(text)).parameters == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no runbook"),
        ("runbook:\n", "no runbook"),
        ("runbook: [x]\n", "no runbook"),
        ("runbook: ../x\n", "not a runbook's name"),
        ("runbook: /etc/x\n", "not a runbook's name"),
        ("runbook: r\u0435start\n", "not a runbook's name"),
        ("runbook: x\nruns: y\n", "not a key"),
        ("runbook: x\nemergency: yes\n", "needs a reason"),
        ("runbook: x\nemergency:\n", "needs a reason"),
        ("runbook: x\nemergency: [a]\n", "not a text"),
        ("runbook: x\nparameters: [a]\n", "not a mapping"),
        ("runbook: x\nparameters: a\n", "not a mapping"),
        ("runbook: x\nparameters:\n  a-b: 1\n", "not a parameter's name"),
        ('runbook: x\nparameters:\n  "__import__(1)": 1\n', "not a parameter's name"),
        ("runbook: x\nparameters:\n  \u0430: 1\n", "not a parameter's name"),
        ("runbook: x\nparameters:\n  a: 1\n  a: 2\n", "twice"),
        ("runbook: x\nparameters: &a {b: *a}\n", "anchor"),
        ("runbook: x\nparameters: !!python/object:os.system {}\n", "tag"),
        ('runbook: x\nparameters: {a: "b\\u202ec"}\n', "direction"),
        ('runbook: x\nparameters: {a: [{"\\u200b": c}]}\n', "zero-width"),
        ('runbook: x\nreason: "\\u0007"\n', "control"),
        ("runbook: x\nreason: [a]\n", "not a text"),
        ("runbook: x\nreason: " + "a" * 5000, "4,000"),
        ("runbook: x\nreason: " + "a" * 20_000, "too much"),
        ("runbook: x\n---\nrunbook: y\n", "second document"),
        ("runbook: x\n  y: :\n", "line 5"),
    ],
)
def test_what_is_not_a_request_is_refused_with_a_reason(text: str, wrong: str) -> None:
    with pytest.raises(RequestError, match=wrong):
        read(block(text))


def test_a_block_in_doubt_is_refused() -> None:
    with pytest.raises(RequestError, match="not closed"):
        read(block("runbook: x\n", doubt="the block is not closed"))


PARTS = ["runbook", ": ", "x", "\n", "  ", "parameters", "- ", "[", "]", "{", "}", "&a ", "*a", "!t ", "'", '"', "|", "%", "---", "a: 1\n", "\t", "#", "reason"]  # fmt: skip  # noqa: E501 - one alphabet


@settings(max_examples=500)
@given(st.text() | st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_text_is_a_request_or_refused(text: str) -> None:
    try:
        wanted = read(block(text))
    except RequestError:
        return
    assert wanted.runbook.isascii()
    assert all(name.isidentifier() for name in wanted.parameters)


@pytest.mark.parametrize(
    ("text", "related"),
    [
        ('related: "#12, !34 7"', ("#12", "!34", "#7")),
        ('related: ["#12", "!34", 12]', ("#12", "!34")),
        ("related: 12 !34", ("#12", "!34")),
        ("reason: none", ()),
    ],
)
def test_related_issues_and_merge_requests_are_of_this_project(text: str, related: tuple[str, ...]) -> None:
    assert read(block(f"runbook: x\n{text}\n")).related == related


@pytest.mark.parametrize(
    "text",
    [
        "related: #12",
        'related: "ops/other#12"',
        'related: "https://gitlab.example.org/ops/x/-/issues/1"',
        'related: "#0"',
        'related: "#12 &3"',
        "related: {a: 1}",
        "related: [[1]]",
        "related: []",
        f'related: "{" ".join(map(str, range(1, 30)))}"',
    ],
)
def test_what_is_no_reference_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(RequestError, match="`related`") as refused:
        read(block(f"runbook: x\n{text}\n"))
    assert 'related: "#12 !34"' in refused.value.hint


def test_a_line_without_a_value_is_as_if_it_were_not_there() -> None:
    text = 'runbook: x\nparameters:\n  a:\n  b:   # required\n  c: ""\n  d: [x, ]\n'
    assert read(block(text)).parameters == {"c": "", "d": ["x"]}
