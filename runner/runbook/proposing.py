"""What a header's `proposes:` may hold: globs of files in Git. The rules of such paths are the toolkit's."""

from __future__ import annotations

from runner.request.strict_yaml import Node
from runner.toolkit import paths

MOST = 16
EXAMPLE = "infra/dns/*.yaml"


def globs(value: Node) -> tuple[str, ...]:
    """Read the globs.

    Raises:
        ValueError: saying what would be accepted.
    """
    written = value if isinstance(value, list) else [value]
    if not written or len(written) > MOST:
        raise ValueError(f"a glob such as {EXAMPLE}, or a list of at most {MOST}")
    for one in written:
        wrong = paths.glob_fault(one) if isinstance(one, str) else "it is no text"
        if wrong:
            raise ValueError(f"globs of files from the repository's root, such as {EXAMPLE}: {wrong}")
    return tuple(dict.fromkeys(one for one in written if isinstance(one, str)))
