"""Every block of the documentation runs as it stands, page by page, and what it prints is what the
page shows.

The word after the language says what a block is:

============================ =================================================================
```python                    run, in order, in one namespace and one folder for each page; on pages
                             of contributing by example its functions ``test_…`` are then called
```python raises             run; has to raise what the ```text block after it says
```python foreign            code of another package: parsed only
```shell                     commands of ``incongruent``, run; ```shell foreign: not run
```text                      what the block before printed; numbers are not compared, … stands for
anything
```text example              output that is shown, but differs from machine to machine
```r foreign                 R
============================ =================================================================
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import incongruent as inc
from incongruent.cli import commands as cli
from incongruent.posterior.scope import Admission

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = ROOT / "README.md"
FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^ *(?P=ticks)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
RUN = ("python", "python raises", "shell", "text")
SHOWN = ("python foreign", "shell foreign", "r foreign", "text example")
EXAMPLES = ("add_a_model", "add_an_encoder", "add_a_check", "add_a_plot")
"""Pages of contributing by example: each shows one file and one test, and the test is run."""
QUICK = {"architecture.md", "science.md", "add_a_model.md", "add_a_check.md", "add_a_plot.md"}
"""Pages whose blocks, if any, take no time."""
LONG = {"far_more_extreme.md"}
"""Pages that train several networks as a user would."""


def _mark(page: Path) -> pytest.MarkDecorator | tuple[()]:
    return () if page.name in QUICK else pytest.mark.long if page.name in LONG else pytest.mark.slow


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    info: str
    body: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    page = path.read_text()
    found = FENCE.finditer(page)
    return [
        Block(
            path.name,
            page.count("\n", 0, m.start()) + 2,
            m["info"].strip(),
            textwrap.dedent(m["body"]),
        )
        for m in found
    ]


def commands_in(body: str) -> Iterator[list[str]]:
    for line in body.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield shlex.split(line, comments=True)


# --- what runs ------------------------------------------------------------------------------------


def _python(block: Block, names: dict[str, Any]) -> str:
    code = compile("\n" * (block.line - 1) + block.body, block.page, "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(code, names)
        except Exception as error:
            if block.info == "python raises":
                return f"{type(error).__name__}: {error}"
            raise AssertionError(f"{block.place} raises {error!r}") from error
    assert block.info == "python", f"{block.place} was to raise something"
    return printed.getvalue()


def _shell(block: Block) -> str:
    printed = io.StringIO()
    for words in commands_in(block.body):
        assert words[0] == "incongruent", (
            f"{block.place}: {words} is not run; call the block ```shell foreign"
        )
        before, sys.argv = sys.argv, words
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                pytest.raises(SystemExit) as end,
            ):
                cli.main()
        finally:
            sys.argv = before
        assert end.value.code == 0, (
            f"{block.place}: {words} ended with {end.value.code}: {printed.getvalue()[-2000:]}"
        )
    return printed.getvalue()


def _line(text: str) -> str:
    """A line without numbers, rules and spacing."""
    text = re.sub(r"[-+−]?\.?\d[\d.,]*(e[-+]?\d+)?", "#", re.sub(r"[─━]+", "", text))
    return " ".join(text.split())


def assert_shows(block: Block, printed: str) -> None:
    """Each line of a ```text block is one of what was printed, but for numbers."""
    came = [_line(line) for line in printed.splitlines()]
    whole = " ".join(came)
    for line in filter(None, map(_line, block.body.splitlines())):
        pattern = re.escape(line).replace("…", ".*")
        # a sentence may be broken into lines
        shown = any(re.fullmatch(pattern, other) for other in came) or re.search(pattern, whole)
        assert shown, f"{block.place} shows {line!r}; what came was:\n{printed}"


def run_page(path: Path) -> dict[str, Any]:
    """The names of a page after all its blocks have run here, with ``printed`` among them."""
    names: dict[str, Any] = {"__name__": "__main__"}
    last, printed = "", []
    for block in blocks_of(path):
        if block.info in ("python", "python raises"):
            last = _python(block, names)
        elif block.info == "shell":
            last = _shell(block)
        elif block.info == "text":
            assert_shows(block, last)
            continue
        else:
            continue
        printed.append(last)
    return names | {"printed": "".join(printed)}


# --- what pages promise beside --------------------------------------------------------------------


def own_simulator(names: dict[str, Any]) -> None:
    race, detection, line = names["printed"].splitlines()[:3]
    recovered = [float(number) for number in re.findall(r"\d\.\d+", race.replace("np.float64", ""))]
    assert len(recovered) == 3
    assert min(recovered) > 0.7
    assert float(detection) > 0.7
    assert float(line) > 0.9


def misspecification(names: dict[str, Any]) -> None:
    study, people, space = names["printed"].splitlines()
    assert "narrower than the reference" in study
    assert people.startswith("0 of 30 people are outside")
    assert "components hold 99%" in space


def far_more_extreme(names: dict[str, Any]) -> None:
    """The whole story, and what it says of each."""
    assert Path("space.png").stat().st_size > 10_000
    found, after, real, last = (names[name] for name in ("found", "after", "real", "last"))
    assert inc.hygiene(names["batches"], seed=1)["units"].severity.value == "warning"
    assert inc.hygiene(names["study"], seed=1)["units"].severity.value == "fine"
    # the twin, whose truth is known: move the prior to where it is, and the question is closed
    assert found.verdict is inc.Verdict.MOVE_PRIOR
    assert {("A", "down"), ("b", "down")} <= set(found.prior.moves())
    assert found.panel.failing() == ()
    truth = inc.priors.schaefer2025()
    for name in ("A", "b"):
        middle = float(truth[name].ppf(0.5))
        assert abs(float(found.suggestion.prior[name].ppf(0.5)) - middle) < 0.4 * abs(
            float(found.suggestion.before[name].ppf(0.5)) - middle
        )
    assert after.mmd.p_value > 0.05
    assert after.prior.p_value > 0.05
    assert after.verdict in (inc.Verdict.WELL_SPECIFIED, inc.Verdict.WASTEFUL)
    # the people themselves
    assert real.verdict is inc.Verdict.ADEQUATE_WITH
    assert real.decision.variant is not None
    assert "lapses" in real.decision.variant or "drift" in real.decision.variant
    assert {("A", "down"), ("b", "down")} <= set(real.prior.moves())
    wide = (
        inc.suggest_prior(inc.pretrained("dmc"), names["study"], seed=1)
        .intervals()
        .set_index("parameter")["median"]
    )
    near = real.suggestion.intervals().set_index("parameter")
    # the network that ships, under its much wider prior, finds people in the same place
    for name in (
        "A",
        "b",
    ):
        assert near.loc[name, "low"] <= wide[name] <= near.loc[name, "high"]
    assert any(name.startswith("skewness") for name in real.panel.failing())
    assert len(last.panel.failing()) < len(real.panel.failing())
    assert not any(name.startswith("SD") for name in last.panel.failing())


def pass_the_tests_shown(names: dict[str, Any]) -> None:
    """The tests of a page pass, as those of a file do."""
    shown = [test for name, test in names.items() if name.startswith("test_")]
    assert shown
    for test in shown:
        test()


PROMISES: dict[str, Callable[[dict[str, Any]], None]] = {
    f.__name__ + ".md": f for f in (own_simulator, misspecification, far_more_extreme)
} | {f"{name}.md": pass_the_tests_shown for name in EXAMPLES}
RUNNING = [path for path in PAGES if any(block.info in RUN for block in blocks_of(path))]


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem, marks=_mark(p)) for p in RUNNING])
def test_a_page_runs(
    path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCONGRUENT_DATA", str(data_folder))
    names = run_page(path)
    PROMISES.get(path.name, lambda names: None)(names)


def test_output_that_a_page_does_not_print_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"

    def runs(*blocks: tuple[str, str]) -> dict[str, Any]:
        page.write_text("\n".join(f"```{info}\n{body}\n```\n" for info, body in blocks))
        return run_page(page)

    assert runs(("python", "x = 1\nprint('seven', 7)"), ("text", "seven 8"))["x"] == 1
    assert runs(("python raises", "float('x')"), ("text", "ValueError: could not …: 'x'"))[
        "printed"
    ].startswith("ValueError")
    for wrong in (
        (("python", "print('six')"), ("text", "seven")),
        (("python", "float('x')"),),
        (("python raises", "1"),),
        (("shell", "ls"),),
    ):
        with pytest.raises(AssertionError):
            runs(*wrong)
    with pytest.raises(AssertionError, match="noticed"):
        runs(("python", "import warnings\nwarnings.warn('noticed')"))
    with pytest.raises(AssertionError, match="ended with 2"):
        runs(("shell", "incongruent fit --no-such-option"))


def test_a_test_that_a_page_shows_and_that_fails_is_found() -> None:
    names: dict[str, Any] = {}
    exec("def test_that_fails():\n    assert 1 + 1 == 3", names)
    with pytest.raises(AssertionError):
        pass_the_tests_shown(names)
    with pytest.raises(AssertionError):
        pass_the_tests_shown({"nothing": print})


# --- what is looked at without running ------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_block_is_run_or_said_to_be_foreign(path: Path) -> None:
    for block in blocks_of(path):
        assert block.info in (*RUN, *SHOWN) or block.info.startswith("{"), (
            f"{block.place}: nobody knows what to do with ```{block.info}"
        )
        if block.info.startswith("python"):
            ast.parse(block.body)
    fences = re.findall(r"^ *`{3,}", path.read_text(), flags=re.MULTILINE)
    assert len(fences) == 2 * len(blocks_of(path))


