"""Git over HTTP: Git's own `git http-backend`, behind the same tokens as the API."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.gitlab.answers import Answer
from tests.gitlab.call import Call
from tests.gitlab.pushing import protection, pushed
from tests.gitlab.repository import Repository
from tests.gitlab.site import Level, Project, Site, Token

_UNKNOWN = Answer(
    status=401,
    body=b"HTTP Basic: Access denied.\n",
    media="text/plain",
    headers={"WWW-Authenticate": 'Basic realm="GitLab"'},
)


def sent(headers: Mapping[str, str]) -> str:
    """What a request sends as a token, however it does that."""
    value = headers.get("private-token", "")
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        value = rest
    elif scheme.lower() == "basic":
        value = base64.b64decode(rest).decode(errors="replace").partition(":")[2]
    return value


def token_of(site: Site, headers: Mapping[str, str]) -> Token | None:
    """The token of a request, if it is good."""
    found = site.tokens.get(sent(headers))
    today = datetime.now(UTC).date()
    if found is None or found.revoked or found.user.state != "active" or (found.expires and found.expires <= today):
        return None
    return found


async def answer(
    site: Site, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, base: str
) -> Answer:
    """Serve one request of a Git client: `path` begins with the project's."""
    name, _, rest = path.lstrip("/").partition(".git/")
    project, token = site.project(name), token_of(site, headers)
    if token is None:
        return _UNKNOWN
    level = site.level(project, token.user) if project else Level.NONE
    limited = token.project is not None and project is not None and token.project != project.id
    if project is None or limited or level < Level.REPORTER:
        return Answer(status=404, body=b"The project you were looking for could not be found.\n", media="text/plain")
    writes = "git-receive-pack" in f"{rest}?{query}"
    scopes = {"api", "write_repository"} if writes else {"api", "read_api", "write_repository", "read_repository"}
    if not scopes & token.scopes or (writes and level < Level.DEVELOPER):
        return Answer(status=403, body=b"You are not allowed to do this.\n", media="text/plain")
    before = Repository(project.folder).branches()
    environment = _environment(site, project, token) | {
        "PATH_INFO": f"/{rest}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
    }
    made = await _backend(environment, body)
    if rest == "git-receive-pack":
        call = Call(
            site=site,
            method=method,
            path=path,
            query={},
            given={},
            token=token,
            base=base,
            parts={"id": str(project.id)},
        )
        with site.lock:
            pushed(call, project, before)
    return made


def _environment(site: Site, project: Project, token: Token) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_PROJECT_ROOT": str(project.folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "REMOTE_USER": token.user.username,
        "REMOTE_ADDR": "127.0.0.1",
        "STANDIN_PROTECTED": protection(site, project, token.user),
    }


async def _backend(environment: Mapping[str, str], body: bytes) -> Answer:
    """One CGI request: headers, an empty line, the body."""
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    out, _ = await process.communicate(body)
    head, _, rest = out.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode(errors="replace").split("\r\n") if ": " in line)
    status = int(lines.pop("Status", "200 OK").split()[0])
    media = lines.pop("Content-Type", "application/octet-stream")
    return Answer(status=status, body=rest, media=media, headers=lines)
