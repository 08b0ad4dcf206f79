"""What labels are called is checked when the settings are read: a typo must not silently become a default."""

from __future__ import annotations

import pytest

from runner import config
from runner.errors import OperatorError
from runner.label_names import STATES, LabelNames, read


def settings(text: str) -> LabelNames:
    return config.read(f"[tool.runbook]\n{text}\n").labels


def test_without_the_setting_labels_are_ours() -> None:
    assert settings("") == LabelNames()
    assert LabelNames().states["planned"] == "runbook::planned"
    assert LabelNames().risks == {}


def test_a_name_replaces_one_label_and_leaves_the_others() -> None:
    names = settings('[tool.runbook.labels]\nplanned = "ops::planned"\nrisk = {high = "Sev 1"}')
    assert (names.states["planned"], names.states["started"]) == ("ops::planned", "runbook::started")
    assert names.risks == {"high": "Sev 1"}
    assert all(map(names.ours, ("ops::planned", "Sev 1", "runbook::anything")))
    assert not any(map(names.ours, ("ops::started", "C1", "change::complete")))


@pytest.mark.parametrize(
    "text",
    ['labels = "change-management"', '[tool.runbook.labels]\npreset = "change-management"\nrisk = {low = "C4"}'],
)
def test_the_preset_names_every_state_and_can_be_changed(text: str) -> None:
    names = settings(text)
    assert set(names.states) == set(STATES)
    assert (names.states["approved"], names.risks["high"]) == ("change::scheduled", "C1")
    assert names.risks["low"] == ("C4" if "risk" in text else "C3")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('labels = "chnage-management"', "labels.preset = 'chnage-management' must be one of: change-management"),
        ('labels = {preset = ["change-management"]}', "labels.preset = .* must be one of"),
        ("labels = 3", "must be a table of names, or one of"),
        ('labels = {plannned = "x"}', "labels.plannned is no state of a run; states are: requested, planned"),
        ('labels = {planned = ""}', "labels.planned = '' is no label"),
        ('labels = {planned = "a,b"}', "is no label"),
        ('labels = {planned = "~a"}', "is no label"),
        ('labels = {planned = " a"}', "is no label"),
        ('labels = {planned = "a\\u202eb"}', "is no label"),
        ("labels = {planned = 3}", "is no label"),
        ('labels = {risk = "C1"}', "labels.risk must be a table"),
        ('labels = {risk = {"High" = "C1"}}', "with risks as headers write them"),
        ('labels = {former = "x"}', "labels.former must be a list"),
        ("labels = {former = [3]}", "labels.former, item 1 = 3 is no label"),
        ('labels = {planned = "C1", risk = {high = "C1"}}', "C1 cannot stand for a state and for a risk"),
    ],
)
def test_what_is_unknown_or_no_label_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(OperatorError, match=wrong):
        settings(text)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    _, wrong = read({"plannned": "x", "started": "", "risk": {"high": ","}, "former": ["~"]})
    assert len(wrong) == 4
