"""What makes a delivery authentic, with the documented deliveries of GitLab and their test signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.server import delivery
from runner.server.delivery import Keys, RefusedError, authentic

KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_" + base64.b64encode(b"another key of thirty-two bytes!").decode()
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "gitlab" / "webhooks"


def signed(body: bytes, *, key: str = KEY, at: float | None = None, id_: str = "d-1") -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    raw = base64.b64decode(key.removeprefix("whsec_"))
    digest = hmac.new(raw, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": signature,
        "x-gitlab-event": "Note Hook",
    }


def test_a_good_signature_is_enough_whatever_the_body_says() -> None:
    for body in (b'{"object_kind": "note"}', b"", b"not json"):
        found = authentic(signed(body), body, Keys(signing=(OTHER, KEY)))
        assert (found.id, found.event) == ("d-1", "Note Hook")


@pytest.mark.parametrize("seconds", [-3600, -301, 301])
def test_a_replay_and_a_delivery_from_the_future_are_refused(seconds: float) -> None:
    with pytest.raises(RefusedError) as refused:
        authentic(signed(b"{}", at=time.time() + seconds), b"{}", Keys(signing=(KEY,)))
    assert refused.value.status == 401


def test_a_changed_byte_another_key_and_another_id_are_refused() -> None:
    good = signed(b"{}")
    for headers, body in (
        (good, b"{ }"),
        (signed(b"{}", key=OTHER), b"{}"),
        ({**good, "webhook-id": "d-2"}, b"{}"),
        ({**good, "webhook-signature": "v1,"}, b"{}"),
        ({**good, "webhook-signature": ""}, b"{}"),
        ({**good, "webhook-timestamp": "soon"}, b"{}"),
    ):
        with pytest.raises(RefusedError) as refused:
            authentic(headers, body, Keys(signing=(KEY,), token="plain"))
        assert refused.value.status == 401


def test_the_plain_token_counts_only_where_one_is_configured_and_nothing_is_signed() -> None:
    plain = {"x-gitlab-token": "plain", "idempotency-key": "k-1"}
    assert authentic(plain, b"{}", Keys(token="plain")).id == "k-1"
    with pytest.raises(RefusedError):
        authentic(plain, b"{}", Keys(signing=(KEY,)))
    with pytest.raises(RefusedError):
        authentic({**plain, "x-gitlab-token": "other"}, b"{}", Keys(token="plain"))
    with pytest.raises(RefusedError):
        authentic({**plain, "webhook-signature": "v1,x"}, b"{}", Keys(token="plain"))


def test_nothing_configured_means_nothing_is_taken() -> None:
    for headers in ({}, {"x-gitlab-token": ""}, signed(b"{}")):
        with pytest.raises(RefusedError):
            authentic(headers, b"{}", Keys())


def test_a_delivery_needs_an_id_and_a_bearable_size(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError) as refused:
        authentic({"x-gitlab-token": "plain"}, b"{}", Keys(token="plain"))
    assert refused.value.status == 400
    monkeypatch.setattr(delivery, "LARGEST", 1)
    with pytest.raises(RefusedError) as refused:
        authentic(signed(b"{}"), b"{}", Keys(signing=(KEY,)))
    assert refused.value.status == 413


@pytest.mark.parametrize("name", ["note_issue", "issue", "push", "merge_request", "pipeline", "job", "emoji"])
def test_the_documented_deliveries_are_authentic_in_their_own_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not SAMPLES.exists():
        pytest.skip("machine: GitLab's documented deliveries lie in the shared folder, which is not here")
    said = json.loads((SAMPLES / f"{name}.headers.json").read_text())
    headers = {key.lower(): value for key, value in said["headers"].items()}
    body = (SAMPLES / f"{name}.json").read_bytes()
    keys = Keys(signing=(said["_signing_token"],))
    with pytest.raises(RefusedError):
        authentic(headers, body, keys)

    class Then:
        """The clock of the library, at the moment of the sample."""

        fromtimestamp = datetime.fromtimestamp

        @staticmethod
        def now(**_zone: object) -> datetime:
            return datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Then)
    assert authentic(headers, body, keys).id == headers["webhook-id"]
