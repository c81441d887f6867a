#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report: what `constrictor report` writes, as its readers see it: parsers of others, and a real browser.

    tests/report.py [--target plain] [--build build/default]

One campaign with findings of several kinds, one of them shrunk and explained; then each format is read by a consumer
that is not ours (tests/report/consumers.py), and the page is drawn by Chromium.
"""
import html.parser
import json
import re
import shutil
import sqlite3
import subprocess

import command

SCENARIOS = ["plain/abba_deadlock", "plain/check_then_act", "plain/crash_null", "plain/wakeup_ok"]
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", "--virtual-time-budget=5000"]
CONTRAST_MIN = 4.5  # WCAG 2.1, level AA, for text


class Dom(html.parser.HTMLParser):
    """What is in a drawn page: text, links, elements with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.skip = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.skip += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.skip -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.skip:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def draw(test, page, anchor=""):
    """The page as Chromium has drawn it, and what it said on its console."""
    ended = subprocess.run([*CHROMIUM, f"--user-data-dir={test.work / 'chromium'}", "--dump-dom",
                            page.as_uri() + anchor], capture_output=True, text=True, errors="replace")
    console = [line for line in ended.stderr.splitlines() if ":CONSOLE" in line]
    return Dom(ended.stdout), console


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def check_contrast(test):
    """Every colour that text has, on both backgrounds, light and dark."""
    template = (command.ROOT / "reports/template/report.html").read_text()
    blocks = re.findall(r":root \{(.*?)\}", template, re.S)
    ratios = []
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for name in ("ink", "soft", "link", "bad", "known", "good"):
            for paper in ("paper", "panel"):
                pair = sorted((luminance(colours[name]), luminance(colours[paper])))
                ratios.append(((pair[1] + 0.05) / (pair[0] + 0.05), name, paper))
    test.check(len(blocks) == 2 and min(ratios)[0] >= CONTRAST_MIN, "page: text has contrast, light and dark",
               f"    {sorted(ratios)[:3]}")


def campaign(test):
    """A store with findings, one of them explained; the findings."""
    ended, report = test.run(*SCENARIOS, "--runs", 60, "--seed", 1)
    test.check(ended.status == 0 and len(report.findings) == 3, "a campaign with three expected findings", ended)
    finding = next(item for item in report.findings if item["kind"] == "deadlock")
    test.command("shrink", finding["schedule"], "--out", "min.cxs")
    ended = test.command("explain", "min.cxs", "--store", "out/results.db")
    test.check(ended.status == 0, "explain --store keeps the story", ended)
    # As on a day when nobody had expected the crash.
    with sqlite3.connect(test.work / "out/results.db") as store:
        store.execute("UPDATE sighting SET expected = 0, details = json_set(details, '$.expected', json('false')) "
                      "WHERE kind = 'crash'")
        store.execute("UPDATE exploration SET verdict = 'findings' WHERE scenario = 'plain/crash_null'")
    store.close()
    return report.findings


def check_formats(test, findings):
    ended = test.command("report", "out/results.db", "--junit", "junit.xml", "--sarif", "results.sarif", "--markdown",
                         "summary.md", "--annotations", "annotations.txt", "--html", "report.html")
    if not test.check(ended.status == 0, "report writes five formats", ended):
        return
    read = subprocess.run([command.ROOT / "tests/report/consumers.py", "junit.xml", "results.sarif"], cwd=test.work,
                          capture_output=True, text=True)
    if not test.check(read.returncode == 0, "JUnit and SARIF are what their readers take", read.stderr[-2000:]):
        return
    got = json.loads(read.stdout)
    test.check(got["suites"] == {"plain": [4, 1, 0, 0]}, "JUnit: four cases, one failure", got)
    test.check(got["cases"].get("constrictor.plain plain/crash_null") == ["Failure"], "JUnit: the crash fails its case",
               got)
    wanted = {item["id"]: "error" if item["kind"] == "crash" else "note" for item in findings}
    test.check(got["results"] == wanted, "SARIF: a fingerprint for each signature, and its level", got)
    test.check(not got["rules"] and got["flow_steps"] >= 3, "SARIF: rules are there, and the interleaving's steps", got)
    summary = (test.work / "summary.md").read_text()
    test.check(summary.startswith("# constrictor: 1 unexpected finding\n") and "SIGSEGV" in summary, "the summary",
               summary)
    annotations = (test.work / "annotations.txt").read_text().splitlines()
    test.check(len(annotations) == 1 and
               annotations[0].startswith("::error file=scenarios/plain/crash_null.c,line=") and
               "::crash SIGSEGV" in annotations[0] and "%0A" in annotations[0], "one annotation, at its line",
               annotations)
    crash = next(item for item in findings if item["kind"] == "crash")
    issue = test.command("report", "out/results.db", "--issue", crash["id"][:6])
    test.check(issue.status == 0 and crash["signature"] in issue.out and "constrictor-schedule" in issue.out,
               "the text of an issue, with the schedule", issue)


