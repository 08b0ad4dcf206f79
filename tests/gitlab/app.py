"""The server: who asks, may they, is something to go wrong; then the operation, or 501 where there is none.

Every answer of the API is noted and held against the contract. What is not implemented is not guessed: it answers 501,
and the test that asked is told.
"""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.gitlab import api, call, git_http
from tests.gitlab.answers import Answer, RefusedError
from tests.gitlab.call import PREFIX, Call
from tests.gitlab.contract import Contract, Exchange
from tests.gitlab.deliveries import OUTBOXES, Outbox
from tests.gitlab.faults import Fault, Faults, Kind, hang
from tests.gitlab.site import Site, Token
from tests.gitlab.throttle import Throttle

MODULES = (
    "hooks",
    "issues",
    "labels",
    "merge_requests",
    "notes",
    "people",
    "pipelines",
    "protection",
    "repository",
    "runners",
    "triggers",
    "uploads",
)
"""Modules of `api/`, which fill the table of operations."""

ACTIONS = {
    ("POST", "notes"): "notes_create",
    ("POST", "issues"): "issues_create",
    ("POST", "pipeline"): "pipelines_create",
}
"""Actions with a limit of their own, by method and the end of the path."""

for _module in MODULES:
    __import__(f"{api.__name__}.{_module}")


