"""What holds for every test: where a skip is allowed. Everything that a test needs is made by the test itself."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# How long an example takes is no property of the product: a busy machine must not fail a test.
settings.register_profile("house", parent=settings.default, deadline=None)
settings.load_profile("house")

MACHINE = "machine:"
"""Begins the reason of a skip that depends on the machine alone (no user namespaces): allowed everywhere."""


def is_excused(reason: str) -> bool:
    """Whether a skip may stand in CI."""
    return reason.removeprefix("Skipped: ").startswith(MACHINE)


def in_ci() -> bool:
    """Whether this is a CI job: there, what could not be tested is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a test that was skipped, by itself or by its mark."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge a module that was skipped whole."""
    report = yield
    if report.skipped:
        _fail_in_ci(report)
    return report


def _fail_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if in_ci() and not is_excused(reason):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which is a failure in CI: {reason}"
