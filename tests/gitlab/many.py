"""Many sites at one address: whoever asks is told by their token which of them they mean.

A site for each test costs a server for each test, whose address would have to be in that test's repository. Here one
server answers for all, a repository that names it may be copied, and no two sites see anything of each other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.gitlab.app import Server
from tests.gitlab.contract import FILE, Contract
from tests.gitlab.git_http import sent
from tests.gitlab.running import answering, listening
from tests.gitlab.site import Site


@dataclass(slots=True, kw_only=True)
class Many:
    """What is served at one address."""

    base: str
    _servers: dict[str, Server] = field(default_factory=dict)

    def join(self, site: Site) -> Server:
        """Answer for a site too, to all who have one of its tokens by then."""
        server = Server(site=site, base=self.base, contract=Contract() if FILE.exists() else None)
        server.application()  # which lets the site know where it is
        self._servers |= dict.fromkeys(site.tokens, server)
        return server

    def leave(self, server: Server) -> None:
        """Answer for a site no longer."""
        self._servers = {token: one for token, one in self._servers.items() if one is not server}

    async def answer(self, request: Request) -> Response:
        """Answer one request, as the site does whose token it has."""
        server = self._servers.get(sent(request.headers))
        return Response(status_code=401) if server is None else await server.answer(request)


@contextmanager
def serving_many() -> Iterator[Many]:
    """Serve no site yet, until the end of the block."""
    with listening() as place:
        many = Many(base=f"http://127.0.0.1:{place.getsockname()[1]}")
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        with answering(Starlette(routes=[Route("/{path:path}", many.answer, methods=methods)]), place):
            yield many


def copied(site: Site, folder: Path, *, mark: str) -> Site:
    """The same site once more, with other tokens: what is done at one of them is not seen at the other.

    Args:
        site: what is copied.
        folder: where the copy's repositories lie.
        mark: what makes the tokens others.
    """
    made = Site(folder, tier=site.tier, clock=site.clock)
    with site.lock:
        # In one go, so that whoever is one object there is one object here.
        held = (site.users, site.tokens, site.groups, site.projects)
        made.users, tokens, made.groups, made.projects = copy.deepcopy(held)
        first = site.number()
        while made.number() < first:
            pass
    for token in tokens.values():
        token.value = f"{token.value.partition('.')[0]}.{mark}"
    made.tokens = {token.value: token for token in tokens.values()}
    return made
