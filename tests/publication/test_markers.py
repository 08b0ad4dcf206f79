from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.publication import markers
from runner.publication.markers import Kind
from tests.builders import a_comment, a_thread

RUN = "20261123T115900Z-disk-cleanup-7k3q2x2m"


def test_a_marker_names_run_kind_and_attempt() -> None:
    assert markers.of(RUN, Kind.PLAN, 1) == f"<!-- runbook:{RUN}:plan:1 -->"
    assert markers.reply("7/1.0.approve") == "<!-- runbook:reply:7/1.0.approve -->"


def test_our_comment_is_found_by_its_last_line() -> None:
    marker = markers.of(RUN, Kind.PLAN, 1)
    ours = a_comment(f"words\n\n{marker}\n", ours=True)
    assert markers.find(a_thread(ours), marker) is ours
    assert markers.find(a_thread(ours), markers.of(RUN, Kind.PLAN, 2)) is None


def test_somebody_elses_marker_finds_nothing() -> None:
    marker = markers.of(RUN, Kind.PLAN, 1)
    assert markers.find(a_thread(a_comment(marker)), marker) is None


def test_a_marker_that_is_only_quoted_in_our_comment_finds_nothing() -> None:
    marker = markers.of(RUN, Kind.PLAN, 1)
    body = f"```\n{marker}\n```\n\n{markers.reply('x')}"
    assert markers.find(a_thread(a_comment(body, ours=True)), marker) is None


def test_answered_commands_are_listed_from_our_replies_only() -> None:
    ours = a_comment(f"no\n\n{markers.reply('7/1.0.approve')}", ours=True)
    theirs = a_comment(f"no\n\n{markers.reply('7/2.0.approve')}", number=2)
    assert markers.answered(a_thread(ours, theirs)) == {"7/1.0.approve"}


@given(st.text())
def test_nothing_in_a_key_ends_the_marker(key: str) -> None:
    marker = markers.reply(key)
    assert marker.count("--") == 2
    assert marker.count(">") == 1
    assert "\n" not in marker
