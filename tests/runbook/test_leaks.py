"""What looks like a credential is found wherever it stands, in whatever text; hostile text does not stop the search."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.runbook.leaks import findings, in_output

TOKENS = {
    "private-key": "-----BEGIN RSA PRIVATE KEY-----",
    "aws-access-key": "AKIA" + "ABCDEFGH12345678",
    "gitlab-token": "glpat-" + "a1B2" * 5,
    "github-token": "ghp_" + "a1B2" * 9,
    "slack-token": "xoxb-" + "1234567890-abc",
    "google-api-key": "AIza" + "a1B2-" * 7,
    "stripe-key": "sk_live_" + "a1B2" * 5,
    "json-web-token": ".".join(("eyJ" + "a1B2" * 4, "eyJ" + "c3D4" * 4, "e5F6" * 4)),
    "password-in-url": "postgres://admin:hunter22@db",
    "assigned-secret": 'DB_PASSWORD = "q8Zr1xWv0Lk3"',
}
RULES = st.sampled_from(sorted(TOKENS))


def rules(text: str) -> set[str]:
    return {leak.rule for leak in findings(text)}


@given(rule=RULES, before=st.text(), after=st.text())
def test_a_credential_is_found_in_any_text(rule: str, before: str, after: str) -> None:
    text = f"{before} {TOKENS[rule]} {after}"
    for look in (findings, in_output):
        hits = [leak for leak in look(text) if leak.rule == rule]
        # A credential of the same kind in the random text could swallow the start of ours, so a span that touches it.
        assert any(leak.start < len(before) + 1 + len(TOKENS[rule]) and leak.end > len(before) + 1 for leak in hits)


@given(
    st.text() | st.lists(st.sampled_from([*TOKENS.values(), "password", "=", "'", "eyJ", "-", "://", "@"])).map("".join)
)
def test_any_text_is_searched_and_every_hit_lies_in_it_in_order(text: str) -> None:
    for look in (findings, in_output):
        hits = look(text)
        assert [leak.start for leak in hits] == sorted(leak.start for leak in hits)
        assert all(0 <= leak.start < leak.end <= len(text) for leak in hits)


@given(rule=RULES, before=st.sampled_from(["line\n", "tab\t", "\r", '"']))
def test_a_credential_behind_an_escape_is_found_in_json_as_it_is_stored(rule: str, before: str) -> None:
    assert rule in rules(json.dumps({"text": before + TOKENS[rule]}).replace('\\"', "'"))


@pytest.mark.parametrize("rule", ["gitlab-token", "github-token", "slack-token", "stripe-key", "private-key"])
def test_a_credential_with_an_unmistakable_beginning_is_found_inside_a_word(rule: str) -> None:
    assert rules(f"name{TOKENS[rule]}") == {rule}


@pytest.mark.parametrize(
    "text",
    [
        "password = secret('DB')",
        "token = f'{name}-token-of-today'",
        "AKIA is how they begin",
        "XAKIAABCDEFGH12345678",
        "https://example.org/user:name@place",
        "url = 'postgres://{user}:{password}@host'",
        "-----BEGIN PUBLIC KEY-----",
        "glpat-short",
    ],
)
def test_what_only_speaks_of_credentials_is_left_alone(text: str) -> None:
    assert findings(text) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PASSWORD=q8Zr1xWv0Lk3", True),
        ('{"token": "q8Zr1xWv0Lk3mN"}', True),
        ("password: correct-horse-battery", False),
        ("secret = '2026-11-23T02:30:28'", False),
        ("token: aaaaaaaaaaaa1", False),
        ("password: ************", False),
        ("secret: /var/run/secrets/app1", False),
    ],
)
def test_in_output_only_what_looks_generated_counts(text: str, *, found: bool) -> None:
    assert bool(in_output(text)) is found


@pytest.mark.parametrize(
    "text",
    [
        "eyJ-" * 250_000,
        ("eyJ" + "a" * 10 + ".") * 20_000,
        "-----BEGIN " + "A " * 150_000,
        "password='" * 30_000,
        "a://" * 80_000,
        "xoxb-" * 60_000,
        "password='" + "x" * 300_000,
    ],
    ids=["tokens", "dots", "key", "assignments", "addresses", "beginnings", "one value"],
)
def test_hostile_text_is_searched_in_linear_time(text: str) -> None:
    # Not a timed test: what is not linear here does not end within the suite's patience.
    findings(text)
    in_output(text)
