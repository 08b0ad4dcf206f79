"""Files that are shown in comments: pictures, mostly."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.gitlab.answers import Answer, bad, not_found
from tests.gitlab.call import Call, on
from tests.gitlab.site import Level


@on("POST", "/projects/{id}/uploads")
def upload(call: Call) -> Answer:
    """Take a file, and say how it is written in Markdown."""
    call.needs(Level.GUEST)
    given = call.given.get("file")
    if not isinstance(given, tuple):
        raise bad({"error": "file is missing"})
    name, data = given
    secret = hashlib.sha256(f"{call.site.number()}".encode()).hexdigest()[:32]
    call.project.uploads[secret, name] = data
    url = f"/uploads/{secret}/{name}"
    body: dict[str, Any] = {
        "id": call.site.number(),
        "alt": name.rpartition(".")[0] or name,
        "url": url,
        "full_path": f"/-/project/{call.project.id}{url}",
        "markdown": f"![{name.rpartition('.')[0] or name}]({url})",
    }
    return Answer(status=201, body=body)


@on("GET", "/projects/{id}/uploads/{secret}/{filename}")
def uploaded(call: Call) -> Answer:
    """The file itself."""
    data = call.project.uploads.get((call.parts["secret"], call.parts["filename"]))
    if data is None:
        raise not_found()
    return Answer(body=data, media="application/octet-stream")
