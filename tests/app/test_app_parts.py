"""What the page is made of, without a browser: reading with choices, the worker, numbers for
charts, visitors and the server's odds and ends.
"""

import os
import socket
import stat
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import incongruent as inc
from incongruent.app.charts import CHARTS, SERIES, curves_data, in_words, observed_data, options
from incongruent.app.choices import Choices, first_lines, first_rows, read
from incongruent.app.observed import observe
from incongruent.app.visitors import STORED_AS, Visitors
from incongruent.app.work import ARCHIVE, REPORT, Outcome, program
from incongruent.app.worker import ENDED, State, Worker
from incongruent.checks import statistics
from incongruent.data.demo import demo_study
from incongruent.models.implied import curves
from incongruent.posterior.progress import Stage, announce, counting, listening

WINDOW = (150.0, 2500.0)


@pytest.fixture
def file(tmp_path):
    """Codes that only their owner knows, one person's condition missing."""
    frame = pd.DataFrame(
        {
            "who": np.repeat(["p1", "p2"], 20),
            "kind": ["g", "z"] * 20,
            "rt": np.tile([0.4, 0.5], 20),
            "hit": 1,
        }
    )
    path = tmp_path / "trials.csv"
    frame.to_csv(path, index=False)
    return path


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not come about in time."
        time.sleep(0.05)


# --- choices --------------------------------------------------------------------------------------


def test_a_refusal_is_part_of_the_reading(file):
    reading = read(file, Choices(), WINDOW)
    assert reading.study is None
    assert "Expected one column that holds the condition" in reading.refusal
    assert reading.columns == ["who", "kind", "rt", "hit"]
    assert reading.labels == {}


def test_the_code_of_choices_reads_the_same(file):
    coding = inc.Coding(
        subject="who",
        condition="kind",
        accuracy="hit",
        levels={"g": "congruent", "z": "incongruent"},
    )
    reading = read(file, Choices(unit="s", where="who != 'p2'", coding=coding), (200.0, 1000.0))
    code = reading.choices.code(str(file), (200.0, 1000.0))
    again = eval(code, {"inc": inc})
    assert again.names == reading.study.names == ("p1",)
    assert again.notes == reading.study.notes
    assert np.array_equal(again.values["rt"], reading.study.values["rt"])
    assert reading.labels == {"g": (0.5, "congruent"), "z": (0.5, "incongruent")}


@pytest.mark.parametrize(
    ("choices", "n_people"), [(Choices(), 30), (Choices(where="participant <= 3", unit="ms"), 3)]
)
def test_the_program_in_the_report_runs_also_of_the_demo_study(
    monkeypatch, tmp_path, choices, n_people
):
    """Which is no file of the user's. Fit and check are only called here, not done."""
    monkeypatch.chdir(tmp_path)
    called = {}
    monkeypatch.setattr(
        inc,
        "fit",
        lambda posterior, study, **options: (
            called.update(fit=options) or SimpleNamespace(study=study)
        ),
    )
    monkeypatch.setattr(
        inc, "check", lambda posterior, study, **options: called.update(check=options, study=study)
    )
    lines = program(
        choices.demo_code(WINDOW), "inc.pretrained('dmc')", n_draws=50, seed=4, with_check=True
    )
    exec(lines, {})
    assert (called["fit"], called["check"]) == ({"n_draws": 50, "seed": 4}, {"seed": 4})
    assert called["study"].names == demo_study().names[:n_people]
    assert "inc.check" not in program(
        "study = 1", "inc.pretrained('dmc')", n_draws=50, seed=4, with_check=False
    )


def test_a_table_is_read_once(file):
    before = read(file, Choices(), WINDOW)
    file.unlink()
    after = read(file, Choices(coding=inc.Coding(subject="who")), WINDOW, before)
    assert after.table is before.table
    assert read(file, Choices(names=("a",)), WINDOW, before).table is None


