"""Webhook deliveries: signed as GitLab signs them, sent once each from a thread of their own, and given up as it does.

GitLab does not repeat a delivery that was refused; after four failures in a row a hook is switched off, first for a
minute, then for longer and longer. Tests may hold deliveries back, double and reorder them through `Outbox`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.gitlab.site import Hook, Project, Site

TIMEOUT = 10.0
"""Seconds that a receiver has."""
FAILURES = 3
"""Failures in a row that are forgiven."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 24 * 3600.0

Event = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One body on its way to one hook."""

    id: str
    hook: Hook
    event: str
    body: bytes
    base: str

    def headers(self, *, now: float | None = None) -> dict[str, str]:
        """What it is sent with; a signed hook gets the three headers of Standard Webhooks."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitLab/19.5.0-ee",
            "Idempotency-Key": self.id,
            "X-Gitlab-Event": self.event,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": self.base,
            "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        }
        if self.hook.token:
            headers["X-Gitlab-Token"] = self.hook.token
        if self.hook.signing:
            stamp = str(int(time.time() if now is None else now))
            key = base64.b64decode(self.hook.signing.removeprefix("whsec_"))
            signed = hmac.new(key, f"{self.id}.{stamp}.".encode() + self.body, hashlib.sha256).digest()
            signature = f"v1,{base64.b64encode(signed).decode()}"
            headers |= {"webhook-id": self.id, "webhook-timestamp": stamp, "webhook-signature": signature}
        return headers


@dataclass(slots=True)
class Outbox:
    """Deliveries of a site, in their order. While `held` they are only collected, for a test to send as it likes."""

    held: bool = False
    waiting: list[Delivery] = field(default_factory=list)
    sent: list[tuple[Delivery, int]] = field(default_factory=list)
    """What went out, with the answer's status (0 for none)."""
    _queue: queue.Queue[Delivery | None] = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def add(self, delivery: Delivery) -> None:
        """Send it, or keep it while deliveries are held back."""
        if self.held:
            self.waiting.append(delivery)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="webhooks")
            self._thread.start()
        self._queue.put(delivery)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            self.send(delivery)

    def send(self, delivery: Delivery) -> int:
        """Send one now, and note what came of it."""
        hook = delivery.hook
        if time.monotonic() < hook.disabled_until:
            self.sent.append((delivery, 0))
            return 0
        status = _post(delivery)
        self.sent.append((delivery, status))
        if 200 <= status < 400:
            hook.failures, hook.disabled_until = 0, 0.0
        else:
            hook.failures += 1
            if hook.failures > FAILURES:
                pause = min(FIRST_PAUSE * 2 ** (hook.failures - FAILURES - 1), LONGEST_PAUSE)
                hook.disabled_until = time.monotonic() + pause
        return status

    def close(self) -> None:
        """Send nothing more."""
        self._queue.put(None)


def _post(delivery: Delivery) -> int:
    where = urlsplit(delivery.hook.url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=TIMEOUT)
    try:
        connection.request("POST", where.path or "/", body=delivery.body, headers=delivery.headers())
        answer = connection.getresponse()
        answer.read(8192)
    except OSError:
        return 0
    else:
        return answer.status
    finally:
        connection.close()


OUTBOXES: dict[int, tuple[Outbox, str]] = {}
"""A site's outbox and base URL, by the site's identity."""


def tell(site: Site, project: Project, kind: str, *, event: Callable[[], Event]) -> None:
    """Put an event into the outbox for every hook that wants its kind; its body is made only then."""
    outbox, base = OUTBOXES.get(id(site), (None, ""))
    if outbox is None:
        return
    hooks = [hook for hook in project.hooks.values() if _wants(hook, kind)]
    if not hooks:
        return
    name, body = event()
    hidden = str(body.get("event_type", "")).startswith("confidential")
    for hook in hooks:
        if not hidden or _wants(hook, f"confidential_{kind}"):
            data = json.dumps(body).encode()
            outbox.add(Delivery(id=str(uuid.uuid4()), hook=hook, event=name, body=data, base=base))


def _wants(hook: Hook, kind: str) -> bool:
    return f"{kind}_events" in hook.events
