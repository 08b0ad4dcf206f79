"""What one process has seen is kept by server, project and token."""

from __future__ import annotations

from runner.adapters.forge.gitlab_seen import seen_at


def test_what_one_token_saw_is_not_shown_to_another() -> None:
    first = seen_at("https://seen.example.org", "ops/x", "one")
    first.me = "alice"
    assert seen_at("https://seen.example.org", "ops/x", "one") is first
    assert seen_at("https://seen.example.org", "ops/x", "two").me == ""
    assert seen_at("https://seen.example.org", "ops/y", "one").me == ""
