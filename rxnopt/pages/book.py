"""All pages and their index."""

from __future__ import annotations

from pathlib import Path

from rxnopt.catalogue import names
from rxnopt.errors import RxnoptError
from rxnopt.files import put
from rxnopt.pages.control import ControlSurvey
from rxnopt.pages.emulated import parity
from rxnopt.pages.family import FamilySurvey, spread
from rxnopt.pages.fronts import front_figure
from rxnopt.pages.index import AnySurvey, index
from rxnopt.pages.landscape import landscape
from rxnopt.pages.page import campaign_page, family_page, run_page
from rxnopt.pages.profile import profile
from rxnopt.pages.survey import Survey
from rxnopt.progress import bar
from rxnopt.simulators import load


def write_pages(folder: Path, only: str | None = None, *, progress: bool = False) -> list[Path]:
    """Write a page with its figure for each environment of the catalogue, and ``index.md``; return the paths.

    With ``only`` the page of that environment is written and the index left as it is. Raises
    :class:`rxnopt.errors.RxnoptError` for a name that is unknown, and OSError.
    """
    chosen = names("envs") if only is None else [load(only).name]
    if only is not None and chosen[0] not in names("envs"):
        raise RxnoptError(f"{only} is no card of the catalogue, which the pages are about; put it into envs/ first")
    surveys, written = [], []
    with bar(progress, "pages", len(chosen)) as tell:
        for name in chosen:
            surveys.append(survey_of(name))
            for file, data in files(surveys[-1]).items():
                put(folder / file, data)
                written.append(folder / file)
            tell(1, name)
    if only is None:
        written.append(folder / "index.md")
        put(written[-1], index(surveys).encode())
    return written


def files(survey: AnySurvey) -> dict[str, bytes]:
    """Return the files of an environment: its page and its figures."""
    name = survey.reaction.name
    found = {f"{name}.md": page(survey).encode(), f"figures/{name}.png": figure(survey)}
    more = {"front": front_figure(survey), "parity": parity(survey.reaction)} if isinstance(survey, Survey) else {}
    return found | {f"figures/{name}-{kind}.png": drawn for kind, drawn in more.items() if drawn is not None}


def survey_of(name: str) -> AnySurvey:
    """Return the survey of an environment of the catalogue."""
    reaction = load(name)
    if reaction.card.control is not None:
        return ControlSurvey.of(reaction)
    return Survey.of(reaction) if reaction.card.family is None else FamilySurvey.of(reaction)


def page(survey: AnySurvey) -> str:
    """Return the text of a page."""
    if isinstance(survey, ControlSurvey):
        return run_page(survey)
    return campaign_page(survey) if isinstance(survey, Survey) else family_page(survey)


def figure(survey: AnySurvey) -> bytes:
    """Return the figure of a page, as PNG."""
    if isinstance(survey, ControlSurvey):
        return profile(survey)
    return landscape(survey) if isinstance(survey, Survey) else spread(survey)
