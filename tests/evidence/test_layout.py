"""Where what lies under `outputs/`."""

from __future__ import annotations

from runner.evidence import layout

RUN = "20261123T115900Z-disk-cleanup-7k3q2x2m"


def test_a_run_lies_under_its_day_and_an_attempt_under_its_run() -> None:
    folder = f"outputs/runs/2026/11/23/{RUN}/"
    assert layout.run_folder(RUN) == folder
    assert layout.plan_file(RUN) == f"{folder}plan.json"
    assert layout.rehearsal_file(RUN) == f"{folder}plan.ipynb"
    assert layout.request_file(RUN) == f"{folder}request.md"
    assert layout.executed_file(RUN, 2) == f"{folder}attempts/2/executed.ipynb"
    assert layout.manifest_file(RUN, 2) == f"{folder}attempts/2/manifest.json"
    assert layout.summary_file(RUN, 2) == f"{folder}attempts/2/summary.md"
    assert layout.artifact_file(RUN, 2, "ab.png") == f"{folder}attempts/2/artifacts/ab.png"
    assert layout.checkpoint_file(42) == "outputs/checkpoints/00000042.txt"
