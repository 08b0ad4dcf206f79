from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from runner.digest import Digest, sha256
from runner.errors import IntegrityError
from runner.ledger.bodies import TYPES, Expire, Note
from runner.ledger.event import Event, decode, encode, from_iso, iso, path

RUN = "20261123T120000Z-disk-cleanup-7k3q9x2m"
EVENT = Event(
    seq=7,
    digest=Digest(""),
    prev="0" * 64,
    run=RUN,
    time="2026-11-23T12:00:00.000Z",
    actor="host/1",
    subject=(("runs/plan.json", sha256(b"plan")),),
    body=Expire(plan_digest=sha256(b"plan")),
)


def test_an_event_comes_back_as_it_was() -> None:
    assert decode(encode(EVENT), digest=Digest("")) == EVENT
    assert EVENT.type == "expire"
    assert EVENT.when == datetime(2026, 11, 23, 12, tzinfo=UTC)


def put(statement: dict[str, Any], where: str, value: object) -> None:
    *parents, last = where.split(".")
    for parent in parents:
        statement = statement[parent]
    statement[last] = value


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("predicateType", "https://slsa.dev/provenance/v1"),
        ("unknown", 1),
        ("subject", [{"name": "x", "digest": {"md5": "0"}}]),
        ("subject", [{"name": "x", "digest": {"sha256": "0"}, "unknown": 1}]),
        ("predicate.unknown", 1),
        ("predicate.type", "celebrate"),
        ("predicate.type", "note"),
        ("predicate.actor.kind", "person"),
        ("predicate.run", "../../etc/passwd"),
        ("predicate.run", f"{RUN}\n"),
        ("predicate.run", "20261123T120000Z-Disk-7k3q9x2m"),
        ("predicate.time.local", "yesterday"),
        ("predicate.chain.seq", "7"),
        ("predicate.body.unknown", 1),
        ("predicate.body", {}),
    ],
)
def test_whatever_does_not_fit_is_refused(where: str, value: object) -> None:
    statement = json.loads(encode(EVENT))
    put(statement, where, value)
    with pytest.raises(IntegrityError):
        decode(json.dumps(statement).encode(), digest=Digest(""))


@pytest.mark.parametrize("garbage", [b"", b"[]", b"\xff\xfe", b"{}"])
def test_what_is_no_statement_is_refused(garbage: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode(garbage, digest=Digest(""))


def test_times_are_written_in_one_way() -> None:
    local = datetime(2026, 11, 23, 14, 0, 0, 1500, tzinfo=timezone(timedelta(hours=2)))
    assert iso(local) == "2026-11-23T12:00:00.001Z"
    assert from_iso(iso(local)) == datetime(2026, 11, 23, 12, 0, 0, 1000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "outputs/ledger/00000/00000000.dsse.json"),
        (999, "outputs/ledger/00000/00000999.dsse.json"),
        (1000, "outputs/ledger/00001/00001000.dsse.json"),
    ],
)
def test_a_thousand_events_lie_in_a_folder(number: int, expected: str) -> None:
    assert path(number) == expected


def test_the_name_of_a_type_is_that_of_its_body() -> None:
    make: Callable[..., Note] = TYPES["note"]  # type: ignore[assignment] # the table is of all bodies
    assert make(text="x") == Note(text="x")
    assert all(kind.__name__.lower() == name for name, kind in TYPES.items())
