"""The grammar of commands: what counts, what is refused, and what is not a command at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.ledger.bodies import Resolution
from runner.ports.forge import Comment, CommentId, IssueId, PersonId
from runner.request.arguments import (
    Answer,
    Approve,
    Cancel,
    Halt,
    Help,
    Leave,
    Reject,
    Resolve,
    Resume,
    Revert,
    Revoke,
    Run,
    Status,
    Unhalt,
)
from runner.request.command import BadCommand, Command, Verb, commands

DIGEST = "0123456789ab"
RUN = "20261123T023028Z-disk-cleanup-7k3q2x2m"


def comment(body: str, *, edited: bool = False, ours: bool = False) -> Comment:
    return Comment(
        id=CommentId("7/3"),
        issue=IssueId("7"),
        author=PersonId("alice@x"),
        body=body,
        created=datetime(2026, 11, 23, tzinfo=UTC),
        verified=True,
        edited=edited,
        ours=ours,
    )


def read(body: str) -> tuple[Command | BadCommand, ...]:
    return commands(comment(body), bot="runner")


def the_only(body: str) -> Command:
    (found,) = read(body)
    assert isinstance(found, Command), found
    return found


def refused(body: str) -> BadCommand:
    (found,) = read(body)
    assert isinstance(found, BadCommand), found
    assert found.hint
    return found


def run(runbook: str, **parameters: str) -> Run:
    return Run(runbook=runbook, parameters=tuple(parameters.items()))


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ("run disk-cleanup", Run(runbook="disk-cleanup")),
        ("run db/x a=1 b_2='two words' c=", run("db/x", a="1", b_2="two words", c="")),
        ('run x q="$(rm -rf /) `id` $HOME" p=a\\ b', run("x", q="$(rm -rf /) `id` $HOME", p="a b")),
        ("run x name=Zürich", Run(runbook="x", parameters=(("name", "Zürich"),))),
        (f"approve {DIGEST}", Approve(digest=DIGEST)),
        (f"approve {'a' * 64}   looks  good ", Approve(digest="a" * 64, reason="looks  good")),
        (f"revoke {DIGEST}", Revoke(digest=DIGEST)),
        (f"reject {DIGEST} not on a Friday", Reject(digest=DIGEST, reason="not on a Friday")),
        ("cancel --leave", Cancel(which="", mode=Leave.LEAVE)),
        (f"cancel {RUN} --rollback wrong host", Cancel(which=RUN, mode=Leave.ROLLBACK, reason="wrong host")),
        (f"cancel {DIGEST} --leave", Cancel(which=DIGEST, mode=Leave.LEAVE)),
        (f"resolve {RUN} did_not_run looked", Resolve(run=RUN, decision=Resolution.DID_NOT_RUN, reason="looked")),
        ("answer yes", Answer(which="", question=0, text="yes")),
        ("answer no  not yet", Answer(which="", question=0, text="no  not yet")),
        ("answer q2 yes", Answer(which="", question=2, text="yes")),
        ("answer q2", Answer(which="", question=0, text="q2")),
        ("answer q0 yes", Answer(which="", question=0, text="q0 yes")),
        (f"answer {RUN} q1 no: hot", Answer(which=RUN, question=1, text="no: hot")),
        (f"answer {RUN} q2", Answer(which=RUN, question=0, text="q2")),
        (f"answer {RUN} 12", Answer(which=RUN, question=0, text="12")),
        (f"answer {DIGEST}", Answer(which="", question=0, text=DIGEST)),
        (f"resume {RUN} the disk has room", Resume(run=RUN, reason="the disk has room")),
        (f"resume {RUN}", Resume(run=RUN)),
        (f"revert {RUN} it leaks", Revert(run=RUN, reason="it leaks")),
        ("status", Status()),
        ("help", Help()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("trigger", ["/runbook", "@runner"])
def test_each_verb_is_read_with_its_arguments(trigger: str, words: str, args: object) -> None:
    found = the_only(f"{trigger} {words}")
    assert found.args == args
    assert found.verb.value == words.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "no verb"),
        ("aprove " + DIGEST, "not a verb"),
        ("Approve " + DIGEST, "lower case"),
        ("run", "no runbook"),
        ("run ../x", "not a runbook's name"),
        ("run /etc/x", "not a runbook's name"),
        ("run a/../b", "not a runbook's name"),
        ("run https://x/y", "not a runbook's name"),
        ("run r\u0435start", "not a runbook's name"),
        ("run x a=1 a=1", "twice"),
        ("run x a", "key=value"),
        ("run x a-b=1", "not a parameter's name"),
        ("run x \u0430=1", "not a parameter's name"),
        ("run x __import__('os')=1", "not a parameter's name"),
        ('run x a="b', "left open"),
        ("run x --emergency", "needs a reason"),
        ("run x --emergency=", "needs a reason"),
        ("run x --emergency a=1", "needs a reason"),
        ("run x --emergency why --emergency why", "given twice"),
        ('run x --break-glass "why"', "a forge that takes comments is not"),
        ("halt", "reason is needed"),
        ("run x --force=1", "not a parameter's name"),
        ("run x a=\u202eb", "direction"),
        ("run x a=\u200bb", "zero-width"),
        ("run x a=\x07", "control"),
        ("run x a=\u3164", "cannot be seen"),
        ("approve", "no digest"),
        ("approve 0123456789a", "not a digest"),
        ("approve " + "a" * 65, "not a digest"),
        ("approve 0123456789AB", "not a digest"),
        ("approve \uff10123456789ab", "not a digest"),
        ("approve\u00a0" + DIGEST, "not a verb"),
        ("reject " + DIGEST, "reason is needed"),
        ("cancel", "--leave or --rollback"),
        ("cancel --leave --rollback", "only one"),
        ("cancel everything --leave", "neither a run id nor a digest"),
        ("resolve", "no run is named"),
        (f"resolve {RUN}", "no outcome"),
        (f"resolve {RUN} fine yes", "not an outcome"),
        (f"resolve {RUN} completed", "reason is needed"),
        ("answer", "no answer"),
        (f"answer {RUN}", "no answer"),
        ("resume", "no run is named"),
        (f"resume {DIGEST}", "not a run id"),
        ("revert everything", "not a run id"),
        ("status now", "no arguments"),
        ("run x a=" + "b" * 4000, "4,000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason_and_a_hint(words: str, why: str) -> None:
    assert why in refused(f"/runbook {words}").why


@pytest.mark.parametrize("words", ['a=1 --emergency "the site is down"', '--emergency="the site is down" a=1'])
def test_an_emergency_says_why_it_cannot_wait(words: str) -> None:
    expected = Run(runbook="x", parameters=(("a", "1"),), emergency="the site is down")
    assert the_only(f"/runbook run x {words}").args == expected


def test_everything_is_halted_for_a_reason_and_unhalted_with_or_without_one() -> None:
    assert the_only("/runbook halt the network is not itself").args == Halt(reason="the network is not itself")
    assert the_only("/runbook unhalt").args == Unhalt()
    assert the_only("/runbook unhalt it is again").args == Unhalt(reason="it is again")


@pytest.mark.parametrize(
    "trigger", ["/runb\u043eok", "\u200b/runbook", "\ufeff/runbook", "\uff0frunbook", "/RUNBOOK", "@runn\u0435r"]
)
def test_a_look_alike_trigger_is_answered_and_never_obeyed(trigger: str) -> None:
    assert "other characters" in refused(f"{trigger} approve {DIGEST}").why


HIDING = {
    "a fence": "```\n{}\n```",
    "a fence with a language": "```sh\n{}\n```",
    "a tilde fence": "~~~\n{}\n~~~",
    "a longer fence": "````\n```\n{}\n```\n````",
    "a fence that is never closed": "```\n{}",
    "a fence closed by other marks": "```\n~~~\n{}\n```",
    "a fence closed with words": "```\n``` not closed\n{}\n```",
    "a fence in a list": "- ```\n  {}\n  ```",
    "an indented fence": "   ```\n{}\n   ```",
    "indented code": "words\n\n    {}\n",
    "a tab": "words\n\n\t{}\n",
    "a quote": "> {}",
    "a nested quote": "> > {}",
    "a quote without a space": ">{}",
    "a long quote": ">>>\n{}\n>>>",
    "a long quote with paragraphs": ">>>\nwords\n\n{}\n\n>>>",
    "an HTML comment": "<!--\n{}\n-->",
    "an HTML comment that is never closed": "<!--\n\n{}",
    "an HTML comment after words": "words <!-- more\n{}\n-->",
    "a second HTML comment": "<!-- a --> <!-- b\n{}\n-->",
    "an HTML comment opened where one ends": "<!-- a\n--> <!-- b\n{}\n-->",
    "pre": "<pre>\n\n{}\n\n</pre>",
    "pre in capitals": "<PRE>\n\n{}\n\n</PRE>",
    "a quote in HTML": "<blockquote>\n\n{}\n\n</blockquote>",
    "a script": "<script>\n\n{}\n</script>",
    "a processing instruction": "<?php\n\n{}\n?>",
    "inline code over lines": "`words\n{}\nwords`",
    "inline code that ends behind it": "`words\n{} words`",
    "inline code that ends behind it on a line with more": "words `\n{} a` and `b`",
    "inline code with two marks": "``words\n{}\n`words``",
    "inline code after a stray mark in a heading": "# stray `\n`words\n{}\nwords`",
    "inline code after an escaped mark": "\\`` words\n{}\nwords `",
    "a comment that only looks like inline code": "`a\nb` <!-- `\n{}\n-->",
    "inline code on its own line": "`{}`",
    "a sentence": "please write {} here",
    "a list": "- {}",
    "a table": "| {} |",
    "one space": " {}",
    "details": "<details>\n\n{}\n\n</details>",
    "a division": "<div>\n{}\n</div>",
    "the rest of a quote": "> words\n{}",
    "CDATA": "<![CDATA[\n\n{}\n]]>",
    "a declaration": "<!X\n\n{}\n>",
    "code in HTML over lines": "words <code>\n{}\n</code>",
    "carriage returns": "```\r{}\r```",
}


@pytest.mark.parametrize("name", HIDING)
def test_a_command_that_is_not_the_authors_own_plain_words_never_counts(name: str) -> None:
    body = HIDING[name].format(f"/runbook approve {DIGEST}")
    assert not [one for one in read(body) if isinstance(one, Command)]


SHOWING = {
    "alone": "{}",
    "after words": "LGTM\n{}",
    "between paragraphs": "words\n\n{}\n\nwords",
    "after a fence": "```\ncode\n```\n{}",
    "after a fence in a list": "- do\n  ```\n  x\n  ```\n\n{}",
    "after a fence with a language": "``` sh\ncode\n```\n\n{}",
    "after a quote and an empty line": "> words\n\n{}",
    "after a list": "- words\n{}",
    "after an HTML comment": "<!-- words -->\n{}",
    "after a long HTML comment": "<!-- words\n\nwords -->\n{}",
    "after inline code": "`code` and `more`\n{}\n`code`",
    "after a comment mark in inline code": "`<!--` begins a comment\n{}",
    "after a stray mark": "it`s done\n{}",
    "after HTML": "<b>words</b>\n\n{}",
    "after details": "<details>\nwords\n</details>\n\n{}",
    "after a line break": "<br>\n\n{}",
    "after code in HTML": "press <code>q</code> to end\n{}",
    "after a link": "<https://example.org>\n{}",
    "after a long quote": ">>>\nwords\n>>>\n\n{}",
    "with carriage returns": "words\r\n{}\r\nwords",
    "with spaces behind": "{}   ",
}


@pytest.mark.parametrize("name", SHOWING)
def test_a_command_in_plain_words_counts(name: str) -> None:
    found = [one for one in read(SHOWING[name].format(f"/runbook approve {DIGEST}")) if isinstance(one, Command)]
    assert [one.args for one in found] == [Approve(digest=DIGEST)]


@pytest.mark.parametrize(
    "text", [f"/approve {DIGEST}", "/runbooks help", "@runners help", "runbook help", "@other help"]
)
def test_other_words_are_not_for_us(text: str) -> None:
    assert read(text) == ()


@pytest.mark.parametrize("body", ["> words\n{}", "`a\n{}\nb`", "<div>\n{}\n</div>", " {}", "{} <!-- a"])
def test_a_command_in_doubt_is_answered(body: str) -> None:
    assert "on a line of its own" in refused(body.format("/runbook status")).hint


def test_edited_comments_and_our_own_have_no_commands() -> None:
    body = f"/runbook approve {DIGEST}"
    assert commands(comment(body, edited=True), bot="runner") == ()
    assert commands(comment(body, ours=True), bot="runner") == ()


def test_commands_are_numbered_together_with_bad_ones_and_blocks() -> None:
    body = "/runbook status\n/runbook nonsense\n```runbook\nrunbook: x\n```\n/runbook help"
    assert [one.ordinal for one in read(body)] == [1, 2, 4]


def test_too_many_commands_are_refused_whole() -> None:
    found = read("/runbook status\n" * 21)
    assert len(found) == 1
    assert isinstance(found[0], BadCommand)
    assert "20" in found[0].why
    assert len(read("/runbook status\n" * 20)) == 20


def test_a_body_over_the_limit_is_refused_whole() -> None:
    assert "1,000,000" in refused("/runbook status\n" + "x" * 1_000_000).why


def test_what_was_written_is_shown_without_anything_that_could_act() -> None:
    found = refused("/runbook `\x1b[31m\u202e` @all")
    assert found.line == "'\\x1b[31m\\u202e' @all"


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
PLAIN = st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30)
MARKS = (
    "```",
    "`",
    "``",
    "> ",
    ">>>\n",
    "    ",
    "\t",
    "<!--",
    "-->",
    "<pre>",
    "</pre>",
    "<div>",
    "</div>",
    "- ",
    "1. ",
)
WORDS = (
    "/runbook ",
    "@runner ",
    "approve ",
    "run x ",
    DIGEST,
    "\n",
    "\n\n",
    "\\",
    "words",
    "\r",
    "a=b ",
    '"',
    "'",
    "=",
)
PIECES = (*MARKS, *WORDS, "\u200b")


@settings(max_examples=500)
@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_without_an_accident(body: str) -> None:
    for one in read(body):
        if isinstance(one, Command):
            assert one.verb in Verb
            assert any(line.startswith(("/runbook", "@runner")) for line in body.replace("\r", "\n").split("\n"))


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_nothing_inside_a_fence_counts_whatever_else_is_in_it(inside: str) -> None:
    text = f"~~~~~\n{inside}\n/runbook status\n~~~~~\n"
    assert read(text) == ()


@settings(max_examples=300)
@given(st.text(alphabet=st.characters(codec="ascii")).filter(lambda text: text.strip()))
def test_only_declared_verbs_are_accepted(words: str) -> None:
    for one in read(f"/runbook {words}"):
        if isinstance(one, Command):
            assert words.split(maxsplit=1)[0] in {verb.value for verb in Verb}


@settings(max_examples=300)
@given(st.dictionaries(NAMES, PLAIN.filter(lambda value: "<!--" not in value)))
def test_quoted_values_come_back_as_they_were(values: dict[str, str]) -> None:
    import shlex

    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    args = the_only(f"/runbook run x {words}").args
    assert isinstance(args, Run)
    assert dict(args.parameters) == values


@pytest.mark.parametrize(
    "body",
    [
        "` `` " * 150_000 + "\n/runbook status",
        "<!---->" * 140_000,
        "`\n" * 400_000 + "/runbook status",
        "\n".join("`" * length for length in range(1, 1300)) + "\n/x" * 50_000,
        "- " * 400_000,
        "<a\n" * 250_000,
        "> \n" * 300_000,
    ],
    ids=["ticks", "comments", "lines", "lengths", "lists", "tags", "quotes"],
)
def test_hostile_bodies_are_read_in_linear_time(body: str) -> None:
    # Not a timed test: what is not linear here does not end within the suite's patience.
    read(body[:1_000_000])
