"""Ledgers to write to: a bare remote, clones of it, a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.signer.ssh import SshSigner, generate
from runner.digest import sha256
from runner.ledger.bodies import Genesis, Note
from runner.ledger.chain import Draft, Ledger, Writer
from runner.repository.objects import Objects
from runner.repository.process import git
from runner.repository.repository import Repository

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ABOUT = (("ledger", sha256(b"")),)


def a_remote(folder: Path, *, object_format: str = "sha1") -> Path:
    """A bare repository with one commit on main."""
    bare = folder / "remote.git"
    git(
        ["init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}", str(bare)],
        cwd=folder,
    )
    return bare


def a_clone(bare: Path, folder: Path, name: str) -> Path:
    """A clone of it."""
    git(["clone", "--quiet", str(bare), name], cwd=folder)
    return folder / name


def a_key(folder: Path, name: str = "key") -> SshSigner:
    """A key, made on first use."""
    path = folder / name
    return SshSigner(path) if path.exists() else generate(path)


def writer(signer: SshSigner, *, actor: str = "host/1") -> Writer:
    """Who writes."""
    return Writer(signer=signer, name="runbook", email="runbook@ops.invalid", actor=actor)


@contextmanager
def opened(clone: Path, *, cache: Path | None = None) -> Iterator[Ledger]:
    """The ledger of a clone."""
    with Objects(Repository.open(clone)) as objects:
        ledger = Ledger(objects, branch="evidence", cache=cache or clone.parent / f"{clone.name}.sqlite")
        try:
            yield ledger
        finally:
            ledger.close()


def genesis(signer: SshSigner, *, object_format: str = "sha1") -> Draft:
    """The first event."""
    body = Genesis(
        project="ops",
        code_branch="main",
        evidence_branch="evidence",
        object_format=object_format,
        key=signer.public_key,
    )
    about = (("key", sha256(signer.public_key.encode())),)
    return Draft(body=body, run=None, title="genesis", about=about)


def note(text: str) -> Draft:
    """Words for the record."""
    return Draft(body=Note(text=text), run=None, title=f"note: {text}", about=ABOUT)


def say(ledger: Ledger, signer: SshSigner, *texts: str) -> tuple[int, ...]:
    """Append notes in one push; their numbers."""
    drafts = [note(text) for text in texts]
    return tuple(event.seq for event in ledger.append(lambda _: drafts, writer=writer(signer), now=lambda: NOW))


def texts(ledger: Ledger) -> list[str]:
    """Every note on record, in order."""
    return [event.body.text for event, _ in ledger.cache.since(0) if isinstance(event.body, Note)]
