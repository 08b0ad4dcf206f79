"""Who writes on the plain-Git forge: the person whom Git's configuration names, or the runner itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runner.adapters.forge.local_thread import Trust
from runner.errors import OperatorError
from runner.ports.forge import PersonId
from runner.repository.repository import Repository


class Signs(Protocol):
    """The part of a signing key that is needed here: a person's or the runner's."""

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        """Return an armoured SSHSIG."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: `person` and the commit's `name` and `email`. `signer` is asked only when something is written."""

    person: Callable[[], PersonId]
    name: str
    email: str
    signer: Callable[[], Signs | None]
    bot: bool = False


def as_person(repository: Repository, trust: Trust, *, signer: Callable[[], Signs | None]) -> Writer:
    """Write as the person at the keyboard."""
    email = repository.setting("user.email") or ""
    name = repository.setting("user.name") or email
    return Writer(person=lambda: _person(email, trust), name=name, email=email, signer=signer)


def as_bot(trust: Trust, *, signer: Signs) -> Writer:
    """Write as the runner."""
    email = f"{trust.bot}@{trust.project}.invalid"
    return Writer(person=lambda: PersonId(trust.bot), name=trust.bot, email=email, signer=lambda: signer, bot=True)


def _person(email: str, trust: Trust) -> PersonId:
    doing, hint = "finding out who you are", "set it with: git config user.email you@example.org"
    if not email:
        raise OperatorError(doing, "user.email is not set", hint=hint)
    if email == trust.bot:
        raise OperatorError(doing, f"{email} is the runner's own name", hint=hint)
    return PersonId(trust.people.person(email) or email)