def test_what_a_file_looks_like_is_text_whatever_is_in_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\x00\xff<b>\tc\n" + b"x" * 500)
    assert first_lines(path) == ["·\ufffd<b>\tc", "x" * 160 + "…"]
    path.write_bytes("a,b\n1,2\n".encode("utf-16"))
    assert first_lines(path) == ["a,b", "1,2"]
    assert first_rows(pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None]})) == [
        ["1", "x"],
        ["", ""],
    ]


# --- the worker -----------------------------------------------------------------------------------


def sleep_long(seconds):
    announce("sleeping")
    counting(3)(1)
    time.sleep(seconds)
    return seconds


def die(code):
    os._exit(code)


def refuse(sentence):
    raise inc.ScopeError(sentence, ("anyway",))


def test_the_worker_does_one_job_after_the_other_and_stops_them_at_once():
    worker = Worker()
    try:
        tasks = ((sleep_long, 600), (sleep_long, 600), (refuse, "Expected sense."), (sleep_long, 0))
        long, waiting, refused, last = (worker.submit(work, task) for work, task in tasks)
        wait_for(lambda: [words for words, _ in long.stages] == ["starting", "sleeping"])
        wait_for(lambda: long.share().startswith("1 of 3 people, "))
        # how far it is is no further stage
        assert [words for words, _ in long.stages] == [
            "starting",
            "sleeping",
        ]
        assert [worker.ahead(job) for job in (long, waiting, last)] == [0, 1, 3]
        worker.cancel(waiting)
        assert (waiting.state, waiting.seconds(), worker.ahead(last)) == (State.CANCELLED, 0, 2)
        worker.cancel(long)
        worker.cancel(long)  # once is enough
        wait_for(lambda: last.state in ENDED)
        assert (long.state, refused.state, last.state) == (
            State.CANCELLED,
            State.FAILED,
            State.DONE,
        )
        # in the words of the page
        assert refused.complaint.startswith("Expected sense. To continue nevertheless, tick ")
        assert last.outcome == 0
        assert [words for words, _ in last.timetable()] == ["starting", "sleeping"]
    finally:
        worker.close()


@pytest.mark.slow
def test_the_worker_outlives_a_job_that_dies():
    worker = Worker()
    try:
        fatal, next_one = worker.submit(die, 1), worker.submit(sleep_long, 0)
        wait_for(lambda: next_one.state in ENDED)
        assert (fatal.state, next_one.state) == (State.FAILED, State.DONE)
        assert "its process did before, perhaps for want of memory" in fatal.complaint
    finally:
        worker.close()


def test_who_listens_hears_of_stages_and_can_end_them():
    def stop(stage):
        raise InterruptedError(stage.words)

    announce("nobody listens")
    heard = []
    with listening(heard.append):
        announce("one")
        with pytest.raises(InterruptedError, match="two"), listening(stop):
            announce("two")
        announce("three")
        done = counting(5, "candidates")
        done(2)
    done(3)  # also of somebody who began to count before
    announce("nobody listens")
    assert heard == [
        Stage("one"),
        Stage("three"),
        Stage("three", 2, 5, "candidates"),
        Stage("three", 3, 5, "candidates"),
    ]


# --- numbers for charts ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(simulator):
    return simulator.simulate(3, seed=1).trials


def test_observed_statistics_are_those_of_one_person_or_means_over_people(study):
    everybody, one = observe(study), observe(study, 1)
    shares = [1 - one.density[i, 0].sum() * 25.0 for i in range(2)]
    assert shares == pytest.approx(
        [statistics.error_share(study, level)[1] for level in ("congruent", "incongruent")]
    )
    assert one.density.sum(axis=(1, 2)) * 25.0 == pytest.approx([1, 1])
    at, delta = statistics.delta_function(study)
    assert one.delta == pytest.approx(delta[1])
    assert everybody.delta_at == pytest.approx(at.mean(axis=0))
    assert everybody.accuracy[1] == pytest.approx(
        statistics.conditional_accuracy(study, "incongruent").mean(axis=0)
    )
    rt = study.values["rt"][study.answered]
    assert everybody.span[0] <= np.quantile(rt, 0.01)
    assert np.quantile(rt, 0.98) <= everybody.span[1] <= rt.max() + 25.0


