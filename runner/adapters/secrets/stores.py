"""From the setting `secret-stores` to stores: each is opened when the first secret is asked for, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from runner.adapters.secrets.chain import ChainedSecrets
from runner.adapters.secrets.environment import EnvironmentSecrets
from runner.adapters.secrets.files import FileSecrets
from runner.adapters.secrets.sops import SopsSecrets
from runner.adapters.secrets.vault import VaultSecrets
from runner.errors import OperatorError
from runner.ports.secrets import Secrets, Store

AGE_KEY = "age.key"


def open_stores(
    names: Sequence[str],
    *,
    environment: dict[str, str],
    folder: Path,
    credentials: Path,
    read: Callable[[str], bytes | None],
) -> Secrets:
    """Open the stores that are named, in their order.

    Args:
        names: as the settings hold them.
        environment: the worker's own variables.
        folder: where secret files lie.
        credentials: where this machine keeps what opens other stores: `age.key`, and a folder for each server.
        read: gives a file of the protected branch.
    """
    open_ = partial(open_store, environment=environment, folder=folder, credentials=credentials, read=read)
    return ChainedSecrets([open_(name) for name in names])


def open_store(
    name: str,
    *,
    environment: dict[str, str],
    folder: Path,
    credentials: Path,
    read: Callable[[str], bytes | None],
) -> Store:
    """Open one store by its name in the settings; the rest as for all of them."""
    kind, _, where = name.partition(":")
    match kind:
        case "environment":
            return EnvironmentSecrets(environment)
        case "files":
            return FileSecrets(folder)
        case "sops":
            return SopsSecrets(where, read(where), key=credentials / AGE_KEY)
        case "vault":
            return VaultSecrets(where, credentials=credentials)
    raise OperatorError("opening the secret stores", f"there is no store {kind!a}", hint="see secret-stores")


class DeferredSecrets:
    """Stores that are opened when they are first asked: most orders name no secret.

    Args:
        opened: opens them.
    """

    def __init__(self, opened: Callable[[], Secrets]) -> None:
        self._open = opened
        self._stores: Secrets | None = None

    def resolve(self, name: str) -> str:
        """Return a secret's value, as the stores do."""
        if self._stores is None:
            self._stores = self._open()
        return self._stores.resolve(name)
