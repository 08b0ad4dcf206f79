from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runner.approval.decide import Decision, Verdict
from runner.digest import sha256
from runner.execution.outcome import CellFate, ExitReason, Fate
from runner.ledger.bodies import Rehearsal, Rollback, Status
from runner.plan.plan import Conditional, Parameter, Plan
from runner.publication import comments, markers
from runner.publication.markers import Kind
from runner.publication.notices import Ended, Head
from runner.publication.outputs import CellOutput, Outputs
from runner.publication.picture import Picture
from runner.publication.views import Link
from runner.request.arguments import Approve
from runner.request.command import Command, commands
from tests.builders import a_comment, a_plan, an_outcome, rehearsed, requested_by

HEAD = Head(number=42, digest=sha256(b"head"))
PENDING = Decision(verdict=Verdict.PENDING, reasons=('rule "production" needs 1 more of @dba',))
EVIL = (
    "@everybody\n/close\n#1 !2 ~bug\n</details><img src=x>\n```\n"
    "`````\n/approve\n<!-- runbook:x:plan:1 -->\n| a |\u202e"
)


def planned(plan: Plan | None = None, decision: Decision = PENDING) -> str:
    plan = plan or a_plan()
    return comments.plan_comment(plan=plan, digest=plan.digest, decision=decision, head=HEAD)


def planned_with(outputs: Outputs) -> str:
    plan = a_plan()
    return comments.plan_comment(plan=plan, digest=plan.digest, decision=PENDING, head=HEAD, outputs=outputs)


def outside(markdown: str) -> str:
    """What an independent Markdown parser takes for text or HTML, that is, for anything but code."""
    found = MarkdownIt("commonmark").parse(markdown)
    every = [inner for token in found for inner in (token, *(token.children or ()))]
    kept = [token.content for token in every if token.type in {"text", "html_block", "html_inline"}]
    links = [str(token.attrs.get("href")) for token in every if token.type == "link_open"]
    return "\n".join([*kept, *links])


def test_the_first_five_lines_say_what_on_what_how_bad_how_much_and_who() -> None:
    plan = a_plan(irreversible="deleted files do not come back")
    assert planned(plan).splitlines()[:6] == [
        "- **Plan:** `Free disk space` (`disk-cleanup`, risk `high`)",
        "- **On:** `prod/web-1`",
        "- **IRREVERSIBLE:** `deleted files do not come back`",
        "- **Changes:** `would remove 3 files, 1.2 GiB`",
        "- **Asked by:** `alice@example.org`",
        "",
    ]


def test_what_is_not_irreversible_and_what_is_not_reviewed_is_said() -> None:
    lines = planned(a_plan(unreviewed=True)).splitlines()
    assert lines[2] == "- **Reversible:** it declares no irreversible change"
    assert lines[4].endswith("**This runbook is not reviewed and merged.**")


def test_the_line_to_write_stands_alone_in_its_own_block_and_reads_as_that_command() -> None:
    plan = a_plan()
    text = planned(plan)
    blocks = [token.content for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]
    assert blocks[0] == f"/runbook approve {plan.digest[:12]}\n"
    (command,) = commands(a_comment(blocks[0]), bot="runbook")
    assert isinstance(command, Command)
    assert command.args == Approve(digest=plan.digest[:12])


def test_a_plan_comment_is_a_witness_and_can_be_found() -> None:
    plan = a_plan()
    text = planned(plan)
    assert f"plan: {plan.digest}" in text
    assert f"head: 42 {HEAD.digest}" in text
    assert text.rstrip().splitlines()[-1] == markers.of(plan.run, Kind.PLAN, 1)


def test_a_plan_that_cannot_be_approved_offers_no_line_to_write() -> None:
    failed = planned(a_plan(rehearsal=rehearsed(Rehearsal.FAILED)))
    denied = planned(decision=Decision(verdict=Verdict.DENIED, reasons=("no rule",)))
    for text in (failed, denied):
        assert "/runbook approve" not in text
        assert "**This plan cannot run.**" in text


def test_a_plan_that_needs_no_approval_says_that_it_starts() -> None:
    text = planned(decision=Decision(verdict=Verdict.ALLOWED, reasons=()))
    assert "It starts by itself" in text
    assert "/runbook approve" not in text


def hostile(text: str) -> Plan:
    return a_plan(
        title=text,
        risk=text,
        targets=(text, *["t"] * 8),
        irreversible=text,
        parameters={text: Parameter(value=text, source=text)},
        change_secrets=(text,),
        write=(text,),
        rehearsal=rehearsed(Rehearsal.OK, {text: text, "p": text}),
        conditional=tuple(Conditional(cell="c", name=text, when=text, runs=runs) for runs in (None, False)),
        requested=requested_by(text),
    )


