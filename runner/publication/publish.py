"""Saying things once. Repeating a call after a crash, or in a second supervisor, changes nothing that was said."""

from __future__ import annotations

from runner.label_names import LabelNames
from runner.ports.forge import Comment, Forge, Thread
from runner.publication import markers
from runner.publication.labels import Label, change


def publish(forge: Forge, thread: Thread, *, marker: str, body: str) -> Comment:
    """Post a comment, unless one of ours with this marker is there; what is there stays as it is.

    Raises:
        ValueError: if the body does not end with its marker, and so could never be found again.
    """
    _check(marker, body)
    # The thread may be old: the forge looks again at the moment of writing.
    return markers.find(thread, marker) or forge.comment(thread.issue.id, body, unless=marker)


def update(forge: Forge, thread: Thread, *, marker: str, body: str) -> None:
    """Keep one comment at this text: posted if it is not there, edited in place only if it reads differently.

    Raises:
        ValueError: if the body does not end with its marker.
    """
    there = publish(forge, thread, marker=marker, body=body)
    if there.body.strip() != body.strip():
        forge.edit(there, body)


def relabel(forge: Forge, thread: Thread, label: Label, *, risk: str, names: LabelNames) -> None:
    """Give the issue the labels for this state and risk, and take our other ones off; no change is not sent."""
    add, remove = change(thread.issue.labels, label, risk=risk, names=names)
    if add or remove:
        forge.label(thread.issue.id, add=add, remove=remove)


def _check(marker: str, body: str) -> None:
    if body.rstrip().rsplit("\n", 1)[-1] != marker:
        raise ValueError("a comment has to end with its marker")
