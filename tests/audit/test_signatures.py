from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.adapters.signer.ssh import SshSigner, generate
from runner.audit.finding import Violation
from runner.audit.signatures import Job, Signatures, holds


@pytest.fixture
def signer(tmp_path: Path) -> SshSigner:
    return generate(tmp_path / "key")


def job(signer: SshSigner, message: bytes = b"words", *, namespace: str = "") -> Job:
    signature = signer.sign_ssh(message, namespace=namespace).encode() if namespace else signer.sign(message)
    return Job(message, (signature,), (signer.public_key,), namespace)


@pytest.mark.parametrize("namespace", ["", "git"])
def test_a_signature_holds_for_its_message_key_and_namespace_only(
    signer: SshSigner, tmp_path: Path, namespace: str
) -> None:
    good = job(signer, namespace=namespace)
    other = generate(tmp_path / "other")
    assert holds(good)
    assert not holds(replace(good, message=b"other words"))
    assert not holds(replace(good, keys=(other.public_key,)))
    assert holds(replace(good, keys=(other.public_key, signer.public_key)))
    assert not holds(replace(good, keys=()))
    assert not holds(replace(good, signatures=()))
    assert not holds(replace(good, signatures=(b"garbage",)))
    assert not holds(replace(good, namespace="file" if namespace else "git"))


@pytest.mark.parametrize(("few", "processes"), [(10**9, 1), (0, 2)])
def test_the_broken_ones_come_out_in_order(
    signer: SshSigner, monkeypatch: pytest.MonkeyPatch, *, few: int, processes: int
) -> None:
    monkeypatch.setattr("runner.audit.signatures.FEW", few)
    monkeypatch.setattr("runner.audit.signatures.BATCH", 7)
    with Signatures(processes=processes) as signatures:
        for number in range(200):
            one = job(signer, str(number).encode())
            bad = replace(one, message=b"x") if number % 50 == 3 else one
            signatures.ask(bad, otherwise=Violation(invariant="I3", file=str(number), wrong=""))
        assert [violation.file for violation in signatures.broken()] == ["3", "53", "103", "153"]
        assert list(signatures.broken()) == []
