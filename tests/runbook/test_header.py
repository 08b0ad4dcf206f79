"""The header and the targets that it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook import header
from runner.runbook.header import Access, Header


def wrap(text: str) -> str:
    return f"---\n{text}\n---\n"


def test_a_full_header_is_read() -> None:
    found = header.read(
        wrap(
            "title: Rotate\nowner: '@dba'\nrisk: high\n"
            "target: ['{environment}/{database}', shared]\n"
            "secrets: {read: [A], change: [B, C]}\n"
            "access: {network: true, read: [/etc/ssl], write: [/srv, '{folder}'], processes: host}\n"
            "timeout: 20m\nclose_issue: true\nirreversible: mail cannot be called back\n"
            "examples: {database: orders, n: [1]}"
        )
    )
    assert found == Header(
        title="Rotate",
        owner="@dba",
        risk="high",
        target=("{environment}/{database}", "shared"),
        read_secrets=("A",),
        change_secrets=("B", "C"),
        access=Access(network=True, read=("/etc/ssl",), write=("/srv", "{folder}"), processes="host"),
        timeout=1200.0,
        close_issue=True,
        irreversible="mail cannot be called back",
        examples=(("database", "orders"), ("n", ["1"])),
    )


def test_nothing_is_open_by_default() -> None:
    assert header.read(wrap("title: x")).access == Access(network=False, write=(), processes="own")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel: x", "'titel' is unknown"),
        ("risk: [high]", "risk"),
        ("risk: High", "risk"),
        ("target: ''", "target"),
        ("target: []", "target"),
        ("target: '{a.b}'", "target"),
        ("target: '{a!r}'", "target"),
        ("target: '{a:>9}'", "target"),
        ("target: '{}'", "target"),
        ("target: '{0}'", "target"),
        ("target: '{A}'", "target"),
        ("target: 'a b'", "target"),
        ("target: 'a%2Fb'", "target"),
        ("target: {a: b}", "target"),
        ("secrets: [A]", "secrets"),
        ("secrets: {write: [A]}", "secrets"),
        ("secrets: {read: [a-b]}", "secrets"),
        ("secrets: {read: {A: value}}", "secrets"),
        ("access: {network: yes}", "access"),
        ("environment: /etc/db.lock", "environment"),
        ("environment: ../db.lock", "environment"),
        ("environment: [a.lock]", "environment"),
        ("access: {write: [relative]}", "access"),
        ("access: {write: /var}", "access"),
        ("access: {read: [etc]}", "access"),
        ("access: {processes: all}", "access"),
        ("access: {sockets: true}", "access"),
        ("timeout: 20", "timeout"),
        ("timeout: {}", "timeout"),
        ("close_issue: yes", "close_issue"),
        ("irreversible: ''", "irreversible"),
        ("examples: [a]", "examples"),
        ("title: ''", "title"),
        ('title: "a\\nb"', "title"),
        ("title: x\ntitle: y", "twice"),
        ("title: &a x", "anchor"),
        ("just text", "key: value"),
    ],
)
def test_what_is_not_accepted_is_refused_with_its_key(text: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        header.read(wrap(text))
    assert words in str(caught.value)
    assert caught.value.hint


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        header.read(wrap("titel: x\ntimeout: soon\nrisk: '!'"))
    assert all(word in str(caught.value) for word in ("titel", "timeout", "risk", "20m"))


@pytest.mark.parametrize("source", ["---\ntitle: x\n", "---", "title: x\n---\n", "---\ntitle: x\n---\nmore"])
def test_a_header_stands_between_two_lines(source: str) -> None:
    with pytest.raises(RequestError, match="---"):
        header.read(source)


def test_lines_are_counted_as_people_see_them() -> None:
    with pytest.raises(RequestError, match="line 4"):
        header.read("---\ntitle: x\nrisk: low\nrisk: high\n---")


def make(*targets: str) -> Header:
    return Header(title="x", target=targets)


def test_targets_are_filled_in_by_name_and_percent_encoded() -> None:
    values: dict[str, Json] = {"environment": "sta/ging", "n": 3, "on": True, "host": "::1"}
    assert header.targets(make("{environment}/{n}-{on}", "tls/{host}:443"), values) == (
        "sta%2Fging/3-true",
        "tls/%3A%3A1:443",
    )


def test_equal_targets_are_one() -> None:
    assert header.targets(make("{a}", "{b}"), {"a": "x", "b": "x"}) == ("x",)


@pytest.mark.parametrize("value", ["", None, [], ["a"], {"a": "b"}])
def test_a_target_is_never_made_of_nothing(value: Json) -> None:
    with pytest.raises(RequestError):
        header.targets(make("env/{a}"), {"a": value})


@pytest.mark.parametrize(
    ("template", "value"), [("{a}", ".."), ("x/{a}", "."), ("{a}", "x" * 300), ("/{a}", "x"), ("x//{a}", "y")]
)
def test_a_target_that_names_nothing_is_refused(template: str, value: str) -> None:
    with pytest.raises(RequestError, match="names nothing"):
        header.targets(make(template), {"a": value})


def test_a_missing_value_or_target_is_refused() -> None:
    with pytest.raises(RequestError):
        header.targets(make("{a}"), {})
    with pytest.raises(RequestError):
        header.targets(make(), {})


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_different_values_never_make_the_same_target(one: str, other: str) -> None:
    def made(value: str) -> tuple[str, ...]:
        try:
            return header.targets(make("env/{a}"), {"a": value})
        except (RequestError, UnicodeEncodeError):
            return (repr(value),)

    assert (made(one) == made(other)) == (one == other)


def test_paths_to_open_are_plain_absolute_paths() -> None:
    one = ("{folder}", "/srv/{name}")
    assert header.opened(one, {"folder": "/data/x", "name": "a b"}) == ("/data/x", "/srv/a b")
    for folder in ("data", "/data/../etc", "", "/a\nb", "/", "//./", "/proc/1", "/dev/sda"):
        with pytest.raises(RequestError):
            header.opened(one, {"folder": folder, "name": "a"})