def everything(text: str) -> list[str]:
    plan = hostile(text)
    bad = an_outcome(
        status=Status.FAILED,
        exit_reason=ExitReason.CELL_ERROR,
        rollback=Rollback.PARTIAL,
        message=text,
        moved=text,
        withheld=True,
    )
    facts: dict[str, Any] = {"plan": plan, "head": HEAD, "attempt": 1}
    links = [Link(name=text, where=text)]
    told = planned(plan, Decision(verdict=Verdict.PENDING, reasons=(text,)))
    shown = [
        planned_with(Outputs(cells=(CellOutput(name=text, text=text),), file=text, where=text, folds=folds))
        for folds in (True, False)
    ]
    return [
        told,
        *shown,
        comments.status_comment(run=plan.run, state=text, step=text, done=1, cells=2, seconds=1),
        comments.result_comment(outcome=bad, links=links, late=True, **facts),
        *(comments.ended_comment(state=state, by=text, reason=text, **facts) for state in Ended),
        comments.refusal(key="k", verb=text, by=text, reasons=[text], hint=text),
        comments.status_reply(key="k", lines=[text]),
        comments.help_reply(key="k", verbs=[(text, "ours")]),
    ]


def test_hostile_text_has_no_effect_in_any_comment() -> None:
    clean = [re.sub(r"\d", "", outside(one)) for one in everything("x")]
    for found, expected in zip(everything(EVIL), clean, strict=True):
        told = outside(found)
        assert not re.search(r"@everybody|/close|/approve|#1|!2|~bug|<img|runbook:x", told)
        assert sorted(set(re.sub(r"\d", "", told).split())) == sorted(set(expected.split()))
        assert not re.search(r"^/(?!runbook )", found, re.MULTILINE)
        assert "\u202e" not in found


@settings(max_examples=20, deadline=None)
@given(
    st.text(alphabet=st.one_of(st.sampled_from("`~<>@/#![]()\n\r |\\*_-"), st.characters(codec="utf-8")), max_size=60)
)
def test_nothing_from_outside_ever_stands_outside_code(text: str) -> None:
    for found in everything("zqzq" + text + "zqzq"):
        assert "zqzq" not in outside(found)
        assert found.rstrip().splitlines()[-1].startswith("<!-- runbook:")


@pytest.mark.parametrize("flood", ["x" * 60_000, "`" * 60_000, "\u202e" * 60_000, "x\n/y\n" * 20_000])
def test_a_comment_stays_below_its_size_and_says_that_something_is_left_out(flood: str) -> None:
    plan = a_plan(
        title=flood,
        irreversible=flood,
        targets=tuple(f"{n}{flood}" for n in range(65)),
        parameters={f"{n}{flood}": Parameter(value=flood, source=flood) for n in range(65)},
        change_secrets=tuple(f"{n}{flood}" for n in range(65)),
        write=tuple(f"{n}{flood}" for n in range(65)),
        rehearsal=rehearsed(Rehearsal.OK, {f"{n}{flood}": flood for n in range(65)}),
    )
    text = planned(plan, Decision(verdict=Verdict.PENDING, reasons=tuple(f"{n}{flood}" for n in range(65))))
    assert len(text) < comments.LARGEST
    assert "in the notebook." in text
    assert text.rstrip().endswith(markers.of(plan.run, Kind.PLAN, 1))


def test_what_the_rehearsal_showed_comes_after_who_must_approve_and_the_line_to_write() -> None:
    plot = Picture(data=b"", width=640, height=480, address="/uploads/0a/picture-1.png")
    lost = Picture(data=b"", width=9, height=9)
    cells = (
        CellOutput(name="look", text="\n".join(f"row {n}" for n in range(9_000))),
        CellOutput(name="plan", text="3 to add", pictures=(plot, lost)),
    )
    text = planned_with(
        Outputs(cells=cells, file="plan.ipynb", where="https://git.example.org/x/plan.ipynb", left_out=2)
    )
    before, after = text.split("<summary>What the rehearsal showed</summary>")
    assert "needs 1 more of @dba" in before
    assert "/runbook approve" in before
    assert "row 0\nrow 1\n" in after
    shown = after.count("\nrow ")
    assert f"{9_000 - shown:,} more lines in the notebook." in after
    assert "3 to add" in after
    assert "\n![picture, 640 x 480](/uploads/0a/picture-1.png)\n" in after
    assert "A picture of 9 x 9 is in the notebook." in after
    assert "2 more pictures are in the notebook." in after
    assert "The notebook, `plan.ipynb`: <https://git.example.org/x/plan.ipynb>" in after


def test_where_nothing_folds_the_same_is_told_shorter_and_without_html() -> None:
    cells = (CellOutput(name="look", text="\n".join(f"row {n}" for n in range(9_000))),)
    text = planned_with(Outputs(cells=cells, file="plan.ipynb", where="git show abc:plan.ipynb", folds=False))
    assert "<details>" not in text
    assert len(text) < 9_000
    assert "more lines in the notebook." in text
    assert "`git show abc:plan.ipynb`" in text


