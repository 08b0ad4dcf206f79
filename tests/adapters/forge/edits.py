"""What somebody does to the branch by hand: the small steps that attacks are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from runner.ports.forge import IssueId
from runner.repository.sshsig import encode
from tests.adapters.forge.site import Site

FIRST = IssueId("1")


def two_issues(site: Site) -> None:
    alice, bob = site.forge("alice@x"), site.forge("bob@x")
    for title in ("one", "two"):
        issue = alice.open_issue(title, f"description of {title}").id
        bob.comment(issue, f"first of {title}")
        alice.comment(issue, f"second of {title}")


def entry(path: Path, at: int, issue: int = 1) -> Path:
    return path / "issues" / f"{issue:05d}" / f"{at:05d}.json"


def signature(file: Path) -> Path:
    return file.with_name(file.name + ".sig")


def change(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_bytes()) | fields))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def add(site: Site, **fields: object) -> Callable[[Path], None]:
    """An attack that adds a well-formed entry with Mallory's signature, or another one."""

    def attack(path: Path) -> None:
        at = len(list(entry(path, 0).parent.glob("*.json")))
        last = entry(path, at - 1).read_bytes()
        blank = {"project": "p1", "issue": 1, "number": at, "author": "alice@x", "time": "2026-11-23T03:00:00Z"}
        rest = {"nonce": "0" * 32, "prev": digest(last), "kind": "comment", "body": "/runbook status"}
        key = site.key(str(fields.pop("signed_by", "mallory@x")))
        namespace = str(fields.pop("namespace", "runbook-comment"))
        payload = json.dumps({name: one for name, one in (blank | rest | fields).items() if one is not None}).encode()
        entry(path, at).write_bytes(payload)
        signature(entry(path, at)).write_text(
            encode(payload, public_key=key.public_key, namespace=namespace, sign=key.sign)
        )

    return attack
