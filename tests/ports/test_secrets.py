"""What every secret store promises. A new store joins by adding itself to `STORES`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.adapters.secrets.chain import ChainedSecrets
from runner.adapters.secrets.environment import PREFIX, EnvironmentSecrets
from runner.adapters.secrets.files import FileSecrets
from runner.adapters.secrets.sops import SopsSecrets
from runner.adapters.secrets.vault import VaultSecrets
from runner.errors import OperatorError
from runner.ports.secrets import Secrets
from tests.adapters.secrets import bao as baos
from tests.adapters.secrets.bao import Bao, hand
from tests.adapters.secrets.sealed import age_key, encrypted

HELD = {"PW": "from-here-9", "KEY": "line 1\nline 2", "EMPTY": ""}
Made = Callable[[Path], Secrets]


def files(folder: Path) -> Secrets:
    for name, value in HELD.items():
        (folder / name).write_text(value)
        (folder / name).chmod(0o600)
    return FileSecrets(folder)


def environment(_folder: Path) -> Secrets:
    return EnvironmentSecrets({PREFIX + name: value for name, value in HELD.items()})


def sops(folder: Path) -> Secrets:
    text = "\n".join(f"{name}: {json.dumps(value)}" for name, value in HELD.items())
    sealed = encrypted(text, to=age_key(folder / "age.key"))
    return SopsSecrets("s.yaml", sealed, key=folder / "age.key")


def vault(folder: Path, bao: Bao) -> Secrets:
    bao.write(HELD)
    hand(folder, bao, token=bao.token())
    return VaultSecrets(bao.url, credentials=folder)


STORES: dict[str, Made] = {
    "environment": environment,
    "files": files,
    "sops": sops,
    "chain": lambda folder: ChainedSecrets((EnvironmentSecrets({}), files(folder))),
}


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with baos.serving(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest.fixture(params=[*STORES, "vault"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Secrets:
    if request.param == "vault":
        return vault(tmp_path, request.getfixturevalue("bao"))
    return STORES[str(request.param)](tmp_path)


@pytest.mark.parametrize("name", ["PW", "KEY"])
def test_a_known_name_gives_its_value_every_time(store: Secrets, name: str) -> None:
    assert store.resolve(name) == store.resolve(name) == HELD[name]


@pytest.mark.parametrize("name", ["OTHER", "EMPTY", "../PW", "/PW", "", "PW\n", "P W", "pw"])
def test_every_other_name_is_refused_by_name_and_without_a_value(store: Secrets, name: str) -> None:
    with pytest.raises(OperatorError) as caught:
        store.resolve(name)
    assert f"reading the secret {name}" in str(caught.value)
    assert not any(value and value in str(caught.value) + caught.value.hint for value in HELD.values())
