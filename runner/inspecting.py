"""Which adapters look at the premises for `runbook doctor`; like `wiring` it knows adapters, each imported if asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from runner.executors import trigger_token
from runner.ports.premises import Inspector
from runner.repository import credential
from runner.wiring import Workspace


def token(workspace: Workspace) -> tuple[str, str]:
    """The server of a workspace, and the token that Git has for it (empty if it has none).

    Git forgets a token as soon as a remote refuses it, so whoever wants to say that it is refused asks before Git does.
    """
    server = workspace.settings.gitlab
    return server, (credential.password(workspace.repository, server) or "") if server else ""


def triggers(workspace: Workspace) -> bool:
    """Whether Git keeps a token here that starts pipelines."""
    server = workspace.settings.gitlab
    return bool(server) and bool(trigger_token(workspace.repository, server))


def inspector(workspace: Workspace, *, now: Callable[[], datetime], own: str, eyes: str = "") -> Inspector:
    """What looks at the forge of a workspace.

    Args:
        workspace: an opened clone.
        now: this machine's clock.
        own: the token that is looked at; empty if there is none.
        eyes: another token, to look where the runner's own may not.
    """
    settings = workspace.settings
    if settings.forge != "gitlab":
        from runner.adapters.forge.local_inspection import LocalInspector

        return LocalInspector(workspace.objects, now=now)
    from runner.adapters.forge.gitlab_inspection import GitLabInspector
    from runner.adapters.gitlab_asking import Asking

    mine, other = (Asking(settings.gitlab, one) if one else None for one in (own, eyes))
    return GitLabInspector(mine, eyes=other, settings=settings, now=now)


def secret_stores(workspace: Workspace) -> Mapping[str, Callable[[], None]]:
    """For each store of the settings, what finds out whether this machine can open it; it raises what it finds."""

    def look(name: str) -> None:
        from runner.adapters.secrets.stores import open_store

        open_store(
            name,
            environment={},
            folder=workspace.secrets_folder(),
            credentials=workspace.state / "stores",
            read=lambda path: workspace.objects.read(workspace.main, path),
        ).ready()

    return {name: partial(look, name) for name in workspace.settings.secret_stores}
