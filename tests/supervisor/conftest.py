"""The worlds of the stories, for the supervisor's parts."""

from __future__ import annotations

from tests.stories.conftest import founded, world

__all__ = ["founded", "world"]
