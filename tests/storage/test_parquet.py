"""Laws of the file for exchange: what may be looked at comes back bit for bit, and other programs
read it.
"""

import json

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from test_bank import DMC, MANY, SIMULATORS

import incongruent as inc
from incongruent import Category, Continuous, Model
from incongruent.simulation.simulator import Simulations
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import write_bank
from incongruent.storage.parquet import export_simulations, import_simulations


def looked_at(trials: inc.Trials, column: Category | Continuous) -> bytes:
    known = trials.present if column.given else trials.answered
    return np.where(known, trials.values[column.name], 0).tobytes()


def same(one: Simulations, other: Simulations) -> bool:
    a, b = one.trials, other.trials
    return (
        one.parameter_names == other.parameter_names
        and one.theta.tobytes() == other.theta.tobytes()
        and a.columns == b.columns
        and (a.names, a.notes) == (b.names, b.notes)
        and all(
            a.values[c.name].dtype == b.values[c.name].dtype and looked_at(a, c) == looked_at(b, c)
            for c in a.columns
        )
        and a.present.tobytes() == b.present.tobytes()
        and a.answered.tobytes() == b.answered.tobytes()
        and list(a.excluded) == list(b.excluded)
        and all(a.excluded[r].tobytes() == b.excluded[r].tobytes() for r in a.excluded)
    )


@pytest.mark.parametrize("simulator", SIMULATORS.values(), ids=SIMULATORS)
def test_simulations_come_back(simulator, tmp_path):
    simulations = simulator.simulate(600, seed=1)
    export_simulations(simulations, tmp_path / "s.parquet")
    again = import_simulations(tmp_path / "s.parquet", simulator.model)
    assert same(again, simulations)
    assert again.simulator is not None
    assert again.simulator.prior == simulator.prior
    export_simulations(again, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "s.parquet").read_bytes()


@pytest.mark.parametrize("simulator", SIMULATORS.values(), ids=SIMULATORS)
def test_a_bank_comes_back_as_it_is_in_memory(simulator, tmp_path):
    bank = write_bank(tmp_path / "b", simulator, 600, seed=1)
    export_simulations(bank, tmp_path / "s.parquet")
    assert same(import_simulations(tmp_path / "s.parquet"), bank.simulations())
    assert pq.ParquetFile(tmp_path / "s.parquet").num_row_groups == 3


def test_windows_deadlines_and_studies_come_back(tmp_path):
    design = inc.Design(
        (1, 30), {"congruent": 0.5, "incongruent": 0.5}, window=(300.0, 400.0), deadline=380.0
    )
    simulations = inc.Simulator(DMC.model, inc.priors.broad(), design).simulate(300, seed=2)
    assert simulations.trials.n_trials.min() == 0
    assert (simulations.trials.present & ~simulations.trials.answered).any()
    of_study = inc.Simulator(
        DMC.model, inc.priors.broad(), inc.design_of(simulations.trials)
    ).simulate(300, seed=3)
    for made in (
        simulations,
        of_study,
        simulations.select([]),
        Simulations(simulations.theta, simulations.trials, simulations.parameter_names),
    ):
        export_simulations(made, tmp_path / "s.parquet")
        assert same(import_simulations(tmp_path / "s.parquet"), made)
    assert import_simulations(tmp_path / "s.parquet").simulator is None


def test_polars_reads_one_row_a_trial(tmp_path):
    simulations = MANY.simulate(50, seed=1)
    export_simulations(simulations, tmp_path / "s.parquet")
    frame = pl.read_parquet(tmp_path / "s.parquet")
    assert frame.columns == [
        "name",
        "theta.mu",
        "place",
        "level",
        "load",
        "n",
        "side",
        "x",
        "answered",
    ]
    assert np.array_equal(frame["theta.mu"].to_numpy(), simulations.theta[:, 0])
    long = frame.explode("place", "level", "load", "n", "side", "x", "answered")
    wanted = simulations.trials.to_frame()
    assert long["level"].to_list() == wanted["level"].astype(str).to_list()
    assert long["side"].to_list() == wanted["side"].astype(str).to_list()
    assert np.array_equal(long["x"].to_numpy(), wanted["x"].to_numpy(np.float32))


