"""The worlds of the stories, for the supervisor's parts."""

from __future__ import annotations

from tests.stories.conftest import founded, places, world

__all__ = ["founded", "places", "world"]