def options_of(words: list[str]) -> tuple[set[str], list[str]]:
    """What a command knows, and the words after its name."""
    import typer.main

    command, rest = (
        typer.main.get_command(cli.app),
        [word for word in words[1:] if word != "--debug"],
    )
    while hasattr(command, "commands"):
        assert rest, f"{words} names no command"
        assert rest[0] in command.commands, f"{words}: no command {rest[0]!r}"  # type: ignore[attr-defined]
        command, rest = command.commands[rest[0]], rest[1:]  # type: ignore[attr-defined]
    return {option for p in command.params for option in (*p.opts, *p.secondary_opts)} | {
        "--help"
    }, rest


def unknown_options(words: list[str]) -> list[str]:
    known, rest = options_of(words)
    return [word for word in rest if word.startswith("--") and word not in known]


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.stem)
def test_no_command_or_option_is_unknown(path: Path) -> None:
    shown = [words for block in blocks_of(path) for words in _commands_shown(block)]
    shown += [
        shlex.split(text)
        for text in re.findall(r"(?<!`)`(incongruent [a-z][^`…]*)`(?!`)", path.read_text())
        if "COMMAND" not in text and "|" not in text
    ]
    for words in shown:
        assert not unknown_options(words), f"{path.name}: {words}"
    everywhere = {
        option
        for name in _all_commands()
        for option in options_of(["incongruent", *name.split()])[0]
    } | {"--debug"}
    mentioned = set(re.findall(r"(?<!`)`(--[a-z-]+)", path.read_text()))
    assert mentioned <= everywhere


