"""Runbooks that propose a change to files in Git, and a repository in which they can."""

from __future__ import annotations

from tests.stories.runbooks import made, trace

ZONE = "infra/dns/lab.zone"
OPENS = 'proposes: ["infra/dns/*.zone"]'
BEFORE = "; lab\nweb-1 A 10.0.0.1\n"
AFTER = "; lab\nweb-1 A 10.0.0.2\n"
"""What the runbook proposes."""

_PLAN = f"""from runner.toolkit import present, propose
old = present("{ZONE}") or "; lab\\n"
lines = [line for line in old.splitlines() if not line.startswith(host + " ")]
propose("{ZONE}", "\\n".join([*lines, f"{{host}} A 10.0.0.2"]) + "\\n")
"""
_CHANGE = (
    "from pathlib import Path\nfrom runner.toolkit import files, present\n"
    f"assert (files() / '{ZONE}').read_text() == present('{ZONE}')\n"
    f"(Path(folder) / 'served').write_text(present('{ZONE}'))\n"
)
_BACK = (
    "from pathlib import Path\nfrom runner.toolkit import present\n"
    f"(Path(folder) / 'served').write_text(present('{ZONE}') or '')\n"
)

SERVE = made(
    ("plan", _PLAN),
    ("change", _CHANGE + trace("count")),
    ("rollback", _BACK),
    ("verify", "assert (Path(folder) / 'served').exists()"),
    title="Serve the zone",
    more=OPENS,
)
"""It proposes a zone file, and serves what was merged."""

ONLY = made(
    ("plan", _PLAN),
    ("verify", f"from runner.toolkit import present\nassert '10.0.0.2' in present('{ZONE}')\n" + trace("count")),
    title="Propose alone",
    more=OPENS,
)
"""It acts by the merge alone."""
