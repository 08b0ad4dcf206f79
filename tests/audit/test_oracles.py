"""Others judge our formats: securesystemslib and openssl the envelopes, git the commits, ssh-keygen the words."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined] # exported without __all__

from runner.audit.source import opened
from runner.audit.verify import verify
from runner.digest import sha256
from runner.ledger.envelope import STATEMENT, open_envelope
from runner.ledger.event import decode
from tests.audit.by_hand import Hand, Leaf, compact, find, pae, sha
from tests.audit.ledgers import ALICE, BOB, History, a_history
from tests.audit.test_verify import NOW

STATEMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "additionalProperties": False,
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["digest", "name"],
                "properties": {"digest": {"properties": {"sha256": {"pattern": "^[0-9a-f]{64}$"}}}},
            },
        },
        "predicateType": {"type": "string", "format": "uri"},
        "predicate": {"type": "object"},
    },
}
"""The in-toto attestation framework's statement, v1, as its specification has it."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = a_history(tmp_path_factory.mktemp("oracles"))
    made.close()
    return made


@pytest.fixture(scope="module")
def hand(history: History) -> Hand:
    keys = {key: history.path.parent / f"keys-{history.project}" / key for key in history.keys}
    return Hand(repository=history.path, keys=keys)


@pytest.fixture(scope="module")
def leaves(hand: Hand) -> list[Leaf]:
    return hand.read()


def test_securesystemslib_accepts_every_envelope_and_no_altered_one(hand: Hand, leaves: list[Leaf]) -> None:
    key = SSlibKey.from_crypto(
        load_ssh_public_key(hand.public("runner").encode()), keyid=sha(hand.public("runner").encode())
    )
    for leaf in leaves:
        envelope = Envelope.from_dict(json.loads(leaf.envelope))
        assert envelope.payload_type == STATEMENT
        assert list(envelope.verify([key], 1)) == [key.keyid]
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([key], 1)


def test_openssl_accepts_an_envelope(hand: Hand, leaves: list[Leaf], tmp_path: Path) -> None:
    public = load_ssh_public_key(hand.public("runner").encode())
    (tmp_path / "key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    envelope = json.loads(leaves[3].envelope)
    (tmp_path / "pae").write_bytes(pae(base64.b64decode(envelope["payload"])))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "pae",
        "-sigfile",
        "sig",
    ]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "pae").write_bytes((tmp_path / "pae").read_bytes() + b" ")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_every_statement_fits_the_schema_of_in_toto(leaves: list[Leaf]) -> None:
    for leaf in leaves:
        jsonschema.validate(leaf.statement, STATEMENT_SCHEMA)


def test_statements_are_compact_json_with_sorted_keys(leaves: list[Leaf]) -> None:
    for leaf in leaves:
        assert base64.b64decode(json.loads(leaf.envelope)["payload"]) == compact(leaf.statement)


def test_git_accepts_every_commit(hand: Hand, leaves: list[Leaf], tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text(f'* namespaces="git" {hand.public("runner")}\n')
    setting = f"gpg.ssh.allowedSignersFile={signers}"
    hand.git("-c", setting, "verify-commit", *(leaf.commit for leaf in leaves))
    signers.write_text(f'* namespaces="git" {hand.public("second")}\n')
    with pytest.raises(subprocess.CalledProcessError):
        hand.git("-c", setting, "verify-commit", leaves[0].commit)


def test_ssh_keygen_accepts_an_approvers_words(hand: Hand, leaves: list[Leaf], tmp_path: Path) -> None:
    said = find(leaves, "approve").body["said"]
    people = hand.git("cat-file", "blob", "main:runbooks/allowed_signers")
    (tmp_path / "people").write_bytes(people)
    (tmp_path / "sig").write_bytes(base64.b64decode(said["signature"]))
    for who, good in ((BOB, True), (ALICE, False)):
        command = ["ssh-keygen", "-Y", "verify", "-f", "people", "-I", who, "-n", "runbook-comment", "-s", "sig"]
        done = subprocess.run(
            command, cwd=tmp_path, input=base64.b64decode(said["payload"]), capture_output=True, check=False
        )
        assert (done.returncode == 0) is good


def test_a_ledger_made_by_hand_is_accepted_by_the_runner(hand: Hand, history: History, tmp_path: Path) -> None:
    """Every commit and envelope written anew by hand, down to the root, with git plumbing and ssh-keygen."""
    copy = tmp_path / "copy"
    subprocess.run(
        ["git", "clone", "-q", "--mirror", str(history.path), str(copy / ".git")], check=True, env=os.environ
    )
    other = Hand(repository=copy, keys=hand.keys)
    other.git("config", "core.bare", "false")
    leaves = other.read()
    before = [leaf.commit for leaf in leaves]
    for leaf in leaves:
        leaf.touched = True
        leaf.message = f"by hand\n\n{leaf.message.split(chr(10) * 2)[-1]}"
    other.write(leaves)
    assert not set(before) & {leaf.commit for leaf in leaves}
    with opened("", at=copy) as source:
        report = verify(source, now=NOW, deep=True)
    assert [violation for line in report.lines for violation in line.violations] == []
    payload = open_envelope(leaves[2].envelope, keys=[hand.public("runner")], payload_type=STATEMENT)
    assert decode(payload, digest=sha256(leaves[2].envelope)).type == "plan"
