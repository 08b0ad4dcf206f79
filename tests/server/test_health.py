"""How the loop is, in numbers and in one word."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from runner.server.health import Health


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def numbers(health: Health) -> dict[str, float]:
    families = text_string_to_metric_families(health.text().decode())
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families
        for sample in family.samples
    }


def test_it_is_ready_once_a_round_has_succeeded_and_as_long_as_they_keep_doing() -> None:
    clock = Clock()
    health = Health(every=10, waiting=lambda: 0, clock=clock)
    assert health.not_ready() == "no round has ended yet"
    health.succeeded(seconds=0.2, runs={})
    assert health.not_ready() == ""
    health.failed("the remote does not answer")
    assert health.not_ready() == "", "one bad round is no trouble yet"
    clock.at += 31
    assert health.not_ready() == "no round has succeeded for 31 s: the remote does not answer"
    health.succeeded(seconds=0.2, runs={})
    assert health.not_ready() == ""


def test_the_numbers_are_what_happened() -> None:
    health = Health(every=10, waiting=lambda: 7)
    health.succeeded(seconds=0.2, runs={"started": 2, "planned": 1})
    health.succeeded(seconds=0.2, runs={"planned": 3})
    health.failed("x")
    health.deliveries.labels(result="new").inc()
    seen = numbers(health)
    assert seen["runbook_rounds_total[('result', 'ok')]"] == 2
    assert seen["runbook_rounds_total[('result', 'failed')]"] == 1
    assert seen["runbook_runs[('state', 'planned')]"] == 3
    assert "runbook_runs[('state', 'started')]" not in seen
    assert seen["runbook_inbox_waiting[]"] == 7
    assert seen["runbook_deliveries_total[('result', 'new')]"] == 1
    assert seen["runbook_round_seconds_count[]"] == 2
