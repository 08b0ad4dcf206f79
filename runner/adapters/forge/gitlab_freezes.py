"""Freeze periods that people keep at a GitLab project, as they are written there: two cron expressions and a zone."""

from __future__ import annotations

import time
from typing import Any

from runner.adapters.forge.gitlab_seen import Seen
from runner.adapters.gitlab_asking import Asking
from runner.errors import OutsideError
from runner.ports.forge import FreezePeriod

_PAGE = 100
FRESH = 10.0
"""Seconds for which what was read is good enough to look at; a start asks again."""
_DOING = "reading GitLab's freeze periods"


class Freezing:
    """The part of the forge about freeze periods. python-gitlab has no manager for them."""

    _asking: Asking
    _seen: Seen

    @property
    def _project(self) -> Any:
        raise NotImplementedError

    def freezes(self, *, fresh: bool = False) -> tuple[FreezePeriod, ...]:
        """Every freeze period of the project.

        Raises:
            OutsideError: if GitLab does not answer, or not with freeze periods.
            OperatorError, RequestError: if the token may not read them.
        """
        known = self._seen.freezes
        if known is not None and not fresh and time.monotonic() - known[0] < FRESH:
            return known[1]
        begun = time.monotonic()
        address, client = f"/projects/{self._project.get_id()}/freeze_periods", self._asking.client
        found = self._asking.read(
            _DOING, lambda: list(client.http_list(address, get_all=True, per_page=_PAGE)), missing="there are none here"
        )
        periods = tuple(_period(row) for row in found)
        self._seen.freezes = (begun, periods)
        return periods


def _period(row: Any) -> FreezePeriod:
    """One row; whatever lacks a field is no answer, since it may be the freeze that holds now."""
    try:
        return FreezePeriod(
            id=str(row["id"]),
            start=str(row["freeze_start"]),
            end=str(row["freeze_end"]),
            zone=str(row["cron_timezone"]),
        )
    except (KeyError, TypeError):
        raise OutsideError(_DOING, "GitLab's answer is not what it is known for", hint="try again") from None
