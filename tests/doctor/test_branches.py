from __future__ import annotations

from typing import Any

from runner.doctor.branches import CHECKS, LATER
from runner.doctor.facts import Facts
from runner.doctor.finding import Standing
from runner.ports.premises import Access, Blind, Protection, Reviews, Unseen
from tests.doctor.place import found, people, place, said

MAIN = Protection(pattern="main", push=(Access(level=0),), merge=(Access(level=40),), force=False)
EVIDENCE = Protection(pattern="evidence", push=(Access(level=30),), merge=(Access(level=40),), force=False)


def guarded(*protections: Protection, **more: Any) -> Facts:
    return place(premises={"protections": protections, **more})


def protected(pattern: str, *, push: int, merge: int = 40, force: bool = False) -> Protection:
    return Protection(pattern=pattern, push=(Access(level=push),), merge=(Access(level=merge),), force=force)


def test_what_is_protected_as_it_has_to_be_is_fine() -> None:
    assert [said(CHECKS, one, place())[0][0] for one in ("D08", "D09", "D10")] == [Standing.FINE] * 3


def test_branches_that_are_not_protected_are_told_with_how_to_do_it() -> None:
    facts = guarded()
    for number, branch in (("D08", "evidence"), ("D09", "main")):
        [one] = found(CHECKS, number, facts)
        assert one.standing is Standing.WRONG
        assert f"{branch} is not protected" in one.says
        assert f"protect {branch}" in one.fix


def test_a_forced_push_that_would_be_taken_is_told_with_the_call_that_stops_it() -> None:
    forced = guarded(protected("main", push=0, force=True), protected("evid*", push=30, force=True))
    assert "PATCH /projects/ID/protected_branches/main?allow_force_push=false" in found(CHECKS, "D09", forced)[0].fix
    assert "protected_branches/evid%2A?" in found(CHECKS, "D08", forced)[0].fix


def test_a_runner_that_cannot_push_its_evidence_cannot_work() -> None:
    [(standing, says)] = said(CHECKS, "D08", guarded(MAIN, protected("evidence", push=40)))
    assert standing is Standing.WRONG
    assert "nothing can be recorded" in says


def test_on_free_developers_may_push_evidence_too_and_on_premium_the_runner_alone_should() -> None:
    assert "on this tier" in said(CHECKS, "D08", place())[0][1]
    reviews = Reviews(required=1, author_counts=False)
    assert said(CHECKS, "D08", place(premises={"reviews": reviews}))[0][0] is Standing.WARNING
    alone = Protection(pattern="evidence", push=(Access(level=0), Access(who="bot")), merge=(), force=False)
    assert said(CHECKS, "D08", guarded(MAIN, alone, reviews=reviews)) == [
        (Standing.FINE, "evidence is protected, and only who is named there may push: bot")
    ]


def test_a_runner_that_may_change_what_it_runs_is_told_also_where_a_pattern_lets_it() -> None:
    facts = guarded(MAIN, EVIDENCE, protected("m*", push=30))
    [one] = found(CHECKS, "D09", facts)
    assert (one.standing, "could change what it runs" in one.says) == (Standing.WRONG, True)
    assert "the protection of m* covers it too" in one.fix


def test_a_runner_that_could_merge_its_own_change_is_told_unless_others_have_to_approve() -> None:
    merging = protected("main", push=0, merge=30)
    assert "let its own change through" in said(CHECKS, "D09", guarded(merging, EVIDENCE))[0][1]
    reviewed = guarded(merging, EVIDENCE, reviews=Reviews(required=1, author_counts=False))
    assert said(CHECKS, "D09", reviewed)[0][0] is Standing.FINE
    own = guarded(merging, EVIDENCE, reviews=Reviews(required=1, author_counts=True))
    assert said(CHECKS, "D09", own)[0][0] is Standing.WRONG


def test_people_who_may_push_without_a_review_are_told() -> None:
    [(standing, says)] = said(CHECKS, "D09", guarded(protected("main", push=40), EVIDENCE))
    assert (standing, says) == (Standing.WARNING, "Maintainers may push to main without a merge request")


def test_on_premium_somebody_else_has_to_approve() -> None:
    none = place(premises={"reviews": Reviews(required=0, author_counts=True)})
    assert [standing for standing, _ in said(CHECKS, "D10", none)] == [Standing.WRONG, Standing.WRONG]
    owners = Protection(pattern="main", push=(), merge=(), force=False, owners=True)
    assert said(CHECKS, "D10", guarded(owners, reviews=Reviews(required=0, author_counts=False)))[0][0] is Standing.FINE


def test_what_could_not_be_seen_is_not_checked() -> None:
    unseen = Unseen(why="GitLab refused the token (403)", blind=Blind.RIGHT)
    facts = place(premises={"protections": unseen, "reviews": unseen})
    for number in ("D08", "D09", "D10"):
        assert said(CHECKS, number, facts) == [(Standing.NOT_CHECKED, unseen.why)]
    assert said(CHECKS, "D09", place(premises={"members": unseen})) == [(Standing.NOT_CHECKED, unseen.why)]


def test_somebody_who_is_named_is_nobody_else() -> None:
    alices = Protection(pattern="main", push=(Access(who="alice"),), merge=(Access(who="group 4"),), force=False)
    [(standing, _)] = said(CHECKS, "D09", guarded(alices, EVIDENCE, members=people(bot=30)))
    assert standing is Standing.FINE


def test_a_remote_on_plain_git_that_forgets_is_told() -> None:
    def plain(*, force: bool) -> Facts:
        kept = Protection(pattern="*", push=(), merge=(), force=force)
        return place(settings={"forge": "local"}, premises={"protections": (kept,), "token": None})

    assert said(CHECKS, "D11", plain(force=True))[0][0] is Standing.WRONG
    assert said(CHECKS, "D11", plain(force=False))[0][0] is Standing.FINE
    assert "receive.denyNonFastForwards" in found(CHECKS, "D11", plain(force=True))[0].fix
    away = place(settings={"forge": "local"}, premises={"protections": Unseen(why="over the network")})
    assert said(CHECKS, "D11", away)[0][0] is Standing.NOT_CHECKED
    assert said(CHECKS, "D08", away) == []


def test_a_pattern_that_covers_the_runners_own_branches_stops_it() -> None:
    assert said(LATER, "D30", place())[0][0] is Standing.FINE
    both = found(LATER, "D30", guarded(MAIN, EVIDENCE, protected("*", push=40)))
    assert [one.standing for one in both] == [Standing.WRONG] * 2
    assert "narrow * so that it leaves runbook-heartbeat/* free" in both[0].fix
    [one] = found(LATER, "D30", guarded(MAIN, EVIDENCE, protected("runbook*", push=30)))
    assert "runbook-heartbeat/" in one.says, "signs of life are rewritten"
    assert said(LATER, "D30", guarded(protected("runbook*", push=30, force=True)))[0][0] is Standing.FINE
