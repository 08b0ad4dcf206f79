from __future__ import annotations

from pathlib import Path

import pytest

import runner
from runner.cli import shipped
from runner.errors import OperatorError


def test_a_source_checkout_has_them_beside_the_package() -> None:
    assert {"rotate-certificate.ipynb", "disk-cleanup.ipynb", "service-restart.ipynb"} <= {
        path.name for path in shipped.runbooks().iterdir()
    }


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "__file__", str(tmp_path / "runner" / "__init__.py"))
    inside = tmp_path / "runner" / "shipped" / "runbooks"
    inside.mkdir(parents=True)
    (inside / "rotate-certificate.ipynb").write_text("{}")
    assert shipped.runbooks() == inside


def test_without_them_the_installation_is_said_to_be_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "__file__", str(tmp_path / "runner" / "__init__.py"))
    with pytest.raises(OperatorError, match="shipped runbooks"):
        shipped.runbooks()
