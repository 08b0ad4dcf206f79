"""Environments: real uv and real pip, wheels of this machine, no network."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.execution import environments
from runner.execution.environments import COMPLETE, UnbuiltError
from tests.execution import wheels
from tests.programs import program

LIGHT = "ipykernel==0.0.1\nthing==1.2\n"
"""A lock whose kernel is a stand-in that can be imported and nothing more: it is built in a second."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    stand_in = {"ipykernel/__init__.py": "", "ipykernel/kernelapp.py": "", "zmq.py": ""}
    wheels.made(folder, "ipykernel", "0.0.1", more=stand_in)
    wheels.made(folder, "ipykernel", "0.0.2", needs=["missing-thing"], more=stand_in)
    wheels.made(folder, "ipykernel", "0.0.3")
    for version in ("1.2", "1.3"):
        wheels.made(folder, "thing", version)
    wheels.made(folder, "odd", "1.0.0")
    return folder


@pytest.fixture(autouse=True)
def offline(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels.only(house, monkeypatch)


@pytest.fixture(params=["uv", "pip"])
def each(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """With uv, and with pip where there is no uv."""
    if request.param == "pip":
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    return iter([str(request.param)])


@pytest.mark.usefixtures("each")
def test_exactly_what_is_pinned_is_there(tmp_path: Path) -> None:
    built = environments.provide(tmp_path, LIGHT.encode())
    assert built.packages == ("ipykernel==0.0.1", "thing==1.2")
    assert built.kernel == "ipykernel 0.0.1"
    words = "import thing, sys; print(thing.VERSION, sys.prefix)"
    said = subprocess.run([built.python, "-I", "-c", words], capture_output=True, check=True, text=True).stdout
    assert said.split() == ["1.2", str(built.python.parent.parent)]
    for absent in ("pip", "msgspec", "setuptools"):
        assert subprocess.run(
            [built.python, "-I", "-c", f"import {absent}"], capture_output=True, check=False
        ).returncode


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the real uv, behind a script that counts, was asked to install."""
    script, count = tmp_path / "bin" / "uv", tmp_path / "count"
    script.parent.mkdir()
    script.touch(mode=0o755)
    script.write_text(f'#!/bin/sh\necho "$2" >> {count}\nexec {program("uv", package="uv")} "$@"\n')
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: count.read_text().split().count("install")


def test_it_is_built_once_and_another_lock_is_another_one(tmp_path: Path, installs: Callable[[], int]) -> None:
    first = environments.provide(tmp_path, LIGHT.encode())
    other = environments.provide(tmp_path, LIGHT.replace("1.2", "1.3").encode())
    assert (other.lock == first.lock, other.python == first.python) == (False, False)
    assert environments.provide(tmp_path, LIGHT.encode()) == first
    assert installs() == 2


def test_nothing_of_it_can_be_written_afterwards(tmp_path: Path) -> None:
    place = environments.provide(tmp_path, LIGHT.encode()).python.parent.parent
    open_ = [path for path in (place, *place.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o222]
    assert [path for path in open_ if path.name != COMPLETE] == []


def test_several_that_want_it_at_once_build_it_once(tmp_path: Path, installs: Callable[[], int]) -> None:
    built: list[environments.Built] = []
    threads = [
        threading.Thread(target=lambda: built.append(environments.provide(tmp_path, LIGHT.encode()))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(built), installs()) == (3, 1)


def test_what_a_killed_builder_left_is_built_again_from_nothing(tmp_path: Path) -> None:
    kill = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom runner.execution import environments, installer\n"
        "installer.Installing.check = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "environments.provide(Path(sys.argv[1]), sys.argv[2].encode())\n"
    )
    root = Path(environments.__file__).parents[2]
    died = subprocess.run(
        [sys.executable, "-c", kill, str(tmp_path), LIGHT], check=False, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert died.returncode < 0
    (left,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    (left / "left-behind").touch()
    place = environments.provide(tmp_path, LIGHT.encode()).python.parent.parent
    assert (place, (place / "left-behind").exists()) == (left, False)


def test_one_that_was_altered_is_not_used(tmp_path: Path) -> None:
    place = environments.provide(tmp_path, LIGHT.encode()).python.parent.parent
    (site,) = place.glob("lib/python*/site-packages")
    site.chmod(0o700)
    (site / "added-1.0.dist-info").mkdir()
    (site / "added-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    with pytest.raises(UnbuiltError, match="was altered") as caught:
        environments.provide(tmp_path, LIGHT.encode())
    assert place.name in caught.value.hint


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize(
    ("lock", "why"),
    [
        ("ipykernel==0.0.1\nthing==9.9\n", "thing"),
        ("ipykernel==0.0.1\nno-such-thing==1.0\n", "no-such-thing"),
        ("ipykernel==0.0.2\n", "missing-thing"),
    ],
)
def test_what_cannot_be_installed_or_does_not_fit_together_is_named(tmp_path: Path, lock: str, why: str) -> None:
    with pytest.raises(UnbuiltError, match=why):
        environments.provide(tmp_path, lock.encode())
    assert list(tmp_path.rglob(COMPLETE)) == []


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        ("ipykernel==0.0.3\n", "kernelapp"),
        ("ipykernel==0.0.1\nodd==1.0\n", r"not what is pinned: odd==1.0, odd==1.0.0"),
        (f"ipykernel==0.0.1 --hash=sha256:{'0' * 64}\n", "(?i)hash"),
        ("ipykernel==0.0.1\nthing>=1.2\n", "line 2: 'thing>=1.2' is not pinned"),
    ],
)
def test_what_is_not_what_the_lock_says_is_refused(tmp_path: Path, lock: str, why: str) -> None:
    with pytest.raises(UnbuiltError, match=why):
        environments.provide(tmp_path, lock.encode())


def test_hashes_are_checked_where_the_lock_has_them(tmp_path: Path, house: Path) -> None:
    lock = f"ipykernel==0.0.1 {wheels.hashed(house / 'ipykernel-0.0.1-py3-none-any.whl')}\n"
    assert environments.provide(tmp_path, lock.encode()).packages == ("ipykernel==0.0.1",)