def test_a_result_shows_the_plots_of_the_run_unless_they_are_withheld() -> None:
    plot = Picture(data=b"", width=640, height=480, address="/uploads/0a/picture-1.png")
    shown = Outputs(cells=(CellOutput(name="verify", text="", pictures=(plot,)),), file="executed.ipynb")
    for withheld in (False, True):
        text = comments.result_comment(
            outcome=an_outcome(withheld=withheld), plan=a_plan(), attempt=1, links=(), head=HEAD, outputs=shown
        )
        assert ("![picture, 640 x 480](/uploads/0a/picture-1.png)" in text) is not withheld


def test_a_result_says_outcome_rollback_time_links_head_and_what_is_next() -> None:
    links = [Link(name="executed notebook", where="https://git.example.org/ops/x.ipynb")]
    text = comments.result_comment(outcome=an_outcome(), plan=a_plan(), attempt=2, links=links, head=HEAD)
    for said in (
        "**Result:** `succeeded` in 4.2 s",
        "**Rollback:** `not_needed`",
        "**Cells:** 4 of 4 ok",
        "`executed notebook`: <https://git.example.org/ops/x.ipynb>",
        "runbook verify",
        f"head: 42 {HEAD.digest}",
        markers.of(a_plan().run, Kind.RESULT, 2),
    ):
        assert said in text


def test_what_is_skipped_and_what_only_the_run_decides_is_in_the_plan() -> None:
    plan = a_plan(
        conditional=(
            Conditional(cell="c1", name="drain", when='environment == "production"', runs=False),
            Conditional(cell="c2", name="probe", when='environment == "staging"', runs=True),
            Conditional(cell="c3", name="scale", when='ok("probe")', runs=None),
        )
    )
    text = planned(plan)
    assert '- **Will skip** `drain`, whose condition is not met: `environment == "production"`\n' in text
    assert '- `scale` runs only if `ok("probe")`\n' in text
    assert "`probe` runs" not in text


def test_a_run_that_went_on_after_a_failure_says_so_and_how_many_cells_were_skipped() -> None:
    def cell(name: str, fate: Fate, **more: Any) -> CellFate:
        return CellFate(index=0, id=name, role="change", name=name, phase="forward", fate=fate, **more)

    bad = an_outcome(
        status=Status.FAILED,
        exit_reason=ExitReason.STEP_FAILED,
        message="failed, and the run went on: act",
        cells=(cell("act", Fate.FAILED, error="OSError: busy", tries=3), cell("b", Fate.SKIPPED), cell("c", Fate.OK)),
    )
    text = comments.result_comment(outcome=bad, plan=a_plan(), attempt=1, links=(), head=HEAD)
    assert "**Cells:** 1 of 3 ok, 1 skipped; went on after `act (failed after 3 tries)`" in text
    assert "Why it ended: `step_failed`, `failed, and the run went on: act`" in text
    assert "OSError: busy" in text


def test_withheld_outputs_and_a_moved_state_are_said_plainly() -> None:
    bad = an_outcome(
        status=Status.FAILED, exit_reason=ExitReason.STATE_MOVED, moved="-3 files\n+4 files", withheld=True
    )
    text = comments.result_comment(outcome=bad, plan=a_plan(), attempt=1, links=(), head=HEAD)
    assert "The state moved between plan and run" in text
    assert "```diff\n-3 files\n+4 files\n```" in text
    assert "**The outputs are withheld:**" in text
    assert "Why it ended: `state_moved`" in text


def test_an_interrupted_run_says_that_nobody_knows_and_what_to_write() -> None:
    text = comments.ended_comment(plan=a_plan(), state=Ended.INTERRUPTED, by="", reason="lost", head=HEAD, attempt=1)
    assert "**What happened is not known.**" in text
    assert f"/runbook resolve {a_plan().run} " in text
    assert markers.of(a_plan().run, Kind.INTERRUPTED, 1) in text


def test_a_refusal_has_every_reason_and_its_marker() -> None:
    text = comments.refusal(key="7/1.0.approve", verb="approve", by="eve", reasons=["one", "two"], hint="ask bob")
    assert "`approve` by `eve` was not carried out" in text
    assert "- `one`\n- `two`" in text
    assert "Next: `ask bob`" in text
    assert text.rstrip().endswith("<!-- runbook:reply:7/1.0.approve -->")


def test_help_and_status_are_answered() -> None:
    told = comments.help_reply(key="k", verbs=[("/runbook status", "where things stand")])
    assert "- `/runbook status`: where things stand" in told
    assert "Nothing was requested" in comments.status_reply(key="k", lines=[])
    assert "- `a: planned`" in comments.status_reply(key="k", lines=["a: planned"])
