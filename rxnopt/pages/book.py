"""All pages and their index."""

from __future__ import annotations

from pathlib import Path

from rxnopt.catalogue import has_field, names
from rxnopt.errors import RxnoptError
from rxnopt.files import put
from rxnopt.pages.family import FamilySurvey, spread
from rxnopt.pages.fronts import front_figure
from rxnopt.pages.index import index
from rxnopt.pages.landscape import landscape
from rxnopt.pages.page import campaign_page, family_page
from rxnopt.pages.survey import Survey
from rxnopt.progress import bar
from rxnopt.simulators import load


def covered() -> list[str]:
    """Return the names of the cards that have pages: those whose parameters do not vary in time."""
    return [name for name in names("envs") if not has_field("envs", name, "control")]


def write_pages(folder: Path, only: str | None = None, *, progress: bool = False) -> list[Path]:
    """Write a page with its figure for each environment of the catalogue, and ``index.md``; return the paths.

    With ``only`` the page of that environment is written and the index left as it is. Raises
    :class:`rxnopt.errors.RxnoptError` for a name that is unknown, and OSError.
    """
    chosen = covered() if only is None else [load(only).name]
    if only is not None and chosen[0] not in covered():
        raise RxnoptError(f"{only} is no card of the catalogue with a page; put one without control into envs/ first")
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


def files(survey: Survey | FamilySurvey) -> dict[str, bytes]:
    """Return the files of an environment: its page and its figures."""
    name = survey.reaction.name
    found = {f"{name}.md": page(survey).encode(), f"figures/{name}.png": figure(survey)}
    front = front_figure(survey) if isinstance(survey, Survey) else None
    return found if front is None else found | {f"figures/{name}-front.png": front}


def survey_of(name: str) -> Survey | FamilySurvey:
    """Return the survey of an environment of the catalogue."""
    reaction = load(name)
    return Survey.of(reaction) if reaction.card.family is None else FamilySurvey.of(reaction)


def page(survey: Survey | FamilySurvey) -> str:
    """Return the text of a page."""
    return campaign_page(survey) if isinstance(survey, Survey) else family_page(survey)


def figure(survey: Survey | FamilySurvey) -> bytes:
    """Return the figure of a page, as PNG."""
    return landscape(survey) if isinstance(survey, Survey) else spread(survey)
