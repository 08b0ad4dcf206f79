"""What a supervisor works with for one round: the opened clone, the ledger, the forge, the policy as it is now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from runner.approval import policy as policies
from runner.approval.rules import Policy
from runner.digest import sha256
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.evidence import layout
from runner.ledger.chain import Ledger, Writer
from runner.ledger.event import Event
from runner.plan import plan as plans
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.executor import Executor
from runner.ports.forge import PersonId
from runner.ports.review import ReviewedForge
from runner.wiring import POLICY, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything at hand.

    Attributes:
        me: what this machine is called in starts.
        hand: who writes to the ledger; None for a desk that is only read at.
        policy_problem: why there is no policy; then everything is denied with that reason.
    """

    workspace: Workspace
    ledger: Ledger
    forge: ReviewedForge
    executor: Executor
    me: str
    hand: Writer | None
    policy: Policy
    policy_problem: str
    now: Callable[[], datetime]

    @property
    def writer(self) -> Writer:
        """Who writes to the ledger.

        Raises:
            OperatorError: at a desk that is only read at.
        """
        if self.hand is None:
            raise OperatorError("writing to the ledger", "this desk is only read at", hint="run `runbook init --join`")
        return self.hand

    @property
    def halt(self) -> Event | None:
        """The halt in force: nothing starts. None while everything may."""
        number = self.ledger.state.halted
        return None if number is None else self.ledger.cache.event(number)

    def policy_at(self, commit: str) -> Policy | None:
        """The policy at a commit; None where there is none that can be read."""
        data = self.workspace.objects.read(commit, POLICY)
        try:
            return policies.read(data.decode()) if data is not None else None
        except (OperatorError, UnicodeDecodeError):
            return None

    def members(
        self, people: Iterable[PersonId], *, accounts: Iterable[tuple[PersonId, str]] = (), lately: bool = True
    ) -> frozenset[PersonId]:
        """Those of some people who are members of the project.

        Args:
            people: by name.
            accounts: of some of these names, the account that is meant: who has taken the name over is not. Nor is
                anybody whose name policy has under another account.
            lately: as the forge said for this look; else it is asked again.
        """
        meant: dict[PersonId, set[str]] = {}
        for person, account in (*accounts, *self.policy.accounts.items()):
            if account:
                meant.setdefault(person, set()).add(account)
        # Under two accounts a name is two people, and nobody knows which of them is a member.
        found = self.forge.members(people, lately=lately)
        return frozenset(person for person, account in found.items() if meant.get(person, set()) <= {account})

    def plan(self, run: Run) -> Plan:
        """The exact plan of a run, from the evidence branch, checked against its digest.

        Raises:
            IntegrityError: if the file is missing or is not what was approved.
        """
        data = self.workspace.objects.read(self.ledger.tip or "", layout.plan_file(run.id))
        if data is None or sha256(data) != run.digest:
            raise IntegrityError(f"reading the plan of {run.id}", "plan.json is not the one that the ledger names")
        return plans.read(data)


@contextmanager
def open_desk(
    workspace: Workspace,
    *,
    now: Callable[[], datetime],
    executor: Executor | None = None,
    fresh: float = 0.0,
    since: float | None = None,
) -> Iterator[Desk]:
    """Open everything for one round, on the newest state of the remote.

    Args:
        workspace: the clone.
        now: the clock.
        executor: one that is kept from round to round; else one is made.
        fresh: how many seconds old the remote's last answer may be. What we wrote since was written on top of it.
        since: what was read from the forge since then, in monotonic seconds, will do for this look; by default nothing.

    Raises:
        OutsideError: if the remote does not answer.
        OperatorError: if this machine may not write to the ledger.
    """
    newest = workspace.refreshed(fresh=fresh)
    with closing(newest.ledger()) as ledger:
        ledger.refresh(fetch=False)
        writer = _hand(newest, ledger)
        forge = newest.forge_as_bot(fetched=True, since=time.monotonic() if since is None else since)
        yield _desk(newest, ledger, forge=forge, executor=executor or newest.executor(), hand=writer, now=now)


@contextmanager
def away_desk(workspace: Workspace, *, now: Callable[[], datetime]) -> Iterator[Desk]:
    """Open everything as it was last fetched, with this machine's key: for break-glass, and for nothing else.

    Raises:
        OperatorError: if this machine may not write to the ledger.
    """
    with closing(workspace.ledger()) as ledger:
        ledger.refresh(fetch=False)
        hand = _hand(workspace, ledger)
        forge = workspace.forge_as_person(fetched=True)
        yield _desk(workspace, ledger, forge=forge, executor=workspace.executor(), hand=hand, now=now)


@contextmanager
def reading_desk(workspace: Workspace, *, now: Callable[[], datetime]) -> Iterator[Desk]:
    """Open everything to look at: needs no key, and a remote that is away leaves what was last fetched."""
    with closing(workspace.ledger()) as ledger:
        away = False
        try:
            ledger.refresh()
        except OutsideError:
            away = True
            ledger.refresh(fetch=False)
        forge = workspace.forge_as_person(fetched=away)
        yield _desk(workspace, ledger, forge=forge, executor=workspace.executor(), hand=None, now=now)


def _hand(workspace: Workspace, ledger: Ledger) -> Writer:
    """This machine as a writer of the ledger, if it may."""
    writer = workspace.writer()
    if ledger.state.genesis is None:
        raise OperatorError("opening the ledger", "there is none yet", hint="run `runbook init`")
    if writer.signer.public_key not in ledger.state.keys:
        hint = "on a machine that may, run: runbook init --admit '" + writer.signer.public_key + "'"
        raise OperatorError("opening the ledger", "this machine's key may not write to it", hint=hint)
    return writer


def _desk(
    workspace: Workspace,
    ledger: Ledger,
    *,
    forge: ReviewedForge,
    executor: Executor,
    hand: Writer | None,
    now: Callable[[], datetime],
) -> Desk:
    policy, problem = _policy(workspace)
    return Desk(
        workspace=workspace,
        ledger=ledger,
        forge=forge,
        executor=executor,
        me=workspace.owner(),
        hand=hand,
        policy=policy,
        policy_problem=problem,
        now=now,
    )


def _policy(workspace: Workspace) -> tuple[Policy, str]:
    """The policy at the protected branch; a missing or malformed one denies everything, and says so."""
    text = workspace.text(POLICY)
    if text is None:
        return Policy(), f"there is no {POLICY} on {workspace.settings.branch}, so nothing may run"
    try:
        return policies.read(text), ""
    except OperatorError as error:
        return Policy(), str(error)
