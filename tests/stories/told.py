"""Which stories are told on plain Git alone, and why: all others are told on GitLab with the same words.

`test_told.py` holds that nothing stands here without being a story, and without a reason.
"""

from __future__ import annotations

ON_PLAIN_GIT_ALONE: dict[str, str] = {}

TOLD_SO_FAR = {"test_request_to_evidence", "test_faults"}
"""Modules whose stories are told on both; the others are next."""
