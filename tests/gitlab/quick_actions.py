"""Quick actions: lines that GitLab takes out of a text for itself, whether or not they fit where they stand.

The names come from GitLab's own list in the shared data; without it nothing is known to be one.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

NAMES = Path(__file__).resolve().parents[3] / "shared" / "gitlab" / "quick_actions.json"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@cache
def _line() -> re.Pattern[str] | None:
    if not NAMES.exists():
        return None
    names = "|".join(re.escape(name) for name in json.loads(NAMES.read_text(encoding="utf-8"))["names"])
    return re.compile(rf"/({names})\b(?: +(.*))?\s*\Z", re.IGNORECASE)


def extract(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Take the quick actions out of a text.

    Returns:
        What is left of it, and each action's name and arguments in their order.
    """
    pattern, fence = _line(), ""
    kept: list[str] = []
    actions: list[tuple[str, str]] = []
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        found = pattern.match(line) if pattern and not fence else None
        if found:
            actions.append((found[1].lower(), (found[2] or "").strip()))
        else:
            kept.append(line)
    return "\n".join(kept).strip() if actions else text, actions
