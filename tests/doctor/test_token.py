from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from runner.doctor.facts import Credential
from runner.doctor.finding import Standing
from runner.doctor.token import CHECKS
from runner.ports.forge import PersonId
from runner.ports.premises import Blind, Token, Unseen
from tests.doctor.place import BOT, found, people, place, said

AWAY = Unseen(why="GitLab does not answer")


def token(**changed: Any) -> dict[str, Any]:
    given = {"owner": BOT, "scopes": frozenset({"api"}), "expires": date(2027, 5, 1), **changed}
    return {"premises": {"token": Token(**given)}}


def test_a_token_that_is_as_it_has_to_be_is_fine_everywhere() -> None:
    for check in CHECKS:
        assert [standing for standing, _ in said(CHECKS, check.number, place())] == [Standing.FINE]


@pytest.mark.parametrize(("blind", "standing"), [(Blind.NOBODY, Standing.WRONG), (Blind.AWAY, Standing.NOT_CHECKED)])
def test_a_refused_token_is_wrong_and_an_absent_answer_is_not_checked(blind: Blind, standing: Standing) -> None:
    unseen = Unseen(why="GitLab refused the token (401)", blind=blind)
    facts = place(premises={"token": unseen, "members": unseen})
    assert said(CHECKS, "D02", facts) == [(standing, unseen.why)]
    assert said(CHECKS, "D04", facts) == []
    assert said(CHECKS, "D06", facts) == [(Standing.NOT_CHECKED, unseen.why)]


def test_somebody_elses_token_is_wrong_on_the_runners_machine_and_not_the_one_to_look_at_elsewhere() -> None:
    alices = token(owner=PersonId("alice"))["premises"]
    assert said(CHECKS, "D03", place(premises=alices))[0][0] is Standing.WRONG
    elsewhere = place(premises=alices, machine={"key": None})
    assert said(CHECKS, "D03", elsewhere)[0][0] is Standing.NOT_CHECKED
    assert said(CHECKS, "D05", elsewhere) == []


@pytest.mark.parametrize(
    ("scopes", "standings"),
    [
        ({"api", "write_repository", "read_api"}, [Standing.FINE]),
        ({"read_api", "write_repository"}, [Standing.WRONG]),
        ({"api", "sudo"}, [Standing.WRONG]),
        ({"admin_mode"}, [Standing.WRONG, Standing.WRONG]),
    ],
)
def test_its_scopes_suffice_and_are_no_more_than_that(scopes: set[str], standings: list[Standing]) -> None:
    assert [one for one, _ in said(CHECKS, "D04", place(**token(scopes=frozenset(scopes))))] == standings


@pytest.mark.parametrize(
    ("ends", "standing"),
    [
        (date(2026, 11, 26), Standing.WRONG),
        (date(2026, 11, 27), Standing.WARNING),
        (date(2026, 12, 25), Standing.WARNING),
        (date(2026, 12, 26), Standing.FINE),
        (None, Standing.WARNING),
        (AWAY, Standing.NOT_CHECKED),
    ],
)
def test_it_is_told_a_month_before_a_token_ends(ends: object, standing: Standing) -> None:
    assert [one for one, _ in said(CHECKS, "D05", place(**token(expires=ends)))] == [standing]


@pytest.mark.parametrize(
    ("level", "standing", "words"),
    [
        (20, Standing.WRONG, "Reporter, and cannot push"),
        (30, Standing.FINE, "Developer"),
        (40, Standing.WRONG, "Maintainer: it could change protected branches"),
        (50, Standing.WRONG, "Owner: it could"),
    ],
)
def test_developer_is_the_least_role_that_suffices(level: int, standing: Standing, words: str) -> None:
    [(stands, says)] = said(CHECKS, "D06", place(premises={"members": people(bot=level)}))
    assert stands is standing
    assert words in says


def test_a_runner_that_is_no_member_or_administers_the_server_is_told() -> None:
    assert "no member" in said(CHECKS, "D06", place(premises={"members": people(alice=30)}))[0][1]
    assert "whole server" in said(CHECKS, "D06", place(**token(admin=True)))[0][1]


@pytest.mark.parametrize(
    ("credential", "standing"),
    [
        (Credential(helper="store", file=Path("/c"), mode=0o600), Standing.FINE),
        (Credential(helper="store", file=Path("/c"), mode=0o640), Standing.WRONG),
        (Credential(helper="store", file=Path("/c")), Standing.FINE),
        (Credential(helper="libsecret"), Standing.FINE),
        (Credential(helper="!echo password=x"), Standing.NOT_CHECKED),
        (Credential(helper="", embedded=True), Standing.WRONG),
    ],
)
def test_a_token_that_others_can_read_is_told_with_what_to_do(credential: Credential, standing: Standing) -> None:
    assert [one for one, _ in said(CHECKS, "D07", place(machine={"credentials": (credential,)}))] == [standing]


def test_a_loose_file_is_closed_by_the_command_that_is_shown() -> None:
    loose = Credential(helper="store", file=Path("/c"), mode=0o644)
    assert found(CHECKS, "D07", place(machine={"credentials": (loose,)}))[0].fix.startswith("chmod 600 /c")


def test_on_plain_git_there_is_no_token_to_look_at() -> None:
    plain = place(settings={"forge": "local"}, premises={"token": None, "members": None})
    assert [one.number for check in CHECKS for one in found([check], check.number, plain)] == []


def test_the_command_that_stores_a_token_names_the_server() -> None:
    [one] = found(CHECKS, "D05", place(**token(expires=date(2026, 11, 27))))
    assert "printf 'url=https://runner:%s@gitlab.example.org\\n' TOKEN | git credential approve" in one.fix
