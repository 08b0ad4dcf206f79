"""The toolkit as a whole: standard library only, and usable where nothing else is installed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import runner.toolkit

FOLDER = Path(runner.toolkit.__file__).parent


def test_it_imports_only_the_standard_library_and_itself() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
                assert not node.level, path
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                own = name.startswith("runner.toolkit")
                assert own or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_it_works_in_a_bare_interpreter(tmp_path: Path) -> None:
    package = tmp_path / "runner"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "toolkit").symlink_to(FOLDER)
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from runner.toolkit import *\n"
        "n: Annotated[int, Field(ge=0)] = 1\n"
        "record('a', n); artifact('a.txt', 'x'); check(True, 'fine'); print(table([{'a': 1}]))\n"
        "assert recorded('a') == 1 and sh(['printf', 'x'], quiet=True).stdout == 'x'\n"
        "assert not {'pydantic', 'IPython', 'msgspec', 'yaml'} & set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert run.returncode == 0, run.stderr
    assert "recorded a = 1" in run.stdout


def test_everything_offered_is_there() -> None:
    assert all(hasattr(runner.toolkit, name) for name in runner.toolkit.__all__)