def _commands_shown(block: Block) -> list[list[str]]:
    if block.info.startswith(("python", "text", "r ", "{")):
        return []
    return [words for words in commands_in(block.body) if words[0] == "incongruent"]


def _all_commands() -> Iterator[str]:
    import typer.main

    for name, command in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        yield from (
            (f"{name} {under}" for under in command.commands)
            if hasattr(command, "commands")
            else (name,)
        )


def test_an_unknown_option_is_found() -> None:
    assert unknown_options(["incongruent", "fit", "study.csv", "--out", "x", "--nosuch"]) == [
        "--nosuch"
    ]
    assert unknown_options(["incongruent", "bank", "verify", "x", "--resimulate", "3"]) == []


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.stem)
def test_names_of_the_package_exist(path: Path) -> None:
    for name in re.findall(r"(?<!`)`inc\.([A-Za-z_][\w.]*)", path.read_text()):
        there: Any = inc
        for part in name.rstrip(".").split("."):
            assert hasattr(there, part) or part in getattr(there, "__annotations__", {}), (
                f"{path.name}: inc.{name}"
            )
            there = getattr(there, part, None)


RECORDS = {
    "history": inc.History,
    "posterior": inc.Posterior,
    "draws": inc.Draws,
    "correction": inc.Correction,
    "admission": Admission,
}
"""What these names stand for on every page."""


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.stem)
def test_attributes_of_records_exist(path: Path) -> None:
    text = FENCE.sub(lambda found: "" if "foreign" in found["info"] else found[0], path.read_text())
    for name, record in RECORDS.items():
        for attribute in re.findall(rf"(?<![\w.`]){name}\.([a-z_]+)|`{name}\.([a-z_]+)", text):
            word = attribute[0] or attribute[1]
            assert word in {
                *dir(record),
                *getattr(record, "__dataclass_fields__", {}),
                "png",
                "csv",
                "nc",
            }, f"{path.name}: {name}.{word}"


