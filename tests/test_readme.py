"""The README's promises that a machine can check without a network."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_shell_block_runs_the_main_job_and_the_second_the_tests() -> None:
    main_job, tests = blocks("shell")
    assert "pip install ." in main_job
    assert main_job.strip().endswith("incongruent demo")
    # all fast tests, two files at a time
    assert tests.strip().endswith(".venv/bin/pytest -n 2 --dist loadfile")


def test_continuous_integration_takes_its_command_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script
    assert "pytest -m slow" in script


def test_python_blocks_are_python() -> None:
    for block in blocks("python"):
        ast.parse(block)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_no_command_of_the_readme_is_unknown() -> None:
    import typer.main

    from incongruent.cli.commands import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    used = set(re.findall(r"^incongruent (\w+)", README, flags=re.MULTILINE))
    assert used
    assert used <= known
