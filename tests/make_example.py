"""Make `outputs/example/` again: the evidence of one real run of the demo, as files and as a Git bundle.

    python -m tests.make_example [FOLDER]

The run happens in FOLDER (by default `/srv/demo`; it must not exist yet, and is removed afterwards), because the paths
that people typed into an issue are evidence too, and a reader should not see those of somebody's machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from runner.audit.verify import read_witness

EXAMPLE = Path(__file__).resolve().parent.parent / "outputs" / "example"
PLACE = Path("/srv/demo")
HOST = "ops-1"


def make(place: Path, *, into: Path) -> None:
    """Run the demo in a new folder and keep what it left as an example."""
    if place.exists():
        sys.exit(f"{place} exists; name a folder that does not")
    command = [sys.executable, "-m", "runner.cli.main", "demo", "--dir", str(place), "--json"]
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"RUNBOOK_HOST": HOST})
        told = json.loads(done.stdout.splitlines()[-1])
        for room in ("ledger", "runs"):
            shutil.rmtree(into / room, ignore_errors=True)
        into.mkdir(parents=True, exist_ok=True)
        remote = told["repository"]
        branches = ("main", "issues", "evidence")
        bundle = ["git", "-C", remote, "bundle", "create", "--quiet", str(into / "ledger.bundle"), *branches]
        subprocess.run(bundle, check=True)
        archive = subprocess.run(
            ["git", "-C", remote, "archive", "evidence", "outputs"], check=True, stdout=subprocess.PIPE
        ).stdout
        subprocess.run(["tar", "-x", "--strip-components=1", "-C", str(into)], input=archive, check=True)
        (into / "genesis.txt").write_text(told["genesis"] + "\n")
        heads = read_witness((place / "witness.txt").read_text())
        (into / "witness.txt").write_text("".join(f"{number} {digest}\n" for number, digest in sorted(heads.items())))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE, into=EXAMPLE)
