"""The watcher is a noun that everybody can be."""

from __future__ import annotations

from runner.supervisor.watcher import Watcher


def test_a_watcher_is_told_words_and_progress() -> None:
    heard: list[object] = []
    watcher = Watcher(say=heard.append, progress=lambda run, said: heard.append((run, said)))
    watcher.say("start")
    watcher.progress("run", b"{}")
    assert heard == ["start", ("run", b"{}")]
