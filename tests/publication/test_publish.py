from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from runner.adapters.forge.local import LocalForge
from runner.adapters.signer.ssh import generate
from runner.label_names import LabelNames
from runner.ports.forge import Thread
from runner.publication import markers
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.publication.publish import publish, relabel, update
from runner.repository.objects import Objects
from runner.repository.repository import Repository

MARKER = markers.of("20261123T115900Z-disk-cleanup-7k3q2x2m", Kind.STATUS, 1)


def body(words: str) -> str:
    return f"{words}\n\n{MARKER}\n"


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[LocalForge]:
    subprocess.run(["git", "init", "-q", str(tmp_path / "ops")], check=True)
    signer = generate(tmp_path / "key")
    seconds = count()
    with Objects(Repository.open(tmp_path / "ops")) as objects:
        yield LocalForge.for_bot(
            objects,
            project="ops",
            branch="issues",
            signers="",
            bot="runbook",
            bot_keys=(signer.public_key,),
            now=lambda: datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=next(seconds)),
            signer=signer,
        )


@pytest.fixture
def thread(forge: LocalForge) -> Thread:
    issue = forge.open_issue("Disk full", "The disk is full.", labels=frozenset({"bug"}))
    return forge.thread(issue.id)


def said(forge: LocalForge, thread: Thread) -> list[str]:
    return [comment.body.strip() for comment in forge.thread(thread.issue.id).comments[1:]]


def test_saying_it_again_says_it_once_even_with_an_old_thread(forge: LocalForge, thread: Thread) -> None:
    first = publish(forge, thread, marker=MARKER, body=body("planned"))
    again = publish(forge, thread, marker=MARKER, body=body("planned, in other words"))
    assert again.id == first.id
    assert said(forge, thread) == [body("planned").strip()]


def test_a_status_is_posted_then_edited_in_place_and_only_when_it_differs(forge: LocalForge, thread: Thread) -> None:
    update(forge, thread, marker=MARKER, body=body("cell 1"))
    update(forge, thread, marker=MARKER, body=body("cell 2"))
    assert said(forge, thread) == [body("cell 2").strip()]
    there = markers.find(forge.thread(thread.issue.id), MARKER)
    update(forge, forge.thread(thread.issue.id), marker=MARKER, body=body("cell 2"))
    assert markers.find(forge.thread(thread.issue.id), MARKER) == there


def test_what_could_not_be_found_again_is_not_said(forge: LocalForge, thread: Thread) -> None:
    with pytest.raises(ValueError, match="marker"):
        publish(forge, thread, marker=MARKER, body="no marker")
    with pytest.raises(ValueError, match="marker"):
        update(forge, thread, marker=MARKER, body=f"{MARKER}\nnot at the end")
    assert said(forge, thread) == []


def test_the_label_follows_and_other_labels_stay(forge: LocalForge, thread: Thread) -> None:
    relabel(forge, thread, Label.PLANNED, risk="high", names=LabelNames())
    relabel(forge, forge.thread(thread.issue.id), Label.STARTED, risk="high", names=LabelNames())
    relabel(forge, forge.thread(thread.issue.id), Label.STARTED, risk="high", names=LabelNames())
    assert forge.thread(thread.issue.id).issue.labels == {"bug", "runbook::started"}
