"""One page with everything: what it says, that names from outside do no harm, and how it works in a
browser.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import incongruent as inc
from incongruent.checks.model.moves import Move
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.data.basics.csvs import FORMULA, as_csv
from incongruent.exact.variant_results import VariantFit
from incongruent.posterior.draws import WAYS
from incongruent.priors.joint import any_prior_from_json
from incongruent.report import people, report_html
from incongruent.report.concerns import concerns_of
from incongruent.report.methods import REFERENCES, methods
from incongruent.report.misfits import misfits_table
from incongruent.report.quality import quality
from incongruent.report.tables import people_table
from incongruent.report.variants import variants_table, which_section

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "<script>window.harmed = 1</script>",
    "\"><img src=x onerror='window.harmed = 1'>",
    "</script><script>window.harmed = 1</script>",
    "🦉 emoji, \u202eturned round, {{ 7 * 7 }} $x$",
    "=HYPERLINK(\"http://example.org\", 'click')",
    "a" * 1000,
    "nobody",
)
ORIGIN = inc.Origin("<b>study</b>.csv", "incongruent fit '<b>study</b>.csv' --out results", 4)


@pytest.fixture(scope="module")
def study(simulator: inc.Simulator) -> inc.Trials:
    """Six people with names from hell, and one without a single trial."""
    trials = simulator.simulate(7, seed=5).trials
    there = np.arange(7)[:, None] < 6
    left_out = {"timeout": np.array([3, 0, 0, 1, 0, 0, 9]), "missing": np.zeros(7, int)}
    return replace(
        trials,
        names=HOSTILE,
        present=trials.present & there,
        answered=trials.answered & there,
        excluded=left_out,
        notes=("The condition was taken from column '<i>x</i>'.",),
    )


@pytest.fixture(scope="module")
def fit(study: inc.Trials, posterior: inc.Posterior) -> inc.Fit:
    return inc.fit(posterior, study, n_draws=200, adapt=False, seed=2)


@pytest.fixture(scope="module")
def check(study: inc.Trials, posterior: inc.Posterior) -> inc.Check:
    return inc.check(posterior, study.select(range(6)), n_replicates=39, seed=3)


@pytest.fixture(scope="module")
def found(fit: inc.Fit) -> inc.Variants:
    """Evidence of the people who were fitted under two variants, one of them with a hard name."""
    base, shift = fit.draws, np.array([4.0, 1.0, 2.0, -1.0, 3.0, 0.5])
    assert base.correction is not None
    correction = base.correction
    fits = [
        VariantFit(
            name,
            words,
            replace(base, correction=replace(correction, log_evidence=evidence)),
            np.stack([evidence + 0.5, evidence - 0.5]),
        )
        for name, words, evidence in (
            ("as fitted", "the model as fitted", correction.log_evidence),
            ("lapses", "lapses in some trials", correction.log_evidence + shift),
            (HOSTILE[0], HOSTILE[1], correction.log_evidence - 4.0 * shift),
        )
    ]
    return inc.Variants(fits[0], tuple(fits[1:]))


@pytest.fixture(scope="module")
def page(fit: inc.Fit, check: inc.Check, found: inc.Variants, posterior: inc.Posterior) -> str:
    return report_html(posterior=posterior, fit=fit, check=check, variants=found, origin=ORIGIN)


def embedded(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(
        found[1], parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON")
    )


# --- what it says ---------------------------------------------------------------------------------


def test_the_page_holds_the_study_the_verdict_and_every_person(
    page: str, fit: inc.Fit, check: inc.Check
) -> None:
    said = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert f"{int(fit.study.n_trials.sum()):,}" in said
    assert "Left out: 13 timeout." in said  # counted over people
    assert "people lie outside" not in said  # but nobody is outside for having no trials
    assert check.decision.name in said
    for sentence in check.advice:
        assert sentence in said
    assert fit.not_fitted == ("nobody",)
    assert "left out: nobody" in said
    people = embedded(page)["drawn"]["people"]
    assert [person["name"] for person in people] == list(HOSTILE[:6])


def test_what_the_script_draws_are_the_numbers_of_the_fit(page: str, fit: inc.Fit) -> None:
    drawn = embedded(page)["drawn"]
    for k, person in enumerate(drawn["people"]):
        np.testing.assert_allclose(person["mean"], fit.draws.means[k], rtol=1e-3)
        np.testing.assert_allclose(
            person["intervals"][3], np.quantile(fit.draws.theta[k], 0.95, axis=0), rtol=1e-3
        )
        observed = np.array(person["curves"]["delta"]["observed"], float)
        np.testing.assert_allclose(
            observed, fit.prediction.observed["delta"][k], rtol=1e-3, atol=1e-3
        )
    np.testing.assert_allclose(drawn["group"]["mean"], fit.draws.means.mean(axis=0), rtol=1e-3)


def test_tables_to_download_are_those_of_the_fit_and_no_formulas(page: str, fit: inc.Fit) -> None:
    files = embedded(page)["files"]
    table = pd.read_csv(StringIO(files["posterior.csv"]))
    pd.testing.assert_series_equal(table["mean"], fit.draws.summary()["mean"])
    assert "'=HYPERLINK" in files["people.csv"]
    assert not [
        name
        for name in pd.read_csv(StringIO(files["people.csv"]))["participant"]
        if name.startswith(FORMULA)
    ]


def test_numbers_that_look_like_formulas_stay_numbers() -> None:
    frame = pd.DataFrame(
        {"participant": ["-1", "+2", "-a", "@b", "c"], "x": [-1.0, 2.0, 3.0, 4.0, 5.0]}
    )
    assert pd.read_csv(StringIO(as_csv(frame)), dtype=str)["participant"].tolist() == [
        "-1",
        "+2",
        "'-a",
        "'@b",
        "c",
    ]
    assert "-1.0" in as_csv(frame)


def test_the_methods_paragraph_has_this_studys_numbers_and_cites_what_it_names(
    fit: inc.Fit, check: inc.Check, posterior: inc.Posterior
) -> None:
    paragraphs, references = methods(posterior, fit, check)
    said = " ".join(paragraphs)
    assert f"{int(fit.study.n_trials.sum())} trials of 6 people" in said
    assert f"“{check.decision.name}”" in said
    assert f"p = {check.mmd.p_value:.2g}" in said
    assert fit.draws.correction is not None
    assert f"the largest k-hat was {fit.draws.correction.k_hat.max():.2f}" in said
    cited = set(re.findall(r"([A-Z]\w+) et al\.", said))
    assert {reference.split(",")[0] for reference in references} == cited
    assert set(references) <= set(REFERENCES.values())


def test_a_shipped_network_tells_its_calibration_at_this_studys_trial_numbers() -> None:
    found = quality(inc.pretrained("dmc"), np.array([60, 250]))
    assert found is not None
    assert [trials for trials, _ in found["at"]] == ["50–99", "200–499"]
    assert quality(inc.pretrained("dmc"), None) is not None


def test_either_alone_makes_a_page(
    fit: inc.Fit, check: inc.Check, posterior: inc.Posterior, tmp_path: Path
) -> None:
    written = inc.write_report(tmp_path / "new" / "report.html", posterior=posterior, fit=fit)
    assert "was not checked" in written.read_text()
    alone = report_html(posterior=posterior, check=check)
    assert check.decision.name in alone
    assert embedded(alone)["drawn"] is None
    assert ">seed</dt><dd>3<" in alone  # that of the check
    assert "<dt>seed" not in written.read_text()  # nobody said which
    with_others = report_html(
        posterior=posterior, check=check, origin=inc.Origin(left_out=("no <b>trials</b>",))
    )
    assert "left out: <bdi>no &lt;b&gt;trials&lt;/b&gt;</bdi>" in with_others
    with pytest.raises(ValueError, match="Expected a fit, a check or both to report; got neither"):
        report_html(posterior=posterior)
    other = replace(fit, draws=replace(fit.draws, names=("zero", *HOSTILE[1:6])))
    with pytest.raises(ValueError, match="Expected a check of the people who were fitted, 'zero'"):
        report_html(posterior=posterior, fit=other, check=check)


def test_variants_have_a_section_a_table_and_files(
    page: str, found: inc.Variants, fit: inc.Fit, check: inc.Check, posterior: inc.Posterior
) -> None:
    part = page[page.index('<section id="variants">') :]
    part = part[: part.index("</section>")]
    said = html.unescape(re.sub(r"<[^>]+>", "", part))
    for sentence in found.sentences():
        assert sentence in said
    cells = variants_table(found).rows
    assert [row[0].text for row in cells] == ["lapses", "as fitted", HOSTILE[0]]
    assert [row[1].text for row in cells] == ["+9.5", "0", "−38.0"]
    assert cells[0][2].text == f"{9.5 + 3.0:+.1f}"  # half a nat for each of six people
    assert [row[4].text for row in cells] == ["83 %", "–", "17 %"]
    files = embedded(page)["files"]
    table = pd.read_csv(StringIO(files["variants.csv"]))
    np.testing.assert_allclose(table["log_evidence"], found.table()["log_evidence"])
    summary = pd.read_csv(StringIO(files["variants_summary.csv"]))
    np.testing.assert_allclose(summary["gain"], found.summary()["gain"])
    without = report_html(posterior=posterior, fit=fit, check=check)
    assert "#variants" not in without.replace("#variants td", "")  # but for its style
    assert "variants.csv" not in embedded(without)["files"]


def test_the_verdict_says_which_variant_predicts_these_people(
    check: inc.Check, found: inc.Variants, posterior: inc.Posterior
) -> None:
    panel = check.panel
    move = Move("A", "ms", 17.04, 15.0, -0.43, 0.5, -0.2)
    rows = [
        UnderVariant(
            name=one.name,
            words=one.words,
            log_evidence=float(nats),
            share_better=0.5,
            frequency=0.4,
            exceedance=0.6,
            observed=panel.observed,
            predicted=panel.predicted,
            z=panel.group.z,
            failing=failing,
            repaired=("errors, congruent",),
            remaining=failing,
            moves=(move,),
        )
        for one, nats, failing in zip(
            found.all, (0.0, 9.5, -38.0), ((), ("mean RT, congruent",), ()), strict=True
        )
    ]
    which = inc.WhichVariant(panel.statistics, tuple(rows), found, float(panel.group.band))
    text = report_html(posterior=posterior, check=replace(check, which_variant=which))
    part = text[text.index('<section id="verdict">') :]
    part = part[: part.index("</section>")]
    said = html.unescape(re.sub(r"<[^>]+>", "", part))
    for sentence in which.sentences():
        assert sentence in said
    assert "under it 1 fails (mean RT, congruent)" in said
    assert "17 → 15 ms" in said
    assert 'id="which-variant-' in part  # of the figure
    cells = which_section(which, None)["table"].rows
    assert [row[0].text for row in cells] == ["lapses", "as fitted", HOSTILE[0]]
    assert [row[1].text for row in cells] == ["+9.5", "0", "−38.0"]
    assert [row[5].text for row in cells] == ["A −0.4", "–", "A −0.4"]


def test_people_whose_variants_cannot_be_trusted_are_counted(found: inc.Variants) -> None:
    def heads(of: inc.Variants) -> list[str]:
        return [column.name for column in variants_table(of).columns]

    everybody = np.arange(6)
    trusted = replace(found.fits[0].correction, trusted=everybody >= 0)
    some = replace(found.fits[0].correction, trusted=everybody > 1)

    def under(correction: inc.Correction) -> inc.Variants:
        fits = [replace(one, draws=replace(one.draws, correction=correction)) for one in found.all]
        return inc.Variants(fits[0], tuple(fits[1:]))

    assert "not trusted" not in heads(under(trusted))
    assert heads(under(some))[-1] == "not trusted"
    assert [row[-1].text for row in variants_table(under(some)).rows] == ["2", "2", "2"]


def test_the_methods_paragraph_says_how_variants_were_compared(
    fit: inc.Fit, found: inc.Variants, posterior: inc.Posterior
) -> None:
    paragraphs, references = methods(posterior, fit, None, found)
    said = " ".join(paragraphs)
    assert found.sentences()[0] in said
    assert "Stephan et al., 2009; Rigoux et al., 2014" in said
    assert {"Cornuet", "Stephan", "Rigoux"} <= {one.split(",")[0] for one in references}


def test_variants_of_other_people_are_refused(
    fit: inc.Fit, check: inc.Check, found: inc.Variants, posterior: inc.Posterior
) -> None:
    other = replace(fit, draws=replace(fit.draws, names=("zero", *HOSTILE[1:6])))
    with pytest.raises(ValueError, match="Expected variants of the people who were fitted, 'zero'"):
        report_html(posterior=posterior, fit=other, variants=found)
    with pytest.raises(ValueError, match="Expected a fit with the variants of its model"):
        report_html(posterior=posterior, check=check, variants=found)


def test_people_are_told_why_to_be_careful(fit: inc.Fit, check: inc.Check) -> None:
    assert fit.draws.correction is not None
    k_hat = fit.draws.correction.k_hat.copy()
    k_hat[1] = 2.0
    worse = replace(
        fit,
        draws=replace(
            fit.draws, correction=replace(fit.draws.correction, k_hat=k_hat, trusted=k_hat <= 0.7)
        ),
    )
    concerns = concerns_of(worse, check)
    assert "weights" in [short for short, _ in concerns[1]]
    assert "no trials" in [short for short, _ in concerns[6]]
    sampled = replace(
        worse,
        draws=replace(
            worse.draws, correction=replace(worse.draws.correction, trusted=np.ones(6, bool))
        ),
    )  # type: ignore[type-var]
    assert "weights" not in [short for short, _ in concerns_of(sampled, check)[1]]


def test_sizes_of_what_fails_are_on_the_page(
    fit: inc.Fit, check: inc.Check, posterior: inc.Posterior
) -> None:
    """The group fails in a statistic, and a person in another one."""
    panel = check.panel
    group, people = panel.group.adjusted.copy(), panel.people.adjusted.copy()
    group[:], people[:] = 1.0, 1.0
    group[2], people[1, 7] = 0.01, 0.01
    failing = replace(
        panel,
        group=replace(panel.group, adjusted=group),
        people=replace(panel.people, adjusted=people),
    )
    fails = replace(check, panel=failing, panel_after=None, which_variant=None, extension=None)
    table = misfits_table(fails)
    assert table is not None
    (row,) = table.rows
    (misfit,) = fails.misfits()
    assert row[0].text == panel.statistics[2].name == misfit.name
    assert row[3].value == misfit.size
    assert row[-1].text == ("yes" if misfit.relevant else "no")
    after = misfits_table(replace(fails, panel_after=replace(failing, group=panel.group)))
    assert after is not None
    assert after.rows[0][-1].text in ("fails too", "does not fail")
    said = html.unescape(report_html(posterior=posterior, fit=fit, check=fails))
    assert "How large is what fails?" in said
    assert misfit.words in said
    (sized,) = fails.misfits_of_people()[1]
    (concern,) = [c for c in concerns_of(fit, fails)[1] if "predicted" in c.short]
    assert sized.words in concern.sentence
    nothing = replace(panel.group, adjusted=np.ones_like(group))
    quiet = replace(fails, panel=replace(failing, group=nothing))
    assert misfits_table(quiet) is None
    assert "How large is what fails?" not in report_html(posterior=posterior, check=quiet)


def corrected(fit: inc.Fit, **changes: Any) -> inc.Fit:
    assert fit.draws.correction is not None
    return replace(
        fit, draws=replace(fit.draws, correction=replace(fit.draws.correction, **changes))
    )


def dependent(prior: Any) -> inc.JointPrior:
    return inc.JointPrior(
        list(prior.names),
        sample=lambda n, rng: prior.sample(n, seed=rng),
        low=dict.fromkeys(prior.names, 0.0),
    )


def test_the_methods_paragraph_tells_variants_and_what_was_done(
    fit: inc.Fit, posterior: inc.Posterior
) -> None:
    def said(of: inc.Fit, model: inc.Model | None = None, prior: Any = None) -> str:
        simulator = posterior.simulator
        changed = replace(
            posterior,
            simulator=inc.Simulator(
                model or simulator.model, prior or simulator.prior, simulator.design
            ),
        )
        return " ".join(methods(changed, of, None)[0])

    n = len(fit.draws)
    network, adapted, mcmc = WAYS
    everybody = said(corrected(fit, sampled_by=np.full(n, mcmc, object)))
    assert "Everybody's posterior, 200 draws, was sampled by MCMC" in everybody
    assert "importance weights" not in everybody
    several = np.array([mcmc, adapted, adapted, *[network] * (n - 3)], object)
    words = said(corrected(fit, sampled_by=several))
    assert "1 person was sampled by MCMC on the exact likelihood (emcee" in words
    assert "2 people were sampled by adaptive importance sampling on the exact" in words
    nobody_else = said(corrected(fit, sampled_by=np.full(n, adapted, object)))
    assert "median effective share" not in nobody_else
    beyond = said(
        corrected(
            fit,
            k_hat=np.array([np.inf, 0.9, *[0.1] * (n - 2)]),
            sampled_by=np.full(n, network, object),
        )
    )
    assert "the largest k-hat was 0.90" in beyond
    assert "2 exceeded it, whose posteriors are not to be trusted" in beyond
    assert "settings differ" not in said(fit)
    assert "differ from the standard ones: bound weibull." in said(
        fit, inc.models.dmc(bound="weibull")
    )
    marginal = inc.marginalised(inc.models.dmc(free=["lapse"]), lapse=inc.priors.lapse_rate())
    assert "Integrated out, from its assumed distribution, was lapse=beta(1, 20)" in said(
        fit, marginal
    )
    assert "distributions, was JointPrior(" in said(fit, prior=dependent(posterior.simulator.prior))


def test_weights_that_are_no_numbers_are_shown_and_sorted_as_what_they_are(fit: inc.Fit) -> None:
    k_hat = np.array([np.inf, -np.inf, 0.1, 0.2, 0.3, 0.4])
    table = people_table(corrected(fit, k_hat=k_hat), None, concerns_of(fit, None))
    (place,) = (i for i, column in enumerate(table.columns) if column.name == "k-hat")
    assert [row[place].text for row in table.rows][:3] == ["∞", "−∞", "0.10"]
    assert [row[place].key for row in table.rows][:3] == ["Infinity", "-Infinity", "0.1"]


def test_people_of_one_name_keep_their_own_concerns(fit: inc.Fit, check: inc.Check) -> None:
    """Names need not be different; people go by their order."""
    names = ("",) * 6
    same = replace(
        check, scope=replace(check.scope, names=names), panel=replace(check.panel, names=names)
    )
    assert same.people()["failing"].tolist() == check.people()["failing"].tolist()
    nameless = replace(
        fit,
        draws=replace(fit.draws, names=names),
        study=replace(fit.study, names=(*names, "nobody")),
    )
    assert concerns_of(nameless, same) == concerns_of(fit, check)


def test_a_prior_that_cannot_be_sampled_is_left_out(fit: inc.Fit, posterior: inc.Posterior) -> None:
    """As of a saved network, whose prior's functions are gone."""
    forgotten = any_prior_from_json(dependent(posterior.simulator.prior).to_json())
    simulator = fit.draws.simulator
    draws = replace(
        fit.draws, simulator=inc.Simulator(simulator.model, forgotten, simulator.design)
    )
    drawn = people.drawn(replace(fit, draws=draws), None, concerns_of(fit, None))
    assert np.isnan(np.array(drawn["prior"], float)).all()


