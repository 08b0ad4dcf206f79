"""A person's own key: a file, an encrypted file, or one that only the agent holds."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.adapters.signer.person import KeygenSigner, person_signer
from runner.adapters.signer.ssh import SshSigner
from runner.errors import OperatorError
from runner.repository.sshsig import verify


def keygen(path: Path, *options: str, passphrase: str = "") -> str:
    subprocess.run(["ssh-keygen", "-q", *options, "-N", passphrase, "-C", "alice", "-f", str(path)], check=True)
    return path.with_name(path.name + ".pub").read_text()


def configured(key: str | None, form: str | None = "ssh") -> dict[str, str]:
    pairs = {"user.signingkey": key, "gpg.format": form}
    return {name: value for name, value in pairs.items() if value is not None}


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    done = subprocess.run(["ssh-agent", "-s", "-a", str(tmp_path / "agent")], capture_output=True, check=True)
    found = re.search(rb"SSH_AGENT_PID=(\d+)", done.stdout)
    assert found
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield
    os.kill(int(found[1]), 15)


@pytest.mark.parametrize("suffix", ["", ".pub"])
def test_an_unencrypted_ed25519_file_signs_in_process(tmp_path: Path, suffix: str) -> None:
    public = keygen(tmp_path / "key", "-t", "ed25519")
    signer = person_signer(configured(str(tmp_path / "key") + suffix).get)
    assert isinstance(signer, SshSigner)
    assert verify(
        b"yes", signer.sign_ssh(b"yes", namespace="runbook-comment"), public_key=public, namespace="runbook-comment"
    )


def test_another_type_of_key_signs_through_ssh_keygen(tmp_path: Path) -> None:
    public = keygen(tmp_path / "key", "-t", "ecdsa")
    signer = person_signer(configured(str(tmp_path / "key")).get)
    assert isinstance(signer, KeygenSigner)
    assert verify(b"yes", signer.sign_ssh(b"yes", namespace="n"), public_key=public, namespace="n")


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("form", ["literal", "file"])
def test_a_key_that_only_the_agent_holds_signs(tmp_path: Path, form: str) -> None:
    public = keygen(tmp_path / "key", "-t", "ed25519")
    subprocess.run(["ssh-add", "-q", str(tmp_path / "key")], check=True, capture_output=True)
    (tmp_path / "key").unlink()
    named = f"key::{public.strip()}" if form == "literal" else str(tmp_path / "key.pub")
    signer = person_signer(configured(named).get)
    assert verify(b"yes", signer.sign_ssh(b"yes", namespace="n"), public_key=public, namespace="n")


def test_a_passphrase_is_asked_by_ssh_keygen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = keygen(tmp_path / "key", "-t", "ed25519", passphrase="correct horse")
    answer = tmp_path / "answer"
    answer.write_text("#!/bin/sh\necho 'correct horse'\n")
    answer.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(answer))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    signer = person_signer(configured(str(tmp_path / "key")).get)
    assert verify(b"yes", signer.sign_ssh(b"yes", namespace="n"), public_key=public, namespace="n")


def test_a_key_that_is_nowhere_says_what_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = keygen(tmp_path / "key", "-t", "ed25519")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    signer = person_signer(configured(f"key::{public}").get)
    with pytest.raises(OperatorError) as caught:
        signer.sign_ssh(b"yes", namespace="n")
    assert "ssh-add" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (configured(None), "user.signingkey is not set"),
        (configured("/nowhere/key"), "no such file"),
        (configured("key::nonsense"), "not an SSH public key"),
        (configured("ABCDEF", form=None), "gpg.format is not set"),
        (configured("ABCDEF", form="openpgp"), "openpgp"),
    ],
)
def test_missing_and_wrong_settings_are_said(settings: dict[str, str], wrong: str) -> None:
    with pytest.raises(OperatorError, match=wrong) as caught:
        person_signer(settings.get)
    assert "user.signingkey" in caught.value.hint
