"""The page in a real browser: a file dropped, understood, put right and fitted; the explorer's
speed; and that nobody reaches what is not theirs.
"""

import http.client
import io
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import incongruent as inc
from incongruent.app.charts import TITLES

PATIENCE = 60_000
"""ms; a page that takes longer is broken, on however busy a machine."""
LIMIT = 3.0
HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"'`${window.hacked=1}{{hacked}}",
    "🧠 ümläut",
    "x" * 1000,
)
CSV = "subject,condition,rt,accuracy\n" + "".join(
    f"{s},{c},{400 + 10 * i},1\n"
    for s in "ab"
    for i in range(20)
    for c in ("congruent", "incongruent")
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(place):
    """A server of its own, with a working directory, a home for temporary files and a folder that
    can be looked into afterwards.
    """
    for name in ("work", "cwd", "temporary"):
        (place / name).mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    # also where that is relative
    environment |= {
        "TMPDIR": str(place / "temporary"),
        "PYTHONPATH": str(Path(inc.__file__).parents[1]),
    }
    shutil.copy(
        Path(inc.__file__).parent / "posterior" / "pretrained" / "dmc.safetensors",
        place / "a network.safetensors",
    )
    command = [
        sys.executable,
        "-m",
        "incongruent",
        "app",
        "--port",
        "0",
        "--no-browser",
        "--folder",
        str(place / "work"),
        "--limit",
        str(LIMIT),
    ]
    command += ["--network", str(place / "a network.safetensors")]
    with subprocess.Popen(
        command,
        cwd=place / "cwd",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "The page is at http://127.0.0.1:" in line, line + server.stdout.read()
        yield re.search(r"http://[\d.:]+", line)[0]
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=30)[0]
        assert "Traceback" not in said, said


@pytest.fixture
def visit(chromium, address):
    """Opens pages in browsers that know nothing of each other; afterwards nothing may have been
    complained of, or asked from elsewhere.
    """
    contexts, complaints, elsewhere = [], [], []

    def open_page(path="/", width=1280):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, accept_downloads=True
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                elsewhere.append(request.url) if local(request.url, address) is None else None
            ),
        )
        page.goto(address + path)
        page.wait_for_selector(".top")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert elsewhere == []


def local(url, address):
    """The URL if it is of the server, or within the page."""
    parts = urlsplit(url)
    return (
        url
        if parts.netloc == urlsplit(address).netloc or parts.scheme in ("data", "blob", "about")
        else None
    )


