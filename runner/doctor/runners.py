"""D17 and D31: pipelines can be started and are carried out, where the executor is GitLab CI."""

from __future__ import annotations

from collections.abc import Iterator

from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.ports.premises import Blind, Runner, Unseen

PAGE = "Settings > CI/CD > Runners"
TRIGGER = "runbook-trigger"
"""The user under whose name Git keeps the token that starts pipelines (`executors.TRIGGER`)."""


def online(facts: Facts) -> Iterator[Remark]:
    """D17: every zone has a runner that carries its tag, is online and takes jobs."""
    for tag, found in facts.premises.runners.items():
        if isinstance(found, Unseen):
            yield not_checked(found)
            continue
        yield from _open(tag, found)
        ready = [one.name for one in found if one.online and not one.paused]
        if ready:
            yield fine(f"for the tag {tag}: {', '.join(ready)}")
        elif not found:
            fix = f"{PAGE}: register one with the tag {tag}, or correct zones in [tool.runbook]"
            yield wrong(f"no runner of the project carries the tag {tag}", fix=fix)
        elif any(one.online for one in found):
            fix = f"{PAGE}: let it take jobs again"
            yield wrong(f"every runner with the tag {tag} that is online is paused", fix=fix)
        else:
            names = ", ".join(one.name for one in found)
            yield wrong(
                f"no runner with the tag {tag} is online: {names}", fix="there: gitlab-runner status, then start"
            )


def _open(tag: str, found: tuple[Runner, ...]) -> Iterator[Remark]:
    """Runners that would take other jobs than ours: whoever may push a branch could have them carry out anything."""
    for one in found:
        loose = [
            word for word, so in (("unprotected branches", one.protected is False), ("no tag", one.untagged)) if so
        ]
        if loose:
            fix = f"{PAGE}: edit {one.name}: tick Protected, untick Run untagged jobs"
            yield warning(f"{one.name}, with the tag {tag}, takes jobs of {' and of '.join(loose)} too", fix=fix)
        elif one.protected is None:
            why = f"whether {one.name} takes jobs of protected branches alone is not shown to this token"
            yield not_checked(Unseen(why=why, blind=Blind.RIGHT))


def started(facts: Facts) -> Iterator[Remark]:
    """D31: a pipeline can be started on the protected branch, without giving the runner a right to that branch."""
    settings = facts.settings
    if settings.executor != "gitlab-ci":
        return
    server = settings.gitlab.replace("://", f"://{TRIGGER}:%s@", 1)
    keep = f"printf 'url={server}\\n' TOKEN | git credential approve, in the runner's clone"
    if not facts.papers.pipeline:
        fix = "copy the .gitlab-ci.yml that comes with runbook-runner, and merge it"
        yield wrong(f"there is no .gitlab-ci.yml on {settings.branch}, so no job takes work", fix=fix)
    if facts.machine.key is not None and not facts.machine.trigger:
        fix = f"Settings > CI/CD > Pipeline trigger tokens: a maintainer adds one; then {keep}"
        yield wrong(
            f"this clone has no trigger token: who may not merge to {settings.branch} starts no pipeline", fix=fix
        )
    elif facts.papers.pipeline:
        yield fine("there is a configuration" + (", and a trigger token" if facts.machine.trigger else ""))


CHECKS = (Check(number="D17", title="Each zone has a runner", judge=online),)
LATER = (Check(number="D31", title="Pipelines can be started", judge=started),)