def test_charts_show_the_numbers_they_are_given(study):
    found, observed = (
        curves(inc.models.dmc(), np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0])),
        observe(study, 0),
    )
    model, data = curves_data(found, observed.span), observed_data(observed)
    for chart in CHARTS:
        known = [entry["id"] for entry in options(chart)["series"]]
        given = [
            entry["id"]
            for entry in [*model[chart]["series"], *data.get(chart, {}).get("series", [])]
        ]
        assert given == known
        assert all(
            name in known for name in (key["name"] for key in options(chart)["legend"]["data"])
        )
    x, y = np.array(model["correct"]["series"][1]["data"]).T
    assert y == pytest.approx(1000 * np.interp(x, found.rt, found.density[1, 0]), abs=1e-3)
    assert [share for _, share in data["delta"]["series"][0]["data"]] == pytest.approx(
        observed.delta, abs=0.06
    )
    assert all(
        entry["data"] == [] for one in observed_data(None).values() for entry in one["series"]
    )


def test_charts_are_said_in_words_too():
    found = curves(inc.models.dmc(), np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0]))
    words = in_words(found)
    assert set(words) == set(CHARTS)
    assert (
        words["error"]
        == "Errors. density (1/s) over reaction time (ms). Model: congruent 2.1% of the answers,"
        " incongruent 10.1% of the answers."
    )
    assert f"congruent {found.mean_rt[0]:.0f} ms on average" in words["correct"]
    assert f"to {found.delta[-1]:.0f} ms at {found.delta_at[-1]:.0f} ms." in words["delta"]
    assert f"incongruent {found.accuracy[1, 0]:.0%} in the fastest fifth" in words["accuracy"]


def test_conditions_differ_in_grey_too():
    for chart in CHARTS:
        lines = [entry for entry in SERIES[chart] if entry["type"] == "line"]
        dashes = {entry["name"].split(",")[0]: entry["lineStyle"]["type"] for entry in lines}
        assert dashes.get("congruent", "solid") != dashes.get("incongruent", "dashed")


# --- visitors and the server ----------------------------------------------------------------------


def test_several_files_lie_in_one_folder_under_their_own_names(tmp_path):
    """None outside it, none over another, and none hidden, whatever they are called."""
    visitor = Visitors(tmp_path).of("a")
    names = [
        "sub-01.csv",
        "Sub-01.CSV",
        "sub-01.csv",
        "../../etc/passwd",
        "..",
        "",
        "ü 01.csv",
        ".hidden.csv",
        "a\0b\n.csv",
        "x" * 300 + ".csv",
        "C:\\p.csv",
    ]
    folder, places = visitor.places_for_uploads(names)
    for place in places:
        place.touch(exist_ok=False)
    assert {place.parent for place in places} == {folder}
    assert folder.parent.parent == visitor.folder
    assert len({place.name.casefold() for place in places}) == len(names)
    assert not [place.name for place in places if place.name.startswith(".")]
    assert (places[0].name, places[6].name) == ("sub-01.csv", "ü 01.csv")
    alone, (only,) = visitor.places_for_uploads(["../x.csv"])
    assert (alone, only.name) == (only, STORED_AS)


