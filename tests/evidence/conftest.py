"""The worlds of the stories, for what is shown of them in a work tree."""

from __future__ import annotations

from tests.stories.conftest import founded, places, world

__all__ = ["founded", "places", "world"]
