"""`runbook doctor` at a project on GitLab: clean, then things break, and each is told with its fix."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from runner.cli.main import run
from tests.gitlab.clients import committed, git
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.place import Place, founded
from tests.gitlab.seed import BOT
from tests.gitlab.site import Level, Protected
from tests.server.test_delivery import KEY


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path, documented=True) as made:
        yield made


def doctor(place: Place, *words: str, who: str = BOT) -> tuple[int, dict[str, dict[str, Any]]]:
    """Type it in this process: the exit code, and the first finding of each check that is not fine."""
    out, found = io.StringIO(), dict[str, dict[str, Any]]()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(io.StringIO()) as err:
        for name, value in place.environment(who).items():
            patch.setenv(name, value)
        code = run(["-C", str(place.folder / who), "doctor", "--json", *words])
    assert (err.getvalue(), place.seeded.tokens[BOT] in out.getvalue()) == ("", False)
    for one in json.loads(out.getvalue()):
        if one["standing"] != "fine":
            found.setdefault(one["check"], one)
    return code, found


def standings(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {number: one["standing"] for number, one in found.items()}


def test_a_project_that_is_set_up_as_documented_is_clean_and_each_thing_that_breaks_is_told(place: Place) -> None:
    before = len(place.server.asked)
    assert doctor(place) == (0, {})
    assert {method for method, _, _ in place.server.asked[before:]} == {"GET"}, "it only looks"
    broken(place)
    code, found = doctor(place)
    assert code == 6
    assert standings(found) == {
        "D04": "wrong",
        "D05": "warning",
        "D06": "wrong",
        "D08": "wrong",
        "D09": "wrong",
        "D18": "wrong",
        "D20": "wrong",
        "D23": "wrong",
        "D24": "wrong",
    }
    assert "sudo" in found["D04"]["says"]
    assert "in 9 days" in found["D05"]["says"]
    assert "Maintainer" in found["D06"]["says"]
    assert "allow_force_push=false" in found["D08"]["fix"]
    assert "main is not protected" in found["D09"]["says"]
    assert re.search(r"(5[5-9]\d|60\d) s ahead of GitLab", found["D18"]["says"])
    assert "alice is blocked" in found["D20"]["says"]
    assert "chmod 600" in found["D24"]["fix"]


def broken(place: Place) -> None:
    """One thing after another."""
    site, project = place.server.site, place.seeded.project
    bot, alice = site.named(BOT), site.named("alice")
    assert bot
    assert alice
    token = site.tokens[place.seeded.tokens[BOT]]
    token.scopes, token.expires = frozenset({"api", "sudo"}), (datetime.now(UTC) + timedelta(days=9)).date()
    project.members[bot.id] = Level.MAINTAINER
    del project.protected["main"]
    project.protected["ev*"] = Protected(id=1, name="ev*", push=Level.DEVELOPER, force=True)
    alice.state = "blocked"
    site.clock = lambda: datetime.now(UTC) - timedelta(minutes=10)
    (place.folder / f"state-{BOT}" / "lab-00000000" / "key").chmod(0o640)


def test_trouble_with_gitlab_the_token_or_the_settings_is_told_in_words(place: Place) -> None:
    away = place.server.faults.order(Fault(kind=Kind.STATUS, path="/api/v4/", status=503, times=1_000_000))
    code, found = doctor(place)
    assert (code, set(standings(found).values())) == (5, {"not checked"})
    assert {"D02", "D06", "D08", "D09", "D18", "D20", "D21"} <= set(found)
    away.times = 0
    token = place.server.site.tokens[place.seeded.tokens[BOT]]
    token.revoked = True
    code, found = doctor(place)
    assert (code, found["D02"]["standing"], found["D08"]["standing"]) == (6, "wrong", "not checked")
    assert "401" in found["D02"]["says"]
    assert found["D01"]["says"].startswith("the remote does not answer Git")
    token.revoked = False
    assert (place.folder / f"{BOT}.credentials").read_text() == "", "Git forgets a token that was refused"
    code, found = doctor(place)
    assert (code, found["D02"]["standing"]) == (6, "wrong")
    assert found["D02"]["says"].startswith("Git has no token for GitLab in this clone")
    code, found = doctor(place, who="alice")
    assert (code, list(found)) == (5, ["D03"]), "whose clone this is has nothing to correct"
    (place.folder / "bob" / "pyproject.toml").write_text('[tool.runbook]\nproject = "lab"\nforg = "gitlab"\n')
    committed(place.folder / "bob", {"x": "y"})
    place.seeded.project.protected["main"].push = Level.MAINTAINER
    assert (
        git("push", "-q", "origin", "HEAD:main", at=place.folder / "bob", certificate=place.certificate).returncode == 0
    )
    code, found = doctor(place, who="alice")
    assert (code, found["D01"]["standing"], found["D19"]["standing"]) == (6, "wrong", "not checked")
    assert "forg is not a setting" in found["D01"]["says"]


@contextmanager
def served(place: Place) -> Iterator[str]:
    """`runbook serve`, and the address of its webhook."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = place.start(BOT, "serve", "--port", str(port), "--every", "3600", "--spares", "0")
    try:
        deadline = time.monotonic() + 120
        while not _alive(port):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)


def _alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_a_webhook_is_looked_at_with_a_maintainers_token_and_a_test_that_was_asked_for_arrives(place: Place) -> None:
    signing = place.folder / f"state-{BOT}" / "lab-00000000" / "webhook-signing"
    signing.touch(mode=0o600)
    signing.write_text(KEY)
    bobs = place.folder / "bob.token"
    bobs.touch(mode=0o600)
    bobs.write_text(place.seeded.tokens["bob"])
    eyes = ("--maintainer-token", str(bobs))
    code, found = doctor(place)
    assert (code, standings(found)) == (5, {"D12": "not checked"})
    code, found = doctor(place, *eyes)
    assert (code, standings(found)) == (6, {"D12": "wrong"})
    with served(place) as url:
        hook = hooked(place, url, signing_token=KEY.replace("AA", "AB"))
        code, found = doctor(place, *eyes, "--deliver")
        assert (code, standings(found)) == (6, {"D13": "warning", "D16": "wrong"})
        assert "confidential_note_events=true" in found["D13"]["fix"]
        assert "422" in found["D16"]["says"]
        code, found = doctor(place, *eyes)
        assert "tokens of both sides differ" in found["D16"]["fix"]
        hooked(
            place, url, number=hook, signing_token=KEY, confidential_issues_events=True, confidential_note_events=True
        )
        code, found = doctor(place, *eyes, "--deliver", "--url", url)
        assert (code, found) == (0, {})


def hooked(place: Place, url: str, *, number: int = 0, **given: Any) -> int:
    """Make or change a webhook, as Bob does in the browser."""
    where = f"{place.server.base}/api/v4/projects/{place.seeded.project.id}/hooks"
    kinds = ("issues", "note", "merge_requests")
    events = {f"{kind}_events": True for kind in kinds} | {"push_events": False}
    answer = requests.request(
        "PUT" if number else "POST",
        f"{where}/{number}" if number else where,
        json={"url": url, **events, **given},
        headers={"PRIVATE-TOKEN": place.seeded.tokens["bob"]},
        verify=str(place.certificate),
        timeout=30,
    )
    assert answer.ok
    return int(answer.json()["id"])
