"""The package is a pipeline: a module imports only what stands before it; files are short; every example runs."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import incongruent

ROOT = Path(incongruent.__file__).parent
ORDER = [
    "plain",
    "packing",
    "streams",
    "options",
    "csvs",
    "columns",
    "trials",
    "matching",
    "doors",
    "values",
    "vocabulary",
    "codings",
    "cells",
    "delimited",
    "structured",
    "formats",
    "folders",
    "tables",
    "expressions",
    "plausible",
    "roles",
    "support",
    "omissions",
    "identity",
    "reading",
    "datasets",
    "models.compiled",
    "models.own",
    "models.model",
    "models.first_passage",
    "models.forward_equation",
    "models.decision_bins",
    "models.response_times",
    "models.passage_model",
    "models.curves",
    "models.dmc",
    "models.implied",
    "models.ssp",
    "models.dstp",
    "models",
    "distributions",
    "priors",
    "prior_text",
    "nuisance",
    "joint_prior",
    "covariates",
    "designs",
    "simulation",
    "arrays",
    "recorded",
    "storage",
    "cards",
    "chunks",
    "bank",
    "bank_keeping",
    "exchange",
    "encoders",
    "flows",
    "networks",
    "networks.architecture",
    "networks.task",
    "networks.layers",
    "networks.splines",
    "networks.discrepancy",
    "networks.encoders",
    "networks.histogram",
    "networks.channels",
    "networks.sets",
    "networks.flows",
    "networks.estimator",
    "networks.classifier",
    "pilot",
    "sources",
    "history",
    "progress",
    "recipe",
    "window",
    "library",
    "people",
    "draws",
    "scope",
    "compiling",
    "posterior",
    "likelihood",
    "importance",
    "mcmc",
    "exact",
    "devices",
    "steps",
    "validation",
    "learning",
    "training",
    "comparison",
    "ensemble",
    "checks",
    "checks.statistics",
    "checks.uniformity",
    "checks.c2st",
    "checks.diagnosis",
    "checks.recovery",
    "checks.calibration",
    "checks.quality",
    "checks.predictive",
    "checks.replicas",
    "checks.kernels",
    "checks.mmd",
    "checks.surprise",
    "checks.summary_space",
    "checks.panel_statistics",
    "checks.simultaneous",
    "checks.panel",
    "checks.candidates",
    "checks.imitation",
    "checks.extension",
    "checks.order",
    "checks.lattice",
    "checks.pooling",
    "checks.hygiene",
    "checks.population",
    "checks.suggestion",
    "checks.verdict",
    "plots",
    "fitting",
    "checking",
    "report.content",
    "report.people",
    "report.methods",
    "report.page",
    "report",
    "pretrained",
    "demo",
    "cli_parts",
    "cli_reading",
    "cli_bank",
    "cli_check",
    "cli_network",
    "app",
    "cli_app",
    "cli",
    "__main__",
]
"""Earlier ones may not import later ones. A name stands for its whole folder unless a module of the folder is listed by itself."""
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(ROOT.rglob("*.py"))}
"""By name within the package; "__init__" is the package itself, which gathers everything."""


def place(module: str) -> int | None:
    """Position in the order; None for what is not a module, like a name that the package exports."""
    while module not in ORDER and "." in module:
        module = module.rpartition(".")[0]
    return ORDER.index(module) if module in ORDER else None


def imports(source: str) -> set[str]:
    """Modules of the package that a source imports anywhere, also within functions and for type checkers."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "Imports are absolute."
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in full if name.removeprefix("incongruent.") in MODULES} or {node.module or ""}
    return {name.removeprefix("incongruent").removeprefix(".") for name in found if name.split(".")[0] == "incongruent"}


def violations(module: str, source: str) -> list[str]:
    """Imports that point forwards, or to the package itself."""
    here = place(module)
    assert here is not None, f"{module} has no place in ORDER; give it one."
    there = {name: place(name) for name in imports(source)}
    return [f"{module} imports {name or 'incongruent'}" for name, position in there.items() if position is None or position > here]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_imports_point_backwards(module):
    assert not violations(module, MODULES[module].read_text(encoding="utf-8"))


def test_the_order_lists_only_what_exists():
    assert {name for name in ORDER if name not in MODULES} == set()


@pytest.mark.parametrize(
    "line",
    [
        "from incongruent import posterior",
        "from incongruent.posterior import Posterior",
        "import incongruent.cli",
        "from incongruent import Prior",
        "import incongruent",
    ],
)
def test_a_forward_import_would_be_seen(line):
    assert violations("simulation", f"def f():\n    {line}\n")


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_examples_run(module):
    result = doctest.testmod(importlib.import_module(f"incongruent.{module}"))
    assert result.failed == 0
