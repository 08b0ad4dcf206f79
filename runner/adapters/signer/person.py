"""Signing as a person: with the key that the person already signs commits with.

`git config user.signingkey` (with `gpg.format = ssh`) names it: a key file, or a public key whose other half is in the
agent or in a security key. `ssh-keygen -Y sign` does the signing, so passphrases, agents and FIDO keys work as they do
in Git; an unencrypted Ed25519 file is signed with in process, which is much faster. Whether anybody trusts the key is
not asked here.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runner.adapters.signer.ssh import SshSigner
from runner.errors import OperatorError, OutsideError
from runner.repository import sshsig
from runner.repository.process import without_urls

TIMEOUT = 120.0
"""Seconds: somebody may have to find and touch a security key."""

DOING = "signing with your SSH key"
HINT = "set one up with: git config gpg.format ssh && git config user.signingkey ~/.ssh/id_ed25519.pub"


class PersonSigner(Protocol):
    """A person's key, seen only through what it can do."""

    @property
    def public_key(self) -> str:
        """The public key as one OpenSSH line, without a comment."""
        ...

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        """Return an armoured SSHSIG; may ask for a passphrase or a touch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeygenSigner:
    """A person's key behind `ssh-keygen`.

    `path` is a private key file, or a public one whose other half the agent has; None leaves both to `public_key`.
    """

    path: Path | None
    public_key: str

    def sign_ssh(self, message: bytes, *, namespace: str) -> str:
        """Return an armoured SSHSIG.

        Raises:
            OperatorError: if the key cannot be used (not in the agent, wrong passphrase).
            OutsideError: if nobody answers in time.
        """
        with tempfile.TemporaryDirectory(prefix="runbook-sign-") as name:
            folder = Path(name)
            key = self.path
            if key is None:
                key = folder / "key.pub"
                key.write_text(self.public_key + "\n", encoding="utf-8")
            # Signing a file rather than a stream leaves the terminal free for the question of a passphrase.
            (folder / "message").write_bytes(message)
            command = ("-Y", "sign", "-q", "-f", str(key), "-n", namespace, str(folder / "message"))
            # A security key waits for a touch, and ssh-keygen says so on stderr: that must be seen.
            _keygen(*command, show=self.public_key.startswith("sk-"))
            signature = (folder / "message.sig").read_text(encoding="ascii")
        if not sshsig.verify(message, signature, public_key=self.public_key, namespace=namespace):
            raise OperatorError(DOING, "ssh-keygen signed with another key than the configured one", hint=HINT)
        return signature


def person_signer(setting: Callable[[str], str | None]) -> PersonSigner:
    """Find the person's signing key.

    Args:
        setting: reads one value of Git's configuration, for example `Repository.setting`.

    Raises:
        OperatorError: if there is none, or it is not an SSH key.
    """
    form = setting("gpg.format")
    if form != "ssh":
        raise OperatorError(DOING, f"gpg.format is {form or 'not set'}, not ssh", hint=HINT)
    named = setting("user.signingkey")
    if not named:
        raise OperatorError(DOING, "user.signingkey is not set", hint=HINT)
    literal = named.removeprefix("key::")
    if literal != named or named.startswith("ssh-"):
        return KeygenSigner(path=None, public_key=_line(literal))
    return signer_of(Path(named).expanduser())


def signer_of(path: Path) -> PersonSigner:
    """Make a signer of a key file: the private one, or the public one beside it.

    Raises:
        OperatorError: if there is no such file, or it is not an SSH key.
    """
    if not path.is_file():
        raise OperatorError(DOING, f"user.signingkey names {path}, and there is no such file", hint=HINT)
    private = path.with_suffix("") if path.suffix == ".pub" else path
    try:
        return SshSigner(private)
    except OperatorError:
        # Encrypted, of another type, on a security key or in the agent: all that ssh-keygen can do and we need not.
        public = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
        if public.is_file():
            return KeygenSigner(path=path, public_key=_line(_text(public)))
        return KeygenSigner(path=path, public_key=_line(_keygen("-y", "-f", str(path))))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise OperatorError(DOING, f"{path} cannot be read", hint=HINT) from error


def _line(text: str) -> str:
    try:
        sshsig.key_bytes(text)
    except ValueError as error:
        raise OperatorError(DOING, "user.signingkey is not an SSH public key", hint=HINT) from error
    return " ".join(text.split()[:2])


def _keygen(*arguments: str, show: bool = False) -> str:
    """Run `ssh-keygen` with the terminal (or `SSH_ASKPASS`) left to it for its questions."""
    command = ["ssh-keygen", *arguments]
    stderr = None if show else subprocess.PIPE
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False
        )
    except FileNotFoundError as error:
        raise OperatorError(DOING, "ssh-keygen is not installed", hint="install the OpenSSH client") from error
    except subprocess.TimeoutExpired as error:
        raise OutsideError(DOING, f"no answer within {TIMEOUT:.0f} s", hint="touch the key when it blinks") from error
    if done.returncode:
        said = without_urls((done.stderr or b"").decode(errors="replace")).splitlines()
        hint = "check with: ssh-add -l, and load the key with: ssh-add"
        raise OperatorError(DOING, said[-1] if said else "ssh-keygen failed", hint=hint)
    return done.stdout.decode(errors="replace")
