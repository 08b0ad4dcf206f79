"""Asking GitLab in bad weather: reads are repeated, writes never, and nothing is concluded from a failed answer."""

from __future__ import annotations

import pytest
import requests

from runner.adapters import gitlab_asking
from runner.adapters.gitlab_asking import Asking, BusyError
from runner.errors import OperatorError, OutsideError, RequestError
from tests.gitlab.app import Server
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import BOT, Seeded

__all__ = ["seeded", "server"]


@pytest.fixture
def asking(server: Server, seeded: Seeded) -> Asking:
    return Asking(server.base, seeded.tokens[BOT])


def who(asking: Asking) -> object:
    return asking.read("asking", lambda: asking.client.http_get("/user"))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.STATUS, status=502),
        Fault(kind=Kind.STATUS, status=429),
        Fault(kind=Kind.STATUS, status=429, headers={"Retry-After": "0"}),
        Fault(kind=Kind.STATUS, status=429, headers={"Retry-After": "soon"}),
        Fault(kind=Kind.HTML, status=200),
        Fault(kind=Kind.CUT),
    ],
    ids=["502", "429 without a word", "429 with 0", "429 with garbage", "a page for people", "cut off"],
)
def test_a_read_is_asked_again(server: Server, asking: Asking, fault: Fault) -> None:
    server.faults.order(fault)
    assert isinstance(who(asking), dict)
    assert fault.times == 0


def test_a_read_is_given_up_in_the_end(server: Server, asking: Asking) -> None:
    fault = server.faults.order(Fault(kind=Kind.STATUS, status=500, times=100))
    with pytest.raises(OutsideError, match="500"):
        who(asking)
    assert fault.times == 100 - gitlab_asking.TRIES


def test_nobody_waits_for_an_hour(server: Server, asking: Asking) -> None:
    server.faults.order(Fault(kind=Kind.STATUS, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(BusyError) as busy:
        who(asking)
    assert busy.value.pause == 3600


@pytest.mark.parametrize("status", [500, 502, 429])
def test_a_write_is_never_repeated(server: Server, asking: Asking, status: int) -> None:
    fault = server.faults.order(Fault(kind=Kind.STATUS, status=status, method="POST", times=5))
    with pytest.raises(OutsideError):
        asking.write("writing", lambda: asking.client.http_post("/projects/1/issues", post_data={}))
    assert fault.times == 4


def test_silence_ends(server: Server, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.client, "timeout", 0.2)
    server.faults.order(Fault(kind=Kind.HANG, seconds=1.0, times=3))
    with pytest.raises(OutsideError, match="does not answer"):
        who(asking)


def test_what_is_missing_and_what_is_refused_are_told_apart(server: Server, asking: Asking) -> None:
    with pytest.raises(RequestError, match="it is not there"):
        asking.read("asking", lambda: asking.client.http_get("/users/999999"), missing="it is not there")
    server.site.tokens.clear()
    with pytest.raises(OperatorError, match="401"):
        who(asking)


def test_a_redirect_does_not_get_the_token(server: Server, seeded: Seeded, asking: Asking) -> None:
    seeded.project.moved_from.add("old/runbooks")
    asked = len(server.asked)
    with pytest.raises(OperatorError, match="moved"):
        asking.read("asking", lambda: asking.client.projects.get("old/runbooks"))
    assert len(server.asked) == asked + 1


def test_a_server_that_is_not_there_is_outside_trouble() -> None:
    asking = Asking("http://127.0.0.1:9", "glpat-x")
    with pytest.raises(OutsideError) as away:
        who(asking)
    assert "glpat-x" not in str(away.value)
    assert isinstance(away.value.__context__, requests.RequestException)
