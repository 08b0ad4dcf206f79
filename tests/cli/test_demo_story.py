"""A story that goes wrong says so; the one that goes right is in `tests/stories/test_the_demo.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import demo_stage, demo_story
from runner.cli.demo_story import StoryError
from runner.cli.demo_words import Voice


def test_a_policy_that_lets_alice_ask_for_nothing_ends_the_story_with_the_runners_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = demo_stage.POLICY.replace('request = ["@operators"]', 'request = ["@approvers"]')
    monkeypatch.setattr(demo_stage, "POLICY", policy)
    stage = demo_stage.stage_in(tmp_path / "d")
    with demo_stage.surroundings(stage), pytest.raises(StoryError, match=r"alice@example\.org"):
        demo_story.tell(stage, Voice(err=True))
    assert "Bob approves" not in capsys.readouterr().err
    assert not (stage.server / "server.pid").exists()
