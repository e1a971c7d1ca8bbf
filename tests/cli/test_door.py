"""The command line as a door: every option with anything said to it ends in words, and what cannot
end well is refused before work begins.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import incongruent as inc
from incongruent import analysis
from incongruent.cli import commands as cli
from incongruent.cli import parts as cli_parts
from incongruent.cli import recovery, simulating, studies, training
from incongruent.cli.reading import words
from incongruent.data.demo import demo_study
from incongruent.report.files import UNCORRECTED
from incongruent.storage.atomic import FileError, ready_for_file, ready_for_files, write_atomically

STUB = "The work would begin here."
COMMANDS: dict[str, Any] = vars(typer.main.get_command(cli.app))["commands"]
OPTIONS = [
    (command, parameter.opts[0])
    for command, found in COMMANDS.items()
    for parameter in ([] if hasattr(found, "commands") else found.params)
    if parameter.param_type_name == "option"
    and not parameter.is_flag
    and parameter.opts[0] != "--help"
]
NEEDED = {
    "fit": ["data.csv", "--out", "results"],
    "check": ["data.csv", "--out", "results"],
    "demo": ["--out", "results"],
    "simulate": ["--out", "study.csv"],
    "train": ["--out", "network"],
    "recover": [],
    "info": ["nowhere"],
    "app": [],
}
HOSTILE = [
    *(
        "",
        " ",
        "-",
        "--",
        "-1",
        "0",
        "-5-10",
        "50-100-200",
        "100-50",
        "1.5",
        "1e400",
        "-inf",
        "nan",
        "99999999999999999999",
        "٣",
        "½",
        "0-0",
        "5-",
    ),
    *(
        "[/b]",
        "x\\[/b]",
        "[red]",
        "\\",
        "a=b",
        "=",
        ",",
        "a,b",
        "é\u2028",
        "'",
        '"',
        "`x` == 1",
        "rt > 0",
        "results",
        "data.csv",
        "data.csv/x",
        "n" * 300,
    ),
    *(
        "A=norm(0, 1)",
        "A=norm(",
        "A=norm(0, 1), tau=gamma(2), mu_c=norm(1), b=norm(1), mu_R=norm(1), sd_R=norm(1)",
        "broad",
        "brod",
        "{",
        "true",
    ),
]
SAID = st.sampled_from(HOSTILE) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00/"), max_size=12
)


def said_to(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of `incongruent …`, in this process."""
    monkeypatch.setattr(sys, "argv", ["incongruent", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A folder to be in, and commands whose work ends in a sentence before it begins."""

    def refuse(*_: Any, **__: Any) -> None:
        raise FileError(STUB)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        shipped = inc.pretrained()

        def network(name: str) -> inc.Posterior:
            return shipped if name == "dmc" else inc.load_posterior(name)

        patch.setattr("incongruent.posterior.pretrained.network_named", network)
        patch.setattr("incongruent.storage.bank.bank.open_bank", refuse)
        for module, names in {
            studies: ("fit_into", "check_into"),
            training: ("train_posterior",),
            recovery: ("recover_parameters",),
            simulating: ("write_study", "write_bank"),
        }.items():
            for name in names:
                patch.setattr(module, name, refuse)
        patch.setattr(inc.Simulator, "simulate", refuse)
        served = pytest.importorskip("incongruent.app.server")
        patch.setattr(served, "serve", refuse)
        rows = [
            f"{p},{c},{400 + 3 * i + 40 * (c == 'incongruent')},{int(i % 9 > 0)}"
            for p in (1, 2)
            for c in ("congruent", "incongruent")
            for i in range(30)
        ]
        (tmp_path / "data.csv").write_text("\n".join(["subject,condition,rt,accuracy", *rows]))
        yield patch


@pytest.mark.parametrize("n", [80, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_option_of_every_command_ends_in_words_whatever_is_said_to_it(
    n: int, door: pytest.MonkeyPatch, capsys
) -> None:
    assert len(OPTIONS) > 40
    assert {command for command, _ in OPTIONS} == set(NEEDED)

    @given(option=st.sampled_from(OPTIONS), text=SAID)
    @settings(
        max_examples=n, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def law(option: tuple[str, str], text: str) -> None:
        command, name = option
        if text.startswith("..") or text == ".":
            return
        code = said_to(command, *NEEDED[command], name, text, monkeypatch=door)
        shown = capsys.readouterr()
        assert code in (1, 2), (command, name, text)
        assert "Traceback" not in shown.err
        assert shown.err.strip()

    law()


@pytest.mark.parametrize(
    "text",
    [
        "50-100-200",
        "100-50",
        "-5",
        "-5-10",
        "5-",
        "-",
        "",
        "1e3",
        "5.5",
        "9999999999",
        "fifty",
        "50 – 40",
        "5--10",
    ],
)
@pytest.mark.parametrize("option", ["--trials", "--congruent"])
def test_from_to_is_two_numbers_in_order(option: str, text: str) -> None:
    kind = int if option == "--trials" else float
    if kind is float and text in ("5.5", "9999999999"):
        return
    with pytest.raises(typer.BadParameter, match=option):
        cli_parts.range_of(option, text, kind, "50-1000")


@given(low=st.integers(0, 10**6), more=st.integers(0, 10**6))
def test_what_is_from_to_is_read(low: int, more: int) -> None:
    assert cli_parts.range_of("--trials", f"{low}-{low + more}", int, "") == (low, low + more)
    assert cli_parts.range_of("--trials", f" {low} – {low + more} ", int, "") == (low, low + more)
    assert cli_parts.range_of("--trials", str(low), int, "") == (low, low)
    assert cli_parts.range_of("--congruent", f".25-{low + 1}.5", float, "") == (0.25, low + 1.5)


PATHS = [
    ("fit", "--out", ["data.csv"]),
    ("check", "--out", ["data.csv"]),
    ("demo", "--out", []),
    ("train", "--out", []),
    ("simulate", "--out", []),
    ("simulate", "--truth", ["--out", "study.csv"]),
    ("recover", "--out", []),
    ("info", "--figure", []),
]


@pytest.mark.parametrize(("command", "option", "rest"), PATHS)
@pytest.mark.parametrize("place", ["data.csv/below", "n" * 300, "/proc/nowhere/at_all"])
def test_a_place_that_cannot_be_written_is_known_before_any_work(
    command, option, rest, place, door, capsys
) -> None:
    assert said_to(command, *rest, option, place, monkeypatch=door) == 2
    words = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "Expected to write to" in words
    assert STUB not in words


@pytest.mark.parametrize(
    ("command", "option", "rest"),
    [entry for entry in PATHS if entry[0] in ("train", "simulate", "info")],
)
def test_a_folder_is_no_file(command, option, rest, door, capsys) -> None:
    Path("there").mkdir()
    assert said_to(command, *rest, option, "there", monkeypatch=door) == 2
    assert "Expected the name of a file to write; there is a folder" in " ".join(
        capsys.readouterr().err.replace("│", " ").split()
    )


def test_places_are_made_and_nothing_is_left_in_them(tmp_path: Path) -> None:
    assert ready_for_file(tmp_path / "a" / "b" / "network") == tmp_path / "a" / "b" / "network"
    assert ready_for_files(tmp_path / "c" / "d") == tmp_path / "c" / "d"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "c", "d"]
    write_atomically(tmp_path / "e" / "f" / "file", b"x")
    assert (tmp_path / "e" / "f" / "file").read_bytes() == b"x"
    with pytest.raises(
        FileError, match=r"Expected to write to .*file/x; .* is in the way, which is a file"
    ):
        write_atomically(tmp_path / "e" / "f" / "file" / "x", b"x")
    with pytest.raises(FileError, match="is a folder"):
        write_atomically(tmp_path / "e", b"x")


@pytest.mark.parametrize(("umask", "rights"), [(0o077, 0o600), (0o022, 0o644), (0o007, 0o660)])
def test_files_have_the_rights_that_the_umask_leaves_and_keep_those_they_have(
    umask: int, rights: int, tmp_path: Path
) -> None:
    import os

    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "new", b"1")
        assert (tmp_path / "new").stat().st_mode & 0o777 == rights
        (tmp_path / "new").chmod(0o640)
        write_atomically(tmp_path / "new", b"2")
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_refine_refuses_another_prior_and_makes_the_checkpoints_folder_first(
    tmp_path: Path,
) -> None:
    shipped = inc.pretrained()
    design = shipped.simulator.design
    other = inc.Simulator(shipped.simulator.model, inc.priors.schaefer2025(), design)
    with pytest.raises(ValueError, match="Expected a posterior to start from with the same prior"):
        inc.refine(
            shipped,
            other,
            steps=1,
            seed=1,
            checkpoint=tmp_path / "runs" / "a",
            progress=False,
        )
    assert list(tmp_path.rglob("*")) == [tmp_path / "runs"]
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="is in the way, which is a file"):
        inc.train(
            shipped.simulator, steps=1, seed=1, checkpoint=tmp_path / "file" / "a", progress=False
        )


def test_what_the_network_says_is_written_before_the_correction_and_stays_when_that_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(analysis, "reweight", stopped)
    shipped, study = inc.pretrained(), demo_study().select(range(3))
    with pytest.raises(KeyboardInterrupt):
        studies.fit_and_write(shipped, study, tmp_path, n_draws=50, seed=1)
    assert {path.name for path in tmp_path.iterdir()} == set(UNCORRECTED)
    table = inc.read_results(tmp_path / "posterior_uncorrected.csv")
    expected = shipped.sample(study, 50, seed=1)
    assert table["mean"].to_numpy() == pytest.approx(expected.means.ravel())
    assert "k_hat" not in pd.read_csv(tmp_path / "people_uncorrected.csv").columns
    said = " ".join(capsys.readouterr().err.split())
    assert "The fit did not end. The network's draws, without correction, are in" in said
    assert "posterior_uncorrected.csv" in said


@pytest.mark.slow
def test_a_fit_that_ends_leaves_only_what_is_corrected_and_an_ensemble_fits_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, study = inc.pretrained(), demo_study().select(range(2))
    both = inc.Ensemble([shipped, shipped])
    result = studies.fit_and_write(both, study, tmp_path, n_draws=50, adapt=False, seed=1)
    assert not {path.name for path in tmp_path.iterdir()} & set(UNCORRECTED)
    assert {"posterior.csv", "people.csv", "draws.nc"} <= {path.name for path in tmp_path.iterdir()}
    said = [line for line in capsys.readouterr().err.splitlines() if line]
    assert [line for line in said if "left" not in line][:3] == [
        "drawing from the posteriors",
        "correcting draws by the exact likelihood",
        "predicting the data",
    ]
    page = inc.write_report(tmp_path / "report.html", posterior=both, fit=result).read_text()
    assert "An ensemble of 2 neural networks gives the posterior" in page
    slow = inc.Trials(
        study.columns,
        {**study.values, "rt": study.values["rt"] + 1500.0},
        study.present,
        study.answered,
    )
    for door in (both.sample, both.disagreement):
        with pytest.raises(inc.ScopeError, match="got nobody"):
            door(slow, seed=1)
    with pytest.raises(inc.ScopeError, match="got nobody"):
        inc.fit(both, slow, seed=1)
    assert len(both.sample(slow, 10, seed=1, anyway=True)) == 2
    assert np.isfinite(both.summaries(study)).all()


@pytest.mark.slow
def test_an_ensemble_is_checked(tmp_path: Path) -> None:
    shipped, few = inc.pretrained(), demo_study().select(range(8))
    found = inc.check(inc.Ensemble([shipped, shipped]), few, n_replicates=39, seed=1)
    alone = inc.check(shipped, few, n_replicates=39, seed=1)
    assert found.verdict == alone.verdict
    assert (
        "ensemble"
        in inc.write_report(
            tmp_path / "r.html", posterior=inc.Ensemble([shipped, shipped]), check=found
        ).read_text()
    )


@pytest.mark.slow
def test_fit_and_check_refuse_a_study_with_nobody_inside_and_go_on_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    frame = demo_study().select(range(6)).to_frame()
    frame["rt"] = frame["rt"] + 1100.0
    frame.to_csv(tmp_path / "slow.csv", index=False)
    for command in ("fit", "check"):
        arguments = (command, tmp_path / "slow.csv", "--out", tmp_path / command)
        assert said_to(*arguments, monkeypatch=monkeypatch) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert "got nobody: all 6 people lie outside" in said
        assert "--anyway" in said
    arguments = (
        "fit",
        tmp_path / "slow.csv",
        "--out",
        tmp_path / "fit",
        "--no-adapt",
        "--no-check",
        "--draws",
        50,
        "--anyway",
    )
    assert said_to(*arguments, monkeypatch=monkeypatch) == 0
    assert "Nobody lies inside what the network was trained for (6 of 6 flagged)" in " ".join(
        capsys.readouterr().out.split()
    )
    assert (
        "Nobody lies inside what the network was trained for (6 of 6 flagged)"
        in (tmp_path / "fit" / "report.html").read_text()
    )


@pytest.mark.parametrize("text", ["\r0", "a\rb", "a,\n\rb"])
def test_a_line_break_among_words_is_refused_in_words(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="words with commas between them"):
        words(text)
    assert words('"a\rb", c') == ["a\rb", "c"]
