"""Who holds which key: the text of `runbooks/allowed_signers`, parsed strictly.

The format is OpenSSH's (ssh-keygen(1), ALLOWED SIGNERS), so that stock `ssh-keygen -Y verify` and `git verify-commit`
read the same file. Less is allowed here: exact principals only (a pattern would make one key everybody's), no
certificate authorities. A person with several names is written with all of them, in the same order, on each of their
lines; the first is what policy calls them, so that nobody approves their own request under another name. `valid-after`
and `valid-before` are kept to be shown and never trusted: the time of a signature is whatever its maker wrote, so a key
is withdrawn by taking its line out. What a person may do is policy's to say, not this file's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.errors import OperatorError
from runner.repository.sshsig import key_bytes

LARGEST = 1_000_000
"""Characters of the file."""
DOING = "reading allowed_signers"
FLAGS = frozenset({"cert-authority"})
OPTIONS = frozenset({"namespaces", "valid-after", "valid-before"})

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_OPTION = re.compile(r'([A-Za-z-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """One line of the file. `namespaces` is None where the key may sign for any; `line` is counted from 1."""

    principals: tuple[str, ...]
    public_key: str
    namespaces: frozenset[str] | None
    line: int
    valid_after: str = ""
    valid_before: str = ""

    @property
    def person(self) -> str:
        """What policy calls the holder: the first of the principals."""
        return self.principals[0]

    def may_sign(self, namespace: str) -> bool:
        """Whether this line lets the key sign for a namespace."""
        return self.namespaces is None or namespace in self.namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of a repository and their keys."""

    holders: tuple[KeyHolder, ...] = ()

    def __contains__(self, principal: object) -> bool:
        return any(principal in holder.principals for holder in self.holders)

    def person(self, principal: str) -> str | None:
        """Return what policy calls whoever has this principal; None for nobody."""
        return next((holder.person for holder in self.holders if principal in holder.principals), None)

    def keys(self, principal: str, *, namespace: str) -> tuple[str, ...]:
        """Return the public key lines with which a principal may sign for a namespace."""
        return tuple(
            holder.public_key
            for holder in self.holders
            if principal in holder.principals and holder.may_sign(namespace)
        )

    def holder(self, public_key: str, *, namespace: str) -> KeyHolder | None:
        """Return whose key this is, if it may sign for the namespace; None for a key that is not listed."""
        wanted = key_bytes(public_key)
        found = (holder for holder in self.holders if key_bytes(holder.public_key) == wanted)
        return next((holder for holder in found if holder.may_sign(namespace)), None)


def allowed_signers(text: str) -> People:
    """Parse the file.

    Raises:
        OperatorError: naming the line, for whatever is malformed, doubled, a pattern or a certificate authority.
    """
    if len(text) > LARGEST:
        raise OperatorError(DOING, f"the file has more than {LARGEST:,} characters", hint="remove what is not used")
    holders = tuple(_holders(text))
    keys: dict[bytes, KeyHolder] = {}
    names: dict[str, KeyHolder] = {}
    for holder in holders:
        first = keys.setdefault(key_bytes(holder.public_key), holder)
        if first is not holder:
            raise _wrong(holder.line, f"this key is on line {first.line} already")
        for principal in holder.principals:
            other = names.setdefault(principal, holder)
            if other.principals != holder.principals:
                wrong = f"{principal} is written with other names on line {other.line}"
                raise _wrong(holder.line, wrong)
    return People(holders=holders)


def _holders(text: str) -> Iterator[KeyHolder]:
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _holder(stripped, number)


def _holder(line: str, number: int) -> KeyHolder:
    if not line.replace("\t", " ").isprintable():
        raise _wrong(number, "it holds characters that cannot be seen")
    words = _WORD.findall(line)
    if len(words) < 3:  # noqa: PLR2004 - principals, key type, key
        raise _wrong(number, "a line is: principals, options if any, key type, key")
    principals = _principals(words[0].strip('"'), number)
    options: dict[str, str] = {}
    if not _is_key_type(words[1]):
        options = _options(words.pop(1), number)
    public_key = " ".join(words[1:3])
    try:
        key_bytes(public_key)
    except ValueError as error:
        raise _wrong(number, "the key is not an SSH public key") from error
    return KeyHolder(
        principals=principals,
        public_key=public_key,
        namespaces=_namespaces(options, number),
        line=number,
        valid_after=options.get("valid-after", ""),
        valid_before=options.get("valid-before", ""),
    )


def _is_key_type(word: str) -> bool:
    return word.startswith(("ssh-", "ecdsa-", "sk-")) and "=" not in word


def _principals(word: str, number: int) -> tuple[str, ...]:
    names = tuple(word.split(","))
    for name in names:
        if not name:
            raise _wrong(number, "a principal is empty")
        if any(one in name for one in "*?!"):
            raise _wrong(number, f"{name} is a pattern; principals are written out here")
        if not name.isascii() or not name.isprintable() or " " in name:
            raise _wrong(number, f"{name!a} is not a plain name or address")
    if len(set(names)) != len(names):
        raise _wrong(number, "a principal is named twice")
    return names


def _options(word: str, number: int) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', word):
        if part.lower() in FLAGS:
            raise _wrong(number, f"{part} is not supported: list each person's own key")
        match = _OPTION.fullmatch(part)
        if match is None or match[1].lower() not in OPTIONS:
            raise _wrong(number, f"{part!a} is not an option that is known here")
        name = match[1].lower()
        if name in options:
            raise _wrong(number, f"{name} is given twice")
        options[name] = match[2]
    return options


def _namespaces(options: dict[str, str], number: int) -> frozenset[str] | None:
    if "namespaces" not in options:
        return None
    names = options["namespaces"].split(",")
    if not all(re.fullmatch(r"[A-Za-z0-9@._-]+", name) for name in names):
        raise _wrong(number, "namespaces are written out, with commas and no spaces or patterns")
    return frozenset(names)


def _wrong(number: int, wrong: str) -> OperatorError:
    hint = 'a good line is: alice@example.org namespaces="git,runbook-comment" ssh-ed25519 AAAA...'
    return OperatorError(f"{DOING}, line {number}", wrong, hint=hint)
