"""All pages and their index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from rxnopt.catalogue import names
from rxnopt.envs import NAMESPACE
from rxnopt.errors import RxnoptError
from rxnopt.files import put
from rxnopt.pages.landscape import landscape
from rxnopt.pages.page import page
from rxnopt.pages.sections import region, solver
from rxnopt.pages.survey import POINTS, Survey
from rxnopt.pages.text import percent, table, whole_percent, words
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
            surveys.append(Survey.of(load(name)))
            written += _write(surveys[-1], folder)
            tell(1, name)
    if only is None:
        written.append(folder / "index.md")
        put(written[-1], index(surveys).encode())
    return written


def _write(survey: Survey, folder: Path) -> list[Path]:
    name = survey.reaction.name
    files = {folder / f"{name}.md": page(survey).encode(), folder / "figures" / f"{name}.png": landscape(survey)}
    for path, data in files.items():
        put(path, data)
    return list(files)


def index(surveys: Iterable[Survey]) -> str:
    """Return the page that lists all environments with their difficulty."""
    rows = [[show(survey) for show in _COLUMNS.values()] for survey in surveys]
    return f"""# Environments

Every environment is made by `gymnasium.make` with its id, after `import rxnopt`. One step is one experiment and one
episode is one budget of experiments. A page is written from its card by `rxnopt pages docs/envs`.

{table(list(_COLUMNS), rows)}

**Within 95 %**: share of {POINTS:,} uniform random experiments that come within 95 % of the best known value, counted
as in comparisons: 5 % of the size of that value may be missing. A large share is an easy task. **Optimum**: whether the
best known conditions lie inside the ranges of all numbers, in a corner, or at the bounds of some. **Main effects**:
share of the variance of the objective over random experiments that a parameter explains alone (first-order Sobol
index); the two largest are named, and what all of them leave to interactions. **Solver**: explicit integration alone,
the share of experiments that turned out stiff and went on implicitly, or a steady state.
"""


def _link(survey: Survey) -> str:
    card = survey.reaction.card
    return f"[{NAMESPACE}/{card.id}]({card.name}.md)"


def _parameters(survey: Survey) -> str:
    kinds = Counter(p.kind for p in survey.reaction.space)
    return ", ".join(f"{n} {kind}" for kind, n in kinds.items())


def _effects(survey: Survey) -> str:
    largest = sorted(survey.effects.items(), key=lambda item: -item[1])[:2]
    left = max(0.0, 1.0 - sum(survey.effects.values()))
    return ", ".join(f"{words(name)} {whole_percent(share)}" for name, share in [*largest, ("interactions", left)])


_COLUMNS: dict[str, Callable[[Survey], str]] = {
    "Environment": _link,
    "Reaction": lambda survey: survey.reaction.card.title,
    "Parameters": _parameters,
    "Budget": lambda survey: str(survey.reaction.card.budget),
    "Within 95 %": lambda survey: percent(survey.near),
    "Optimum": region,
    "Main effects": _effects,
    "Solver": solver,
}
