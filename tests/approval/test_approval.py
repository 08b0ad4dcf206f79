from __future__ import annotations

from runner.approval.approval import approvals, resumption, still_said, told_apart
from runner.digest import sha256
from runner.ledger.bodies import Approve, Expire, Resume, Revoke, Said
from tests.builders import NOW, a_comment, a_thread, a_yes

PLAN = sha256(b"plan")
TIME = NOW.isoformat()


def said(by: str, comment: str) -> Said:
    return Said(by=by, comment=comment, verified=True)


def test_an_approve_event_is_an_approval() -> None:
    (found,) = approvals([(3, TIME, Approve(plan_digest=PLAN, said=said("bob", "7/1"), reason="looks right"))])
    assert (found.number, found.by, found.at, found.plan) == (3, "bob", NOW, PLAN)
    assert (found.comment, found.verified, found.reason, found.fault) == ("7/1", True, "looks right", "")


def test_a_revoke_event_voids_only_the_approval_that_it_names() -> None:
    first, second = approvals(
        [
            (3, TIME, Approve(plan_digest=PLAN, said=said("bob", "7/1"))),
            (4, TIME, Approve(plan_digest=PLAN, said=said("eve", "7/2"))),
            (5, TIME, Revoke(plan_digest=PLAN, approval=3, said=said("bob", "7/3"))),
            (6, TIME, Revoke(plan_digest=PLAN, approval=99, said=said("bob", "7/4"))),
            (7, TIME, Expire(plan_digest=PLAN)),
        ]
    )
    assert (first.fault, second.fault) == ("revoked", "")


def test_an_approval_stands_while_its_comment_does() -> None:
    (same,) = still_said([a_yes("bob", number=3)], a_thread(a_comment("yes", by="bob", number=3)))
    assert same.fault == ""


def test_an_edited_deleted_or_foreign_comment_says_yes_no_more() -> None:
    edited = a_comment("yes", by="bob", number=3, edited=True)
    foreign = a_comment("yes", by="eve", number=3)
    for thread, says in [
        (a_thread(), "its comment was deleted"),
        (a_thread(edited), "its comment was edited"),
        (a_thread(foreign), "its comment is somebody else's"),
    ]:
        (found,) = still_said([a_yes("bob", number=3)], thread)
        assert found.fault == says


def test_a_yes_is_its_accounts_and_no_heir_of_the_name_has_it() -> None:
    yes = a_yes("bob", number=3, account="17")
    for author, account, says in [
        ("bob", "17", ""),
        ("robert", "17", "its author is called robert now"),
        ("bob", "99", "its comment is of another account"),
    ]:
        (found,) = still_said([yes], a_thread(a_comment("yes", by=author, number=3, account=account)))
        assert found.fault == says
    (old,) = still_said([a_yes("bob", number=3)], a_thread(a_comment("yes", by="bob", number=3, account="17")))
    assert old.fault == "", "a record from before accounts were kept goes by names"


def test_whoever_is_renamed_stays_one_person() -> None:
    old, new, other = (
        a_yes(by, number=at, account=account)
        for at, by, account in [(3, "bob", "17"), (4, "robert", "17"), (5, "eve", "18")]
    )
    found = told_apart([old, new, other], requester="18")
    assert [(one.fault, one.by_requester) for one in found] == [
        ("its author is called robert now", False),
        ("", False),
        ("", True),
    ]
    assert not any(one.by_requester or one.fault for one in told_apart([a_yes("bob"), a_yes("eve")], requester=""))


def test_a_revoked_approval_stays_revoked() -> None:
    (found,) = still_said([a_yes("bob", number=3, fault="revoked")], a_thread(a_comment("yes", by="bob", number=3)))
    assert found.fault == "revoked"


def resume(approval: str, by: str = "alice") -> Resume:
    return Resume(plan_digest=PLAN, attempt=2, approval=approval, said=said(by, "7/9"))


def test_after_a_resume_that_asks_for_new_approvals_the_earlier_ones_count_no_more() -> None:
    yes = Approve(plan_digest=PLAN, said=said("bob", "7/1"))
    for word, faults in [("new", [True, False]), ("same", [False, False])]:
        found = approvals([(3, TIME, yes), (6, TIME, resume(word)), (7, TIME, yes)])
        assert [bool(one.fault) for one in found] == faults
        assert "the next attempt needs a new one" in found[0].fault or word == "same"


def test_the_newest_resume_says_whose_word_began_the_attempt() -> None:
    assert resumption([(3, TIME, Expire(plan_digest=PLAN))]) is None
    found = resumption([(6, TIME, resume("new")), (9, TIME, resume("new", by="bob"))])
    assert found is not None
    assert (found.number, found.by, found.verified) == (9, "bob", True)
