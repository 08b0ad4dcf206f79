"""What a person said, as the record has it: the exact words, and whether a key of that person signed them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from runner.approval.merging import in_review
from runner.audit.book import Seen
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.audit.signatures import Job
from runner.ledger.bodies import Said
from runner.repository.people import People

NAMESPACE = "runbook-comment"
GIT = "git"
"""What a merge commit is signed for."""


def signed(
    check: Check, seen: Seen, said: Said, *, people: Sequence[People | None], local: bool
) -> Iterator[Violation]:
    """Ask for the signature; on plain Git, words that claim to be verified must have one, for that very comment.

    Args:
        check: that asks.
        seen: the page.
        said: what was said there.
        people: whose lists of keys count.
        local: whether it was said on plain Git.
    """
    if said.signature is None and not (local and said.verified):
        return
    found, genesis = words(said), check.context.book.genesis
    if found.comment and (found.comment, found.author) != (said.comment, said.by):
        yield check.broken(seen, f"what was signed is comment {found.comment} of {found.author}, not {said.comment}")
    if found.project and genesis and found.project != genesis.project:
        yield check.broken(seen, f"what {said.by} signed was said in project {found.project}")
    namespace = GIT if in_review(said.comment) else NAMESPACE
    keys = tuple(key for one in people if one for key in one.keys(said.by, namespace=namespace))
    job = Job(_bytes(said.payload), (_bytes(said.signature),), keys, namespace)
    wrong = f"comment {said.comment} was not signed by a key of {said.by}"
    check.context.signatures.ask(job, otherwise=check.broken(seen, wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a person signed. On plain Git that names its place; elsewhere it is the words alone."""

    body: str
    author: str = ""
    comment: str = ""
    project: str = ""


def words(said: Said) -> Signed:
    """Read what a person signed: an entry of the plain-Git forge, or else plain text."""
    payload = _bytes(said.payload)
    try:
        entry = msgspec.json.decode(payload, type=_Entry)
    except (msgspec.MsgspecError, RecursionError):
        return Signed(body=payload.decode(errors="replace"))
    comment = f"{entry.issue}/{entry.number}"
    return Signed(body=entry.body, author=entry.author, comment=comment, project=entry.project)


class _Entry(msgspec.Struct, frozen=True):
    project: str
    issue: int
    number: int
    author: str
    body: str


def _bytes(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return b""