# --- nothing from outside is code -----------------------------------------------------------------


def test_names_from_outside_are_text(page: str) -> None:
    without_script = page.replace(
        (Path(inc.__file__).parent / "report/templates/page.js").read_text(), ""
    )
    for tag in ("<script>window", "<img", "<b>study", "<i>x"):
        assert tag not in without_script
    assert "{{ 7 * 7 }} $x$" in page


def test_the_policy_lets_only_the_pages_own_script_run(page: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_a_page_fetches_nothing(page: str) -> None:
    assert not re.findall(
        r"""(?:src|href)=["'](?!#|data:,)[^"']*["']""",
        re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL),
    )
    assert "@import" not in page


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(params=[1280, 390])
def opened(
    request: pytest.FixtureRequest, chromium: Browser, page: str, tmp_path: Path
) -> Iterator[Page]:
    """The page, opened from disk; anything said on the console or asked of a network fails the
    test.
    """
    path = tmp_path / "report.html"
    path.write_text(page)
    tab = chromium.new_page(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on(
        "request",
        lambda asked: (
            said.append(asked.url)
            if not asked.url.startswith(("file:", "blob:", "data:"))
            else None
        ),
    )
    tab.goto(path.as_uri())
    yield tab
    assert tab.evaluate("window.harmed") is None
    tab.close()
    assert said == []


def test_it_fits_the_screen_and_every_person_can_be_chosen(opened: Page) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for place, name in enumerate(HOSTILE[:6]):
        opened.click(f"tr[data-person='{place}'] .who")
        assert opened.text_content("#name") == name
        assert opened.locator("#predictions svg").count() == 3
        assert opened.locator("#pairs svg").count() == 1
        assert opened.locator("tr.chosen").count() == 1
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    opened.click("#next")  # after the last comes everybody
    assert "All 6 people" in (opened.text_content("#name") or "")
    opened.click("#previous")
    assert opened.text_content("#name") == HOSTILE[5]
    opened.locator("#forest .row").first.click()
    assert opened.text_content("#name") == HOSTILE[0]
    opened.select_option("#chosen", "3")
    assert opened.text_content("#name") == HOSTILE[3]


def test_drawings_show_the_numbers(opened: Page, fit: inc.Fit) -> None:
    opened.select_option("#chosen", "0")
    shown = opened.locator("#estimates td").all_inner_texts()
    assert float(shown[1].replace("−", "-")) == pytest.approx(fit.draws.means[0, 0], rel=0.01)
    squares = opened.locator("#predictions svg").nth(1).locator("rect").count()
    # the points and the one beside the name
    assert squares == np.isfinite(fit.prediction.observed["accuracy incongruent"][0]).sum() + 1


def test_the_table_sorts_and_finds(opened: Page) -> None:
    values = "rows => rows.filter(r => !r.hidden).map(r => Number(r.cells[1].dataset.value))"
    for order in (1, -1):
        opened.click("table.sortable th:nth-child(2) button")
        found = opened.eval_on_selector_all("table.sortable tbody tr", values)
        assert found == sorted(found, reverse=order < 0)
    assert opened.get_attribute("table.sortable th:nth-child(2)", "aria-sort") == "descending"
    opened.fill("#find", "EMOJI")
    assert len(opened.eval_on_selector_all("table.sortable tbody tr", values)) == 1
    opened.select_option("#order", "0")
    firsts = opened.eval_on_selector_all(
        "#forest svg:first-child .row", "rows => rows.map(r => Number(r.dataset.person))"
    )
    assert sorted(firsts) == list(range(6))


def test_a_table_is_downloaded(opened: Page, fit: inc.Fit) -> None:
    with opened.expect_download() as waiting:
        opened.click("#files button:text-is('posterior.csv')")
    table = pd.read_csv(waiting.value.path(), encoding="utf-8-sig")
    np.testing.assert_array_equal(table["mean"], fit.draws.summary()["mean"])
    assert waiting.value.suggested_filename == "posterior.csv"


def test_the_keyboard_reaches_people_and_the_links_stay_in_sight(opened: Page) -> None:
    opened.locator("#forest .row").nth(2).focus()
    opened.keyboard.press("Enter")
    assert opened.text_content("#name") == HOSTILE[2]
    opened.evaluate("scrollTo({top: 3000, behavior: 'instant'})")
    assert opened.evaluate("document.querySelector('nav').getBoundingClientRect().top") == 0


def test_the_methods_paragraph_is_copied(opened: Page) -> None:
    opened.click("#copy")
    assert opened.text_content("#copy") == "Copied"
    opened.focus("#find")
    opened.keyboard.press("Control+V")
    assert "Radev, S. T." in opened.input_value("#find")


def test_small_print_is_smaller_on_paper_too(opened: Page) -> None:
    opened.emulate_media(media="print")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    assert opened.locator("td small").first.evaluate(size) < opened.locator("td").first.evaluate(
        size
    )


def test_on_paper_nothing_is_folded_away(opened: Page) -> None:
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not opened.locator("details:not([open])").count()
    assert not opened.locator("nav").is_visible()
    assert opened.locator("#prose").is_visible()
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.locator("details:not([open])").count() > 3


def test_a_reader_without_scripts_sees_text_tables_and_figures(
    chromium: Browser, page: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(page)
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(path.as_uri())
    assert tab.locator(".verdict strong").is_visible()
    assert tab.locator("noscript figure svg").is_visible()
    assert tab.locator("table.sortable tbody tr").count() == 7
    assert not tab.locator("#chosen").is_visible()
    context.close()
