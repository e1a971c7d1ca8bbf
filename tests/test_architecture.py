"""The rooms and their order: a room imports only rooms before it; no module is imported in a
circle; files are short; every example runs.
"""

import ast
import doctest
import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import incongruent

ROOT = Path(incongruent.__file__).parent
ROOMS = [
    "data",
    "models",
    "priors",
    "simulation",
    "storage",
    "networks",
    "posterior",
    "training",
    "exact",
    "checks",
    "analysis",
    "plots",
    "report",
    "app",
    "cli",
]
"""Earlier ones may not import later ones."""
COMPUTING = ROOMS[: ROOMS.index("analysis") + 1]
"""Rooms that compute: nothing that draws, no banks on disk and no command line is needed to import
them.
"""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
"""By name within the package; "__init__" is the package itself, which gathers everything."""
INSIDE = [name for name in MODULES if name not in ("__init__", "__main__")]


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imports(source: str) -> set[str]:
    """Modules of the package that a source imports anywhere, also within functions and for type
    checkers.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "Imports are absolute."
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in full if name.removeprefix("incongruent.") in MODULES} or {
                node.module or ""
            }
    return {
        name.removeprefix("incongruent").removeprefix(".")
        for name in found
        if name.split(".")[0] == "incongruent"
    }


def violations(module: str, source: str) -> list[str]:
    """Imports of later rooms, or of the package itself."""
    here = ROOMS.index(room_of(module))
    there = {name: room_of(name) for name in imports(source)}
    return [
        f"{module} imports {name or 'incongruent'}"
        for name, room in there.items()
        if room not in ROOMS or ROOMS.index(room) > here
    ]


def closed(module: str, source: str) -> list[str]:
    """Imports from elsewhere of what a room, or a part of one, does not name in its docstring,
    which says what others may use.
    """
    found = []
    for name in imports(source):
        parts = name.split(".")
        for k in range(1, len(parts)):
            package = ".".join(parts[:k])
            outside = not f"{module}.".startswith(f"{package}.")
            if outside and f"`{parts[k]}" not in (
                ast.get_docstring(ast.parse(MODULES[package].read_text(encoding="utf-8"))) or ""
            ):
                found.append(
                    f"{module} imports {name}, which the docstring of {package} does not name"
                )
    return found


def test_the_package_has_these_rooms_and_no_others() -> None:
    entries = {path.name for path in ROOT.iterdir() if path.name not in ("__pycache__", "py.typed")}
    assert {name.removesuffix(".py") for name in entries} == {
        *ROOMS,
        "__init__",
        "__init__.pyi",
        "__main__",
    }
    assert len(entries) <= 18


@pytest.mark.parametrize("module", INSIDE)
def test_a_room_imports_only_rooms_before_it(module: str) -> None:
    assert not violations(module, MODULES[module].read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", INSIDE)
def test_others_use_what_a_room_names(module: str) -> None:
    assert not closed(module, MODULES[module].read_text(encoding="utf-8"))


def test_no_module_is_imported_in_a_circle() -> None:
    graph = {module: imports(MODULES[module].read_text(encoding="utf-8")) for module in INSIDE}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) >= len(INSIDE)


def test_the_page_does_without_the_command_line() -> None:
    pages = [module for module in INSIDE if room_of(module) == "app"]
    assert pages
    assert not [
        module
        for module in pages
        if any(
            room_of(name) == "cli" for name in imports(MODULES[module].read_text(encoding="utf-8"))
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "from incongruent.posterior import posterior",
        "from incongruent.posterior.posterior import Posterior",
        "import incongruent.cli.commands",
        "from incongruent import Prior",
        "import incongruent",
    ],
)
def test_a_forward_import_would_be_seen(line: str) -> None:
    assert violations("simulation.simulator", f"def f():\n    {line}\n")


def test_an_import_of_what_is_private_to_a_room_would_be_seen() -> None:
    assert closed("posterior.posterior", "from incongruent.networks.splines import Spline\n")
    assert not closed("networks.flows", "from incongruent.networks.splines import Spline\n")


def without(packages: list[str], program: str) -> None:
    """Run a program in a process in which these packages cannot be imported."""
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in packages)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{blocked}{program}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_computing_needs_no_plots_no_banks_and_no_command_line() -> None:
    modules = [module for module in INSIDE if room_of(module) in COMPUTING]
    program = "".join(f"import incongruent.{module}\n" for module in modules)
    without(["matplotlib", "zarr", "typer", "nicegui", "jinja2"], program)


def test_trials_are_read_without_compilers(tmp_path: Path) -> None:
    rows = [
        f"{person},{condition},{rt},1"
        for person in "ab"
        for condition in ("congruent", "incongruent")
        for rt in range(400, 430)
    ]
    file = tmp_path / "trials.csv"
    file.write_text("subject,condition,rt,accuracy\n" + "\n".join(rows))
    without(
        ["jax", "equinox", "numba", "optax"],
        f"import incongruent as inc\nassert len(inc.read_trials({str(file)!r})) == 2\n",
    )


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", INSIDE)
def test_examples_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"incongruent.{module}"))
    assert result.failed == 0