def slugs(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = FENCE.sub("", path.read_text())
    headings = re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
        .strip()
        .replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text()))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if name.startswith("gallery/") and not (DOCS / "gallery").is_dir():
            continue  # the site leaves these links out where there is no gallery
        assert there.exists(), f"{path.name}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in slugs(there), (
                f"{path.name}: {target}; there are {sorted(slugs(there))}"
            )


NAMING_FILES = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "VISION.md", "benchmarks/RESULTS.md")
] + [page for page in PAGES if page.stem not in EXAMPLES]  # which name files that are to come


@pytest.mark.parametrize("path", NAMING_FILES, ids=lambda path: path.stem)
def test_files_that_a_page_names_are_there(path: Path) -> None:
    """From the top of the repository, of the package or from the page's own folder."""
    for name in re.findall(r"`([\w./]+/[\w.]+\.pyi?)`", path.read_text()):
        places = (ROOT / name, ROOT / "src" / "incongruent" / name, path.parent / name)
        assert any(place.exists() for place in places), f"{path.name}: {name}"


@pytest.mark.parametrize(
    "path", [README, ROOT / "benchmarks" / "RESULTS.md", *PAGES], ids=lambda path: path.stem
)
def test_decimals_have_their_zero(path: Path) -> None:
    text = re.sub(r"[:%]\.\d+[fge%]", "", path.read_text())  # formats such as {x:.2f}
    assert not re.findall(r"[^\n]{0,20}(?<![\w.)\]…}])\.\d[^\n]{0,20}", text)


def test_every_page_stands_in_the_table_of_contents() -> None:
    for folder in (DOCS, DOCS / "api"):
        index = folder / "index.md"
        entries = {
            line.strip()
            for block in blocks_of(index)
            if block.info == "{toctree}"
            for line in block.body.splitlines()
        }
        # the latter is made by sphinx-gallery
        there = {path.stem for path in folder.iterdir() if path.suffix in (".md", ".rst")} - {
            "index",
            "sg_execution_times",
        }
        assert there <= entries, f"not in {index}: {sorted(there - entries)}"


DIRECTIVE = re.compile(r"^\.\. (\w+):: (\S+)", re.MULTILINE)
MODULES = ("currentmodule", "module", "automodule")


