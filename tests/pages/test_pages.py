"""The committed pages are what the command writes, complete, and every link leads somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rxnopt.catalogue import has_field, names
from rxnopt.cli import look  # noqa: F401  (registers the command)
from rxnopt.cli.frame import app
from rxnopt.errors import RxnoptError
from rxnopt.pages import book
from rxnopt.pages.book import figure, page, write_pages
from rxnopt.pages.index import index
from rxnopt.simulators.pareto import front_file

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "envs"
ANEW = "run `python -m rxnopt pages docs/envs` and look at what changed"
LARGEST = 60_000
survey_of = cache(book.survey_of)


@pytest.fixture(scope="module")
def snar():
    return survey_of("snar")


MEASURED = {name for name in names("envs") if has_field("envs", name, "data")}


def test_pages_are_what_the_command_writes():
    check_pages([survey_of(name) for name in names("envs") if name not in MEASURED])


@pytest.mark.data
def test_pages_of_measured_data_and_the_index_are_what_the_command_writes():
    surveys = [survey_of(name) for name in names("envs")]
    check_pages([survey for survey in surveys if survey.reaction.name in MEASURED])
    assert index(surveys) == (PAGES / "index.md").read_text(encoding="utf-8"), f"the index is out of date; {ANEW}"


def check_pages(surveys):
    for survey in surveys:
        kept = PAGES / f"{survey.reaction.name}.md"
        assert kept.exists(), f"there is no page {kept.name}; {ANEW}"
        assert page(survey) == kept.read_text(encoding="utf-8"), f"{kept.name} is out of date; {ANEW}"


def test_each_page_has_its_figure_and_none_is_left_over():
    wanted = {f"{name}.md" for name in names("envs")} | {"index.md"}
    assert {path.name for path in PAGES.glob("*.md")} == wanted
    figures = list((PAGES / "figures").iterdir())
    fronts = {f"{name}-front.png" for name in names("envs") if front_file(name) is not None}
    emulators = {name for name in MEASURED if "kind: emulator" in (ROOT / "envs" / f"{name}.yaml").read_text("utf-8")}
    parities = {f"{name}-parity.png" for name in emulators}
    assert {path.name for path in figures} == {f"{name}.png" for name in names("envs")} | fronts | parities
    assert max(path.stat().st_size for path in figures) <= LARGEST
    assert sum(path.stat().st_size for path in PAGES.rglob("*") if path.is_file()) <= 3_000_000


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = re.sub(r"`[^`\n]*`", "", path.read_text(encoding="utf-8"))  # a SMILES looks like a link
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_a_figure_is_the_same_each_time(snar):
    first = figure(snar)
    assert first == figure(snar)
    assert first.startswith(b"\x89PNG")
    assert b"Software" not in first


def test_a_page_says_what_the_card_says(snar):
    text = page(snar)
    for part in (
        "| `r1` | DFNB + pyrrolidine → ortho | k₁ [DFNB] [pyrrolidine] | 0.579 L/mol/s | 33.3 kJ/mol | 90 °C |",
        "| 3 | `temperature` | continuous | 30 | 120 | °C | linear |",
        "| 9–12 | conditions of the last experiment | −1 | 1 |",
        'gymnasium.make("rxnopt/SnAr-v0")',
        "https://doi.org/10.1039/C6RE00109B",
        "> **Note.** Rate constants at 90 °C",
        "- `v0`: first.",
    ):
        assert part in text


def test_one_page_alone(tmp_path):
    written = write_pages(tmp_path, "rxnopt/MITCase1-v0")
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "mit_case1.md",
        "figures/mit_case1.png",
        "figures/mit_case1-front.png",
    ]
    assert not (tmp_path / "index.md").exists()


def test_a_card_of_ones_own_is_refused(tmp_path):
    own = tmp_path / "own.yaml"
    card = (ROOT / "envs" / "lactose.yaml").read_text(encoding="utf-8")
    own.write_text(card.replace("name: lactose", "name: own"), encoding="utf-8")
    with pytest.raises(RxnoptError, match=r"own.yaml is no card of the catalogue"):
        write_pages(tmp_path, str(own))


def test_the_command_names_what_it_wrote(tmp_path):
    done = CliRunner().invoke(app, ["pages", str(tmp_path), "--only", "mit_case1", "--quiet"])
    assert done.exit_code == 0
    assert done.stdout.strip() == str(tmp_path / "mit_case1.md")
