"""Artifacts: results that are files (a report, a dump, a picture) and belong beside the executed notebook."""

from __future__ import annotations

import base64
import re

from runner.toolkit import display

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
_MAX_BYTES = 16 * 1024 * 1024


def artifact(name: str, data: bytes | str, media_type: str = "") -> None:
    """Keep a file with the run's evidence. It is committed to Git: keep it small, and never a secret.

    Args:
        name: a plain file name.
        data: its bytes, or its text (kept as UTF-8); at most 16 MiB.
        media_type: such as `text/csv`; plain text or plain bytes if left out.

    Raises:
        ValueError: if the name, type or size is not accepted.
    """
    content = data.encode() if isinstance(data, str) else bytes(data)
    kind = media_type or ("text/plain" if isinstance(data, str) else "application/octet-stream")
    if not _NAME.fullmatch(name) or ".." in name:
        message = f"{name!a} is not a plain file name"
        raise ValueError(message)
    if not _TYPE.fullmatch(kind):
        message = f"{kind!a} is not a media type such as text/csv"
        raise ValueError(message)
    if len(content) > _MAX_BYTES:
        message = f"the artifact {name} has {len(content)} bytes (at most {_MAX_BYTES}): record its digest instead"
        raise ValueError(message)
    display.show(
        display.ARTIFACT,
        {"name": name, "media_type": kind, "data": base64.b64encode(content).decode()},
        text=f"artifact {name} ({kind}, {len(content)} bytes)",
    )