def documented() -> set[str]:
    """Full names that have an entry in the reference."""
    pages = (page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.rst"))
    return set().union(*(documented_on(page) for page in pages))


def documented_on(page: str) -> set[str]:
    """The full names that have an entry on a page of the reference."""
    names, module = set(), ""
    for directive, name in DIRECTIVE.findall(page):
        module = name if directive in MODULES else module
        is_entry = directive.startswith("auto") and directive != "automodule"
        names.add(f"{module}.{name}" if is_entry else name)
    return names


def exported() -> set[str]:
    """Classes and functions among the public names."""
    kinds = (type, type(lambda: None))
    return {name for name in inc.__all__ if isinstance(getattr(inc, name), kinds)}


def test_everything_exported_stands_in_the_reference() -> None:
    names = documented()
    missing = {f"incongruent.{name}" for name in exported()} - names
    assert not missing
    models = {
        "incongruent.models." + name
        for name in inc.models.__all__
        if name not in ("BUILDERS", "Model", "Parameter")
    }
    assert models <= names
    assert {f"incongruent.networks.encoders.{name}" for name in inc.encoders.__all__} <= names
    assert {
        f"incongruent.networks.flows.{name}" for name in ("CouplingFlow", "AutoregressiveFlow")
    } <= names
    assert {f"incongruent.priors.{name}" for name in inc.priors.NAMED} <= names
    assert (
        ".. automodule:: incongruent.plots\n   :members:\n   :imported-members:"
        in (DOCS / "api" / "report.rst").read_text()
    )


def sentences(error: str) -> set[str]:
    """What every ``error(…)`` of the package says, … for what is filled in."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == error
                and node.args
            ):
                parts = (
                    node.args[0].values
                    if isinstance(node.args[0], ast.JoinedStr)
                    else [node.args[0]]
                )
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts
                )
                found.add(text.replace("`", ""))
    return {text for text in found if text.startswith("Expected")}


@pytest.mark.parametrize("error", ["DataError", "TrainingError", "ScopeError"])
def test_every_sentence_of_an_error_is_in_troubleshooting(error: str) -> None:
    page = (DOCS / "troubleshooting.md").read_text().replace("`", "")
    begun = [
        text.rstrip(" …;")
        for text in re.findall(
            r"(?:^\| |[\"“])(Expected [^|\"”\n]{8,}?)(?: \||[\"”])", page, flags=re.MULTILINE
        )
    ]
    wanted = sentences(error)
    assert wanted
    assert not [text for text in wanted if not any(text.startswith(start) for start in begun)]


STUB = ROOT / "src" / "incongruent" / "__init__.pyi"
STAGES_OF_STUB = re.compile(r"^# (.+)\n((?:from .+\n)+)", re.MULTILINE)
PUBLIC_NAME = re.compile(r"import (\w+) as")


def stages_of_stub() -> dict[str, set[str]]:
    """The full names of what stands under each heading of the stub."""
    return {
        heading: set(map(_full_name, PUBLIC_NAME.findall(imports)))
        for heading, imports in STAGES_OF_STUB.findall(STUB.read_text(encoding="utf-8"))
    }


def _full_name(name: str) -> str:
    """What the reference calls a public name: modules by where they stand."""
    public = getattr(inc, name)
    return public.__name__ if isinstance(public, ModuleType) else f"incongruent.{name}"


def stages_of_reference() -> dict[str, set[str]]:
    """What each page of the reference documents, under the page's heading, in their order."""
    index = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    pages = index.split(":maxdepth: 1")[1].split("```")[0].split()
    texts = [(DOCS / "api" / f"{page}.rst").read_text(encoding="utf-8") for page in pages]
    return {text.partition("\n")[0]: documented_on(text) for text in texts}


def test_the_reference_has_the_stages_of_the_package() -> None:
    stages, pages = stages_of_stub(), stages_of_reference()
    assert list(pages) == [*stages, "Command line"]
    public = set().union(*stages.values())
    for heading, names in stages.items():
        assert names - pages[heading] == set(), heading
        assert pages[heading] & (public - names) == set(), heading


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    for needed in (
        "sphinx",
        "furo",
        "myst_parser",
        "sphinx_copybutton",
        "sphinx_gallery",
        "latex2mathml",
    ):
        pytest.importorskip(needed, reason="the site needs pip install '.[docs]'")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-n",
        "--keep-going",
        "-q",
        "-b",
        "html",
        "-d",
        str(tmp_path / "trees"),
    ]
    # its scripts are run by the build of the site alone
    command += ["-D", "plot_gallery=0"] if (DOCS / "gallery").is_dir() else []
    done = subprocess.run(
        [*command, str(DOCS), str(tmp_path / "site")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for page in ("index", "start", "api/posterior", "api/command_line"):
        assert (tmp_path / "site" / f"{page}.html").stat().st_size > 5_000
    assert (
        "incongruent bank verify" in (tmp_path / "site" / "api" / "command_line.html").read_text()
    )
