"""How often the predictive panel and hygiene speak when nothing is wrong, and when something is.

python benchmarks/panel.py level [--studies 400] [--people 5] [--trials 100] [--replicates 59]
family-wise error of group and people, uniform p python benchmarks/panel.py power [--studies 50]
[--people 10] [--trials 200]                       what is named when something is planted python
benchmarks/panel.py speed [--people 100] [--trials 300] [--replicates 200]                  seconds
for one study python benchmarks/panel.py hygiene [--studies 1000]
findings in exchangeable trials; pooled batches python benchmarks/panel.py people --data FOLDER
[--replicates 200] [--out FOLDER]                  what both say on public data sets

With --step and --end RTs are recorded in such steps (with a jitter of 0.3 ms, every person on a
lattice of their own) and cut off at such an end, in ms; unless --as-if-exact is given the panel is
told what `recording_of` finds.
"""

import argparse
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from exactness import STUDIES
from scipy import stats

import incongruent as inc
from incongruent.checks.hygiene.findings import Severity
from incongruent.checks.network.uniformity import uniformity_p
from incongruent.data.long_format import from_long
from incongruent.plots import panel_figure, save_png

HALF = {"congruent": 0.5, "incongruent": 0.5}


def population(prior, options: argparse.Namespace, model=None) -> inc.Simulator:
    recording = inc.Recording(options.step, jitter=0.3) if options.step else None
    window = (150.0, options.end or 2500.0)
    design = inc.Design(options.trials, HALF, window=window, recording=recording)
    return inc.Simulator(model or inc.models.dmc(), prior, design)


def judged(
    posterior: inc.Posterior, study: inc.Trials, options: argparse.Namespace, seed: int
) -> inc.Panel:
    known = posterior if options.as_if_exact else inc.recording_of(study).applied_to(posterior)
    return inc.predictive_panel(
        known,
        study,
        n_replicates=options.replicates,
        n_predictions=options.predictions,
        seed=seed,
    )


def band(n: int, p: float) -> str:
    """Where the count of a binomial variable lies in 99 % of cases, as shares."""
    low, high = stats.binom.interval(0.99, n, p)
    return f"{low / n:.3f}–{high / n:.3f}"


