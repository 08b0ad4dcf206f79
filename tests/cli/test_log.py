from __future__ import annotations

import json

from .conftest import Lived, Typed


def runs(typed: Typed, *words: str) -> list[str]:
    said = typed("bob", "log", "--json", *words)
    assert said.code == 0, said.err
    return [row["run"] for row in json.loads(said.out)]


def test_a_script_gets_every_run_newest_first_with_who_and_what(lived: Lived, typed: Typed) -> None:
    rows = json.loads(typed("bob", "log", "--json").out)
    assert rows[0]["run"] == lived.waiting
    assert {row["run"] for row in rows} == {lived.good, lived.bad, lived.waiting}
    good = next(row for row in rows if row["run"] == lived.good)
    assert good["requester"] == "alice@example.org"
    assert good["approvers"] == ["bob@example.org"]
    assert (good["outcome"], good["targets"], good["issue"]) == ("succeeded", ["lab/web-1"], "1")
    assert good["seconds"] > 0


def test_every_filter_leaves_out_what_it_does_not_mean(lived: Lived, typed: Typed) -> None:
    good, bad, waiting = lived.good, lived.bad, lived.waiting
    assert runs(typed, "--target", "lab/web-1") == [good]
    assert runs(typed, "--runbook", "fail") == [bad]
    assert set(runs(typed, "--runbook", "count")) == {good, waiting}
    assert set(runs(typed, "--person", "bob@example.org")) == {good, bad}
    assert len(runs(typed, "--person", "alice@example.org")) == 3
    assert runs(typed, "--issue", "2") == [bad]
    assert runs(typed, "--outcome", "failed") == [bad]
    assert len(runs(typed, "--since", "1h")) == 3
    assert runs(typed, "--until", "2001-01-01") == []
    assert runs(typed, "--limit", "1") == [waiting]
    assert len(runs(typed, "--limit", "0")) == 3
    assert runs(typed, "--target", "lab/web-1", "--outcome", "failed") == []


def test_a_person_gets_one_line_for_each_run(lived: Lived, typed: Typed) -> None:
    out = typed("bob", "log").out
    line = next(line for line in out.splitlines() if lived.bad in line)
    assert all(word in line for word in ("lab/web-2", "alice@example.org", "bob@example.org", "failed"))
    assert "the line is not as it should be" in " ".join(out.split())


def test_on_a_narrow_terminal_a_run_can_still_be_copied(lived: Lived, typed: Typed) -> None:
    out = typed("bob", "log", columns=80).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert {lived.good, lived.bad, lived.waiting} <= set(out.split())
    assert "…" not in out


def test_a_filter_that_nothing_passes_says_so(typed: Typed) -> None:
    assert typed("bob", "log", "--target", "lab/none").out == "runs: nothing\n"


def test_the_remote_is_not_asked_when_that_is_not_wanted(lived: Lived, typed: Typed) -> None:
    remote = lived.world.remote
    remote.rename(remote.with_name("elsewhere"))
    try:
        assert len(runs(typed, "--offline")) == 3
        assert len(runs(typed)) == 3, "one that is away keeps nobody from reading what is here"
    finally:
        remote.with_name("elsewhere").rename(remote)


def test_a_number_below_none_is_refused(typed: Typed) -> None:
    assert typed("bob", "log", "--limit", "-1").code == 2
