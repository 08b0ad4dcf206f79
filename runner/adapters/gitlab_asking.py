"""Asking GitLab: one fixed address, a time limit, reads that are repeated, writes that never are.

GitLab has no idempotency keys, so a write whose answer was lost may have happened: the caller finds its marker in the
next round. Whatever goes wrong is told as one of our errors, by who acts next; no token and no address is in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from runner.errors import OperatorError, OutsideError, RequestError, RunbookError

if TYPE_CHECKING:
    from gitlab import Gitlab

TIMEOUT = 30.0
"""Seconds that GitLab has for each part of an answer."""
TRIES = 3
LONGEST_PAUSE = 20.0
"""Seconds that a read waits when GitLab asks to come back later; who has to wait longer comes back in another round."""

_AWAY = frozenset({408, 429, 500, 502, 503, 504, *range(520, 531)})
Answer = TypeVar("Answer")


class Asking:
    """A client for one GitLab that follows no redirect and repeats nothing by itself.

    Args:
        url: GitLab's address, without a path.
        token: whose words are written.
    """

    def __init__(self, url: str, token: str) -> None:
        import gitlab
        import requests

        class Patient(gitlab.Gitlab):
            """Leaves waiting to us: by itself it would sleep for as long as a server says."""

            def http_request(self, *words: Any, **given: Any) -> requests.Response:
                answer = super().http_request(*words, **{"obey_rate_limit": False, **given})
                if answer.headers.get("Content-Type", "").startswith("text/html"):
                    # A proxy's page for people: python-gitlab would hand it on as if it were an answer.
                    raise gitlab.GitlabParsingError(error_message="a page", response_code=answer.status_code)
                return answer

        self._place = (url, token)
        session = requests.Session()
        # A project that was moved, or a proxy that knows better, must not get our token.
        session.max_redirects = 0
        session.hooks["response"].append(self._note)
        self._pause = ""
        self.date = ""
        self.client: Gitlab = Patient(
            url,
            private_token=token,
            timeout=TIMEOUT,
            session=session,
            keep_base_url=True,
            retry_transient_errors=False,
            user_agent="runbook-runner",
        )

    def another(self) -> Asking:
        """A client of its own for another thread."""
        return Asking(*self._place)

    def _note(self, response: Any, **_given: Any) -> None:
        self._pause = str(response.headers.get("Retry-After", ""))
        self.date = str(response.headers.get("Date", ""))

    def read(self, doing: str, ask: Callable[[], Answer], *, missing: str = "") -> Answer:
        """Read something; asked again a few times where GitLab is busy or away.

        Args:
            doing: what for, in words.
            ask: asks once; safe to repeat.
            missing: what to say where it is not there (404).

        Raises:
            RequestError: if it is not there.
            OperatorError: if the token does not let us.
            OutsideError: if GitLab does not answer, or not with what was asked for.
        """
        for left in reversed(range(TRIES)):
            try:
                with self._told(doing, missing=missing):
                    return ask()
            except BusyError as busy:
                if not left or busy.pause > LONGEST_PAUSE:
                    raise
                time.sleep(busy.pause)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def write(self, doing: str, ask: Callable[[], Answer], *, missing: str = "") -> Answer:
        """Write something, once.

        Raises:
            RequestError: if the place is not there, or GitLab does not take it.
            OperatorError: if the token does not let us.
            OutsideError: if GitLab does not answer: whether it is written is not known then.
        """
        with self._told(doing, missing=missing):
            return ask()

    @contextmanager
    def _told(self, doing: str, *, missing: str) -> Iterator[None]:
        """Translate every way in which python-gitlab and requests fail."""
        import requests
        from gitlab.exceptions import GitlabError, GitlabParsingError, RedirectError

        try:
            yield
        except (RedirectError, requests.TooManyRedirects):
            hint = "write the project's new path into `gitlab-project`"
            raise OperatorError(doing, "GitLab says that it was moved", hint=hint) from None
        except GitlabParsingError:
            raise BusyError(doing, "GitLab's answer is not JSON") from None
        except GitlabError as error:
            raise self._refused(doing, error, missing=missing) from None
        except requests.RequestException as error:
            raise BusyError(doing, f"GitLab does not answer ({type(error).__name__})") from None

    def _refused(self, doing: str, error: Any, *, missing: str) -> RunbookError:
        status = error.response_code
        if status == HTTPStatus.NOT_FOUND and missing:
            return RequestError(doing, missing, hint="see the number; whose token it is has to be able to see it")
        if status == HTTPStatus.NOT_FOUND:
            hint = "see that the token's user is still a member there"
            return OperatorError(doing, "GitLab does not show it to this token (404)", hint=hint)
        if status in {401, 403}:
            hint = "see that the token has not expired and may do this"
            refusal = ForbiddenError if status == HTTPStatus.FORBIDDEN else OperatorError
            return refusal(doing, f"GitLab refused the token ({status})", hint=hint)
        if status in _AWAY:
            pause = float(self._pause) if self._pause.isdigit() else 1.0
            return BusyError(doing, f"GitLab answered {status}", pause=pause)
        words = " ".join(str(error.error_message).split())[:300]
        kind = ConflictError if status == HTTPStatus.CONFLICT else RequestError
        return kind(doing, f"GitLab refused it ({status}): {words}", hint="correct it and try again")


class ConflictError(RequestError):
    """What was to be made is there already (409)."""


class ForbiddenError(OperatorError):
    """GitLab knows whose token it is, and does not let them do this."""


class BusyError(OutsideError):
    """GitLab is away or busy; `pause` is how many seconds it asks for."""

    def __init__(self, doing: str, wrong: str, *, pause: float = 1.0) -> None:
        super().__init__(doing, wrong, hint="nothing is lost; it is tried again")
        self.pause = max(0.5, pause)
