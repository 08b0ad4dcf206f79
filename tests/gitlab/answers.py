"""What goes back to a client: an answer, or the reason why there is none, in GitLab's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer: `body` is JSON, or bytes of the given media type; None for an empty one."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"


class RefusedError(Exception):
    """A request that is not carried out."""

    def __init__(self, status: int, message: Any, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.answer = Answer(status=status, body={"message": message}, headers=headers or {})


def not_found(what: str = "") -> RefusedError:
    """GitLab says this too where somebody may not even know."""
    return RefusedError(404, f"404 {what} Not Found".replace("  ", " "))


def forbidden() -> RefusedError:
    """Known, and not allowed."""
    return RefusedError(403, "403 Forbidden")


def bad(message: Any) -> RefusedError:
    """A request that cannot be read."""
    return RefusedError(400, message)
