"""Reviews on plain Git: a branch that somebody merges. Who merged is whoever signed the commit that did, or nobody.

A commit of the protected branch merges a proposal if it brings the proposal's commit in, as it is or made anew with the
same mark in its message: merge commits, squashes, rebases and cherry-picks all are. A fast-forward is too, and leaves
nobody's name: then nothing proves who merged.
"""

from __future__ import annotations

from runner.errors import IntegrityError
from runner.ports.forge import PersonId, Proof
from runner.ports.review import Head, Merge, Offer, Review, ReviewId, ReviewState, Sought
from runner.repository import refs
from runner.repository.objects import CommitObject, Objects
from runner.repository.people import People
from runner.repository.process import git
from runner.repository.sshsig import signed_by, verify

NAMESPACE = "git"


class LocalReviews:
    """The `Reviews` port on the repository's own branches.

    Args:
        objects: a reader of the clone, whose protected branch was fetched.
        people: who holds which key.
    """

    def __init__(self, objects: Objects, *, people: People) -> None:
        self._objects, self._people = objects, people
        self._heads: dict[str, str] | None = None

    def find(self, sought: Sought, *, fresh: bool = False) -> Review | None:
        """Find the branch, or what became of it.

        Raises:
            OutsideError: if the remote does not answer.
        """
        merge = self._merged(sought)
        tip = self._tip(sought.source, fresh=fresh)
        if merge is None and tip is None:
            return None
        remote = self._objects.repository.remote
        where = f"{remote}/{sought.source}" if remote else sought.source
        return Review(
            id=ReviewId(sought.source),
            url=f"git merge --no-ff -S {where}",
            state=ReviewState.MERGED if merge else ReviewState.OPEN,
            heads=(Head(commit=tip),) if tip and merge is None else (),
            merge=merge,
        )

    def offer(self, offer: Offer) -> Review:
        """There is nothing to open: the pushed branch is the review."""
        found = self.find(offer.sought, fresh=True)
        return found or Review(id=ReviewId(offer.sought.source), url="", state=ReviewState.CLOSED)

    def withdraw(self, review: Review, sought: Sought) -> None:
        """Remove the branch of an open review."""
        if review.state is ReviewState.OPEN:
            refs.remove(self._objects.repository, sought.source)
            self._heads = None

    def _tip(self, source: str, *, fresh: bool) -> str | None:
        if self._heads is None or fresh:
            prefix = source.rpartition("/")[0]
            self._heads = refs.heads(self._objects.repository, f"{prefix}/*" if prefix else "*")
        return self._heads.get(source)

    def _merged(self, sought: Sought) -> Merge | None:
        """The first commit of the protected branch that brought the proposal in."""
        tip = self._objects.tip(sought.into)
        if tip is None:
            return None
        span, folder = f"{sought.since}..{tip}", self._objects.repository.path
        found = git(["log", "--format=%H", "--fixed-strings", f"--grep={sought.mark}", span, "--"], cwd=folder)
        carriers = found.decode().split()
        if not carriers:
            return None
        for commit in git(["rev-list", "--first-parent", "--reverse", span, "--"], cwd=folder).decode().split():
            if any(refs.is_ancestor(self._objects.repository, one, commit) for one in carriers):
                return self._signed(commit)
        return None

    def _signed(self, commit: str) -> Merge:
        found = self._objects.commit(commit)
        person = self._signer(found) if found and found.signature else None
        if found is None or found.signature is None or person is None:
            return Merge(commit=commit)
        proof = Proof(payload=found.signed_payload, signature=found.signature)
        return Merge(commit=commit, by=PersonId(person), verified=True, proof=proof)

    def _signer(self, commit: CommitObject) -> str | None:
        """Whose key signed a commit; the name that is written in it is free text."""
        signature = commit.signature or ""
        try:
            key = signed_by(signature)
        except IntegrityError:
            return None
        holder = self._people.holder(key, namespace=NAMESPACE)
        sound = verify(commit.signed_payload, signature, public_key=key, namespace=NAMESPACE)
        return holder.person if holder and sound else None
