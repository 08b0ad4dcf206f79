"""A stand-in for a GitLab server, started by hand: `python -m tests.gitlab [--port N] [--premium]`.

It prints its address, people and tokens as one line of JSON, and runs until it is stopped; what it holds is gone then.
It is stateful, with real Git repositories, answers what GitLab's published contract says for the part of the API that
it implements, and 501 for the rest, which fails the test that asked.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.gitlab.running import serving
from tests.gitlab.seed import seed
from tests.gitlab.site import Tier


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.gitlab", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port; any free one without")
    parser.add_argument("--premium", action="store_true", help="with what GitLab Premium has")
    options = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    tier = Tier.PREMIUM if options.premium else Tier.FREE
    with (
        tempfile.TemporaryDirectory(prefix="gitlab-") as folder,
        serving(Path(folder), tier=tier, port=options.port) as server,
    ):
        seeded = seed(server)
        said = {
            "url": server.base,
            "tier": tier.value,
            "project": {"id": seeded.project.id, "path": seeded.project.path},
            "git": f"{server.base}/{seeded.project.path}.git",
            "tokens": seeded.tokens,
        }
        print(json.dumps(said), flush=True)  # noqa: T201 - this command prints
        ended.wait()
        for line in server.contract.broken if server.contract else ():
            print(f"not as GitLab: {line}", file=sys.stderr)  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