def upload(page, content, name="trials.csv"):
    """Give a file to the page, and wait until it has been read."""
    file = (
        content
        if isinstance(content, str | Path)
        else {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    page.evaluate(
        "document.querySelectorAll('.at-file-name').forEach(name => name.classList.add('before'))"
    )
    page.set_input_files("input[type=file]", file)
    page.wait_for_selector(".at-file-name:not(.before)")
    page.wait_for_selector(".at-summary, .at-refusal:visible")


def choose(page, control, option):
    """Pick an option of a select; again where the page was drawn anew in the meantime, which closes
    the menu.
    """
    for attempt in range(3):
        page.wait_for_function("!document.querySelector('.q-menu')")  # of the select before
        page.click(f".at-{control}")
        try:
            return page.locator(
                ".q-menu .q-item", has_text=re.compile(f"^{re.escape(option)}$")
            ).click(timeout=10_000)
        except Exception as error:
            # of playwright, which is imported where a browser is started
            if attempt == 2 or type(error).__name__ != "TimeoutError":
                raise
            page.keyboard.press("Escape")


def write(page, control, text):
    page.fill(f".at-{control} input", text)
    page.press(f".at-{control} input", "Enter")


def refusal(page):
    return page.locator(".at-refusal:visible").inner_text()


def shown(page, text, times=1):
    """Wait until the page shows a text, so many times as long as for anything else."""
    condition = "text => document.body.innerText.includes(text)"
    page.wait_for_function(condition, arg=text, timeout=times * PATIENCE)


# --- a file ---------------------------------------------------------------------------------------


def test_one_file_for_each_person(visit, tmp_path):
    """Dropped together they are one study, whose people are called as the files are."""
    for later, name in enumerate(("sub-07", "sub-ü")):
        trials = [
            f"{('con', 'incon')[i % 2]},{int(i % 9 > 0)},{400 + 3 * i + 30 * (i % 2) + later}"
            for i in range(60)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["condition,correct,rt", *trials]))
    page = visit()
    page.set_input_files("input[type=file]", [tmp_path / "sub-07.csv", tmp_path / "sub-ü.csv"])
    page.wait_for_selector(".at-summary, .at-refusal:visible")
    assert page.inner_text(".at-file-name") == "2 files: sub-07.csv, sub-ü.csv"
    assert page.inner_text(".at-summary") == "2 people, 60 trials each; 0 trials left out."
    shown(page, "2 files were read as one table; column 'from_file' says which a row is from.")


def test_two_files_of_one_name_are_two_people(visit):
    page, files = visit(), []
    for later in (0, 1):
        trials = [
            f"{('con', 'incon')[i % 2]},{int(i % 9 > 0)},{400 + 3 * i + 30 * (i % 2) + later}"
            for i in range(60)
        ]
        files.append(
            {
                "name": "data.csv",
                "mimeType": "text/csv",
                "buffer": "\n".join(["condition,correct,rt", *trials]).encode(),
            }
        )
    page.set_input_files("input[type=file]", files)
    page.wait_for_selector(".at-summary, .at-refusal:visible")
    assert page.inner_text(".at-summary") == "2 people, 60 trials each; 0 trials left out."


def test_a_public_file_is_understood_and_a_part_of_it_chosen(visit, data_folder):
    page = visit()
    upload(page, data_folder / "ulrich2015" / "flankerData.txt")
    assert page.inner_text(".at-file-name") == "flankerData.txt"
    assert page.locator(".at-network input").input_value() == "a network.safetensors"
    assert page.inner_text(".at-summary") == "16 people, 334–336 trials each; 0 trials left out."
    for note in (
        "The reaction time was taken from column 'RT', in ms",
        "The accuracy was taken from column 'Error': 0 = correct, 1 = error",
        "comp = congruent",
    ):
        shown(page, note)
    assert page.locator(".at-raw").inner_text().split()[:9] == [
        "Subject",
        "Comp",
        "RT",
        "Error",
        "1",
        "comp",
        "601.657182",
        "0",
        "1",
    ]
    write(page, "where", "Subject <= 4")
    shown(page, "4 people, 335–336 trials each; 0 trials left out.")
    write(page, "where", "Subjekt <= 4")
    page.wait_for_selector(".at-refusal:visible")
    assert "there is no column 'Subjekt'" in refusal(page)
    assert page.locator(".at-fit").count() == 0


def test_a_file_without_header_is_put_right_step_by_step(visit):
    page = visit()
    rows = [
        f"7 {s} {c} {0.4 + 0.01 * i + 0.02 * (c == 'z'):.3f} {int(i == 3)}"
        for s in (1, 2)
        for i in range(20)
        for c in "gz"
    ]
    upload(page, "\n".join(rows).encode(), "my data.dat")
    assert "Expected a header with the columns' names in the first line of your file" in refusal(
        page
    )
    assert page.inner_text(".at-raw").splitlines()[0] == rows[0]
    write(page, "names", "lab, who, kind, rt, outcome")
    shown(page, "Expected one column that holds the condition")
    choose(page, "condition", "kind")
    shown(page, "Expected one column that holds the person")
    choose(page, "by", "who")
    page.keyboard.press("Escape")
    shown(page, "Expected most answers to be correct")
    choose(page, "error", "outcome")
    shown(page, "these are no words that are known")
    choose(page, "level-0", "congruent")
    choose(page, "level-1", "incongruent")
    shown(page, "2 people, 40 trials each; 0 trials left out.")
    shown(page, "g = congruent, z = incongruent (as given)")
    choose(page, "accuracy", "outcome")
    shown(
        page,
        "Expected one of `accuracy` and `error`; got 'outcome' and 'outcome'. Leave one of them"
        " out.",
    )
    choose(page, "error", "automatic")
    shown(page, "Expected most answers to be correct")
    choose(page, "accuracy", "automatic")
    choose(page, "error", "outcome")
    choose(page, "unit", "ms")
    shown(page, "Expected reaction times in ms, since `unit` is 'ms'; got a median of")


def test_a_file_that_is_no_table_is_refused_in_the_readers_words(visit):
    page = visit()
    page.click(".at-demo")
    shown(page, "30 people, 240 trials each; 0 trials left out.")
    upload(page, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "picture.png")
    assert "Expected a text file" in refusal(page)
    upload(page, CSV.encode())
    shown(page, "2 people, 40 trials each; 0 trials left out.")


def test_what_is_too_large_is_refused_by_the_page_and_by_the_server(visit, address):
    sentence = "Expected at most 3 MB in all; this is more."
    page = visit()
    asked = []
    page.on(
        "request",
        lambda request: (
            asked.append(request)
            if request.method == "POST" and "/upload/" in request.url
            else None
        ),
    )
    page.set_input_files(
        "input[type=file]",
        {"name": "large.csv", "mimeType": "text/csv", "buffer": b"1" * 3_100_000},
    )
    page.wait_for_selector(".at-refusal:visible")
    assert sentence in refusal(page)
    assert not asked
    upload(page, CSV.encode())
    answer = page.request.post(
        asked[0].url,
        multipart={
            "file": {"name": "large.csv", "mimeType": "text/csv", "buffer": b"1" * 3_100_000}
        },
    )
    assert answer.status == 413
    assert sentence in answer.text()
    with closing(http.client.HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.request(
            "POST", urlsplit(asked[0].url).path, iter([b"1"] * 3), {"Transfer-Encoding": "chunked"}
        )
        with connection.getresponse() as answer:
            assert answer.status == 411


def test_hostile_names_are_text(visit, place):
    page = visit()
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    rows = [
        f"{who},{c},{400 + 10 * i},1,{who}"
        for who in quoted
        for i in range(10)
        for c in ("congruent", "incongruent")
    ]
    content = "\n".join([f"subject,condition,rt,accuracy,{quoted[0]}", *rows]).encode()
    for name in (*HOSTILE, "../../outside.csv"):
        upload(page, content, name + ".csv")
        shown(page, "5 people, 20 trials each")
    upload(page, content, HOSTILE[0])
    assert page.inner_text(".at-file-name") == "script>"  # browsers cut what looks like folders
    page.click("text=Trials kept and left out")
    for name in HOSTILE[:4]:
        shown(page, name)
    choose(page, "by", HOSTILE[0])
    page.keyboard.press("Escape")
    shown(page, f"The 5 data sets are the values of '{HOSTILE[0]}'")
    page.goto(page.url + "explorer")
    page.click(".at-person")
    assert page.locator(".q-menu .q-item", has_text=HOSTILE[1]).count() == 1
    page.locator(".q-menu .q-item", has_text=HOSTILE[0]).click()
    shown(page, "Fit these data first.")
    assert page.evaluate("window.hacked") is None
    names = {
        path.name
        for path in (place / "work").rglob("*")
        if path.is_file() and path.parent.name != "your files"
    }
    assert names <= {"your file"}


# --- several visitors, and others -----------------------------------------------------------------


def test_visitors_do_not_see_each_other(visit, address):
    first, second = visit(), visit()
    upload(first, CSV.encode(), "secret.csv")
    second.reload()
    assert second.locator(".at-file-name").count() == 0
    second.goto(f"{address}/explorer")
    shown(second, "None yet: drop a file on the page Fit")
    first.reload()
    assert first.inner_text(".at-file-name") == "secret.csv"
    others = [
        {"name": name, "value": "of an app on another port", "domain": "127.0.0.1", "path": "/"}
        for name in ("session", "incongruent-1")
    ]
    first.context.add_cookies(others)
    first.reload()
    assert first.inner_text(".at-file-name") == "secret.csv"
    link = first.context.new_page()
    link.goto(address.replace("127.0.0.1", "localhost"))  # another site, for the browser
    link.evaluate("address => { location.href = address }", address)
    link.wait_for_selector(".at-file-name")
    guessed = [
        f"{address}/results/{token}/report.html" for token in ("", "x", "..", "%2e%2e%2fvisitor")
    ]
    assert [second.request.get(url).status for url in guessed] == [404, 404, 404, 404]


def test_requests_of_other_sites_are_refused(address, place):
    visitors = set((place / "work").glob("visitor-*"))

    def asked(headers, path="/"):
        with closing(
            http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        ) as connection:
            connection.putrequest("GET", path, skip_host=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            with connection.getresponse() as answer:
                return answer.status

    here = urlsplit(address).netloc
    socket = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    upgrade = {
        "Host": here,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert asked({"Host": here}) == 200
    assert asked({"Host": "localhost:9999"}) == 200  # as through a tunnel
    assert asked({"Host": "evil.example"}) == 400
    assert asked({"Host": here, "Origin": "http://evil.example"}) == 403
    assert asked({"Host": here, "Origin": "null"}) == 403
    image = {"Host": here, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    link = {"Host": here, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for site, image_status in (
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
    ):
        assert asked(image | {"Sec-Fetch-Site": site}) == image_status
        assert asked(link | {"Sec-Fetch-Site": site}) == 200
    assert asked(link | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}) == 403
    assert asked(upgrade | {"Origin": f"http://{here}"}, socket) == 101
    assert asked(upgrade | {"Origin": "http://evil.example"}, socket) == 403
    assert asked(upgrade | {"Host": "evil.example"}, socket) == 400
    # whoever only looks leaves nothing behind
    assert set((place / "work").glob("visitor-*")) == visitors


CONTRAST = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c[3] !== 0) return c;
    }
  };
  const own = e => [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim());
  const read = e => own(e) && e.checkVisibility() && !e.closest("[disabled], script, style");
  return [...document.querySelectorAll("body *")].filter(read).map(e => {
    const colours = [numbers(getComputedStyle(e).color), behind(e) || [255, 255, 255]];
    const [a, b] = colours.map(light).sort((x, y) => y - x);
    return [e.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)];
  });
}"""
"""Every text on the page with its contrast."""


def test_pages_can_be_heard_and_read(visit, address):
    """By the roles that a screen reader knows, and by the contrast of every text."""
    page = visit()
    assert page.evaluate("document.documentElement.lang") == "en-GB"
    page.click(".at-demo")
    page.get_by_role("heading", name="30 people, 240 trials each", level=3).wait_for()
    headings = [
        (page.get_by_role("heading", level=level).all_text_contents()) for level in (1, 2, 3)
    ]
    assert headings == [
        ["incongruent: Fit"],
        ["Your data", "study.csv (simulated)", "Fit"],
        ["30 people, 240 trials each; 0 trials left out.", "Corrections"],
    ]
    contrasts = dict(page.evaluate(CONTRAST))
    write(page, "where", "nothing > 1")
    assert "there is no column 'nothing'" in page.get_by_role("alert").inner_text()
    assert page.locator("[role=status].at-status").count() == 1
    contrasts |= dict(page.evaluate(CONTRAST))
    page.goto(f"{address}/explorer")
    page.wait_for_selector(".at-accuracy canvas")
    charts = [chart.get_attribute("aria-label") for chart in page.get_by_role("img").all()]
    assert [label.split(".")[0] for label in charts] == list(TITLES.values())
    assert page.get_by_role("link", name="Explorer").get_attribute("aria-current") == "page"
    contrasts |= dict(page.evaluate(CONTRAST))
    assert len(contrasts) > 60
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}


def test_it_listens_on_this_machine_only(address):
    port = f"{urlsplit(address).port:04X}"
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    if not tables[0].exists():
        pytest.skip("no /proc/net/tcp on this system")
    lines = [
        line.split()
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    assert {
        fields[1] for fields in lines if fields[1].endswith(f":{port}") and fields[3] == "0A"
    } == {f"0100007F:{port}"}


# --- the explorer ---------------------------------------------------------------------------------

WATCH = """() => {
  const charts = [...document.querySelectorAll(".chart")].map(
    e => getElement(parseInt(e.id.slice(1))).chart
  );
  let start = 0, seen = new Set();
  window.moves = [];
  window.numbers = () => charts.map(c => JSON.stringify(c.getOption().series.map(s => s.data)));
  const begin = () => { start = performance.now(); seen = new Set(); };
  document.addEventListener("keydown", begin, true);
  charts.forEach((c, i) => c.on("rendered", () => {
    const all = charts.length;
    if (seen.size < all && seen.add(i).size == all) window.moves.push(performance.now() - start);
  }));
}"""
"""Notes for every key how long it took until all charts were drawn again."""


def test_a_moved_slider_changes_all_curves_at_once(visit):
    page = visit("/explorer")
    page.wait_for_selector(".at-accuracy canvas")
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    before = page.evaluate("numbers()")
    for i in range(12):
        page.press(".at-slider-A [tabindex]", "ArrowRight")
        page.wait_for_function("n => moves.length > n", arg=i)
    assert all(a != b for a, b in zip(before, page.evaluate("numbers()"), strict=True))
    # Beside other tests, on any machine; RESULTS.md has the figure of an idle one, and
    # benchmarks/pages.py prints it.
    times = page.evaluate("moves")
    assert statistics.median(times[2:]) < 1000, times


def test_numbers_sliders_and_typical_values_go_together(visit):
    page = visit("/explorer", width=390)
    page.wait_for_selector(".at-accuracy canvas")
    page.evaluate(WATCH)
    before = page.evaluate("numbers()")
    page.fill(".at-number-b input", "90")
    page.press(".at-number-b input", "Tab")
    page.wait_for_function(
        "() => document.querySelector('.at-slider-b [aria-valuenow],"
        " .at-slider-b[aria-valuenow]').ariaValueNow == 90"
    )
    page.wait_for_function("before => numbers()[0] != before", arg=before[0])
    page.fill(".at-number-b input", "900")  # no value of b: nothing changes
    page.click(".at-reset")
    page.wait_for_function(
        "before => JSON.stringify(numbers()) == JSON.stringify(before)", arg=before
    )
    assert page.input_value(".at-number-b input") == "60"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_data_stand_behind_the_curves(visit, address):
    page = visit()
    upload(page, CSV.encode())
    page.goto(f"{address}/explorer")
    page.wait_for_selector(".at-accuracy canvas")
    page.evaluate(WATCH)
    series = """() => {
      const element = document.querySelector('.at-accuracy');
      const chart = getElement(parseInt(element.id.slice(1))).chart;
      return chart.getOption().series.map(s => s.data);
    }"""
    page.wait_for_function(f"({series})()[2].length == 5")
    assert page.evaluate(series)[2] == [1, 1, 1, 1, 1]
    choose(page, "person", "none")
    page.wait_for_function(f"({series})()[2].length == 0")
    assert page.locator(".at-take-mean").is_disabled()


# --- a fit ----------------------------------------------------------------------------------------


def start_fit(page, address, where, data_folder, check):
    page.goto(address)
    upload(page, data_folder / "ulrich2015" / "flankerData.txt")
    write(page, "where", where)
    shown(page, "`where` chose")
    page.fill("input[aria-label='Draws for each person']", "100")
    if not check:
        page.click("text=Ask also if the model is right")
    page.click(".at-fit")


def test_a_fit_waits_for_others_and_is_cancelled_at_once(visit, address, data_folder):
    first, second = visit(), visit()
    start_fit(first, address, "Subject <= 16", data_folder, check=True)
    shown(first, "drawing from the posteriors")
    start_fit(second, address, "Subject <= 2", data_folder, check=False)
    shown(second, "Waiting: 1 job before yours")
    assert second.inner_text("[role=status].at-status") == "Waiting: 1 job before yours"
    second.reload()  # a page that is opened again finds its job
    shown(second, "Waiting: 1 job before yours")
    second.click(".at-cancel")
    shown(second, "Cancelled")
    begun = time.monotonic()
    first.click(".at-cancel")
    shown(first, "Cancelled")
    assert time.monotonic() - begun < 5


@pytest.mark.slow
def test_a_fit_ends_in_a_report(visit, address, data_folder):
    page, other = visit(), visit("/explorer")
    start_fit(page, address, "Subject in [4, 9, 10, 11]", data_folder, check=True)
    shown(page, "correcting draws by the exact likelihood", times=4)  # a process starts first
    other.wait_for_selector(".at-accuracy canvas")
    other.evaluate(WATCH)
    for i in range(20):  # others are not held up
        other.press(".at-slider-tau [tabindex]", "ArrowRight")
        other.wait_for_function("n => moves.length > n", arg=i)
    assert statistics.median(other.evaluate("moves")) < 1000
    page.wait_for_selector(".at-results", timeout=8 * PATIENCE)  # where other tests run beside it
    shown(page, "4 people of flankerData.txt, in ")
    report = page.frame_locator("iframe.report")
    assert report.locator("body").inner_text(timeout=PATIENCE)
    assert (
        page.locator("iframe.report").get_attribute("sandbox")
        == "allow-scripts allow-popups allow-downloads"
    )

    with page.expect_download() as download:
        page.click("text=Download everything (zip)")
    names = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())).namelist()
    wanted = (
        "posterior.csv",
        "people.csv",
        "draws.nc",
        "report.html",
        "predictive_group.png",
        "check/verdict.json",
        "check/verdict.md",
    )
    assert {f"results/{name}" for name in wanted} <= set(names)
    with page.expect_popup() as popup:
        page.click("text=Open the report in a new tab")
    assert "flankerData.txt" in popup.value.inner_text("body")
    assert other.request.get(popup.value.url.replace("/results/", "/results/x")).status == 404
    popup.value.close()  # a page behind another one is not drawn

    page.goto(f"{address}/explorer")
    page.wait_for_selector(".at-take-mean:enabled")
    choose(page, "person", "9")
    page.click(".at-take-mean")
    page.wait_for_function("() => document.querySelector('.at-number-A input').value != 20")
    assert 5 < float(page.input_value(".at-number-A input")) < 40


def test_nothing_is_written_elsewhere(address, place):
    """Last in the file: after everything that was done on the page."""
    assert list((place / "cwd").iterdir()) == []
    assert list((place / "temporary").iterdir()) == []
    assert {path.name.split("-")[0] for path in (place / "work").iterdir()} <= {"visitor", "moment"}
