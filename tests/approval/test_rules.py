from __future__ import annotations

from runner.approval.policy import read
from runner.approval.rules import People
from runner.ports.forge import PersonId

POLICY = read(
    """
[groups]
dba = ["bob"]
[[rule]]
name = "production"
target = ["prod/*"]
request = ["*"]
approve = {count = 1, from = ["@dba"]}
isolation = "bwrap"
[[rule]]
name = "risky"
risk = "high"
request = ["*"]
approve = {count = 1, from = ["carol"]}
[[rule]]
name = "rest"
runbook = "disk-*"
request = ["*"]
approve = {count = 0}
"""
)


def name(runbook: str, risk: str, target: str) -> str | None:
    rule = POLICY.rule_for(runbook=runbook, risk=risk, target=target)
    return rule.name if rule else None


def test_the_first_rule_in_the_file_that_matches_speaks() -> None:
    assert name("disk-cleanup", "high", "prod/web-1") == "production"
    assert name("disk-cleanup", "high", "dev/web-1") == "risky"
    assert name("disk-cleanup", "low", "dev/web-1") == "rest"


def test_where_no_rule_matches_none_speaks() -> None:
    assert name("db-drop", "low", "dev/web-1") is None


def test_rules_of_several_targets_come_once_each() -> None:
    targets = ("prod/1", "prod/2", "dev/1")
    rules = POLICY.rules_for(runbook="disk-cleanup", risk="low", targets=targets)
    assert [rule.name for rule in rules] == ["production", "rest"]


def test_the_least_isolation_is_the_strictest_of_all_targets() -> None:
    assert POLICY.least_isolation(runbook="disk-cleanup", risk="low", targets=("dev/1", "prod/1")) == "bwrap"
    assert POLICY.least_isolation(runbook="disk-cleanup", risk="low", targets=("dev/1",)) == "none"


def test_approvers_are_those_of_any_requirement() -> None:
    rule = POLICY.rules[0]
    assert rule.approvers_include(PersonId("bob"))
    assert not rule.approvers_include(PersonId("carol"))


def test_people_read_as_they_were_written() -> None:
    assert str(People(written=("@dba", "*"))) == "@dba, any member"
    assert str(People()) == "nobody"