def test_files_of_a_visitor_have_places_made_here(tmp_path, study):
    visitors = Visitors(tmp_path)
    one, other = visitors.of("a"), visitors.of("b")
    assert visitors.of("a") is one
    assert list(tmp_path.iterdir()) == []  # until there is something to write
    assert one.folder != other.folder
    assert stat.S_IMODE(one.folder.stat().st_mode) == 0o700
    first = one.place_for_upload()
    first.touch()
    one.take(first, "../\0evil\n" + "x" * 1000)
    assert (first.name, len(one.file_name), one.file_name[:9]) == (STORED_AS, 200, "../·evil·")
    second = one.place_for_upload()
    second.touch()
    one.take(second, "")
    assert (first.exists(), one.file_name) == (False, "unnamed")
    late = one.ask(Choices())
    one.take(one.place_for_upload(), "third.csv")
    assert not one.keep(None, late)

    folder = one.new_results()
    for name in (REPORT, ARCHIVE, "secret"):
        (folder / name).touch()
    visitors.publish(one, Outcome(folder, (), (), np.zeros((0, 0)), ()), study)
    assert len(one.token) > 40
    assert visitors.file(one.token, REPORT) == folder / REPORT
    assert [
        visitors.file(*asked)
        for asked in (
            (one.token, "secret"),
            (one.token, "../secret"),
            (one.token + "x", REPORT),
            ("", REPORT),
        )
    ] == [None] * 4


def test_of_results_the_latest_are_kept(tmp_path, study):
    visitors = Visitors(tmp_path)
    visitor = visitors.of("a")
    tokens = []
    for _ in range(2):
        cancelled = visitor.new_results()
        folder = visitor.new_results()
        assert not cancelled.exists()
        (folder / REPORT).touch()
        visitors.publish(visitor, Outcome(folder, (), (), np.zeros((0, 0)), ()), study)
        tokens.append(visitor.token)
    assert list(visitor.folder.glob("results-*")) == [folder]
    assert [visitors.file(token, REPORT) for token in tokens] == [None, folder / REPORT]
    visitor.new_results()
    assert folder.exists()


def test_a_working_folder_of_nobody_is_removed_and_ones_own_is_kept(tmp_path, monkeypatch):
    import tempfile

    from incongruent.app.server import _working_folder

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with _working_folder(None) as place:
        assert place.parent == tmp_path
        assert place in type(place)(tempfile.mkdtemp()).parents
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)
    with _working_folder(tmp_path / "mine") as place:
        (place / "result").touch()
    assert (tmp_path / "mine" / "result").exists()


def test_a_network_that_is_not_there_is_refused_before_anything_is_served(tmp_path):
    from incongruent.app.server import serve

    with pytest.raises(
        inc.FileError, match="Expected a saved posterior file at nowhere; there is none"
    ):
        serve(port=0, browser=False, network="nowhere", folder=tmp_path, limit=1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_network_for_other_data_is_refused_before_anything_is_served(tmp_path, monkeypatch):
    from incongruent.app import server

    def nothing(theta, given, present, rng):
        return {"x": np.zeros(present.shape)}, present

    model = inc.Model("counts", ["a"], [inc.Continuous("x")], simulate=nothing)
    network = SimpleNamespace(simulator=SimpleNamespace(model=model))
    monkeypatch.setattr(server, "network_named", lambda name: network)
    wanted = (
        "Expected a network for conflict tasks, with the columns condition, response, rt; that of"
        " mine is for counts with the columns x. Use it"
    )
    with pytest.raises(inc.FileError, match=wanted):
        server.serve(port=0, browser=False, network="mine", folder=tmp_path, limit=1.0)
    assert list(tmp_path.iterdir()) == []


def test_another_port_is_taken_when_one_is_in_use(capsys):
    from incongruent.app.server import _free_port

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = _free_port(port)
    assert found not in (0, port)
    assert f"Port {port} is in use; the page takes {found}." in capsys.readouterr().out
    assert _free_port(0) > 0


def test_without_nicegui_the_command_says_what_to_install():
    """And every other command does without."""
    program = (
        "import sys; sys.modules['nicegui'] = None; sys.argv = ['incongruent', 'app']; "
        "from incongruent.cli.commands import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == "Expected the package nicegui, which the page needs; it is not installed. Install it"
        ' with: pip install "incongruent[app]"\n'
    )
