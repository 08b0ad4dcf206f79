from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.approval.freeze import Once, Weekly
from runner.approval.policy import LARGEST, read
from runner.approval.rules import Identity, Resume
from runner.errors import OperatorError
from runner.ports.forge import PersonId

GOOD = """
identity = "signed"
plan_expires = "12h"
unreviewed = ["dev/*"]
halt = ["@oncall"]

[groups]
dba = ["bob@example.org", "eve@example.org"]
oncall = ["carol@example.org"]

[[rule]]
name = "databases"
risk = ["high"]
runbook = "db-*"
target = ["prod/*"]
request = ["*"]
approve = [
    {count = 1, from = ["@dba"], expires = "30m"},
    {count = 1, from = ["@oncall", "dan@example.org"], requester_excluded = false},
]
same_person = true
cancel = ["@oncall"]
resolve = ["@oncall"]
resume = "same-approval"
isolation = "bwrap"
secrets = ["PGADMIN"]
emergency = {request = ["@oncall"], approve = {count = 1, from = "@dba"}, due = "8h", despite_freeze = true}
break_glass = ["@oncall"]

[[freeze]]
name = "weekend"
target = ["prod/*"]
every = "Fri 16:00 - mon 08:00"
timezone = "UTC"
except = ["incident-*"]

[[window]]
name = "migration"
from = 2026-12-01T00:00:00Z
until = "2026-12-02T00:00:00+01:00"
"""


def wrong(text: str) -> str:
    with pytest.raises(OperatorError) as caught:
        read(text)
    assert caught.value.exit_code == 6
    assert caught.value.hint
    return str(caught.value)


def test_everything_that_a_policy_can_say_is_read() -> None:
    policy = read(GOOD)
    assert policy.identity is Identity.SIGNED
    assert policy.plan_expires == timedelta(hours=12)
    assert policy.unreviewed == ("dev/*",)
    assert policy.halt.members == {"carol@example.org"}
    (rule,) = policy.rules
    assert (rule.name, rule.risk, rule.runbook, rule.target) == ("databases", ("high",), ("db-*",), ("prod/*",))
    assert rule.request.anybody
    first, second = rule.approve
    assert (first.count, first.requester_excluded, first.expires) == (1, True, timedelta(minutes=30))
    assert first.people.members == {"bob@example.org", "eve@example.org"}
    assert not second.requester_excluded
    assert second.people.members == {"carol@example.org", "dan@example.org"}
    assert rule.same_person
    assert rule.cancel.members == rule.resolve.members == {"carol@example.org"}
    assert rule.resume is Resume.SAME_APPROVAL
    assert rule.isolation == "bwrap"
    assert rule.secrets == ("PGADMIN",)
    assert rule.break_glass.members == {"carol@example.org"}
    assert rule.emergency
    assert rule.emergency.request.members == {"carol@example.org"}
    assert [one.people.members for one in rule.emergency.approve] == [{"bob@example.org", "eve@example.org"}]
    assert (rule.emergency.due, rule.emergency.despite_freeze) == (timedelta(hours=8), True)
    (freeze,) = policy.freezes
    assert freeze.when == Weekly(start=(4 * 24 + 16) * 60, end=8 * 60, zone=UTC)
    assert freeze.exempt == ("incident-*",)
    (window,) = policy.windows
    assert isinstance(window.when, Once)
    assert window.when.start == datetime(2026, 12, 1, tzinfo=UTC)
    assert window.when.end == datetime(2026, 12, 1, 23, tzinfo=UTC)


def test_what_is_not_said_is_the_strict_choice() -> None:
    policy = read('[[rule]]\nname = "all"\nrequest = "*"\napprove = {count = 1, from = "*"}')
    (rule,) = policy.rules
    assert policy.identity is Identity.SIGNED
    assert policy.unreviewed == ()
    assert rule.approve[0].requester_excluded
    assert rule.approve[0].expires == timedelta(hours=24)
    assert rule.secrets == ()
    assert not rule.same_person
    assert rule.resume is Resume.NEW_APPROVAL
    assert not rule.resolve.include(PersonId("anybody@example.org"))
    assert rule.emergency is None
    assert str(rule.break_glass) == "nobody"


def test_an_empty_policy_is_valid_and_has_no_rules() -> None:
    assert read("").rules == ()


def test_all_problems_are_told_at_once_each_with_its_line_and_section() -> None:
    told = wrong(
        """
identity = "sigend"
[groups]
dba = ["@oncall"]
[[rule]]
name = "one"
request = ["@nobody"]
aprove = {count = 1, from = ["*"]}
[[rule]]
name = "two"
request = ["*"]
approve = {count = 2, from = ["bob"], expiry = "1h"}
isolation = "strong"
[[freeze]]
name = "weekend"
every = "friday - monday"
timezone = "Nowhere/Town"
"""
    )
    assert 'line 2, the top of the file: identity is "sigend"; it can be signed, unverified' in told
    assert "line 4, [groups]: dba may hold people only" in told
    assert 'line 7, [[rule]] 1 "one": request names the group @nobody' in told
    assert 'line 8, [[rule]] 1 "one": aprove is not a word of policy; did you mean approve?' in told
    assert 'line 5, [[rule]] 1 "one": approve must say who approves' in told
    assert 'line 12, [[rule]] 2 "two", approve: expiry is not a word of policy' in told
    assert 'line 12, [[rule]] 2 "two", approve: count asks for 2, but from names only 1' in told
    assert 'line 13, [[rule]] 2 "two": isolation is "strong"' in told
    assert 'line 16, [[freeze]] 1 "weekend": every must read like' in told
    assert 'line 17, [[freeze]] 1 "weekend": timezone is "Nowhere/Town"' in told


