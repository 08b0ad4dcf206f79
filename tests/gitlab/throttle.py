"""Rate limits: the general one speaks of itself in headers, those of single actions answer 429 without any."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW = 60.0


@dataclass(slots=True)
class Throttle:
    """What each user may ask in a minute: `general` requests, and `actions` by name. 0 is no limit."""

    general: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    _seen: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def general_for(self, user: str) -> tuple[bool, Mapping[str, str]]:
        """Count a request; whether it may pass, and the headers that say how many are left."""
        if not self.general:
            return True, {}
        count, reset = self._count("general", user)
        left = max(0, self.general - count)
        now = time.time()
        headers = {
            "RateLimit-Limit": str(self.general),
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": str(count),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(int(now + reset)),
        }
        return count <= self.general, headers | ({"Retry-After": str(max(1, int(reset)))} if not left else {})

    def action_for(self, action: str, user: str) -> bool:
        """Count a single action, such as writing a note; whether it may pass."""
        limit = self.actions.get(action, 0)
        return not limit or self._count(action, user)[0] <= limit

    def _count(self, what: str, user: str) -> tuple[int, float]:
        seen = self._seen.setdefault((what, user), deque())
        now = time.monotonic()
        while seen and now - seen[0] >= WINDOW:
            seen.popleft()
        seen.append(now)
        return len(seen), WINDOW - (now - seen[0])
