"""Photographs the report of the demo study, and the app's explorer, for the README and the docs.
Run: python tools/make_screenshots.py

Needs the extras app and test, and a Chromium (INCONGRUENT_CHROMIUM, or /usr/bin/chromium).
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import incongruent as inc

FOLDER = Path(__file__).parents[1] / "docs" / "figures"
CHROMIUM = os.environ.get("INCONGRUENT_CHROMIUM", "/usr/bin/chromium")


def main() -> None:
    posterior = inc.pretrained("dmc")
    fit, check = (
        inc.fit(posterior, inc.demo_study(), seed=1),
        inc.check(posterior, inc.demo_study(), seed=1),
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        origin = inc.Origin("demo study", "incongruent demo", 1)
        path = inc.write_report(
            Path(folder) / "report.html", posterior=posterior, fit=fit, check=check, origin=origin
        )
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1040, "height": 900}, device_scale_factor=1.5)
        page.goto(path.as_uri())
        page.select_option("#order", "0")
        _between(page, "#study", "#verdict ul.advice", FOLDER / "report_top.png")
        _between(page, "#forest", "#predictions", FOLDER / "report_people.png")
        browser.close()


def _between(page: Page, first: str, last: str, path: Path) -> None:
    """A picture from the top of one element to the foot of another."""
    a, b = page.locator(first).bounding_box(), page.locator(last).bounding_box()
    assert a is not None
    assert b is not None
    top, left = a["y"] + page.evaluate("scrollY") - 10, min(a["x"], b["x"]) - 10
    clip = {
        "x": left,
        "y": top,
        "width": max(a["width"], b["width"]) + 20,
        "height": b["y"] + b["height"] + page.evaluate("scrollY") - top + 10,
    }
    page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
