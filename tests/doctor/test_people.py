from __future__ import annotations

from typing import Any

import pytest

from runner.doctor.facts import Facts
from runner.doctor.finding import Standing
from runner.doctor.people import CHECKS, named, policy
from runner.ports.forge import PersonId
from runner.ports.premises import Member, Unseen
from tests.doctor.place import KEY, POLICY, found, people, place, said


def ruled(rules: str, **premises: Any) -> Facts:
    return place(papers={"policy": rules}, premises=premises)


def test_a_policy_that_fits_its_people_is_fine() -> None:
    assert [said(CHECKS, one, place())[0][0] for one in ("D19", "D20", "D21", "D22")] == [Standing.FINE] * 4


def test_everybody_whom_policy_names_is_looked_for() -> None:
    text = (
        POLICY + 'resolve = ["dora"]\nbreak_glass = ["emil"]\nemergency = {request = ["fay"], approve = {count = 0}}\n'
    )
    facts = place(papers={"policy": f'halt = ["greta"]\n{text}'})
    read = policy(facts)
    assert read is not None
    assert {"alice", "bob", "carol", "dora", "emil", "fay", "greta"} == named(read)


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "there is no runbooks/policy.toml"), ("", "no rules"), ("[[rule]]\nnom = 1\n", "not valid")],
)
def test_a_policy_that_lets_nothing_run_is_told_and_nobody_is_looked_for(text: str | None, words: str) -> None:
    facts = place(papers={"policy": text})
    [(standing, says)] = said(CHECKS, "D19", facts)
    assert (standing, words in says) == (Standing.WRONG, True)
    assert said(CHECKS, "D21", facts) == []


def test_names_that_nobody_has_or_that_cannot_act_are_told_apart() -> None:
    members = (*people(bot=30, alice=30), Member(name=PersonId("bob"), level=40, active=False))
    facts = place(premises={"members": members, "accounts": {PersonId("carol"): None}})
    assert [says.split(",")[0] for _, says in said(CHECKS, "D20", facts)] == [
        "bob is blocked",
        "there is no user carol: renamed",
    ]
    outside = place(premises={"members": people(alice=30, bob=30), "accounts": {PersonId("carol"): True}})
    assert "no member of the project" in said(CHECKS, "D20", outside)[0][1]
    unasked = place(premises={"members": people(alice=30, bob=30), "accounts": {PersonId("carol"): Unseen(why="away")}})
    assert said(CHECKS, "D20", unasked)[0][0] is Standing.NOT_CHECKED


def test_the_runner_is_no_member_whom_policy_could_mean() -> None:
    facts = ruled('[[rule]]\nname = "x"\nrequest = ["bot"]\napprove = {count = 1, from = ["alice"]}\n')
    assert said(CHECKS, "D20", facts)[0][0] is Standing.WRONG
    assert "nobody who may ask is there" in said(CHECKS, "D21", facts)[0][1]


RULE = '[[rule]]\nname = "x"\nrequest = [{who}]\napprove = {approve}\n'


@pytest.mark.parametrize(
    ("who", "approve", "standing"),
    [
        ('"alice"', '{count = 1, from = ["bob"]}', Standing.FINE),
        ('"alice"', '{count = 1, from = ["alice"]}', Standing.WRONG),
        ('"alice"', '{count = 1, from = ["alice"], requester_excluded = false}', Standing.FINE),
        ('"alice", "bob"', '{count = 1, from = ["alice"]}', Standing.WARNING),
        ('"alice"', '[{count = 1, from = ["bob"]}, {count = 1, from = ["bob"]}]', Standing.WRONG),
        ('"alice"', '[{count = 1, from = ["bob"]}, {count = 1, from = ["bob", "carol"]}]', Standing.FINE),
        ('"alice"', '{count = 3, from = ["*"]}', Standing.WRONG),
        ('"*"', '{count = 2, from = ["*"]}', Standing.FINE),
        ('"alice"', "{count = 0}", Standing.FINE),
    ],
)
def test_a_rule_that_can_never_be_satisfied_is_found_by_the_count_that_runs_are_judged_by(
    who: str, approve: str, standing: Standing
) -> None:
    assert [one for one, _ in said(CHECKS, "D21", ruled(RULE.format(who=who, approve=approve)))] == [standing]


def test_an_approver_who_has_left_leaves_a_rule_that_nobody_can_satisfy() -> None:
    [(standing, says)] = said(CHECKS, "D21", place(premises={"members": people(bot=30, alice=30)}))
    assert standing is Standing.WRONG
    assert 'rule "by two people" can never be satisfied when alice asks' in says


def test_without_an_answer_about_members_nobody_says_that_they_are_there() -> None:
    facts = place(premises={"members": Unseen(why="away")})
    assert [said(CHECKS, one, facts) for one in ("D20", "D21")] == [[(Standing.NOT_CHECKED, "away")]] * 2


def test_on_plain_git_people_are_whoever_has_a_key() -> None:
    def plain(signers: str | None) -> Facts:
        return place(settings={"forge": "local"}, papers={"signers": signers}, premises={"members": None})

    assert said(CHECKS, "D22", plain(None))[0][0] is Standing.WRONG
    assert said(CHECKS, "D22", plain("alice nonsense"))[0][0] is Standing.WRONG
    assert said(CHECKS, "D20", plain("alice nonsense"))[0][0] is Standing.NOT_CHECKED
    strangers = found(CHECKS, "D20", plain(f"alice {KEY}\n"))
    assert [one.says.split()[0] for one in strangers] == ["bob", "carol"]
    assert "allowed_signers" in strangers[0].fix
