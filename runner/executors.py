"""Which executor a project has. Like `wiring` it knows adapters; each is imported when it is needed.

It gives the executor at GitLab what adapters may not know: policy's patterns, the ledger's envelopes, and what an order
can lead to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner import config
from runner.config import Settings
from runner.errors import OperatorError
from runner.ports.executor import Executor
from runner.ports.signer import Signer
from runner.repository import credential
from runner.repository.objects import Objects
from runner.repository.repository import Repository

if TYPE_CHECKING:
    from runner.adapters.executor.gitlab_pipelines import Pipelines

TRIGGER = "runbook-trigger"
"""The user under whose name Git's credential helpers keep the token that starts pipelines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One clone with what belongs to it, as a workspace has it.

    `keys` are those that speak, or spoke, for the runner.
    """

    objects: Objects
    settings: Settings
    state: Path
    secrets: Path
    signer: Callable[[], Signer]
    keys: Callable[[], tuple[str, ...]]
    now: Callable[[], datetime]


def choose(site: Site, *, spares: int = 0) -> Executor:
    """Open the executor that the settings name; so many `spares` are kept ready, where it can do that.

    Raises:
        OperatorError: if there is none of that name.
    """
    match site.settings.executor:
        case "local":
            return _local(site, spares=spares)
        case "gitlab-ci":
            return _gitlab_ci(site)
        case name:
            hint = 'set executor = "local" in [tool.runbook]'
            raise OperatorError("choosing the executor", f"there is no executor {name!r}", hint=hint)


def _local(site: Site, *, spares: int) -> Executor:
    from runner.adapters.executor.local import LocalExecutor
    from runner.execution.kind import Kind

    repository = site.objects.repository
    hidden = (site.state, site.secrets, *repository.folders)
    command = config.worker_command(repository.path, hidden=hidden)
    environment, kinds = config.worker_environment(), [str(Kind())] * spares
    return LocalExecutor(site.state / "spool", command=command, environment=environment, kinds=kinds)


def _gitlab_ci(site: Site) -> Executor:
    from runner.adapters.executor.gitlab_ci import GitLabCi
    from runner.adapters.executor.gitlab_looking import Outside
    from runner.execution import returned
    from runner.ledger.envelope import make_envelope, open_envelope

    outside = Outside(
        zone=partial(zone_of, site.settings),
        sign=lambda payload, kind: make_envelope(payload, payload_type=kind, signer=site.signer()),
        opened=lambda data, kind: open_envelope(data, keys=site.keys(), payload_type=kind),
        check=returned.check,
        nothing=lambda sent, said, cancelled: returned.nothing(sent, said, cancelled=cancelled, now=site.now()),
        now=site.now,
    )
    root = site.state / "pipelines"
    return GitLabCi(root, objects=site.objects, pipelines=partial(_pipelines, site), outside=outside)


def _pipelines(site: Site) -> Pipelines:
    """The project's pipelines, with the tokens that Git's credential helpers have.

    Raises:
        OperatorError: if there is none for the server.
    """
    from runner.adapters.executor.gitlab_pipelines import Pipelines
    from runner.adapters.gitlab_asking import Asking

    settings, repository = site.settings, site.objects.repository
    token, trigger = credential.token(repository, settings.gitlab), trigger_token(repository, settings.gitlab)
    trigger = trigger if trigger != token else ""
    return Pipelines(
        Asking(settings.gitlab, token), project=settings.gitlab_project, ref=settings.branch, trigger=trigger
    )


def trigger_token(repository: Repository, server: str) -> str:
    """The token that starts pipelines, if Git keeps one here; else empty."""
    found = credential.password(repository, server, user=TRIGGER) or ""
    # A helper that knows one token for everybody gives that; GitLab's own mark tells them apart.
    return found if "glptt-" in found else ""


def zone_of(settings: Settings, target: str) -> str | None:
    """The tag of the runners that reach a target: that of the first pattern which fits; None where none does."""
    from runner.approval.glob import matches

    return next((tag for pattern, tag in settings.zones if matches(pattern, target)), None)
