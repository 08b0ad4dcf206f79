"""D17: somebody carries jobs out, for the executor that starts pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, wrong
from runner.ports.premises import Unseen


def online(facts: Facts) -> Iterator[Remark]:
    """D17: every zone has a runner that carries its tag, is online and takes jobs."""
    for tag, found in facts.premises.runners.items():
        if isinstance(found, Unseen):
            yield not_checked(found)
            continue
        ready = [one.name for one in found if one.online and not one.paused]
        page = "Settings > CI/CD > Runners"
        if ready:
            yield fine(f"for the tag {tag}: {', '.join(ready)}")
        elif not found:
            fix = f"{page}: register one with the tag {tag}, or correct zones in [tool.runbook]"
            yield wrong(f"no runner of the project carries the tag {tag}", fix=fix)
        elif any(one.online for one in found):
            fix = f"{page}: let it take jobs again"
            yield wrong(f"every runner with the tag {tag} that is online is paused", fix=fix)
        else:
            names = ", ".join(one.name for one in found)
            yield wrong(
                f"no runner with the tag {tag} is online: {names}", fix="there: gitlab-runner status, then start"
            )


CHECKS = (Check(number="D17", title="Each zone has a runner", judge=online),)
