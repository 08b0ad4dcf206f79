"""allowed_signers, read strictly; ssh-keygen reads the same lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import OperatorError
from runner.repository.people import allowed_signers
from runner.repository.sshsig import encode


def a_key() -> tuple[Ed25519PrivateKey, str]:
    private = Ed25519PrivateKey.generate()
    return private, private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


KEY, PUBLIC = a_key()
_, OTHER = a_key()


def test_a_person_may_have_several_keys_and_a_key_only_its_namespaces() -> None:
    text = f'# people\n\nalice@x namespaces="git,runbook-comment" {PUBLIC} laptop\n  alice@x {OTHER}\n'
    people = allowed_signers(text)
    assert "alice@x" in people
    assert "bob@x" not in people
    assert people.keys("alice@x", namespace="runbook-comment") == (PUBLIC, OTHER)
    assert people.keys("alice@x", namespace="other") == (OTHER,)
    found = people.holder(PUBLIC + " comment", namespace="git")
    assert found
    assert found.person == "alice@x"
    assert people.holder(PUBLIC, namespace="other") is None
    assert [holder.line for holder in people.holders] == [3, 4]


def test_a_person_with_several_names_is_one_person() -> None:
    people = allowed_signers(f"alice@x,alice@y {PUBLIC}\nalice@x,alice@y {OTHER}\n")
    assert people.person("alice@y") == "alice@x"
    assert people.person("bob@x") is None
    found = people.holder(OTHER, namespace="git")
    assert found
    assert found.person == "alice@x"


def test_dates_are_kept_and_do_not_matter() -> None:
    people = allowed_signers(f'alice@x valid-after="20200101",valid-before="20210101" {PUBLIC}')
    assert people.keys("alice@x", namespace="git") == (PUBLIC,)
    assert people.holders[0].valid_before == "20210101"


def test_ssh_keygen_reads_the_same_line(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(f'alice@x,alice@y namespaces="git,runbook-comment" {PUBLIC} laptop\n')
    (tmp_path / "sig").write_text(encode(b"m", public_key=PUBLIC, namespace="git", sign=KEY.sign))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-n", "git", "-s", str(tmp_path / "sig")]
    for name in allowed_signers((tmp_path / "signers").read_text()).holders[0].principals:
        subprocess.run([*command, "-I", name], input=b"m", check=True, capture_output=True)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (f"* {PUBLIC}", "pattern"),
        (f"*@x {PUBLIC}", "pattern"),
        (f"alice@?,bob@x {PUBLIC}", "pattern"),
        (f"alice@x,!bob@x {PUBLIC}", "pattern"),
        (f"alice@x,,bob@x {PUBLIC}", "empty"),
        (f"alice@x,alice@x {PUBLIC}", "twice"),
        (f"\u0430lice@x {PUBLIC}", "not a plain name"),
        (f"alice@x cert-authority {PUBLIC}", "not supported"),
        (f'alice@x cert-authority,namespaces="git" {PUBLIC}', "not supported"),
        (f'alice@x namespaces="*" {PUBLIC}', "patterns"),
        (f'alice@x namespaces="" {PUBLIC}', "written out"),
        (f'alice@x namespaces="a",namespaces="b" {PUBLIC}', "given twice"),
        (f"alice@x touch-required {PUBLIC}", "not an option"),
        ("alice@x ssh-ed25519", "a line is"),
        ("alice@x ssh-ed25519 AAAA", "not an SSH public key"),
        (f"alice@x ssh-rsa {PUBLIC.split()[1]}", "not an SSH public key"),
        (f"alice@x {PUBLIC}\nalice@x {PUBLIC}", "on line 2 already"),
        (f"alice@x {PUBLIC}\nbob@x {PUBLIC}", "on line 2 already"),
        (f"alice@x,alice@y {PUBLIC}\nalice@y {OTHER}", "with other names on line 2"),
        (f"alice@x\t\u202e {PUBLIC}", "cannot be seen"),
        (f"alice@x\u202e {PUBLIC}", "cannot be seen"),
    ],
    # Keys are made anew in every process, and the names of tests have to be the same in all of them.
    ids=lambda value: "" if "ssh-" in str(value) else None,
)
def test_malformed_and_dangerous_lines_are_refused_by_number(line: str, wrong: str) -> None:
    text = f"# first\n{line}\n"
    with pytest.raises(OperatorError, match=wrong) as caught:
        allowed_signers(text)
    assert f"line {1 + len(line.splitlines())}" in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        people = allowed_signers(text)
    except OperatorError:
        return
    assert all(holder.principals for holder in people.holders)