def check_page(test, findings):
    page = test.work / "report.html"
    text = page.read_text()
    test.check(not re.search(r"(src|href)=[\"']https?:|@import|fetch\(|XMLHttpRequest", text), "page: asks no network")
    overview, console = draw(test, page)
    test.check(not console and "1 unexpected of 3 findings" in overview.text, "page: the overview is drawn",
               console or overview.text[:500])
    links = {link["href"] for link in overview.of("a") if re.fullmatch(r"#f\d+", link.get("href", ""))}
    test.check(links == {"#f0", "#f1", "#f2"}, "page: a link to each finding", links)
    labels = {label.get("for") for label in overview.of("label")}
    test.check(all(field.get("id") in labels for field in overview.of("input")), "page: every field has a label")
    drawn = {}
    for link in sorted(links):
        dom, console = draw(test, page, link)
        signature = next((item["signature"] for item in findings if item["signature"] in dom.text), None)
        drawn[signature] = dom
        unnamed = [image for image in dom.of("svg") if not image.get("aria-label")]
        test.check(signature and not console and not unnamed, f"page: {link} is drawn, and its drawings have names",
                   console or dom.text[:500])
    found = next(item for item in findings if item["kind"] == "deadlock")
    named, console = draw(test, page, f"#{found['id']}")
    test.check(not console and found["signature"] in named.text and named.of("dl"),
               "page: a signature's id leads to its page", console or named.text[:500])
    deadlock = drawn.get(found["signature"])
    names = " ".join(image.get("aria-label", "") for image in deadlock.of("svg")) if deadlock else ""
    test.check("interleaving" in names and "forwards (main.1) waits in mutex-lock for backwards (main.2)" in names,
               "page: the deadlock has its interleaving and who waits for whom", names)
    events = [item for item in deadlock.of("g") if item.get("role") == "listitem"] if deadlock else []
    test.check(len(events) >= 3 and all(item.get("tabindex") == "0" for item in events),
               "page: each switch can be reached by keyboard", events)
    check_contrast(test)


def check_trace(test, findings):
    """The rules of the JSON form: slices of a track do not overlap, flows begin and end within slices, pairs match."""
    deadlock = next(item for item in findings if item["kind"] == "deadlock")
    ended = test.command("report", "out/results.db", "--perfetto", deadlock["id"])
    events = json.loads(ended.out)["traceEvents"] if ended.status == 0 else []
    names = {item["tid"]: item["args"]["name"] for item in events if item["ph"] == "M"}
    slices = sorted((item["tid"], item["ts"], item["ts"] + item["dur"]) for item in events if item["ph"] == "X")
    apart = all(one[0] != two[0] or one[2] <= two[1] for one, two in zip(slices, slices[1:]))
    test.check(len(names) == 3 and len(slices) >= 4 and apart, "trace: a track for each thread, with slices", ended)

    def within(item):
        return any(tid == item["tid"] and begin <= item["ts"] <= end for tid, begin, end in slices)
    begins = {item["id"]: item for item in events if item["ph"] == "s"}
    ends = {item["id"]: item for item in events if item["ph"] == "f"}
    test.check(begins and begins.keys() == ends.keys() and all(map(within, [*begins.values(), *ends.values()])),
               "trace: hand-offs are flows from slice to slice", ended)
    held = {phase: sorted(item["id"] for item in events if item["ph"] == phase) for phase in "be"}
    test.check(len(held["b"]) == 2 and held["b"] == held["e"], "trace: both locks are held, each has its end", ended)
    crash = next(item for item in findings if item["kind"] == "crash")
    ended = test.command("report", "out/results.db", "--perfetto", crash["id"])
    test.check(ended.status == 2 and "explain --store" in ended.err, "trace: without a story there is none", ended)


def check_refusals(test):
    for words, status, said in (
            (("report",), 2, "name a store"), (("report", "missing.db"), 3, "cannot read the store missing.db"),
            (("report", "run.jsonl"), 2, "run.jsonl is no store"),
            (("report", "out/results.db", "--issue", "zzz"), 2, "no such signature"),
            (("report", "out/results.db", "--html", "no/such/folder.html"), 3, "cannot write no/such/folder.html")):
        ended = test.command(*words)
        test.check(ended.status == status and said in ended.err and ended.err.count("\n") == 1, f"refused: {said}",
                   ended)


