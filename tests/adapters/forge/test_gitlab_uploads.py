"""Files beside a project at GitLab: uploaded by the project's number, once, and addressed by nothing but an address."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runner.adapters.forge.gitlab_uploads import upload
from runner.adapters.gitlab_asking import Asking
from runner.errors import OutsideError
from tests.adapters.forge.test_gitlab import forge
from tests.gitlab.app import Server
from tests.gitlab.conftest import seeded, server
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import Seeded

__all__ = ["seeded", "server"]

PNG = b"\x89PNG\r\n\x1a\n and more"


def test_a_file_comes_back_as_it_was(server: Server, seeded: Seeded) -> None:
    address = forge(server, seeded).attach("plot-1.png", PNG)
    _, _, secret, name = address.split("/")
    assert seeded.project.uploads == {(secret, name): PNG}
    assert any(path.endswith(f"/projects/{seeded.project.id}/uploads") for _, path, *_ in server.asked)


def test_the_same_bytes_go_up_once_and_a_lost_answer_leaves_one_file_that_nobody_sees(
    server: Server, seeded: Seeded
) -> None:
    bot = forge(server, seeded)
    server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/uploads"))
    address = bot.attach("plot.png", PNG)
    assert bot.attach("again.png", PNG) == address
    assert len(seeded.project.uploads) == 2


@pytest.mark.parametrize(
    "url", ["", "/uploads/x) @all ![](y", "https://evil.example/x.png", "/uploads/" + "0" * 32 + "/a b.png"]
)
def test_an_answer_that_is_more_than_an_address_is_not_written_anywhere(server: Server, url: str) -> None:
    project = SimpleNamespace(upload=lambda _name, *, filedata: {"url": url, "markdown": filedata})
    with pytest.raises(OutsideError):
        upload(Asking(server.base, "token"), project, name="plot.png", data=PNG)
