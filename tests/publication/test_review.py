"""The words of a review."""

from __future__ import annotations

import re

from runner.publication import review
from tests.builders import a_proposing_plan, requested_by

PLAN = a_proposing_plan()


def test_the_description_names_plan_files_and_issue_and_closes_nothing() -> None:
    text = review.description(PLAN, digest=PLAN.digest, acts=True)
    assert text.startswith("Related to #7\n")
    assert f"plan: {PLAN.digest}" in text
    assert "- change `infra/a.txt` (sha256" in text
    assert "makes its changes" in text
    assert not re.search(r"(?i)\b(clos|fix|resolv|implement)\w*:? #", text)
    assert "verifies them" in review.description(PLAN, digest=PLAN.digest, acts=False)


def test_no_word_of_others_mentions_anybody_or_acts() -> None:
    hostile = a_proposing_plan(
        title="Draft: @all /close #1 `x`", requested=requested_by("@all\n/merge"), targets=("a`\n/approve", "b")
    )
    text = review.description(hostile, digest=hostile.digest, acts=True)
    assert not re.search(r"^\s*/", text, flags=re.MULTILINE)
    assert "`@all" in text
    title = review.title(hostile)
    assert title.startswith("Runbook disk-cleanup: ")
    assert not set("@#`/") & set(title)


def test_the_message_has_the_line_by_which_the_merge_is_found() -> None:
    message = review.message(PLAN, digest=PLAN.digest)
    assert f"\nRunbook-Plan: sha256:{PLAN.digest}\n" in message
    assert message.splitlines()[0] == review.title(PLAN)
