"""Facts of a place where everything is fine, for tests that make one thing wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from runner.config import Settings
from runner.doctor.facts import Credential, Facts, Machine, Papers, Scratch, Vouching
from runner.doctor.finding import Check, Finding, Standing, examined
from runner.ports.forge import PersonId
from runner.ports.premises import Access, Delivery, Hook, Member, Premises, Protection, Skew, Token

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BOT = PersonId("bot")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJ2Y0Uoe2rTT5bR9S0HBYdkUhY0e3l4qTBm0F4mUm3M"
POLICY = """\
[groups]
team = ["alice", "bob", "carol"]

[[rule]]
name = "by two people"
request = ["@team"]
approve = {count = 1, from = ["@team"]}
"""
EVENTS = frozenset({"issues", "note", "confidential_issues", "confidential_note", "merge_requests"})
HOOK = Hook(
    number=7,
    url="https://runner.example.org/webhook",
    events=EVENTS,
    verified=True,
    signed=True,
    secret=False,
    state="executable",
    deliveries=(Delivery(trigger="note_hooks", status=200),),
)


def people(**levels: int) -> tuple[Member, ...]:
    """Members by their levels."""
    return tuple(Member(name=PersonId(name), level=level) for name, level in levels.items())


def place(**changed: Any) -> Facts:
    """A project at GitLab with nothing wrong; `premises`, `papers`, `machine` and `settings` are changes of those."""
    premises = Premises(
        skew=Skew(seconds=0.4, beside="GitLab"),
        token=Token(owner=BOT, scopes=frozenset({"api"}), expires=date(2027, 5, 1)),
        members=people(bot=30, alice=30, bob=40, carol=30),
        protections=(
            Protection(pattern="main", push=(Access(level=0),), merge=(Access(level=40),), force=False),
            Protection(pattern="evidence", push=(Access(level=30),), merge=(Access(level=40),), force=False),
        ),
        hooks=(HOOK,),
    )
    machine = Machine(
        git="2.39.5",
        isolation="bwrap",
        free=50 << 30,
        state=Path("/state/lab"),
        key=KEY,
        credentials=(Credential(helper="store", file=Path("/home/runner/.git-credentials"), mode=0o600),),
        vouching=Vouching(signing=1, plain=False),
    )
    settings = Settings(
        project="lab", forge="gitlab", gitlab="https://gitlab.example.org", gitlab_project="ops/runbooks", bot=BOT
    )
    return Facts(
        settings=replace(settings, **changed.pop("settings", {})),
        now=NOW,
        premises=replace(premises, **changed.pop("premises", {})),
        scratch=(Scratch(prefix="runbook-heartbeat/", rewritten=True), Scratch(prefix="runbook/", rewritten=False)),
        papers=replace(
            Papers(policy=POLICY, signers="", runbooks=(("count", ()),), keys=frozenset({KEY})),
            **changed.pop("papers", {}),
        ),
        machine=replace(machine, **changed.pop("machine", {})),
        **changed,
    )


def said(checks: Iterable[Check], number: str, facts: Facts) -> list[tuple[Standing, str]]:
    """How one check stands and what it says."""
    return [(one.standing, one.says) for one in found(checks, number, facts)]


def found(checks: Iterable[Check], number: str, facts: Facts) -> list[Finding]:
    """The findings of one check; whatever is not fine says how to correct it."""
    findings = [one for one in examined(facts, checks) if one.number == number]
    assert all(bool(one.fix) is (one.standing is not Standing.FINE) for one in findings)
    return findings
