"""Public data sets by name: fetched once from where they were published, checked, read as trials.

The package contains no data of real people. On a machine without a network, set the environment
variable INCONGRUENT_DATA to a folder that has the files already, under the names below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incongruent.data.reading.read_trials import Coding, DataError, read_trials
from incongruent.data.trials import Trials

MIRROR = "INCONGRUENT_DATA"
"""The environment variable that names a folder with the files."""
_DMCFUN = (
    "https://raw.githubusercontent.com/igmmgi/DMCfun/e02358e0118860ed44196b9b56c4513cef8fada4/data/"
)
_DATA0 = "https://raw.githubusercontent.com/PerceptionCognitionLab/data0/master/contexteffects/"
_ULRICH = (
    "Ulrich, R., Schröter, H., Leuthold, H., & Birngruber, T. (2015). Automatic and controlled"
    " stimulus processing in conflict tasks: Superimposed diffusion processes and delta functions."
    " Cognitive Psychology, 78, 148–174."
)
_PRATTE = (
    "Pratte, M. S., Rouder, J. N., Morey, R. D., & Feng, C. (2010). Exploring the differences in"
    " distributional properties between Stroop and Simon effects using delta plots. Attention,"
    " Perception, & Psychophysics, 72, 2013–2025."
)
_VON_BASTIAN = (
    "von Bastian, C. C., Souza, A. S., & Gade, M. (2016). No evidence for bilingual cognitive"
    " advantages: A test of four hypotheses. Journal of Experimental Psychology: General, 145,"
    " 246–258."
)
_LARGE = (
    "experiment",
    "subject",
    "block",
    "trial",
    "colour",
    "distractor",
    "condition",
    "response",
    "accuracy",
    "rt",
    "unused",
)
_CODES = Coding(levels={"0": "incongruent", "1": "congruent", "2": "neutral"})
_SPATIAL = (
    "subject",
    "block",
    "block type",
    "trial",
    "word",
    "location",
    "condition",
    "response",
    "accuracy",
    "rt",
)


@dataclass(frozen=True)
class DataSet:
    """A public data set.

    Attributes:
        name: a short name.
        title: a name for tables.
        task: the task, and what is special about it.
        people: how many people took part.
        citation: the paper to cite.
        licence: the licence under which its owners published it.
        file: the path of the file within a folder that INCONGRUENT_DATA names.
        url: where the file is fetched from.
        sha256: the checksum of the file.
        options: the options with which `read_trials` reads it.
    """

    name: str
    title: str
    task: str
    people: int
    citation: str
    licence: str
    file: str
    url: str
    sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)


_FREE = "released for public use without restriction"
_FILES = {
    "flankerData.txt": "dd1351ec4cb294ce85a71c8676966e133814a0bb78958eb06442fd0dce5cfa72",
    "simonData.txt": "b6edc5f415807f3ff41ae3a83701e017d3398c51e41a99cd939feea186ed5242",
    "allsi2.dat": "78bc530fa31dbcada5aa6806de63968c005db264c30ab34b99f8b6f6e4ee1c01",
    "allsi7.dat": "9868a53e0f4315f7fb1ebbe4fe81ca184c943f13c64253654a764a7e8a1ef373",
    "LEF_flanker.csv": "22427daf5a16af8360908e0d403cfe0c14afa45dcaf0274945b069653fe7da37",
    "LEF_simon.csv": "71645e6fddc14f0d6267d2a70ebc8a0eb527adfaaed6b15fce2298e6c09cf890",
    "LEF_stroop.csv": "955af96fbdee88eece1e5359cc3f886f6d3d6964bd174fb0de6fff7b08ae4188",
}


def _of_ulrich(task: str, file: str) -> DataSet:
    name, title = f"ulrich2015_{task.lower()}", f"Ulrich et al. 2015 {task}"
    return DataSet(
        name,
        title,
        f"{task} task",
        16,
        _ULRICH,
        "MIT, with the R package DMCfun",
        f"ulrich2015/{file}",
        _DMCFUN + file,
        _FILES[file],
    )


def _of_pratte(
    name: str, title: str, task: str, file: str, columns: tuple[str, ...], where: str
) -> DataSet:
    url = f"{_DATA0}StroopSimonAPP2010/{file}"
    options = {"names": list(columns), "where": where, "coding": _CODES}
    return DataSet(
        f"pratte2010_{name}",
        f"Pratte et al. 2010 {title}",
        task,
        38,
        _PRATTE,
        _FREE,
        f"pratte2010/{file}",
        url,
        _FILES[file],
        options,
    )


def _of_von_bastian(name: str, title: str, task: str) -> DataSet:
    file = f"LEF_{name}.csv"
    url = f"{_DATA0}FlankerStroopSimon/{file}"
    full = f"von Bastian et al. 2016 {title}"
    licence = f"collected by K. Oberauer, {_FREE}"
    return DataSet(
        f"vonbastian2016_{name}",
        full,
        task,
        121,
        _VON_BASTIAN,
        licence,
        f"vonbastian2016/{file}",
        url,
        _FILES[file],
    )


_ALL = (
    _of_ulrich("flanker", "flankerData.txt"),
    _of_ulrich("Simon", "simonData.txt"),
    _of_pratte(
        "simon1",
        "Simon, experiment 1",
        "Simon task; its delta function falls below zero",
        "allsi2.dat",
        _LARGE,
        "experiment == 0",
    ),
    _of_pratte(
        "stroop1",
        "Stroop, experiment 1",
        "colour Stroop task",
        "allsi2.dat",
        _LARGE,
        "experiment == 1",
    ),
    _of_pratte(
        "simon2", "Simon, experiment 2", "Simon task", "allsi7.dat", _SPATIAL, "`block type` == 0"
    ),
    _of_pratte(
        "stroop2",
        "spatial Stroop, experiment 2",
        "spatial Stroop task",
        "allsi7.dat",
        _SPATIAL,
        "`block type` == 1",
    ),
    _of_von_bastian("simon", "Simon", "Simon task, three congruent trials to one incongruent"),
    _of_von_bastian("stroop", "number Stroop", "number Stroop task with neutral trials"),
    _of_von_bastian(
        "flanker",
        "flanker",
        "letter flanker task with neutral trials, which shows no congruency effect",
    ),
)
DATASETS: dict[str, DataSet] = {dataset.name: dataset for dataset in _ALL}
"""All public data sets by their names."""


def load(name: str) -> Trials:
    """The trials of a public data set.

    Args:
        name: one of `DATASETS`.

    Raises:
        ValueError: for an unknown name.
        DataError: when the file cannot be fetched, or is not the published one.
    """
    return read_trials(path_to(name), **_named(name).options)


def path_to(name: str) -> Path:
    """The path of a public data set's file on this machine; it is fetched if necessary.

    Raises:
        ValueError: for an unknown name.
        DataError: when the file cannot be fetched, or is not the published one.
    """
    dataset = _named(name)
    mirror = os.environ.get(MIRROR)
    return _in_mirror(dataset, mirror) if mirror else _fetched(dataset)


def _in_mirror(dataset: DataSet, mirror: str) -> Path:
    """The file in the folder that the environment variable names."""
    import pooch

    path = Path(mirror) / dataset.file
    if not path.is_file():
        raise DataError(
            f"Expected {dataset.file} in the folder that {MIRROR} names, {mirror}; it is not"
            f" there. Put it there, or unset {MIRROR}."
        )
    if pooch.file_hash(str(path)) != dataset.sha256:
        raise DataError(
            f"Expected {path} to be the published file (SHA-256 {dataset.sha256[:12]}…); it is"
            f" another. Fetch it again: {dataset.url}"
        )
    return path


def _fetched(dataset: DataSet) -> Path:
    """The file in the cache of this machine, which fetches it once."""
    import pooch

    folder = Path(pooch.os_cache("incongruent")) / Path(dataset.file).parent
    try:
        return Path(
            pooch.retrieve(
                dataset.url,
                dataset.sha256,
                fname=Path(dataset.file).name,
                path=folder,
                progressbar=False,
            )
        )
    except (OSError, ValueError) as error:  # no network, or another file
        raise DataError(
            f"Expected to fetch {dataset.url} into {folder}; got: {error}. Without a network, put"
            f" the file as {dataset.file} into a folder of your own and name that folder in the"
            f" environment variable {MIRROR}."
        ) from error


def _named(name: str) -> DataSet:
    if name not in DATASETS:
        raise ValueError(f"Expected one of the data sets {sorted(DATASETS)}; got {name!r}.")
    return DATASETS[name]
