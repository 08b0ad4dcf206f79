"""The bodies of events: each comes back as it was written, in camel-case, and nothing unknown is let in."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from runner.digest import canonical, parse
from runner.ledger.bodies import TYPES, Body, Plan, Rehearsal, Said, Start

SAID = Said(by="alice", comment="7/1", verified=True, payload="cGF5", signature="c2ln")


def filled(kind: type[Body]) -> Body:
    """An instance with every field set."""
    make: Callable[..., Body] = kind
    return make(**{name: value_of(get_type_hints(kind)[name]) for name in kind.__struct_fields__})


def value_of(hint: Any) -> object:
    if get_origin(hint) is types.UnionType:
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple:
        return (value_of(get_args(hint)[0]),)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    if hint is Any:
        return {"a": [1, None]}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint is not Said:
        return hint(**{name: value_of(one) for name, one in get_type_hints(hint).items()})
    return {int: 7, float: 1.5, bool: True, Said: SAID}.get(hint, "text")


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_body_comes_back_as_it_was(kind: type[Body]) -> None:
    body = filled(kind)
    assert parse(kind, canonical(body)) == body


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_an_unknown_field_or_a_missing_one_is_refused(kind: type[Body]) -> None:
    written: dict[str, object] = json.loads(canonical(filled(kind)))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        parse(kind, canonical(written | {"more": 1}))
    needed = next(field.encode_name for field in msgspec.structs.fields(kind) if field.required)
    del written[needed]
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        parse(kind, canonical(written))


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_field_of_another_type_is_never_turned_into_the_right_one(kind: type[Body]) -> None:
    written: dict[str, object] = json.loads(canonical(filled(kind)))
    anything = {field.encode_name for field in msgspec.structs.fields(kind) if field.type is Any}
    assert anything <= {"value"}, "only an answer's value may be anything that JSON holds"
    for name in written.keys() - anything:
        with pytest.raises(msgspec.ValidationError):
            parse(kind, canonical(written | {name: {"other": 1}}))


def test_every_body_is_in_the_one_list_of_types_under_its_own_name() -> None:
    assert set(TYPES.values()) == set(get_args(Body))
    assert all(name == kind.__name__.lower() for name, kind in TYPES.items())


def test_names_are_camel_case_in_the_record() -> None:
    start = filled(Start)
    assert {"planDigest", "policyCommit"} <= json.loads(canonical(start)).keys()
    with pytest.raises(msgspec.ValidationError, match="plan_digest"):
        parse(Start, b'{"plan_digest": "0"}')


def test_a_word_outside_its_list_is_refused() -> None:
    written: dict[str, object] = json.loads(canonical(filled(Plan)))
    assert written["rehearsal"] == Rehearsal.NOTHING.value
    with pytest.raises(msgspec.ValidationError, match="perfect"):
        parse(Plan, canonical(written | {"rehearsal": "perfect"}))


def test_an_event_that_is_written_is_never_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        filled(Start).attempt = 2  # type: ignore[misc,union-attr] # what must not be possible
