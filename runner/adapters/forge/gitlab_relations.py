"""Issues of a GitLab project that have to do with each other: GitLab's issue links."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from runner.adapters.forge import gitlab_rows as rows
from runner.adapters.gitlab_asking import Asking, ConflictError
from runner.errors import OperatorError, RequestError
from runner.ports.forge import IssueId


class Relating:
    """The part of the forge about related issues."""

    _asking: Asking

    @property
    def _project(self) -> Any:
        raise NotImplementedError

    def _found(self, issue: IssueId) -> dict[str, Any]:
        raise NotImplementedError

    def relate(self, issue: IssueId, others: Collection[IssueId]) -> frozenset[IssueId]:
        """Link an issue to others of the same project; one that is linked already stays so.

        A confidential issue is linked and named only from a confidential one: we may see more than whoever asks.
        """
        if not others:
            return frozenset()
        secret = bool(self._found(issue)["confidential"])
        return frozenset(one for one in others if one != issue and self._linked(issue, one, secret=secret))

    def _linked(self, issue: IssueId, other: IssueId, *, secret: bool) -> bool:
        """Link one; False if it is not there, not for everybody, or may not be linked."""
        project, number = self._project, rows.number(issue)
        try:
            if self._found(other)["confidential"] and not secret:
                return False
            given = {"target_project_id": str(project.get_id()), "target_issue_iid": str(rows.number(other))}
            place = project.issues.get(number, lazy=True)
            self._asking.write(f"linking issue {issue}", lambda: place.links.create(given), missing="it is not there")
        except ConflictError as error:
            return "lock" not in error.wrong.lower()  # else somebody else was writing at the same moment
        except (RequestError, OperatorError):
            return False
        return True