def check_many(test, count):
    """A page over very many findings is written, and drawn a hundred at a time."""
    shutil.copy(test.work / "out/results.db", test.work / "many.db")
    with sqlite3.connect(test.work / "many.db") as store:
        store.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
                      "INSERT INTO sighting SELECT campaign, target, build_id, scenario, unit, printf('%012x', i), "
                      "session, signature || i, kind, status, expected, strategy, run, seed, count, confirmed, "
                      "replays, first_ms, last_ms, details, schedule FROM sighting, n WHERE kind = 'deadlock' "
                      "AND sighting.id NOT LIKE '00000%'")
    store.close()
    ended = test.command("report", "many.db", "--html", "many.html", "--sarif", "many.sarif", "--markdown", "many.md")
    test.check(ended.status == 0, f"{count} findings: written", ended)
    dom, console = draw(test, test.work / "many.html")
    rows = sum(1 for link in dom.of("a") if re.fullmatch(r"#f\d+", link.get("href", "")))
    test.check(not console and rows == 100 and f"of {count + 3} findings" in dom.text,
               f"{count} findings: drawn, a hundred at a time", console or dom.text[:300])
    test.check((test.work / "many.md").stat().st_size < 1 << 20, f"{count} findings: the summary stays below 1 MiB")


STEPS_LONG = 100000
# Opens the first row that stands for many, by keyboard, and says where the focus is then.
OPEN_ROW = """<script>
const more = document.querySelector("[aria-expanded]");
more.focus();
more.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
document.title = "focus at step " + document.activeElement.getAttribute("data-step");
</script>"""


def check_long(test):
    """A run of many steps: its first and its last switches are kept and drawn, with the crash; the rest opens."""
    built = test.command("cc", "-g", "-O1", "-o", "long_trace", command.ROOT / "tests/subject/long_trace.c")
    ended = test.command("run", "--subject", "./long_trace", "--runs", 2, "--out", "long", "--json", "long.jsonl")
    found = [json.loads(line) for line in (test.work / "long.jsonl").read_text().splitlines()]
    finding = next((item for item in found if item["type"] == "finding"), None)
    if not test.check(built.status == 0 and finding, "a long run that crashes at its end", ended):
        return
    told = test.command("explain", finding["schedule"], "--store", "long/results.db")
    written = test.command("report", "long/results.db", "--html", "long.html", "--perfetto", finding["id"])
    text = (test.work / "long.html").read_text()
    story = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))["findings"][0]["switches"]
    events = story["events"]
    steps = [event["step"] for event in events]
    gaps = [event["gap"] for event in events if "gap" in event]
    test.check(told.status == 0 and story["steps"] > STEPS_LONG and len(events) == 800 and steps == sorted(steps) and
               len(gaps) == 1 and story["steps"] - steps[-1] < 20,
               f"of {story['steps']} steps, the first and the last switches", (gaps, steps[:3], steps[-3:]))
    test.check(any(lock["to"] is None for lock in story["locks"]), "the lock that is held at the end",
               story["locks"][-3:])
    dom, console = draw(test, test.work / "long.html", "#f0")
    rows = [item for item in dom.of("g") if "tabindex" in item]
    folded = [item for item in rows if item.get("aria-expanded") == "false"]
    test.check(not console and len(rows) < 100 and len(folded) == 2 and "\u2716 crash: SEGV in use" in dom.text and
               f"{gaps[0]} switches more" in dom.text,
               "a long trace: drawn with its crash, long stretches are one row each", console or dom.text[:800])
    (test.work / "opened.html").write_text(text.replace("</body>", OPEN_ROW + "</body>"))
    opened, console = draw(test, test.work / "opened.html", "#f0")
    more = [item for item in opened.of("g") if "tabindex" in item]
    test.check(not console and len(more) > len(rows) + 10 and f"focus at step {folded[0]['data-step']}" in opened.text,
               "a row of many opens by keyboard, and the focus stays", console or (len(rows), len(more)))
    trace = json.loads(written.out)["traceEvents"]
    slices = sorted((item["tid"], item["ts"], item["ts"] + item["dur"]) for item in trace if item["ph"] == "X")
    test.check(all(one[0] != two[0] or one[2] <= two[1] for one, two in zip(slices, slices[1:])),
               "its trace for Perfetto has no overlapping slices", slices[:5])


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    if not shutil.which("chromium"):
        test.give_up("there is a browser", "    ./bootstrap deps installs chromium")
    findings = campaign(test)
    check_formats(test, findings)
    check_page(test, findings)
    check_trace(test, findings)
    check_refusals(test)
    check_many(test, 10000)
    check_long(test)
    test.end()


if __name__ == "__main__":
    main()
