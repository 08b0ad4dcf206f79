"""The watcher is a noun that everybody can be."""

from __future__ import annotations

from runner.execution.progress import Progress
from runner.supervisor.watcher import Watcher


def test_a_watcher_is_told_words_and_progress() -> None:
    heard: list[object] = []
    watcher = Watcher(say=heard.append, progress=lambda run, progress: heard.append((run, progress)))
    watcher.say("start")
    watcher.progress("run", Progress(key="run/1"))
    assert heard == ["start", ("run", Progress(key="run/1"))]
