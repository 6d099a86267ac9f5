"""The report: one file, complete, readable without a network, and no report without results."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from rxnopt.cards import ExperimentCard
from rxnopt.errors import ReportError
from rxnopt.experiments import compare, report
from rxnopt.experiments.report import number, render, sentence
from rxnopt.experiments.scores import AgentScore

LOADS = {"src", "srcset", "data", "poster", "action", "xlink:href"}
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects what a page holds and checks that its tags close."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.links, self.words, self.open = [], [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in LOADS or (name == "href" and tag != "a"):
                self.loads.append(value)
            elif name == "href":
                self.links.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="session")
def text(small):
    path = small.report()
    assert path == small.folder / "report.html"
    return path.read_text()


@pytest.fixture(scope="session")
def page(text):
    return Page(text)


def test_the_page_needs_no_network_and_no_script(page, text):
    assert all(value.startswith(("#", "data:")) for value in page.loads), page.loads
    assert all(url.startswith(("data:", "#", "'#", '"#')) for url in re.findall(r"url\(([^)]*)", text))
    assert "@import" not in text
    assert "script" not in page.tags
    assert not re.search(r'\son\w+="', text)
    assert all(link.startswith(("https://doi.org/", "#")) for link in page.links)


def test_all_that_was_compared_is_named(page, small):
    for words in (
        "A small comparison", "For tests <b>only</b>.", "2 agents", "random", "tpe", "broken", "B between A and C",
        "What is left of A", "doi:10.1000/toy", "minimise rest / mol/L", "maximise yield / %", "known optimum",
        "Campaigns without a result", "did you mean", small.manifest["table"]["sha256"], "numpy", "Agarwal",
    ):  # fmt: skip
        if words == "2 agents":
            words = "3 agents × 2 reactions × 3 campaigns × 8 experiments"
        assert words in page.text, words


def test_there_is_a_figure_for_each_question(page):
    assert page.tags.count("figure") == page.tags.count("svg") == 2 + 2 * 2
    assert page.tags.count("figcaption") == page.tags.count("figure")
    for words in ("score (interquartile mean)", "time / min", "charge / mol/L", "campaigns at 95 % of the optimum / %"):
        assert words in page.text
    assert page.tags.count("table") == 3


def test_the_same_results_give_the_same_page(small, text):
    assert report(small.folder).read_text() == text


def test_practice_of_trained_agents_is_told(small):
    manifest = json.loads(json.dumps(small.manifest))
    manifest["agents"]["random"]["practice"] = {
        "made": {"steps": 1_000_000, "sha256": "0" * 64},
        "left": {"error": "none"},
    }
    text = render(manifest, small.trials)
    page = Page(text)
    best = re.search(r'<tr class="best">.*', text)
    assert best is not None
    assert "tpe" in best[0], "the best of those without practice is marked"
    assert "random had seen 1,000,000 simulated experiments on made before its first campaign." in page.text
    assert "tpe comes closest to the known optima of the agents that meet a reaction for the first time" in page.text
    assert "random, which had practised on the simulators beforehand, has score" in page.text


def test_the_sentence_says_what_is_not_told_apart():
    rows = (("a", 5, 0.9, 0.8, 1), ("b", 5, 0.7, 0.6, 0.85), ("c", 5, 0.1, 0, 0.2))
    a, b, c = (AgentScore(*row, 1, 1, 1, 1) for row in rows)
    assert sentence([a, b, c], [a, b, c]) == (
        "a comes closest to the known optima: score 0.900 (95 % interval 0.800 to 1.000). The interval of b overlaps "
        "with it: these campaigns do not tell them apart for certain."
    )
    assert "overlap" not in sentence([a, c], [a, c])
    assert sentence([a, b, c], [b, c]) == (
        "b comes closest to the known optima of the agents that meet a reaction for the first time: score 0.700 (95 % "
        "interval 0.600 to 0.850). a, which had practised on the simulators beforehand, has score 0.900 (95 % interval "
        "0.800 to 1.000)."
    )
    assert "no overall score" in sentence([], [])


@pytest.mark.parametrize(
    ("value", "words"),
    [(float("nan"), "–"), (0, "0"), (72.46, "72.5"), (-48.021, "−48.0"), (12345.6, "12,346"), (0.049787, "0.0498")],
)
def test_numbers(value, words):
    assert number(value) == words


def test_no_report_without_results(small, tmp_path):
    def refused(message):
        with pytest.raises(ReportError, match=message) as caught:
            report(folder)
        assert "\n" not in str(caught.value)
        assert not (folder / "report.html").exists()

    folder = tmp_path / "nowhere"
    refused("there is no such folder")
    folder.mkdir()
    refused("not finished")
    shutil.copy(small.folder / "manifest.json", folder)
    refused("trials.parquet is missing")
    table = (small.folder / "trials.parquet").read_bytes()
    (folder / "trials.parquet").write_bytes(table[:-100])
    refused("not the table that manifest.json describes")
    (folder / "trials.parquet").write_bytes(table)
    (folder / "manifest.json").write_text("{")
    refused("manifest is damaged")
    (folder / "manifest.json").write_text(json.dumps(small.manifest | {"schema": 99}))
    refused("format 99")


@pytest.mark.data
def test_a_comparison_of_general_conditions(tmp_path):
    """Substrates stand with the conditions, and scores are those of the recommended conditions."""
    of = {"reactions": ("ni_borylation-general",), "agents": ("random", "ucb1"), "seeds": 2, "budget": 6}
    card = ExperimentCard(name="g", title="G", **of)
    results = compare(card, out=tmp_path, workers=2, progress=False)
    assert not results.failed
    told = json.loads(results.trials["conditions"][0])
    assert set(told) == {"ligand", "solvent", "electrophile"}
    text = results.report().read_text(encoding="utf-8")
    assert "Mean over all substrates of the conditions that are recommended" in text
    assert results.manifest["reactions"]["ni_borylation-general"]["over"] == ["electrophile"]
