"""The command line: what it writes, what it answers, and its exit codes."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import incongruent as inc
from incongruent.cli import commands as cli
from incongruent.cli import options, studies, training
from incongruent.priors import NAMED
from incongruent.report import study as report_study


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of `incongruent …`, in this process."""
    monkeypatch.setattr(sys, "argv", ["incongruent", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def network(posterior: inc.Posterior, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "small"
    posterior.save(path)
    return path


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "study.csv"
    assert (
        run(
            "simulate",
            "--people",
            6,
            "--trials",
            80,
            "--seed",
            3,
            "--out",
            path,
            "--truth",
            tmp_path / "truth.csv",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    return path


def test_simulate_writes_trials_and_truth(study: Path, tmp_path: Path) -> None:
    trials, truth = pd.read_csv(study), pd.read_csv(tmp_path / "truth.csv")
    assert list(trials.columns) == ["participant", "condition", "rt_ms", "accuracy"]
    assert list(truth.columns) == ["participant", "A", "tau", "mu_c", "b", "mu_R", "sd_R"]
    assert trials.groupby("participant").size().tolist() == [80] * 6
    assert set(trials["condition"]) == {"congruent", "incongruent"}
    assert truth["participant"].tolist() == [1, 2, 3, 4, 5, 6]


def test_simulate_repeats_itself(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        run(
            "simulate",
            "--people",
            6,
            "--trials",
            80,
            "--seed",
            3,
            "--out",
            tmp_path / "again.csv",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert (tmp_path / "again.csv").read_bytes() == study.read_bytes()


def test_fit_writes_what_it_promises(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    out = tmp_path / "results"
    assert (
        run(
            "fit",
            study,
            "--out",
            out,
            "--network",
            network,
            "--draws",
            200,
            "--seed",
            1,
            "--no-adapt",
            "--no-check",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    table, people = pd.read_csv(out / "posterior.csv"), pd.read_csv(out / "people.csv")
    assert list(table.columns) == [
        "participant",
        "parameter",
        "mean",
        "sd",
        "q05",
        "q50",
        "q95",
        "contraction",
    ]
    assert len(table) == 6 * 6
    wanted = [
        "participant",
        "n_trials",
        "n_congruent",
        "n_incongruent",
        "n_excluded",
        "error_congruent",
        "error_incongruent",
    ]
    assert list(people.columns)[:7] == wanted
    assert (people["n_trials"] + people["n_excluded"]).tolist() == [80] * 6
    assert ((people["ess"] > 0) & (people["ess"] <= 1)).all()
    assert people[["k_hat", "log_evidence", "log_evidence_error"]].notna().all(axis=None)
    assert set(people["sampled_by"]) == {"network, reweighted"}
    with xr.open_datatree(out / "draws.nc", engine="h5netcdf") as tree:
        assert tree["posterior"]["A"].shape == (1, 200, 6)
    for name in ("predictive_group.png", "predictive_people_1.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    page, shown = (out / "report.html").read_text(), capsys.readouterr().out
    # how to do it again
    assert f"--network {network} --draws 200 --seed 1 --no-adapt --no-check" in page
    assert "study.csv" in page
    assert "6 people" in shown
    assert "Posterior means over people" in shown
    assert "Corrected by the exact likelihood" in shown


@pytest.mark.parametrize("how", ["files", "folder", "pattern"])
def test_several_files_are_one_study(
    how: str, study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    for name, person in pd.read_csv(study).groupby("participant"):
        person.drop(columns="participant").to_csv(folder / f"s{name}.csv", index=False)
    (folder / "notes.txt").write_text("Some notes [about] the study.")
    given = {
        "files": sorted(folder.glob("*.csv")),
        "folder": [folder],
        "pattern": [folder / "s*.csv"],
    }[how]
    out = tmp_path / "results"
    options = ["--out", out, "--network", network, "--draws", 200, "--no-adapt", "--no-check"]
    assert run("fit", *given, *options, monkeypatch=monkeypatch) == 0
    assert pd.read_csv(out / "people.csv")["participant"].tolist() == [f"s{i}" for i in range(1, 7)]
    shown = capsys.readouterr().out
    assert "6 files were read as one table" in shown
    assert ("'notes.txt'" in shown) == (how == "folder")
    assert {"files": "6 files", "folder": "people", "pattern": "s*.csv"}[how] in (
        out / "report.html"
    ).read_text()


def test_fit_with_the_same_seed_writes_the_same_tables(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        assert (
            run(
                "fit",
                study,
                "--out",
                tmp_path / name,
                "--network",
                network,
                "--draws",
                50,
                "--no-adapt",
                "--no-check",
                monkeypatch=monkeypatch,
            )
            == 0
        )
    assert (tmp_path / "one" / "posterior.csv").read_bytes() == (
        tmp_path / "two" / "posterior.csv"
    ).read_bytes()


def test_hostile_names_reach_the_tables_as_they_are(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    trials = pd.read_csv(study)
    trials["participant"] = trials["participant"].map(
        lambda s: f"[red]<b>{s}</b>[/], 'ü' 🙂 $x_" if s == 1 else f"p{s}"
    )
    trials.to_csv(tmp_path / "odd.csv", index=False)
    assert (
        run(
            "fit",
            tmp_path / "odd.csv",
            "--out",
            tmp_path / "odd",
            "--network",
            network,
            "--draws",
            50,
            "--no-adapt",
            "--no-check",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert "[red]<b>1</b>[/], 'ü' 🙂 $x_" in set(
        pd.read_csv(tmp_path / "odd" / "people.csv")["participant"]
    )


def test_somebody_without_trials_is_in_the_table_but_not_fitted(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = pd.read_csv(study)
    trials.loc[trials["participant"] == 2, "rt_ms"] = -1.0
    trials.to_csv(tmp_path / "gap.csv", index=False)
    assert (
        run(
            "fit",
            tmp_path / "gap.csv",
            "--out",
            tmp_path / "gap",
            "--network",
            network,
            "--draws",
            50,
            "--no-adapt",
            "--no-check",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    people, table = (
        pd.read_csv(tmp_path / "gap" / "people.csv"),
        pd.read_csv(tmp_path / "gap" / "posterior.csv"),
    )
    assert people.loc[1, ["n_trials", "n_excluded", "flags"]].tolist() == [0, 80, "no trials"]
    assert set(table["participant"]) == {1, 3, 4, 5, 6}


def test_fit_asks_for_variants_of_who_has_trials(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    trials = pd.read_csv(study)
    trials = trials[trials["participant"] <= 3]
    trials.loc[trials["participant"] == 2, "rt_ms"] = -1.0
    trials.to_csv(tmp_path / "gap.csv", index=False)
    asked: dict[str, object] = {}

    def only_starts(draws: inc.Draws, study: inc.Trials, **options: object) -> inc.Variants:
        """Two of the usual variants, which take a moment."""
        asked.update(options)
        return inc.variants(draws, study, ["narrow start", "wide start"], seed=4)

    monkeypatch.setattr(report_study, "variants", only_starts)
    out = tmp_path / "results"
    options = ["--out", out, "--network", network, "--draws", 100, "--seed", 4, "--no-check"]
    how = ["--variants", "--combine", 2]
    assert run("fit", tmp_path / "gap.csv", *options, *how, monkeypatch=monkeypatch) == 0
    assert asked == {"combine": 2, "seed": 4}
    table = pd.read_csv(out / "variants.csv")
    names = ["as fitted", "narrow start", "wide start"]
    assert table["participant"].tolist() == [1, 1, 1, 3, 3, 3]
    assert table["variant"].tolist() == names * 2
    wanted = "log_evidence log_evidence_error at_half_width at_twice_width k_hat ess trusted"
    assert list(table.columns)[2:9] == wanted.split()
    assert {"mean_tau", "sd_tau"} <= set(table.columns)
    summary = pd.read_csv(out / "variants_summary.csv").set_index("variant")
    sums = table.groupby("variant")["log_evidence"].sum()
    gains = sums[names] - sums["as fitted"]
    np.testing.assert_allclose(summary.loc[names, "gain"], gains, atol=1e-6)
    assert (out / "variants.png").read_bytes().startswith(b"\x89PNG")
    assert "Which variant of the model?" in (out / "report.html").read_text()
    said = capsys.readouterr()
    assert "Variants of the model" in said.out
    assert "narrow start" in said.out
    assert "sampling wide start" in said.err
    assert "writing variants" in said.err


def test_variants_that_cannot_be_had_are_refused_before_any_work(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def no_work(*_: object, **__: object) -> None:
        pytest.fail("work has begun")

    def answer(posterior: inc.Posterior, *more: object) -> tuple[int, str]:
        monkeypatch.setattr("incongruent.posterior.pretrained.network_named", lambda _: posterior)
        code = run("fit", study, "--out", tmp_path / "x", *more, monkeypatch=monkeypatch)
        return code, " ".join(capsys.readouterr().err.replace("│", " ").split())

    monkeypatch.setattr(studies, "fit_into", no_work)
    own = inc.load_posterior(network)
    simulator, prior = own.simulator, own.simulator.prior
    dstp = replace(
        own, simulator=inc.Simulator(inc.models.dstp(), inc.priors.broad_dstp(), simulator.design)
    )
    code, said = answer(dstp, "--variants")
    assert code == 2
    assert "Expected a model with an exact likelihood; dstp" in said
    other = replace(simulator.model, name="another")
    code, said = answer(
        replace(own, simulator=inc.Simulator(other, prior, simulator.design)), "--variants"
    )
    assert code == 2
    assert "Expected a network of a model with usual variants, dmc, ssp, rdmc; got" in said
    code, said = answer(own, "--combine", "2")
    assert code == 2
    assert "Expected --variants with --combine; got --combine 2 alone." in said


@pytest.mark.slow
def test_train_writes_a_network_that_fit_and_info_read(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small, capsys
) -> None:
    monkeypatch.setattr(training, "Architecture", lambda: small)
    out = tmp_path / "mine"
    assert (
        run(
            "train",
            "--prior",
            "schaefer2025",
            "--steps",
            60,
            "--trials",
            "50-200",
            "--out",
            out,
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert (
        run(
            "fit",
            study,
            "--out",
            tmp_path / "results",
            "--network",
            out,
            "--draws",
            50,
            "--no-adapt",
            "--no-check",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert run("info", out, "--figure", tmp_path / "loss.png", monkeypatch=monkeypatch) == 0
    assert (tmp_path / "loss.png").exists()
    shown = capsys.readouterr().out
    assert "60 steps" in shown
    assert "Recovery on 1000 fresh data sets" in shown
    assert sorted(p.name for p in tmp_path.iterdir() if "checkpoint" in p.name) == []


@pytest.mark.slow
@pytest.mark.parametrize(("lapses", "parameters"), [("marginal", 6), ("estimated", 7)])
def test_a_network_that_knows_of_lapses_is_trained_and_fits(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small,
    lapses: str,
    parameters: int,
) -> None:
    monkeypatch.setattr(training, "Architecture", lambda: small)
    monkeypatch.setattr(training, "with_quality", lambda posterior, **_: posterior)  # minutes
    out = tmp_path / "robust"
    assert (
        run(
            "train",
            "--lapses",
            lapses,
            "--steps",
            60,
            "--trials",
            "50-200",
            "--out",
            out,
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert (
        run(
            "fit",
            study,
            "--out",
            tmp_path / "results",
            "--network",
            out,
            "--draws",
            50,
            "--no-adapt",
            "--no-check",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert pd.read_csv(tmp_path / "results" / "posterior.csv")["parameter"].nunique() == parameters


def test_recover_prints_and_writes(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert (
        run(
            "recover",
            network,
            "--datasets",
            40,
            "--out",
            tmp_path / "recovery",
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert set(pd.read_csv(tmp_path / "recovery" / "recovery.csv")["parameter"]) == {
        "A",
        "tau",
        "mu_c",
        "b",
        "mu_R",
        "sd_R",
    }
    assert (tmp_path / "recovery" / "recovery.png").exists()
    shown = capsys.readouterr().out
    assert "40 simulated data sets" in shown
    assert "corrected by the exact likelihood" in shown
    table = pd.read_csv(tmp_path / "recovery" / "calibration.csv")
    assert {"A", "log q", "log likelihood", "TARP, prior", "TARP, near"} < set(table["quantity"])
    assert table["p"].between(0, 1).all()
    assert (tmp_path / "recovery" / "calibration.png").exists()
    assert (tmp_path / "recovery" / "calibration_by_trials.csv").exists()
    assert run("recover", network, "--datasets", 40, "--raw", monkeypatch=monkeypatch) == 0
    assert "as the network gives them" in capsys.readouterr().out


def test_another_prior_moves_the_posterior(
    study: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    arguments = ("fit", study, "--network", network, "--draws", 100, "--no-adapt", "--no-check")
    assert run(*arguments, "--out", tmp_path / "own", monkeypatch=monkeypatch) == 0
    assert (
        run(*arguments, "--out", tmp_path / "other", "--prior", "broad", monkeypatch=monkeypatch)
        == 0
    )
    own, other = (pd.read_csv(tmp_path / name / "posterior.csv") for name in ("own", "other"))
    assert not np.allclose(own["mean"], other["mean"])
    assert (
        run(
            *arguments,
            "--out",
            tmp_path / "wide",
            "--prior",
            "schaefer2024_initial",
            monkeypatch=monkeypatch,
        )
        == 2
    )
    assert "which the network was trained for" in " ".join(
        capsys.readouterr().err.replace("│", " ").split()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fit", "absent.csv", "--out", "x"], 1, "absent.csv"),
        (["fit", "absent.csv", "--out", "x", "--network", "nowhere"], 1, "there is none"),
        (["info", "nowhere"], 1, "there is none"),
        (["fit"], 2, "Missing argument"),
        (["fit", "a.csv", "--out", "x", "--draws", "many"], 2, "--draws"),
        (["simulate", "--out", "x.csv", "--prior", "nobody"], 2, "Expected the name of a prior"),
        (["train", "--out", "x", "--trials", "fifty"], 2, "such as 50-1000"),
        (["train", "--out", "x", "--lapses", "some"], 2, "'some' is not one of"),
        (["train", "--out", "x", "--trials", "0-10"], 2, "n_trials of at least 1"),
        (["train", "--out", "x", "--minutes", "1", "--steps", "5"], 2, "got both"),
        (["fit", "a.csv", "--out", "x", "--coding", "nonsense"], 2, "role=column"),
        (["fit", "a.csv", "--out", "x", "--unit", "years"], 2, "ms or s"),
        (["simulate", "--out", "x.csv", "--congruent", "1.5"], 2, "--congruent"),
        (["nonsense"], 2, "No such command"),
        (
            ["simulate"],
            2,
            "Expected --out for one study or --bank for a folder of simulations; got neither",
        ),
        (["simulate", "--out", "x.csv", "--bank", "b"], 2, "got both"),
        (["simulate", "--bank", "b", "--truth", "t.csv"], 2, "Expected --truth with --out"),
        (
            ["simulate", "--out", "x.csv", "--trials", "50-100"],
            2,
            "Expected one number for --trials with --out; got '50-100'",
        ),
        (["simulate", "--bank", "b", "--trials", "0-10"], 2, "n_trials of at least 1"),
        (["bank", "info", "nowhere"], 1, "Expected a bank at nowhere; there is none"),
        (["bank", "verify", "nowhere"], 1, "there is none"),
        (["bank", "merge", "nowhere", "--out", "c"], 1, "there is none"),
        (["bank", "merge", "nowhere"], 2, "--out"),
    ],
)
def test_exit_codes_and_sentences(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments, monkeypatch=monkeypatch) == code
    said = capsys.readouterr().err
    assert words in " ".join(said.replace("│", " ").split())
    assert "Traceback" not in said


def test_banks_are_written_described_verified_and_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--trials", "5-20", "--congruent", "0.2-0.8", "--workers", 2)
    for name, people, seed in (("a", 300, 1), ("b", 100, 2), ("a", 520, 1)):
        assert (
            run(
                "simulate",
                "--bank",
                name,
                "--people",
                people,
                "--seed",
                seed,
                *options,
                monkeypatch=monkeypatch,
            )
            == 0
        )
    assert (
        "Bank of 520 of 520 data sets (3 of 3 chunks complete) of the model 'dmc', up to 20 trials"
        " each, seed 1, in a." in capsys.readouterr().out
    )
    bank = inc.open_bank("a")
    assert (bank.simulator.design.n_trials, dict(bank.simulator.design.share)["congruent"]) == (
        (5, 20),
        (0.2, 0.8),
    )
    assert (
        run("simulate", "--bank", "a", "--seed", 1, "--trials", "5-30", monkeypatch=monkeypatch)
        == 1
    )
    assert "simulator.design.n_trials[1] 30 instead of 20" in " ".join(
        capsys.readouterr().err.split()
    )
    assert run("bank", "verify", "a", "--resimulate", 3, monkeypatch=monkeypatch) == 0
    assert (
        "3 of 3 chunks of the bank a are complete; simulated again, 0, 1, 2 came out the same."
        in capsys.readouterr().out
    )
    assert run("bank", "merge", "a", "b", "--out", "c", monkeypatch=monkeypatch) == 0
    assert run("bank", "info", "c", monkeypatch=monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "several seeds, in c." in shown
    assert "chunks  3 of seed 1\nchunks  1 of seed 2" in shown
    (tmp_path / "c" / "theta" / "c" / "1" / "0").write_bytes(b"")
    assert run("bank", "verify", "c", monkeypatch=monkeypatch) == 1
    assert "1 damaged (1), to be simulated again with write_chunk" in " ".join(
        capsys.readouterr().err.split()
    )


def test_bad_data_is_exit_code_1_in_a_sentence_and_debug_shows_the_traceback(
    network: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    arguments = ("fit", tmp_path / "bad.csv", "--out", tmp_path / "x", "--network", network)
    assert run(*arguments, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "error:" in said
    assert run(*arguments, "--debug", monkeypatch=monkeypatch) == 1
    assert "Traceback" in capsys.readouterr().err


def test_the_installed_command_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "incongruent", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("demo", "fit", "simulate", "train", "recover", "info"):
        assert command in done.stdout


HEAVY = {
    "arviz_stats",
    "equinox",
    "jax",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "xarray",
    "zarr",
}


def imported_by(*arguments: str) -> set[str]:
    """The packages that a process has imported when it has run a command."""
    program = (
        "import sys\n"
        "from incongruent.cli.commands import main\n"
        f"sys.argv = {['incongruent', *arguments]}\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print('packages', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["fit", "--help"], ["train", "--help"], ["bank", "--help"], ["fit", "--drawz"]],
)
def test_help_and_bad_usage_are_answered_without_what_does_the_work(arguments: list[str]) -> None:
    packages = imported_by(*arguments)
    assert {"incongruent", "typer", "rich"} <= packages
    assert not HEAVY & packages


def test_what_a_network_says_of_itself_is_shown_without_building_it() -> None:
    heavy = {"equinox", "jax", "matplotlib", "pandas", "xarray", "zarr"}
    assert not heavy & imported_by("info", "dmc")


def test_info_shows_what_the_posterior_says_of_itself(monkeypatch, capsys) -> None:
    assert run("info", "dmc", monkeypatch=monkeypatch) == 0
    shown, posterior = capsys.readouterr().out, inc.pretrained()
    for words in (posterior.simulator.prior, posterior.simulator.design, posterior.history):
        assert str(words) in shown
    assert str(dict(posterior.simulator.model.settings)) in shown
    assert str(posterior.notes["versions"]) in shown


def test_help_names_the_priors_that_ship() -> None:
    assert tuple(NAMED) == options.PRIORS


@pytest.mark.parametrize(
    "error",
    [
        inc.DataError,
        inc.FileError,
        inc.LikelihoodError,
        inc.PriorError,
        inc.TrainingError,
        FileNotFoundError,
        type("Own", (inc.FileError,), {}),
    ],
)
def test_errors_of_data_networks_and_files_end_in_a_sentence(error, monkeypatch, capsys) -> None:
    def stop(*_: object, **__: object) -> None:
        raise error("Expected it.")

    monkeypatch.setattr(cli, "app", stop)
    assert run(monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err == "error: Expected it.\n"


def test_other_errors_are_not_hidden(monkeypatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", stop)
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("command", ["check", "fit"])
def test_margins_have_the_usual_values_and_are_positive(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from incongruent.cli.check import check
    from incongruent.cli.fit import fit

    options = inspect.signature({"check": check, "fit": fit}[command]).parameters
    usual = {name: options[f"margin_{name}"].default for name in ("ms", "errors", "sd")}
    assert inc.Margins(**usual) == inc.Margins()
    arguments = (command, "there-is-none.csv", "--out", tmp_path / "out", "--margin-errors", 0)
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "Expected a positive number for the margin 'errors'; got 0.0" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_check_and_fit_with_check_give_one_verdict(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert (
        run(
            "check",
            study,
            "--out",
            tmp_path / "alone",
            "--margin-ms",
            7,
            "--seed",
            1,
            monkeypatch=monkeypatch,
        )
        == 0
    )
    assert "Results in" in capsys.readouterr().out
    assert (
        run(
            "fit",
            study,
            "--out",
            tmp_path / "both",
            "--draws",
            100,
            "--no-adapt",
            "--margin-ms",
            7,
            "--seed",
            1,
            monkeypatch=monkeypatch,
        )
        == 0
    )
    names = {path.name for path in (tmp_path / "alone").iterdir()}
    assert names == {
        "verdict.md",
        "verdict.json",
        "people.csv",
        "scope.png",
        "panel.png",
        "report.html",
    }
    assert (
        json.loads((tmp_path / "alone" / "verdict.json").read_text())["verdict"]
        in (tmp_path / "both" / "report.html").read_text()
    )
    alone, both = (
        json.loads((folder / "verdict.json").read_text())
        for folder in (tmp_path / "alone", tmp_path / "both" / "check")
    )
    assert alone["margins"]["ms"] == 7.0
    assert {k: v for k, v in alone.items() if k != "seconds"} == {
        k: v for k, v in both.items() if k != "seconds"
    }
