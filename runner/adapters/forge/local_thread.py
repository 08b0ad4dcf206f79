"""From the files of one issue to a thread: numbers, links and signatures checked, edits and labels applied.

Pure: bytes in, nouns out. A gap, a broken link or a file that is no entry makes the issue unreadable
(`IntegrityError`). A signature that does not fit makes an entry unverified, and what an unverified entry may do is
little: it is shown, and it changes only what was unverified before.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runner.adapters.forge.local_entry import (
    HINT,
    LARGEST_BODY,
    LARGEST_ENTRY,
    NAMESPACE,
    AnyEntry,
    Close,
    Edit,
    Entry,
    Label,
    Open,
    Remark,
    Reopen,
    file,
    folder,
    number,
    parse,
)
from runner.digest import Digest, sha256
from runner.errors import IntegrityError
from runner.ports.forge import Comment, CommentId, Issue, IssueId, PersonId, Proof, Thread
from runner.repository.people import KeyHolder, People
from runner.repository.sshsig import key_bytes, signed_by, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What is known about an entry's author."""

    person: PersonId
    verified: bool
    ours: bool = False


class Trust:
    """Whose signatures count: people by `allowed_signers`, the runner by its own keys, each only under its own name."""

    def __init__(self, *, project: str, people: People, bot: str, bot_keys: tuple[str, ...]) -> None:
        self.project = project
        self.people = people
        self.bot = bot
        self._bot_keys = frozenset(_canonical(key) for key in bot_keys)
        self._holders: dict[str, KeyHolder] = {
            _canonical(holder.public_key): holder for holder in people.holders if holder.may_sign(NAMESPACE)
        }
        parts = [project, bot, *sorted(self._bot_keys), repr(people)]
        self.fingerprint: Digest = sha256("\0".join(parts).encode())

    def judge(self, author: str, *, payload: bytes, signature: str | None) -> Vouched:
        """Say who wrote an entry that claims this author, and whether that is proven."""
        claimed = PersonId(self.people.person(author) or author)
        unproven = Vouched(person=claimed, verified=False)
        if signature is None:
            return unproven
        try:
            key = signed_by(signature)
        except IntegrityError:
            return unproven
        if author == self.bot:
            fits = key in self._bot_keys
        else:
            holder = self._holders.get(key)
            fits = holder is not None and author in holder.principals
        if not fits or not verify(payload, signature, public_key=key, namespace=NAMESPACE):
            return unproven
        return Vouched(person=claimed, verified=True, ours=author == self.bot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An issue as read: its thread, how many entries it has, and the digest of the last."""

    thread: Thread
    verified: bool
    entries: int
    head: Digest


@dataclass(slots=True, kw_only=True)
class _Fold:
    """The state of an issue while its entries are applied."""

    title: str
    opened: Comment
    comments: dict[int, Comment]
    open: bool = True
    labels: frozenset[str] = field(default_factory=frozenset)


def read(issue: int, files: Mapping[str, bytes], *, trust: Trust) -> Read:
    """Read one issue.

    Args:
        issue: its number.
        files: the names in its folder and their bytes.
        trust: whose signatures count.

    Raises:
        IntegrityError: naming the file, if something is missing, added by hand, out of order or from elsewhere.
    """
    total = _counted(issue, files)
    fold: _Fold | None = None
    prev: Digest | None = None
    for at in range(total):
        path = file(issue, at)
        data = files[f"{at:05d}.json"]
        signature = files.get(f"{at:05d}.json.sig")
        entry = _placed(data, issue=issue, at=at, prev=prev, project=trust.project)
        prev = sha256(data)
        if entry is None:
            fold = _refuse(fold, issue=issue, at=at)
            continue
        armour = None if signature is None else signature.decode("ascii", errors="replace")
        vouched = trust.judge(entry.author, payload=data, signature=armour)
        proof = Proof(payload=data, signature=armour) if armour and vouched.verified else None
        fold = _apply(fold, entry, vouched, proof=proof, path=path)
    if fold is None or prev is None:
        raise IntegrityError(f"reading {folder(issue)}", "the issue has no entries", hint=HINT)
    return _finished(fold, entries=total, head=prev)


def _counted(issue: int, files: Mapping[str, bytes]) -> int:
    """Check that the names are exactly those of entries 0..n-1 and their signatures; return n."""
    stems = [name.removesuffix(".json") for name in files if name.endswith(".json")]
    total = len([stem for stem in stems if number(stem) is not None])
    for at in range(total):
        if f"{at:05d}.json" not in files:
            raise IntegrityError(f"reading {folder(issue)}", f"entry {file(issue, at)} is missing", hint=HINT)
    known = {f"{at:05d}.json{suffix}" for at in range(total) for suffix in ("", ".sig")}
    for name in sorted(files):
        if name not in known:
            raise IntegrityError(f"reading {folder(issue)}/{name}", "no such file belongs there", hint=HINT)
    return total


def _placed(data: bytes, *, issue: int, at: int, prev: Digest | None, project: str) -> AnyEntry | None:
    """Parse an entry and check that it was written for this very place; None for one too large to be read at all."""
    path = file(issue, at)
    if len(data) > LARGEST_ENTRY:
        return None
    entry = parse(data, path=path)
    wrong = ""
    if entry.project != project:
        wrong = f"it was written for another project ({entry.project!a})"
    elif entry.issue != issue or entry.number != at:
        wrong = f"it was written as entry {entry.number} of issue {entry.issue}"
    elif entry.prev != prev:
        wrong = "the entry before it is not the one that it names"
    elif isinstance(entry, Open) is not (at == 0):
        wrong = "only the first entry opens an issue"
    if wrong:
        raise IntegrityError(f"reading {path}", wrong, hint=HINT)
    return entry


def _refuse(fold: _Fold | None, *, issue: int, at: int) -> _Fold:
    """Show that an entry is there which is too large to be read."""
    if fold is None:
        raise IntegrityError(f"reading {file(issue, at)}", f"it has more than {LARGEST_ENTRY:,} bytes", hint=HINT)
    body = f"(not shown: {file(issue, at)} has more than {LARGEST_ENTRY:,} bytes)"
    last = max(fold.comments)
    fold.comments[at] = replace(
        fold.comments[last], id=_id(issue, at), author=PersonId("unknown"), body=body, verified=False, edited=False,
        ours=False, proof=None,
    )  # fmt: skip
    return fold


def _apply(fold: _Fold | None, entry: AnyEntry, vouched: Vouched, *, proof: Proof | None, path: str) -> _Fold:
    if isinstance(entry, Open):
        comment = _comment(entry, entry.body, vouched, proof=proof)
        return _Fold(title=entry.title, opened=comment, comments={0: comment}, labels=frozenset(entry.labels))
    if fold is None:
        raise IntegrityError(f"reading {path}", "the issue was not opened", hint=HINT)
    counts = vouched.verified or not fold.opened.verified
    match entry:
        case Remark():
            fold.comments[entry.number] = _comment(entry, entry.body, vouched, proof=proof)
        case Edit():
            _edit(fold, entry, vouched, proof=proof)
        case Label() if counts:
            fold.labels = (fold.labels - frozenset(entry.remove)) | frozenset(entry.add)
        case Close() if counts:
            fold.open = False
        case Reopen() if counts:
            fold.open = True
        case _:
            pass
    return fold


def _edit(fold: _Fold, entry: Edit, vouched: Vouched, *, proof: Proof | None) -> None:
    """Apply an edit by the comment's own author; one by anybody else has no effect."""
    old = fold.comments.get(entry.comment)
    if old is None or old.author != vouched.person or old.ours is not vouched.ours:
        return
    if vouched.verified or not old.verified:
        new = _comment(entry, entry.body, vouched, proof=proof)
        verified = old.verified and vouched.verified
        fold.comments[entry.comment] = replace(new, id=old.id, created=old.created, edited=True, verified=verified)


def _comment(entry: Entry, body: str, vouched: Vouched, *, proof: Proof | None) -> Comment:
    if len(body) > LARGEST_BODY:
        body, proof = f"(not shown: {len(body):,} characters, and {LARGEST_BODY:,} is the most)", None
    return Comment(
        id=_id(entry.issue, entry.number),
        issue=IssueId(str(entry.issue)),
        author=vouched.person,
        body=body,
        created=entry.created,
        verified=vouched.verified,
        ours=vouched.ours,
        proof=proof,
    )


def _finished(fold: _Fold, *, entries: int, head: Digest) -> Read:
    opened = fold.opened
    issue = Issue(
        id=opened.issue,
        title=fold.title,
        author=opened.author,
        created=opened.created,
        open=fold.open,
        labels=fold.labels,
    )
    comments = tuple(fold.comments[at] for at in sorted(fold.comments))
    thread = Thread(issue=issue, comments=comments)
    return Read(thread=thread, verified=opened.verified, entries=entries, head=head)


def _id(issue: int, at: int) -> CommentId:
    return CommentId(f"{issue}/{at}")


def _canonical(public_key: str) -> str:
    blob = key_bytes(public_key)
    return f"{public_key.split(maxsplit=1)[0]} {base64.b64encode(blob).decode()}"
