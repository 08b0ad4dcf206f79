"""D23 to D29: this machine: its key, its private files, what it runs with; and runbooks that it would refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.approval.rules import ISOLATION
from runner.doctor.facts import Broken, Facts
from runner.doctor.finding import Check, Remark, Who, fine, not_checked, warning, wrong
from runner.doctor.people import policy
from runner.ports.premises import Unseen

LEAST_GIT = (2, 34)
"""The first version that signs and verifies with SSH keys."""
LITTLE, NOTHING = 1 << 30, 100 << 20
"""Bytes of room under which it is told, and under which the next run may already fail."""
MOST = 5
"""Runbooks that are named one by one."""


def admitted(facts: Facts) -> Iterator[Remark]:
    """D23: this machine's key may write to the ledger. A machine without one does not supervise, and is not judged."""
    key, keys = facts.machine.key, facts.papers.keys
    if key is None:
        return
    if isinstance(key, Broken):
        yield wrong(key.wrong, fix=key.fix)
    elif isinstance(keys, Broken):
        yield wrong(keys.wrong, fix=keys.fix)
    elif isinstance(keys, Unseen):
        yield not_checked(keys)
    elif key in facts.papers.former:
        told = "this machine's key was revoked: nothing that it signs counts any more"
        yield wrong(told, fix=f"remove {facts.machine.state / 'key'}, then: runbook init --join")
    elif key not in keys:
        fix = f"on a machine that may write already: runbook init --admit '{key}'"
        yield wrong("this machine's key was never let in, so it cannot write to the ledger", fix=fix)
    else:
        yield fine(f"{key[-12:]}, one of {len(keys)} that may write")


def private(facts: Facts) -> Iterator[Remark]:
    """D24: nobody else reads the key, the secrets and what opens stores."""
    for path, mode in facts.machine.loose:
        what = "700" if path.is_dir() else "600"
        yield wrong(f"others may read {path} (mode {mode:04o})", fix=f"chmod {what} {path}, and renew what is in it")
    if not facts.machine.loose:
        yield fine(f"{facts.machine.state} is its owner's alone")


def linted(facts: Facts) -> Iterator[Remark]:
    """D25: no runbook on the protected branch would be refused by lint."""
    bad = [(name, errors) for name, errors in facts.papers.runbooks if errors]
    for name, errors in bad[:MOST]:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        yield wrong(f"{name}: {errors[0]}{more}", fix=f"runbook lint runbooks/{name}.ipynb", who=Who.AUTHOR)
    if len(bad) > MOST:
        yield wrong(f"{len(bad) - MOST} more runbooks have errors", fix="runbook lint", who=Who.AUTHOR)
    if not bad:
        yield fine(f"{len(facts.papers.runbooks)} runbooks on {facts.settings.branch}")


def git(facts: Facts) -> Iterator[Remark]:
    """D26: Git is new enough."""
    least, found = ".".join(map(str, LEAST_GIT)), re.match(r"(\d+)\.(\d+)", facts.machine.git)
    if found and (int(found[1]), int(found[2])) >= LEAST_GIT:
        yield fine(facts.machine.git)
    else:
        yield wrong(f"Git is {facts.machine.git or 'not there'}", fix=f"install Git {least} or newer")


def isolated(facts: Facts) -> Iterator[Remark]:
    """D27: this machine can isolate cells as policy demands."""
    if facts.settings.executor != "local":
        return
    found, reached = policy(facts), facts.machine.isolation
    demanded = {rule.name: rule.isolation for rule in found.rules} if found else {}
    short = [name for name, least in demanded.items() if ISOLATION[reached] < ISOLATION[least]]
    fix = "apt install bubblewrap, on a host that allows user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
    for name in short:
        told = f'rule "{name}" demands {demanded[name]}, and this machine gives {reached}: its runs are refused'
        yield wrong(told, fix=fix)
    if not short and reached == "bwrap":
        yield fine("cells run in a sandbox (bwrap)")
    elif not short:
        yield fine(f"policy demands no more than this machine gives ({reached}): cells run as the runner's own user")


def room(facts: Facts) -> Iterator[Remark]:
    """D28: there is room for what runs leave."""
    free, where = facts.machine.free, facts.machine.state
    told = f"{free / (1 << 30):.1f} GiB are free for {where}"
    fix = f"make room on the disk of {where}; environments can be removed and are built again: {where.parent}"
    if free < NOTHING:
        yield wrong(told, fix=fix)
    elif free < LITTLE:
        yield warning(told, fix=fix)
    else:
        yield fine(told)


def stores(facts: Facts) -> Iterator[Remark]:
    """D29: each secret store can be opened by this machine; no secret is read for that."""
    if facts.machine.key is None or facts.settings.executor != "local":
        return
    for one in facts.machine.stores:
        if isinstance(one.problem, Unseen):
            yield not_checked(one.problem)
        elif one.problem is not None:
            yield wrong(f"{one.name}: {one.problem.wrong}", fix=one.problem.fix)
        else:
            yield fine(one.name)


CHECKS = (
    Check(number="D23", title="This machine may write to the ledger", judge=admitted),
    Check(number="D24", title="Private files are private", judge=private),
    Check(number="D25", title="Runbooks are without errors", judge=linted),
    Check(number="D26", title="Git is new enough", judge=git),
    Check(number="D27", title="Cells are isolated as policy demands", judge=isolated),
    Check(number="D28", title="There is room on the disk", judge=room),
    Check(number="D29", title="Secret stores can be opened", judge=stores),
)
