"""Secrets from a sops file, with the real sops and real age keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.adapters.secrets.sops import LARGEST, SopsSecrets
from runner.errors import OperatorError
from tests.adapters.secrets.sealed import age_key, encrypted

PLAIN = "PW: from-sops-9\nKEY: |-\n  line 1\n  line 2\nNUMBER: 5\nEMPTY: ''\nMAP:\n  PW2: inside\n"
PATH = "runbooks/secrets.sops.yaml"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("age") / "age.key"
    return path, age_key(path)


@pytest.fixture(scope="module")
def sealed(key: tuple[Path, str]) -> bytes:
    return encrypted(PLAIN, to=key[1])


def test_the_machines_key_opens_it(key: tuple[Path, str], sealed: bytes) -> None:
    store = SopsSecrets(PATH, sealed, key=key[0])
    assert (store.resolve("PW"), store.resolve("KEY")) == ("from-sops-9", "line 1\nline 2")


def test_it_is_ready_where_file_program_and_key_are_there(key: tuple[Path, str], sealed: bytes, tmp_path: Path) -> None:
    SopsSecrets(PATH, sealed, key=key[0]).ready()
    with pytest.raises(OperatorError, match="no age key"):
        SopsSecrets(PATH, sealed, key=tmp_path / "none").ready()
    with pytest.raises(OperatorError, match="there is no"):
        SopsSecrets(PATH, None, key=key[0]).ready()


@pytest.mark.parametrize(("kind", "text"), [("env", "PW=from-sops-9\n"), ("json", '{"PW": "from-sops-9"}')])
def test_other_formats_are_read_by_their_ending(key: tuple[Path, str], kind: str, text: str) -> None:
    data = encrypted(text, to=key[1], kind=kind)
    assert SopsSecrets(f"ops/s.{kind}", data, key=key[0]).resolve("PW") == "from-sops-9"


@pytest.mark.parametrize(
    ("name", "why"),
    [("OTHER", "has no OTHER"), ("NUMBER", "not a text"), ("EMPTY", "not a text"), ("MAP", "not a text")],
)
def test_what_is_no_text_of_the_upper_level_is_refused(
    key: tuple[Path, str], sealed: bytes, *, name: str, why: str
) -> None:
    with pytest.raises(OperatorError, match=why) as caught:
        SopsSecrets(PATH, sealed, key=key[0]).resolve(name)
    assert "inside" not in str(caught.value)


def test_another_machines_key_opens_nothing_and_keys_of_the_person_are_not_tried(
    tmp_path: Path, *, key: tuple[Path, str], sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    age_key(tmp_path / "other.key")
    monkeypatch.setenv("SOPS_AGE_KEY", key[0].read_text())
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(key[0]))
    with pytest.raises(OperatorError, match="age key does not open"):
        SopsSecrets(PATH, sealed, key=tmp_path / "other.key").resolve("PW")


@pytest.mark.parametrize("mode", [0o644, 0o640, None])
def test_a_key_that_is_not_there_or_that_others_may_read_is_not_used(
    tmp_path: Path, *, key: tuple[Path, str], sealed: bytes, mode: int | None
) -> None:
    copy = tmp_path / "age.key"
    if mode is not None:
        copy.write_text(key[0].read_text())
        copy.chmod(mode)
    with pytest.raises(OperatorError, match="others may read" if mode else "no age key"):
        SopsSecrets(PATH, sealed, key=copy).resolve("PW")


def test_a_file_that_was_altered_is_refused_without_a_word_of_what_is_in_it(
    key: tuple[Path, str], sealed: bytes
) -> None:
    for altered in (
        sealed.replace(b"PW: ENC[AES256_GCM,data:", b"PW: ENC[AES256_GCM,data:AAAA"),
        sealed.replace(re.findall(rb"^MAP:\n.*\n", sealed, re.MULTILINE)[0], b""),
        b"CANARY: planted-canary\n" + sealed,
    ):
        assert altered != sealed
        with pytest.raises(OperatorError, match="was altered") as caught:
            SopsSecrets(PATH, altered, key=key[0]).resolve("PW")
        assert "planted-canary" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "there is no runbooks/secrets.sops.yaml"),
        (b"PW: in-the-clear\n", "not encrypted with sops"),
        (b": : :\n\t", "could not read"),
        (b"x" * (LARGEST + 1), "too large"),
    ],
)
def test_a_file_that_is_none_is_named(key: tuple[Path, str], data: bytes | None, why: str) -> None:
    with pytest.raises(OperatorError, match=why) as caught:
        SopsSecrets(PATH, data, key=key[0]).resolve("PW")
    assert "in-the-clear" not in str(caught.value)


def test_a_machine_without_sops_is_told_so(
    key: tuple[Path, str], sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: "/nowhere")
    with pytest.raises(OperatorError, match="sops is not installed") as caught:
        SopsSecrets(PATH, sealed, key=key[0]).resolve("PW")
    assert "PATH" in caught.value.hint
