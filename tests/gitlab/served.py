"""`runbook serve` at the stand-in: the real command, its webhook at GitLab, and what people do there in a browser."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gitlab
import requests
from gitlab.v4.objects import Project

from tests.gitlab.place import Place
from tests.gitlab.seed import BOT
from tests.gitlab.site import Hook
from tests.server.test_delivery import KEY


@dataclass(slots=True, kw_only=True)
class Served:
    """A `runbook serve` that runs."""

    place: Place
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def metric(self, name: str) -> float:
        """One of its numbers."""
        text = requests.get(f"{self.url}/metrics", timeout=30).text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def idle(self) -> bool:
        """Whether no delivery waits, and no round is on its way."""
        return self.metric("runbook_inbox_waiting") == 0.0


@contextmanager
def served(
    place: Place, *, every: int = 3600, hooked: bool = True, port: int = 0, command: Sequence[str] = ()
) -> Iterator[Served]:
    """`runbook serve` with its webhook at GitLab; ends by SIGTERM, and with 0, unless it was killed.

    Args:
        place: where.
        every: seconds between two rounds that nobody asked for.
        hooked: whether GitLab has its webhook, or is given it now.
        port: a fixed one, for another one after it.
        command: what to start instead of the command line.
    """
    vouched(place)
    port = port or free_port()
    process = place.start(BOT, "serve", "--port", str(port), "--every", str(every), "--spares", "0", command=command)
    one = Served(place=place, port=port, process=process)
    try:
        waited(lambda: process.poll() is not None or ready(one.url))
        assert process.poll() is None, process.communicate()[1]
        if hooked:
            hook(place, one.url)
        yield one
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
    if process.returncode == -signal.SIGKILL:
        return
    assert process.returncode == 0, said
    assert all(json.loads(line)["level"] for line in said.splitlines())
    assert place.seeded.tokens[BOT] not in said


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def vouched(place: Place) -> None:
    """Give the runner's machine the signing token of the webhook."""
    file = place.folder / f"state-{BOT}" / "lab-00000000" / "webhook-signing"
    file.touch(mode=0o600)
    file.write_text(KEY)


def hook(place: Place, url: str) -> Hook:
    """The project's webhook to an address, made if it is not there."""
    address = f"{url}/webhook"
    there = place.seeded.project.hooks
    if not any(one.url == address for one in there.values()):
        wanted = {"url": address, "note_events": True, "issues_events": True, "push_events": False}
        at_gitlab(place, "bob").hooks.create({**wanted, "signing_token": KEY})
    return next(one for one in there.values() if one.url == address)


def at_gitlab(place: Place, name: str) -> Project:
    """The project as somebody sees it in the browser."""
    token, certificate = place.seeded.tokens[name], str(place.certificate)
    client = gitlab.Gitlab(place.server.base, private_token=token, ssl_verify=certificate)
    return client.projects.get(place.seeded.project.id)


def ready(url: str) -> bool:
    """Whether it says that it is ready."""
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def waited(done: Callable[[], object], *, seconds: float = 120.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def digest(place: Place, number: int = 1) -> str:
    """The plan's digest as the plan comment shows it."""
    found = re.search(r"/runbook approve ([0-9a-f]{12})", place.said(number)[0])
    assert found
    return found[1]


def asked(place: Place, name: str = BOT) -> Callable[[], Counter[str]]:
    """Count what somebody asks the API for from now on, by method and kind of path."""
    before = len(place.server.asked)
    who = place.server.asked_by
    return lambda: Counter(
        f"{method} {_kind(path)}"
        for (method, path, _), by in zip(place.server.asked[before:], who[before:], strict=False)
        if by == name
    )


def _kind(path: str) -> str:
    """A path without its numbers."""
    return re.sub(r"/\d+", "/N", path.removeprefix("/api/v4/projects/").partition("/")[2]) or path
