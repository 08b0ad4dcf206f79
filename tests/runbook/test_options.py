"""Cell options."""

from __future__ import annotations

import pytest

from runner.errors import RequestError
from runner.runbook import options


def test_options_are_the_first_lines_of_the_cell() -> None:
    source = "#| step: restart-nginx\n#| timeout: 1h30m\n"
    source += '#| irreversible: "mail: sent"\n#| normalise: [timestamps, s/a+/b/]\nx = 1'
    found = options.read(source, cell=0)
    assert (found.step, found.timeout, found.irreversible) == ("restart-nginx", 5400.0, "mail: sent")
    assert found.normalise == ("timestamps", "s/a+/b/")
    assert [name for name, _ in found.raw] == ["step", "timeout", "irreversible", "normalise"]


def test_a_cell_may_ask_before_it_runs() -> None:
    found = options.read('#| confirm: "Traffic drained?"\n#| answer-within: 30m\nx = 1', cell=0)
    assert (found.confirm, found.answer_within) == ("Traffic drained?", 1800.0)
    found = options.read("#| ask: batch_size\n#| prompt: How many at once?\nx = 1", cell=0)
    assert (found.ask, found.prompt, found.answer_within) == ("batch_size", "How many at once?", 3600.0)


def test_options_may_follow_a_cell_magic_directly() -> None:
    assert options.read("%%bash\n#| timeout: 90s\nls", cell=0).timeout == 90.0
    assert options.read("%time\n#| timeout: 90s\nls", cell=0).timeout is None


def test_lines_elsewhere_are_no_options_and_are_known_as_stray() -> None:
    source = "x = 1\n#| timeout: 90s\n"
    assert options.read(source, cell=0).timeout is None
    assert options.stray(source) == (2,)
    assert options.stray("#| step: a\n#| timeout: 1s\nx = 1\n  #| late: 1") == (4,)
    assert options.stray("%%bash\n#| step: a") == ()
    assert options.stray("#| step: a\n%%bash\n") == ()


def test_unknown_options_are_kept_for_lint() -> None:
    assert options.read("#| label: fig-1\n#| retries: 3\n", cell=0).raw == (("label", "fig-1"), ("retries", "3"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("#| timeout: soon", "line 1: timeout: 'soon'"),
        ("#| step: a\n#| timeout: 0s", "line 2: timeout"),
        ("%%bash\n#| timeout: 90", "line 2: timeout"),
        ("#| timeout: [1]", "timeout"),
        ("#| step: Not A Name", "step"),
        ("#| irreversible: true", "irreversible"),
        ('#| irreversible: ""', "irreversible"),
        ("#| normalise: times", "normalise"),
        ("#| normalise: s/(/x/", "normalise"),
        ("#| normalise: s/a/\\9/", "normalise"),
        ("#| normalise: s/a/\\g<other>/", "normalise"),
        ("#| normalise: s/a{9999999999}/x/", "normalise"),
        ("#| normalise: s/a/b/c", "normalise"),
        ("#| step: a\n#| step: b", "line 2"),
        ('#| confirm: ""', "confirm"),
        ('#| confirm: "a\\nb"', "confirm"),
        (f"#| confirm: {'a' * 501}", "confirm"),
        ("#| confirm: [a]", "confirm"),
        ("#| ask: Batch Size", "ask"),
        ("#| prompt: {a: b}", "prompt"),
        ("#| answer-within: soon", "answer-within"),
        ("#| just words", "key: value"),
        ("#| retries: 11", "retries: '11' is not accepted; write how often"),
        ("#| retries: -1", "retries"),
        ("#| retries: some", "retries"),
        ("#| backoff: 5", "backoff"),
        ("#| continue-on-failure: maybe", "continue-on-failure"),
        ("#| step: a\n#| when: count +", "line 2: when"),
        ("#| when: open('x')", "is none of these"),
        ("#| when: [a, b]", "when"),
    ],
)
def test_a_malformed_option_is_refused_with_its_cell_and_line(source: str, words: str) -> None:
    with pytest.raises(RequestError, match="cell 4") as caught:
        options.read(source, cell=3)
    assert words in str(caught.value)


def test_all_malformed_options_are_told_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        options.read("#| step: A\n#| timeout: x\n", cell=0)
    assert "step" in str(caught.value)
    assert "timeout" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [(r"s/pid \d+/pid N/", "pid 12", "pid N"), (r"s/a\/b/c\/d/", "a/b", "c/d"), (r"s/(\w)=\d/\1=N/", "k=3", "k=N")],
)
def test_a_substitution_is_read_as_it_will_be_carried_out(written: str, text: str, expected: str) -> None:
    found = options.substitution(written)
    assert found is not None
    pattern, replacement = found
    assert pattern.sub(replacement, text) == expected


def test_how_often_a_cell_is_tried_and_when_it_runs_is_read() -> None:
    source = '#| retries: 3\n#| backoff: 10m\n#| when: drain and ok("check")\n#| continue-on-failure: true\nx = 1'
    found = options.read(source, cell=0)
    assert (found.retries, found.backoff, found.continue_on_failure) == (3, 300.0, True)
    assert found.when is not None
    assert found.when.text == 'drain and ok("check")'
    assert found.when.steps == {"check"}
    nothing = options.read("x = 1", cell=0)
    assert (nothing.retries, nothing.backoff, nothing.when, nothing.continue_on_failure) == (0, 1.0, None, False)