def test_no_answer_is_null(tmp_path):
    design = inc.Design(50, {"congruent": 1.0}, window=None, deadline=400.0)
    simulations = inc.Simulator(DMC.model, inc.priors.broad(), design).simulate(20, seed=2)
    export_simulations(simulations, tmp_path / "s.parquet")
    long = pl.read_parquet(tmp_path / "s.parquet").explode(
        "condition", "response", "rt", "answered"
    )
    assert 0 < long["rt"].null_count() == (~long["answered"]).sum() == long["response"].null_count()
    assert long["condition"].null_count() == 0


@pytest.fixture
def path(tmp_path):
    export_simulations(DMC.simulate(300, seed=1), tmp_path / "s.parquet")
    return tmp_path / "s.parquet"


def test_other_files_and_models_are_refused_in_words(path, tmp_path):
    with pytest.raises(FileError, match=r"Expected a file of simulations at .*; there is none"):
        import_simulations(tmp_path / "nowhere")
    (tmp_path / "text").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="is damaged or of another format"):
        import_simulations(tmp_path / "text")
    pl.DataFrame({"rt": [1.0]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(
        FileError,
        match=(
            r"Expected a Parquet file that export_simulations wrote; .* is another. Read a study"
            r" with read_trials"
        ),
    ):
        import_simulations(tmp_path / "other.parquet")
    with pytest.raises(
        FileError, match=r"Expected simulations with the columns .* of the model 'many columns'"
    ):
        import_simulations(path, MANY.model)
    with pytest.raises(FileError, match="Expected simulations with the parameters"):
        import_simulations(path, inc.models.dmc(free=("lapse",)))
    table = pq.read_table(path)
    card = json.loads(table.schema.metadata[b"incongruent"])
    pq.write_table(
        table.replace_schema_metadata({b"incongruent": json.dumps(card | {"version": 7}).encode()}),
        tmp_path / "new.parquet",
    )
    with pytest.raises(FileError, match=r"Expected simulations of version 1; .* has version 7"):
        import_simulations(tmp_path / "new.parquet")
    words = pa.array(
        [["unheard of"] * len(row) for row in table["condition"].to_pylist()], pa.list_(pa.string())
    )
    pq.write_table(
        table.set_column(table.column_names.index("condition"), "condition", words),
        tmp_path / "words.parquet",
    )
    with pytest.raises(
        FileError, match="column 'condition' has words that are not among its levels"
    ):
        import_simulations(tmp_path / "words.parquet")


def test_a_flipped_byte_or_a_cut_file_is_never_read_as_good(path):
    sound, wanted = path.read_bytes(), import_simulations(path)
    refused = 0
    for place in np.linspace(0, len(sound) - 1, 150).astype(int):
        bad = bytearray(sound)
        bad[place] ^= 0x11
        path.write_bytes(bytes(bad))
        try:
            found = import_simulations(path)
        except FileError:
            refused += 1
        else:
            assert same(found, wanted), f"byte {place} of {len(sound)}"
    assert refused > 100
    for length in (0, 3, len(sound) // 2, len(sound) - 1):
        path.write_bytes(sound[:length])
        with pytest.raises(FileError, match="damaged or of another format"):
            import_simulations(path)


def test_a_failed_export_leaves_the_old_file(path, tmp_path):
    before = path.read_bytes()
    bank = write_bank(tmp_path / "b", DMC, 600, seed=1)
    (tmp_path / "b" / "theta" / "c" / "1" / "0").write_bytes(b"")
    with pytest.raises(FileError, match="damaged chunk"):
        export_simulations(bank, path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "s.parquet"]


def test_names_that_the_file_needs_are_refused(tmp_path):
    model = Model("m", ["a"], [Continuous("answered")], vector=lambda theta, rng: theta)
    simulations = inc.Simulator(model, inc.Prior(a=stats.norm()), inc.Design(1)).simulate(5, seed=1)
    with pytest.raises(
        ValueError,
        match=r"Expected a column of trials not called any of .*; got 'answered'. Rename it",
    ):
        export_simulations(simulations, tmp_path / "s.parquet")