def level(posterior: inc.Posterior, options: argparse.Namespace) -> None:
    for name, prior in (
        ("schaefer2025", inc.priors.schaefer2025()),
        ("the network's prior", posterior.simulator.prior),
    ):
        simulator, panel, smallest, alone, people = population(prior, options), None, [], [], []
        for i in range(options.studies):
            study = simulator.simulate(options.people, seed=options.seed + i).trials
            study = study.select(np.flatnonzero(study.n_trials >= options.trials // 5))
            panel = judged(posterior, study, options, seed=i + 1)
            smallest.append(np.nanmin(panel.group.adjusted))
            alone.append(panel.group.p)
            people += [np.nanmin(row) for row in panel.people.adjusted]
        assert panel is not None
        n, alone = options.studies, np.array(alone)
        rejected = float((np.array(smallest) <= 0.05).mean())
        print(
            f"| people from {name}, {options.people} × {options.trials} trials | studies | share |"
            " 99 % band of .05 |"
        )
        print(f"| group: any statistic fails at .05 | {n} | {rejected:.3f} | {band(n, 0.05)} |")
        print(
            f"| person: any statistic fails at .05 | {len(people)} |"
            f" {np.mean(np.array(people) <= 0.05):.3f} | {band(len(people), 0.05)} |"
        )
        rng = np.random.default_rng(1)  # p are multiples of 1 / (replicates + 1)
        spread = np.clip(alone - rng.random(alone.shape) / (options.replicates + 1), 1e-9, 1.0)
        names = [s.name for s in panel.statistics]
        uniform = {
            what: uniformity_p(column)
            for what, column in zip(names, spread.T, strict=True)
            if not np.isnan(column).any()
        }
        worst = min(uniform, key=lambda what: uniform[what])
        print(
            f"| uniform p of {len(uniform)} group statistics: smallest p times their number"
            f" ({worst}) | {n} | {uniform[worst] * len(uniform):.3f} | |"
        )
        below = (alone <= 0.05).mean(axis=0)
        print(
            f"| share of group p below .05, smallest and largest of the statistics | {n} |"
            f" {below.min():.3f} {below.max():.3f} | |",
            flush=True,
        )


def falling(trials: inc.Trials) -> inc.Trials:
    """A delta function that falls at slow responses, more than DMC can."""
    rt, incongruent = trials.values["rt"], trials.where("condition", "incongruent")
    middle = np.array(
        [np.median(row[here]) for row, here in zip(rt, trials.answered, strict=True)]
    )[:, None]
    slow = np.maximum(rt - middle, 0.0)
    return replace(
        trials,
        values={
            **trials.values,
            "rt": np.where(incongruent, rt - 0.3 * slow, rt + 0.25 * slow).astype(np.float32),
        },
    )


def lapsing(share: float):
    base = inc.priors.schaefer2025()
    prior = inc.Prior(
        **{name: base[name] for name in base.names}, lapse=stats.uniform(share - 1e-4, 2e-4)
    )
    return prior, inc.models.dmc(free=["lapse"])


def power(posterior: inc.Posterior, options: argparse.Namespace) -> None:
    print(
        f"| planted, {options.people} people × {options.trials} trials, {options.studies} studies |"
        " any fails | named most often |"
    )
    ten, five = lapsing(0.10), lapsing(0.05)
    cases = {
        "nothing": (population(inc.priors.schaefer2025(), options), lambda trials: trials),
        "delta function falls": (population(inc.priors.schaefer2025(), options), falling),
        "5 % lapses": (population(five[0], options, five[1]), lambda trials: trials),
        "10 % lapses": (population(ten[0], options, ten[1]), lambda trials: trials),
    }
    for name in options.planted or cases:
        simulator, spoil = cases[name]
        named, any_fails = Counter(), 0
        for i in range(options.studies):
            panel = judged(
                posterior,
                spoil(simulator.simulate(options.people, seed=options.seed + i).trials),
                options,
                seed=i + 1,
            )
            named.update(panel.failing())
            any_fails += bool(panel.failing())
        most = "; ".join(f"{what} {n / options.studies:.2f}" for what, n in named.most_common(6))
        print(f"| {name} | {any_fails / options.studies:.2f} | {most} |", flush=True)


def speed(posterior: inc.Posterior, options: argparse.Namespace) -> None:
    study = (
        population(inc.priors.schaefer2025(), options)
        .simulate(options.people, seed=options.seed)
        .trials
    )
    began, used = time.perf_counter(), time.process_time()
    judged(posterior, study, options, seed=1)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    size = f"{options.people} people × {options.trials} trials, {options.replicates} replicates"
    print(f"{size}: {seconds:.1f} s, {used:.1f} s of processor time, compilation included")


def hygienic(posterior: inc.Posterior, options: argparse.Namespace) -> None:
    found, pooled = Counter(), Counter()
    rng = np.random.default_rng(options.seed)
    for i in range(options.studies):
        study = (
            population(inc.priors.schaefer2025(), options)
            .simulate(options.people, seed=options.seed + i)
            .trials
        )
        recorded = inc.recording_of(study)
        found["steps taken over"] += recorded.recording is not None
        found["an end taken over"] += recorded.latest is not None
        found.update(
            f.name
            for f in inc.hygiene(study, seed=1).findings
            if f.severity in (Severity.NOTE, Severity.WARNING)
        )
        person, trial = np.nonzero(study.present)
        order = rng.permutation(len(person))
        values = {name: array[person, trial][order] for name, array in study.values.items()}
        batches = from_long(study.columns, np.arange(len(order)) * len(study) // len(order), values)
        pooled[inc.hygiene(batches, seed=1)["units"].severity.value] += 1
    n = options.studies
    print(
        f"| people, {options.people} × {options.trials} exchangeable trials, {n} studies | share"
        " with a finding | 99 % band of .01 |"
    )
    for name in (
        "units",
        "deadline",
        "rounding",
        "first trial",
        "autocorrelation",
        "congruency sequence",
        "steps taken over",
        "an end taken over",
    ):
        print(f"| {name} | {found[name] / n:.3f} | {band(n, 0.01)} |")
    print(
        "| the same trials in random batches | "
        + "; ".join(f"{what} {count / n:.3f}" for what, count in pooled.items())
        + " | |"
    )


def people(posterior: inc.Posterior, options: argparse.Namespace) -> None:
    for name, (path, how) in STUDIES.items():
        study = inc.read_trials(options.data / path, **how)
        study = study.select(np.flatnonzero(study.n_trials > 0))
        began = time.perf_counter()
        panel = judged(posterior, study, options, seed=1)
        print(
            f"\n{name} ({len(study)} people, {time.perf_counter() - began:.0f}"
            f" s)\n{inc.hygiene(study, seed=1)}\n{panel}",
            flush=True,
        )
        print(panel.table().round(3).to_string(), flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            save_png(
                panel_figure(panel),
                options.out / f"{path.split('/')[-1]} {how.get('where', '')}.png",
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["level", "power", "speed", "hygiene", "people"])
    parser.add_argument("--planted", nargs="*", help="power: some of the cases")
    parser.add_argument("--studies", type=int)
    parser.add_argument("--people", type=int)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--replicates", type=int)
    parser.add_argument("--predictions", type=int, default=10)
    parser.add_argument("--step", type=float, default=0.0)
    parser.add_argument("--end", type=float, default=0.0)
    parser.add_argument("--as-if-exact", action="store_true")
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    usual = {
        "level": (400, 5, 100, 59),
        "power": (50, 10, 200, 59),
        "speed": (1, 100, 300, 200),
        "hygiene": (1000, 12, 80, 0),
        "people": (1, 0, 0, 200),
    }
    for option, value in zip(
        ("studies", "people", "trials", "replicates"), usual[options.what], strict=True
    ):
        if getattr(options, option) is None:
            setattr(options, option, value)
    run = {"level": level, "power": power, "speed": speed, "hygiene": hygienic, "people": people}[
        options.what
    ]
    run(inc.pretrained("dmc"), options)