@dataclass(slots=True, kw_only=True)
class Server:
    """A site with everything that speaks for it over HTTP."""

    site: Site
    base: str
    faults: Faults = field(default_factory=Faults)
    throttle: Throttle = field(default_factory=Throttle)
    contract: Contract | None = None
    outbox: Outbox = field(default_factory=Outbox)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path and status of every request to the API, in order."""
    asked_by: list[str] = field(default_factory=list)
    """Whose token each of them had."""
    missing: list[str] = field(default_factory=list)
    """Operations that were asked for and are not implemented, and those in which the stand-in itself failed."""

    def application(self) -> Starlette:
        """The application, for any ASGI server."""
        OUTBOXES[id(self.site)] = (self.outbox, self.base)
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=methods)])

    async def answer(self, request: Request) -> Response:
        """Answer one request, with the server's time."""
        response = await self._answered(request)
        response.headers["Date"] = format_datetime(self.site.clock(), usegmt=True)
        return response

    async def _answered(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode().partition("?")[0]
        body = await request.body()
        fault = self.faults.next(request.method, path)
        if fault is not None and fault.kind in {Kind.STATUS, Kind.HTML, Kind.HANG}:
            return await _wrong(fault)
        if path.startswith(f"{PREFIX}/"):
            made = await self._api(request, path, body)
        else:
            made = await git_http.answer(
                self.site,
                method=request.method,
                path=path,
                query=request.url.query,
                headers=request.headers,
                body=body,
                base=self.base,
            )
        return _response(made) if fault is None else _spoiled(fault, made)

    async def _api(self, request: Request, path: str, body: bytes) -> Answer:
        token = git_http.token_of(self.site, request.headers)
        if token is None:
            return self._noted(request.method, path, Answer(status=401, body={"message": "401 Unauthorized"}))
        passes, headers = self.throttle.general_for(token.user.username)
        action = ACTIONS.get((request.method, path.rpartition("/")[2]))
        if not passes or (action and not self.throttle.action_for(action, token.user.username)):
            more = headers if not passes else {}
            return self._noted(
                request.method,
                path,
                Answer(status=429, body=b"Retry later\n", media="text/plain", headers=more),
                by=token.user.username,
            )
        given = await _parameters(request, body)
        made = await run_in_threadpool(self._operation, request, path, token=token, given=given)
        return Answer(status=made.status, body=made.body, media=made.media, headers={**headers, **made.headers})

    def _operation(self, request: Request, path: str, *, token: Token, given: Mapping[str, Any]) -> Answer:
        found = call.find(request.method, path)
        if found is None:
            self.missing.append(f"{request.method} {path}")
            wrong = {"message": f"the stand-in does not implement {request.method} {path}"}
            return self._noted(request.method, path, Answer(status=501, body=wrong), by=token.user.username)
        route, parts = found
        one = Call(
            site=self.site,
            method=request.method,
            path=path,
            query=dict(request.query_params),
            given=given,
            token=token,
            base=self.base,
            parts=parts,
        )
        with self.site.lock:
            try:
                made = self._moved(one) or _allowed(one) or route.handler(one)
            except RefusedError as refused:
                made = refused.answer
            except Exception:  # noqa: BLE001 - a fault of the stand-in must fail the test, not look like GitLab's
                self.missing.append(f"{request.method} {path}: {traceback.format_exc()}")
                return Answer(status=500, body={"message": "the stand-in failed"})
        if self.contract is not None and made.status not in {301, 403}:
            exchange = Exchange(request.method, route.template, made.status, made.body, made.media)
            self.contract.judge(exchange)
        return self._noted(request.method, path, made, by=token.user.username)

    def _moved(self, one: Call) -> Answer | None:
        """A project that was moved answers with its new address."""
        name = one.parts.get("id", "")
        place = self.site.moved(name) if one.path.startswith(f"{PREFIX}/projects/") else None
        if place is None:
            return None
        rest = re.sub(rf"^{PREFIX}/projects/[^/]+", "", one.path)
        return Answer(
            status=301,
            body={"message": "moved"},
            headers={"Location": f"{self.base}{PREFIX}/projects/{place.id}{rest}"},
        )

    def _noted(self, method: str, path: str, made: Answer, *, by: str = "") -> Answer:
        self.asked_by.append(by)
        self.asked.append((method, path, made.status))
        return made


def _allowed(one: Call) -> Answer | None:
    """What the token's scopes let through."""
    if "api" in one.token.scopes or (one.method == "GET" and "read_api" in one.token.scopes):
        return None
    body = {"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided."}
    return Answer(status=403, body=body)


async def _parameters(request: Request, body: bytes) -> dict[str, Any]:
    """Query and body together; files as (name, bytes)."""
    given: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json" and body:
        read = json.loads(body)
        given |= read if isinstance(read, dict) else {}
    elif kind == "multipart/form-data":
        async with request.form() as form:
            for name, value in form.multi_items():
                given[name] = value if isinstance(value, str) else (value.filename or "file", await value.read())
    elif kind == "application/x-www-form-urlencoded":
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            if name.endswith("[]"):
                given.setdefault(name[:-2], []).append(value)
            else:
                given[name] = value
    return given


def _response(made: Answer) -> Response:
    data = made.body if isinstance(made.body, bytes) else json.dumps(made.body).encode()
    data = b"" if made.body is None else data
    headers = {**made.headers, "Content-Type": made.media} if data else dict(made.headers)
    return Response(data, status_code=made.status, headers=headers)


async def _wrong(fault: Fault) -> Response:
    if fault.kind is Kind.HTML:
        return Response("<html><body>Bad gateway</body></html>", status_code=fault.status, media_type="text/html")
    if fault.kind is Kind.HANG:
        await hang(fault)
        return Response(status_code=504)
    body = "Retry later\n" if fault.status == 429 else json.dumps({"message": f"{fault.status} ordered"})
    return Response(body, status_code=fault.status, headers=dict(fault.headers))


def _spoiled(fault: Fault, made: Answer) -> Response:
    """The true answer, in a bad way: everything that it stands for has happened."""
    whole = _response(made)
    data = bytes(whole.body)

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(data), max(1, len(data) // 20)):
            await asyncio.sleep(fault.seconds / 20)
            yield data[start : start + max(1, len(data) // 20)]

    async def cut() -> AsyncIterator[bytes]:
        yield data[: len(data) // 2 if fault.kind is Kind.CUT else 0]
        raise ConnectionResetError("ordered")

    headers = {
        name: value for name, value in whole.headers.items() if name != "content-length" or fault.kind is not Kind.SLOW
    }
    stream = slowly() if fault.kind is Kind.SLOW else cut()
    return StreamingResponse(stream, status_code=whole.status_code, headers=headers)
