"""What a start says of the merge that approved it."""

from __future__ import annotations

from runner.digest import Wire


class Merged(Wire):
    """The review whose merge approved a proposal: where it is, the merged commit, who merged it and who said yes.

    `approved_by` are all who did, as the forge said; the start's `approvals` name the events of those who count.
    """

    review: str
    url: str
    commit: str
    by: str
    approved_by: tuple[str, ...] = ()
