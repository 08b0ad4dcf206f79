from __future__ import annotations

import json

import pytest

from runner.execution.redact import Masker
from runner.execution.scan import findings, gate
from runner.runbook import leaks

HITS = {
    "private-key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "gitlab-token": "glpat-" + "a1b2c3d4e5f6g7h8i9j0",
    "github-token": "ghp_" + "a1B2" * 9,
    "aws-access-key": "AKIA" + "ABCDEFGH12345678",
    "slack-token": "xoxb-" + "1234567890-abc",
    "password-in-url": "postgres://admin:hunter22@db/x",
    "assigned-secret": "DB_PASSWORD=q8Zr1xWv0Lk3",
}
ORDINARY = (
    "secret: orders-db-password",
    "token = os.environ['TOKEN']",
    "password: ******",
    "The secret is in /var/run/secrets/app",
    "api_key=API_KEY_FROM_VAULT",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "token_type: bearer",
    "secret [redacted:PGADMIN] rotated at 2026-11-23T02:30:28Z",
    "https://example.org/user:name",
    "password: [redacted:PGADMIN]",
)


@pytest.mark.parametrize("rule", HITS)
def test_what_has_the_form_of_a_credential_is_found_with_its_line(rule: str) -> None:
    found = findings(f"one\ntwo {HITS[rule]} three\n".encode())
    assert [(one.rule, one.line) for one in found] == [(rule, 2)]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_about_secrets_are_not_found(text: str) -> None:
    assert leaks.in_output(text) == ()


def test_what_hides_in_escaped_lines_of_a_notebook_is_found() -> None:
    data = json.dumps({"text": ["glpat-a1b2c3d4", "e5f6g7h8i9j0k1\n"]}).encode()
    assert [one.rule for one in findings(data)] == ["gitlab-token"]


def test_words_of_a_list_are_looked_at_apart_and_not_only_joined() -> None:
    files = {"a": json.dumps({"keys": ["first", HITS["aws-access-key"], "third"]}).encode()}
    assert [one.rule for one in gate(files, masker=Masker({}), public="")["a"]] == ["aws-access-key"]


def test_the_gate_finds_known_values_in_stored_and_in_read_form() -> None:
    masker = Masker({"PW": 'quote"and\nline'})
    stored = json.dumps({"text": ['quote"and\n', "line"]}).encode()
    assert [one.rule for one in gate({"a": stored}, masker=masker, public="")["a"]] == ["PW"]
    assert gate({"a": b'{"text": "[redacted:PW]"}'}, masker=masker, public="") == {}


def test_the_gate_leaves_to_lint_what_stands_in_the_runbook() -> None:
    token = HITS["gitlab-token"]
    files = {"executed.ipynb": json.dumps({"source": [f"t = '{token}'"]}).encode()}
    assert gate(files, masker=Masker({}), public=f"t = '{token}'") == {}
    assert gate(files, masker=Masker({}), public="") != {}
