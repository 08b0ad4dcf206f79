"""Ledgers made by hand: git plumbing, cryptography and ssh-keygen, and nothing of the runner's own sealing.

It reads a history into leaves, lets a test do to them whatever it likes, and writes them again with real signatures by
whatever key the test names. It is also the second opinion on the format: if it and the runner disagree, one is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

PAYLOAD_TYPE = "application/vnd.in-toto+json"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "hand",
    "GIT_AUTHOR_EMAIL": "hand@example.org",
    "GIT_COMMITTER_NAME": "hand",
    "GIT_COMMITTER_EMAIL": "hand@example.org",
}


@dataclass(slots=True)
class Leaf:
    """One commit of the evidence branch. `touched` leaves, and all after them, are written anew."""

    path: str
    statement: dict[str, Any]
    files: dict[str, bytes]
    message: str
    date: int
    commit: str = ""
    key: str = "runner"
    commit_key: str | None = "runner"
    envelope: bytes = b""
    touched: bool = False
    raw: bool = False
    """Keep `envelope` as it is, whatever the statement says."""
    extra: dict[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    mode: str = "100644"

    @property
    def predicate(self) -> dict[str, Any]:
        found: dict[str, Any] = self.statement["predicate"]
        return found

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = self.predicate["body"]
        return found

    @property
    def type(self) -> str:
        return str(self.predicate["type"])

    def file(self, ending: str) -> str:
        """The path of one of the files."""
        return next(path for path in self.files if path.endswith(ending))

    def put(self, ending: str, data: bytes, *, name_it: bool = True) -> None:
        """Replace a file, and its digest in the subject."""
        path = self.file(ending)
        self.files[path] = data
        self.touched = True
        for subject in self.statement["subject"] if name_it else ():
            if f"outputs/{subject['name']}" == path:
                subject["digest"]["sha256"] = sha(data)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pretty(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False).encode() + b"\n"


def pae(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload


@dataclass(slots=True, kw_only=True)
class Hand:
    """Somebody with a clone, plumbing, and perhaps a key. `keys` maps names to private key files."""

    repository: Path
    keys: dict[str, Path]
    branch: str = "evidence"

    def git(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", *args],
            cwd=self.repository,
            input=stdin,
            capture_output=True,
            env=ENVIRONMENT | dict(env or {}),
            check=True,
        )
        return done.stdout

    def read(self) -> list[Leaf]:
        """The history as leaves."""
        commits = self.git("rev-list", "--first-parent", "--reverse", self.branch).decode().split()
        return [self._leaf(commit) for commit in commits]

    def _leaf(self, commit: str) -> Leaf:
        listed = self.git("diff-tree", "--root", "--no-commit-id", "-r", "--name-only", "-z", commit)
        files = {path: self.git("cat-file", "blob", f"{commit}:{path}") for path in listed.decode().split("\0")[:-1]}
        path = next(path for path in files if path.startswith("outputs/ledger/"))
        envelope = files.pop(path)
        message = self.git("log", "-1", "--format=%B", commit).decode().rstrip("\n") + "\n"
        return Leaf(
            path=path,
            statement=json.loads(base64.b64decode(json.loads(envelope)["payload"])),
            files=files,
            message=message,
            date=int(self.git("log", "-1", "--format=%ct", commit)),
            commit=commit,
            envelope=envelope,
        )

    def write(self, leaves: Sequence[Leaf], *, relink: bool = True, renumber: bool = False) -> str:
        """Write the history anew from the first touched leaf on, and move the branch to it."""
        parent, prev, anew = "", "0" * 64, False
        for number, leaf in enumerate(leaves):
            anew = anew or leaf.touched or not leaf.commit
            if anew:
                if renumber:
                    self.number(leaf, number)
                if relink and not leaf.raw:
                    leaf.predicate["chain"]["prev"] = prev
                if not leaf.raw and (relink or leaf.touched):
                    leaf.envelope = self.envelope(leaf.statement, key=leaf.key)
                leaf.commit = self.commit(leaf, parent=parent)
            parent, prev = leaf.commit, sha(leaf.envelope)
        self.git("update-ref", f"refs/heads/{self.branch}", parent)
        return parent

    def number(self, leaf: Leaf, number: int) -> None:
        """Give a leaf another number everywhere."""
        old = leaf.predicate["chain"]["seq"]
        leaf.predicate["chain"]["seq"] = number
        leaf.path = f"outputs/ledger/{number // 1000:05d}/{number:08d}.dsse.json"
        leaf.message = leaf.message.replace(f"Runbook-Event: {old}\n", f"Runbook-Event: {number}\n")

    def envelope(self, statement: dict[str, Any], *, key: str) -> bytes:
        """Sign a statement."""
        payload = compact(statement)
        private = load_ssh_private_key(self.keys[key].read_bytes(), password=None)
        assert isinstance(private, Ed25519PrivateKey)
        signature = base64.b64encode(private.sign(pae(payload))).decode()
        made = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": sha(self.public(key).encode()), "sig": signature}],
        }
        return compact(made) + b"\n"

    def public(self, key: str) -> str:
        """The public line of a key."""
        done = subprocess.run(["ssh-keygen", "-y", "-f", str(self.keys[key])], capture_output=True, check=True)
        return " ".join(done.stdout.decode().split()[:2])

    def ssh(self, data: bytes, *, key: str, namespace: str) -> str:
        """An SSH signature by ssh-keygen itself."""
        command = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", str(self.keys[key])]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()

    def commit(self, leaf: Leaf, *, parent: str) -> str:
        """Write one commit from its parts."""
        index = self.repository / ".git" / "hand-index"
        index.unlink(missing_ok=True)
        more = {"GIT_INDEX_FILE": str(index)}
        if parent:
            self.git("read-tree", parent, env=more)
        lines = []
        for path, data in {leaf.path: leaf.envelope, **leaf.files, **leaf.extra}.items():
            oid = self.git("hash-object", "-w", "--stdin", stdin=data).decode().strip()
            mode = "100644" if path == leaf.path else leaf.mode
            lines.append(f"{mode} {oid}\t{path}")
        zero = "0" * len(oid)
        lines += [f"0 {zero}\t{path}" for path in leaf.removed]
        self.git("update-index", "--add", "--index-info", stdin="\n".join(lines).encode(), env=more)
        tree = self.git("write-tree", env=more).decode().strip()
        return self.commit_object(leaf, tree=tree, parents=(*((parent,) if parent else ()), *leaf.parents))

    def commit_object(self, leaf: Leaf, *, tree: str, parents: Iterable[str]) -> str:
        """Write the commit itself, signed if the leaf says by whom."""
        who = f"hand <hand@example.org> {leaf.date} +0000"
        head = "\n".join(
            [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}"],
        )
        payload = f"{head}\n\n{leaf.message}".encode()
        if leaf.commit_key:
            armoured = self.ssh(payload, key=leaf.commit_key, namespace="git").strip().replace("\n", "\n ")
            field_name = "gpgsig" if len(tree) == 40 else "gpgsig-sha256"
            payload = f"{head}\n{field_name} {armoured}\n\n{leaf.message}".encode()
        return self.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=payload).decode().strip()


def find(leaves: Sequence[Leaf], kind: str, nth: int = 0) -> Leaf:
    """The nth leaf of a type."""
    return [leaf for leaf in leaves if leaf.type == kind][nth]
