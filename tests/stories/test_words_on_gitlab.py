"""What is said on GitLab: a rehearsal's output and its plots, shown so that nothing in them does anything, and once."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.clients import git
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.place import Place, founded
from tests.gitlab.quick_actions import NAMES
from tests.gitlab.repository import Repository
from tests.gitlab.seed import BOT
from tests.gitlab.served import at_gitlab, digest
from tests.publication.test_picture import png
from tests.stories import runbooks

_PLOT = f"from IPython.display import Image, display\ndisplay(Image(data=bytes.fromhex({png().hex()!r})))\n"
_EVIL = """\
names = {names}
for name in names:
    print(f"/{{name}} @all @bob #1 !1 ~bug")
print("```\\n/close\\n`````\\n</details>\\n<!-- -->\\n/close\\r/label ~owned\\r\\n/assign @bob\\u202e\\u200b\\x1b[31m!")
for row in range(5000):
    print("row", row)
"""


def show(names: list[str]) -> bytes:
    """A runbook whose cells print every quick action there is, and show plots."""
    return runbooks.made(
        ("read", _EVIL.format(names=names)),
        ("read", "print('y' * 300_000)"),
        ("plan", "print('Plan: 1 to add')\n" + _PLOT),
        ("change", runbooks.trace("count")),
        ("verify", _PLOT),
        title="Show",
        more="irreversible: lines are lines",
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with founded(tmp_path) as made:
        names = json.loads(NAMES.read_text(encoding="utf-8"))["names"]
        clone = made.folder / "bob"
        (clone / "runbooks" / "show.ipynb").write_bytes(show(names))
        git("add", "-A", at=clone)
        git("commit", "-qm", "Show", at=clone)
        assert git("push", "-q", "origin", "HEAD:main", at=clone, certificate=made.certificate).returncode == 0
        yield made


def test_a_rehearsal_is_shown_with_its_plots_once_and_nothing_in_it_does_anything(place: Place) -> None:
    issue = at_gitlab(place, "alice").issues.create({"title": "Show, please", "description": place.ask("show")})
    place.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/uploads"))
    place.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/notes"))
    assert place.cli(BOT, "reconcile", "--once").code == 5, "the answer to the comment was lost"
    assert place.cli(BOT, "reconcile", "--once").code in {0, 3}
    (plan,) = place.said(issue.iid)
    assert plan.splitlines()[3] == "- **Changes:** `Plan: 1 to add`"
    before, after = plan.split("<summary>What the rehearsal showed</summary>")
    assert f"/runbook approve {digest(place, issue.iid)}" in before
    assert "needs 1 more of" in before
    assert "alice" in before
    seen = place.issue(issue.iid)
    assert (seen.state, seen.labels, seen.confidential) == ("opened", ["runbook::planned"], False)
    assert [one.username for one in seen.assignees] == ["alice"], "it is her turn; Bob is assigned by no output"
    assert not re.search(r"^/(?!runbook )", plan, re.MULTILINE), "no line of it is a quick action"
    assert "\u202e" not in plan
    assert "\x1b" not in plan
    more = re.search(r"^([\d,]+) more lines in the notebook\.$", after, re.MULTILINE)
    rows = len(re.findall(r"^row \d+$", after, re.MULTILINE))
    assert more
    assert rows + int(more[1].replace(",", "")) >= 5000
    assert f"{place.server.base}/ops/runbooks/-/blob/" in after
    address = re.search(r"^!\[picture, 4 x 3\]\(/uploads/([0-9a-f]{32})/(picture-1\.png)\)$", after, re.MULTILINE)
    assert address
    assert place.seeded.project.uploads[address[1], address[2]] == png()
    at_gitlab(place, "bob").issues.get(issue.iid).notes.create({"body": f"/runbook approve {digest(place, issue.iid)}"})
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert place.times() == 1
    assert re.search(r"^!\[picture, 4 x 3\]\(/uploads/", place.said(issue.iid)[-1], re.MULTILINE)
    assert "**Result:** `succeeded`" in place.said(issue.iid)[-1]
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    kept = Repository(place.seeded.project.folder).git("ls-tree", "-r", "--name-only", "evidence")
    assert re.search(r"outputs/runs/\d+/\d+/\d+/[^/]+/artifacts/[0-9a-f]{64}\.txt", kept)
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out


SECRET = "ACME is leaving us"


def everything(place: Place) -> str:
    """All that is in the repository on any branch: contents, names and messages, and what envelopes hold."""
    bare = Repository(place.seeded.project.folder)
    said = bare.git("log", "--all", "-p", "--text", "--format=%an %ae %B")
    held = re.findall(r'"payload":"([A-Za-z0-9+/=]+)"', said)
    return said + "\n".join(b64decode(one).decode() for one in held)


def test_the_words_of_a_confidential_issue_never_reach_the_repository(place: Place) -> None:
    words = f"{SECRET}.\n\n{place.ask()}"
    alice, bob = at_gitlab(place, "alice"), at_gitlab(place, "bob")
    issue = alice.issues.create({"title": SECRET, "description": words, "confidential": True})
    place.cli(BOT, "reconcile", "--once")
    (refused,) = place.said(issue.iid)
    assert "the values given there (folder) would be in the repository for good" in refused
    assert str(place.traces) not in everything(place)
    clone = place.folder / "bob"
    policy = clone / "runbooks" / "policy.toml"
    policy.write_text(policy.read_text() + "confidential = true\n")
    git("commit", "-qam", "Values may go on record", at=clone)
    assert git("push", "-q", "origin", "HEAD:main", at=clone, certificate=place.certificate).returncode == 0
    asked = alice.issues.get(issue.iid).notes.create({"body": words})
    place.cli(BOT, "reconcile", "--once")
    plan = place.said(issue.iid)[1]
    assert "**This issue is confidential, and the record is not:**" in plan
    found = re.search(r"/runbook approve ([0-9a-f]{12})", plan)
    assert found
    bob.issues.get(issue.iid).notes.create({"body": f"/runbook approve {found[1]} because {SECRET}"})
    assert place.cli(BOT, "reconcile", "--once").code == 0
    assert place.times() == 1
    kept = everything(place)
    assert SECRET not in kept
    assert "(said on a confidential issue)" in kept
    assert "request.md" not in kept
    salt = re.search(r"with the salt `([0-9a-f]{64})`", plan)
    assert salt
    assert hashlib.sha256(f"{salt[1]}\n{asked.body}".encode()).hexdigest() in kept
    assert salt[1] not in kept
    git("fetch", "-q", "origin", at=place.folder / "alice", certificate=place.certificate)
    verified = place.cli("alice", "verify", "--json")
    assert verified.code == 0, verified.out
