"""Public data sets: read from a mirror, fetched once, and never taken for another."""

from pathlib import Path

import pooch
import pytest

import incongruent as inc
from incongruent.data.datasets import DATASETS, MIRROR


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_mirror_serves(name: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, str(data_folder))
    study = inc.datasets.load(name)
    assert len(study) == DATASETS[name].people
    assert {"congruent", "incongruent"} <= {
        level
        for level in ("congruent", "incongruent", "neutral")
        if study.where("condition", level).any()
    }
    assert DATASETS[name].citation
    assert DATASETS[name].url.startswith("https://")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"Expected one of the data sets \['pratte2010_simon1'.*got 'stroop'"
    ):
        inc.datasets.load("stroop")


def test_another_file_in_a_mirror_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, str(tmp_path))
    with pytest.raises(
        inc.DataError, match=r"ulrich2015/flankerData.txt in the folder that INCONGRUENT_DATA names"
    ):
        inc.datasets.load("ulrich2015_flanker")
    (tmp_path / "ulrich2015").mkdir()
    (tmp_path / "ulrich2015" / "flankerData.txt").write_text("Subject\tComp\tRT\tError\n")
    with pytest.raises(inc.DataError, match="to be the published file"):
        inc.datasets.load("ulrich2015_flanker")


def test_without_a_network_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(url: str, output_file: str, pooch: object) -> None:
        raise ConnectionError("Network is unreachable")

    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pooch.core.choose_downloader", lambda url, progressbar=False: unreachable)
    with pytest.raises(
        inc.DataError,
        match=(
            r"got: Network is unreachable. Without a network, put the file as"
            r" ulrich2015/simonData.txt"
        ),
    ):
        inc.datasets.load("ulrich2015_simon")


def test_a_file_is_fetched_once_and_checked(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def from_folder(url: str, output_file: object, pooch: object) -> None:
        fetched.append(url)
        content = (data_folder / "ulrich2015" / Path(url).name).read_bytes()
        Path(str(output_file)).write_bytes(content if "flanker" in url else content[:-20])

    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda _: tmp_path)
    monkeypatch.setattr("pooch.core.choose_downloader", lambda url, progressbar=False: from_folder)
    monkeypatch.setattr(pooch.get_logger(), "disabled", True)
    assert len(inc.datasets.load("ulrich2015_flanker")) == 16
    assert len(inc.datasets.load("ulrich2015_flanker")) == 16
    assert len(fetched) == 1
    with pytest.raises(inc.DataError, match=r"does not match the known hash"):
        inc.datasets.load("ulrich2015_simon")
