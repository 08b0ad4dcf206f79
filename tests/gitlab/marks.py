"""Labels on issues and merge requests: unknown ones are made, and on Premium those of one scope exclude each other."""

from __future__ import annotations

from collections.abc import Sequence

from tests.gitlab.call import Call
from tests.gitlab.site import Event, Issue, MergeRequest, Tier


def relabel(call: Call, one: Issue | MergeRequest, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Add and remove labels in one step, and note which came and went."""
    before = list(one.labels)
    kept = [name for name in before if name not in remove or name in add]
    for name in add:
        call.project.labels.setdefault(name, call.site.number())
        scope = name.rpartition("::")[0]
        if scope and call.site.tier is Tier.PREMIUM:
            kept = [other for other in kept if other.rpartition("::")[0] != scope]
        if name not in kept:
            kept.append(name)
    one.labels[:] = kept
    if not isinstance(one, Issue):
        return
    changes = [("remove", name) for name in before if name not in kept]
    changes += [("add", name) for name in kept if name not in before]
    for action, name in changes:
        event = Event(id=call.site.number(), user=call.user, created=call.now(), action=action, label=name)
        one.label_events.append(event)
