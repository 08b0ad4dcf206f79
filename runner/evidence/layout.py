"""Paths under `outputs/`: the only place that knows them (the ledger's own are in `ledger/event.py`)."""

from __future__ import annotations

from runner.ledger.event import ROOT

RUNS = f"{ROOT}runs/"


def run_folder(run: str) -> str:
    """The folder of a run, one level for each of year, month and day of its id: folders stay small."""
    return f"{RUNS}{run[0:4]}/{run[4:6]}/{run[6:8]}/{run}/"


def plan_file(run: str) -> str:
    """The exact bytes that were approved."""
    return f"{run_folder(run)}plan.json"


def rehearsal_file(run: str) -> str:
    """The rehearsal, as a notebook."""
    return f"{run_folder(run)}plan.ipynb"


def proposal_file(run: str) -> str:
    """The proposed content of files in Git, by their paths; null for a file that is to go."""
    return f"{run_folder(run)}proposal.json"


def request_file(run: str) -> str:
    """The words of the request."""
    return f"{run_folder(run)}request.md"


def attempt_folder(run: str, attempt: int) -> str:
    """What one execution left."""
    return f"{run_folder(run)}attempts/{attempt}/"


def executed_file(run: str, attempt: int) -> str:
    """The executed notebook, redacted."""
    return f"{attempt_folder(run, attempt)}executed.ipynb"


def transcript_file(run: str, attempt: int) -> str:
    """What a lost worker had written down; there is one only where it left no outcome."""
    return f"{attempt_folder(run, attempt)}transcript.jsonl"


def manifest_file(run: str, attempt: int) -> str:
    """Every file's digest and every cell's fate."""
    return f"{attempt_folder(run, attempt)}manifest.json"


def summary_file(run: str, attempt: int) -> str:
    """What the forge shows people."""
    return f"{attempt_folder(run, attempt)}summary.md"


def artifact_file(run: str, attempt: int, name: str) -> str:
    """An output too large for the notebook; `name` is its digest and ending."""
    return f"{attempt_folder(run, attempt)}artifacts/{name}"


def checkpoint_file(seq: int) -> str:
    """A signed head."""
    return f"{ROOT}checkpoints/{seq:08d}.txt"
