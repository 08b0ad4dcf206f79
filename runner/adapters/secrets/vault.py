"""Secrets from the key-value engine (version 2) of a server with Vault's API: HashiCorp Vault or OpenBao.

What opens it, a token or an AppRole, lies on this machine in a folder named for the server, so that a changed address
in the repository cannot send it anywhere else; redirects are not followed for the same reason. The document is read
once for each worker. The home of hvac: the maintained client of this API, which speaks through the `requests` that
papermill needs anyway. It is imported when a secret is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner import private
from runner.adapters.secrets import document
from runner.digest import Json
from runner.errors import OperatorError, OutsideError

if TYPE_CHECKING:
    from hvac import Client
    from hvac.exceptions import VaultError
    from requests import RequestException

TIMEOUT = 10.0
"""Seconds that the server may be silent."""
TOKEN, ROLE, SECRET, AUTHORITY = "token", "role-id", "secret-id", "ca.pem"
"""Files in a server's folder: a token, or both halves of an AppRole; and, if it is not a public one, its authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a document is: `https://HOST/v1/MOUNT/data/PATH`, as Vault's API names it, perhaps with `?version=N`."""

    server: str
    host: str
    mount: str
    path: str
    version: int | None

    def __str__(self) -> str:
        """As errors name it."""
        return f"{self.server}/v1/{self.mount}/data/{self.path}"


def address(url: str) -> Address:
    """Read an address that the settings have found to be one."""
    parts = urlsplit(url)
    mount, _, path = parts.path.removeprefix("/v1/").partition("/data/")
    version = parts.query.removeprefix("version=")
    return Address(
        server=f"{parts.scheme}://{parts.netloc}",
        host=parts.netloc,
        mount=mount,
        path=path,
        version=int(version) if version else None,
    )


class VaultSecrets:
    """Reads secrets from one document, which has one entry for each.

    Args:
        url: the document's address.
        credentials: the folder that has a folder for each server.
        timeout: seconds that the server may be silent.
    """

    def __init__(self, url: str, *, credentials: Path, timeout: float = TIMEOUT) -> None:
        self._address = address(url)
        self._folder = credentials / self._address.host
        # What errors name: they are read on the issue, too.
        self._place = f"{credentials.name}/{self._address.host}"
        self._timeout = timeout
        self._values: dict[str, Json] | None = None

    def resolve(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            OperatorError: if it is not there, or what this machine has does not open it.
            OutsideError: if the server is sealed or away: then nobody knows what it has.
        """
        doing = document.doing(name)
        if self._values is None:
            self._values = self._read(doing)
        return document.pick(self._values, name, store=str(self._address))

    def ready(self) -> None:
        """Log in, and ask for nothing but the login itself.

        Raises:
            OperatorError: if what this machine has does not open it.
            OutsideError: if the server is sealed or away.
        """
        with self._opened(f"looking at {self._address}") as client:
            client.auth.token.lookup_self()

    def _read(self, doing: str) -> dict[str, Json]:
        where = self._address
        with self._opened(doing) as client:
            answer = client.secrets.kv.v2.read_secret_version(
                where.path, version=where.version, mount_point=where.mount, raise_on_deleted_version=True
            )
        # Anything but a 200 comes as the bare response: a redirect, which is not followed.
        data = answer.get("data") if isinstance(answer, dict) else None
        values = data.get("data") if isinstance(data, dict) and "metadata" in data else None
        if not isinstance(values, dict):
            wrong = f"{where} gave no answer of a key-value engine, version 2"
            raise OperatorError(
                doing, wrong, hint="name the server itself, not what redirects to it, and the engine's mount"
            )
        return values

    @contextmanager
    def _opened(self, doing: str) -> Iterator[Client]:
        """A client that is logged in; every way in which the server may fail becomes one of our errors."""
        try:
            import hvac
            from hvac.exceptions import VaultError
            from requests import RequestException, Session
        except ImportError:
            hint = "install it: pip install 'runbook-runner[vault]'"
            raise OperatorError(doing, "the client of Vault (hvac) is not installed here", hint=hint) from None
        session = Session()
        # No netrc, proxy or authority from variables: what is trusted lies in the server's folder.
        session.trust_env = False
        # hvac leaves a session that it is given as it is, so the authority has to be set here.
        session.verify = self._authority()
        client = hvac.Client(
            url=self._address.server,
            token="",
            timeout=self._timeout,
            allow_redirects=False,
            session=session,
        )
        try:
            borrowed = self._log_in(client, doing=doing)
            try:
                yield client
            finally:
                if borrowed:
                    with suppress(VaultError, RequestException):
                        client.auth.token.revoke_self()
        except VaultError as error:
            raise self._refused(error, doing=doing) from None
        except RequestException as error:
            raise self._unreached(error, doing=doing) from None
        finally:
            session.close()

    def _authority(self) -> str | bool:
        own = self._folder / AUTHORITY
        return str(own) if own.exists() else True

    def _log_in(self, client: Client, *, doing: str) -> bool:
        """Give the client this machine's token, or one that its AppRole gets for this reading alone."""
        hint = f"put {TOKEN}, or {ROLE} and {SECRET}, into {self._place} of the state folder, mode 0600"
        if not (self._folder / ROLE).exists():
            absent = f"this machine has no token for {self._address.host}"
            client.token = private.read(self._folder / TOKEN, doing=doing, absent=absent, hint=hint)
            return False
        role, secret = (
            private.read(
                self._folder / name, doing=doing, absent=f"there is no {name} for {self._address.host}", hint=hint
            )
            for name in (ROLE, SECRET)
        )
        client.auth.approle.login(role_id=role, secret_id=secret)
        return True

    def _refused(self, error: VaultError, *, doing: str) -> OperatorError | OutsideError:
        """Say in our words what the server answered; its own may be anybody's."""
        from hvac import exceptions as said

        where, server = str(self._address), self._address.server
        match error:
            case said.Forbidden() | said.Unauthorized():
                hint = "give this machine's token or role a policy that may read it, or renew it"
                return OperatorError(doing, f"{where} is denied to this machine", hint=hint)
            case said.InvalidPath() if _deleted(error):
                return OperatorError(doing, f"that version of {where} is deleted", hint="name another version")
            case said.InvalidPath():
                version = f" in version {self._address.version}" if self._address.version else ""
                hint = "correct secret-stores, or write it"
                return OperatorError(doing, f"there is nothing at {where}{version}", hint=hint)
            case said.InvalidRequest():
                hint = f"see {ROLE} and {SECRET} in {self._place} of the state folder"
                return OperatorError(doing, f"{server} refuses this machine's role", hint=hint)
            case said.VaultDown():
                return OutsideError(doing, f"{server} is sealed", hint="have it unsealed, then try again")
        return OutsideError(doing, f"{server} is in trouble ({type(error).__name__})", hint="try again")

    def _unreached(self, error: RequestException, *, doing: str) -> OperatorError | OutsideError:
        """Say why the server could not be asked."""
        from requests import exceptions as away

        server = self._address.server
        match error:
            case away.SSLError():
                hint = f"put the authority that signed it into {self._place}/{AUTHORITY} of the state folder"
                return OperatorError(doing, f"the certificate of {server} is not trusted", hint=hint)
            case away.Timeout():
                return OutsideError(doing, f"{server} was silent for {self._timeout:g} s", hint="try again")
        return OutsideError(doing, f"{server} is away", hint="see network and address, then try again")


def _deleted(error: VaultError) -> bool:
    """Whether the server says that there was such a version."""
    told = error.json
    return isinstance(told, dict) and isinstance(told.get("data"), dict)