RULE = '[[rule]]\nname = "a"\nrequest = "*"\napprove = {count = 1, from = "*"}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("identity = ", "not TOML"),
        ("x" * (LARGEST + 1), "characters"),
        ("[[" * 3, "not TOML"),
        ("a = 1", "a is not a word of policy"),
        ('rule = "x"', "rule must be written as [[rule]] sections"),
        ("groups = 3", "groups must be a [groups] section"),
        (RULE + RULE, 'the name "a" is taken'),
        ('[[rule]]\nrequest = "*"\napprove = {count = 0}', "name is missing"),
        ('[[rule]]\nname = "a"\napprove = {count = 0}', "request is missing"),
        ('[[rule]]\nname = "a"\nrequest = "*"', "approve must say who approves"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = []', "approve must say who approves"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = {count = 1}', "from is missing"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = {count = -1, from = "*"}', "count must be a whole number"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = {count = true, from = "*"}', "count must be a whole number"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = {from = "*"}', "count is missing"),
        ('[[rule]]\nname = "a"\nrequest = "*"\napprove = {count=1, from="*", requester_excluded=0}', "must be true or"),
        (RULE + 'secrets = [""]', "secrets must be a string or a list"),
        (RULE + 'resume = "always"', 'resume is "always"'),
        (RULE + "emergency = true", "emergency must be a table"),
        (RULE + 'emergency = {request = "*"}', "emergency: approve must say who approves"),
        (RULE + "emergency = {approve = {count = 0}}", "emergency: request is missing"),
        (RULE + 'emergency = {request = "*", approve = {count = 0}, dew = "1h"}', "did you mean due?"),
        ('plan_expires = "a day"', "plan_expires must be a length of time"),
        ('plan_expires = "0h"', "plan_expires must be a length of time"),
        ('[[freeze]]\nname="f"', "from is missing"),
        ('[[freeze]]\nname="f"\nfrom=2026-01-01T00:00:00\nuntil=2026-01-02T00:00:00Z', "with its zone"),
        ('[[freeze]]\nname="f"\nfrom="tomorrow"\nuntil=2026-01-02T00:00:00Z', "with its zone"),
        ('[[freeze]]\nname="f"\nfrom=2026-01-02T00:00:00Z\nuntil=2026-01-02T00:00:00Z', "must be later than from"),
        ('[[freeze]]\nname="f"\nevery="fri 16:00 - mon 08:00"', "timezone is missing"),
        ('[[freeze]]\nname="f"\nevery="fri 16:00 - fri 16:00"\ntimezone="UTC"', "same minute"),
        ('[[freeze]]\nname="f"\nevery="fre 16:00 - mon 08:00"\ntimezone="UTC"', "must read like"),
        ('[[freeze]]\nname="f"\nevery="fri 25:00 - mon 08:00"\ntimezone="UTC"', "must read like"),
        ('[[freeze]]\nname="f"\nevery="x"\nuntil=2026-01-02T00:00:00Z', "cannot stand beside"),
        ('[[freeze]]\nname="f"\nevery="mon 01:00 - tue 01:00"\ntimezone="../../etc/passwd"', "does not know"),
        ('[[window]]\nname="w"\nexcept="x"\nevery="mon 01:00 - tue 01:00"\ntimezone="UTC"', "except is not a word"),
    ],
)
def test_each_mistake_is_refused_with_the_reason(text: str, says: str) -> None:
    assert says in wrong(text)


EXAMPLE = Path(__file__).parents[2] / "runbooks" / "policy.toml"


def test_the_example_is_valid_and_asks_for_four_eyes() -> None:
    (rule,) = read(EXAMPLE.read_text()).rules
    assert rule.approve[0].count == 1
    assert rule.approve[0].requester_excluded


def test_the_example_is_valid_with_everything_that_it_shows() -> None:
    shown = re.sub(r"^# (?=\[|\]|    \{|[a-z]\w* = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    policy = read(shown)
    assert [rule.name for rule in policy.rules] == ["production databases", "everything"]
    assert len(policy.freezes) == 2
    assert len(policy.windows) == 1


def test_accounts_are_numbers_by_name_and_confidential_values_have_to_be_let_in() -> None:
    policy = read(GOOD + '[accounts]\n"bob@example.org" = 17\n')
    assert policy.accounts == {"bob@example.org": "17"}
    assert not any(rule.confidential for rule in policy.rules)
    assert read(GOOD.replace('name = "databases"', 'name = "databases"\nconfidential = true')).rules[0].confidential
    for wrong in ('[accounts]\nbob = "x"', "[accounts]\nbob = true", "[accounts]\nbob = 0", "[[accounts]]\nbob = 1"):
        with pytest.raises(OperatorError, match="accounts"):
            read(GOOD + wrong)
