"""Files that GitLab keeps beside a project so that comments can show them. They cannot be found without their address.

An upload whose answer was lost stays behind, unseen: GitLab has no way to ask for it, and it is in no comment.
"""

from __future__ import annotations

import re
from typing import Any

from runner.adapters.gitlab_asking import Asking
from runner.errors import OutsideError

_ADDRESS = re.compile(r"/uploads/[0-9a-f]{32}/[A-Za-z0-9._-]{1,100}")
"""What is written into a comment: an answer of any other form could be more than an address."""


def upload(asking: Asking, project: Any, *, name: str, data: bytes) -> str:
    """Upload a file and return its address within the project.

    Args:
        asking: the client.
        project: by its number, since python-gitlab encodes a path twice here.
        name: what the file is called.
        data: its bytes.

    Raises:
        OperatorError: if the token does not let us.
        OutsideError: if GitLab does not answer, or not with an address.
    """
    doing = f"uploading {name}"
    # Repeated as a read is: a second copy is in no comment, so it is seen by nobody.
    given = asking.read(doing, lambda: project.upload(name, filedata=data))
    address = str(given.get("url", ""))
    if not _ADDRESS.fullmatch(address):
        raise OutsideError(doing, "GitLab's answer names no address of it", hint="nothing is lost; it is tried again")
    return address
