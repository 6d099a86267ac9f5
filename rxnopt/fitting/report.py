"""The folder of a fit: a report that needs no network, tables, and the calibrated card."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from rxnopt.experiments.figures import svg
from rxnopt.experiments.report import style
from rxnopt.files import put, put_new
from rxnopt.fitting.calibrated import calibrated, provenance
from rxnopt.fitting.result import Fit

TABLES = ("estimates.csv", "correlation.csv")
"""Tables in the folder."""


def write(fit: Fit, folder: str | Path) -> Path:
    """Write the calibrated card, ``report.html`` and :data:`TABLES`; return the path of the card.

    Raises OSError, with the path, where something cannot be written, and :class:`rxnopt.errors.RxnoptError`, before
    anything is written, where another card is there.
    """
    place = Path(folder)
    card = place / f"{fit.card.name}_fitted.yaml"
    put_new(card, calibrated(fit).encode())
    for name, text in zip(TABLES, (fit.table().to_csv(index=False), fit.correlations().to_csv()), strict=True):
        put(place / name, text.encode())
    put(place / "report.html", render(fit, card.name).encode())
    return card


def rows(fit: Fit) -> list[list[str]]:
    """Return the table of the constants as text: label, unit, card, estimate, error, interval, and by profile."""
    found = []
    for each in fit.estimates:
        error = f"{100 * each.error:.2g} %" if each.relative else f"{each.error:.2g}"
        row = [each.label, "" if each.unit == "1" else each.unit, f"{each.start:.5g}", f"{each.value:.5g}"]
        row += [error, _interval(each.low, each.high)] if each.error < float("inf") else ["not determined", ""]
        found.append(row + ([_interval(*each.profile)] if each.profile else []))
    return found


def counts(fit: Fit) -> str:
    """Return in a line what was fitted to what."""
    solution, data = fit.solution, fit.data
    noise = ", ".join(
        f"{name} {sd:.3g}{'' if unit == '1' else f' {unit}'}"
        for name, sd, unit in zip(data.outputs, solution.problem.sd, data.units, strict=True)
    )
    how = "estimated" if solution.estimated else "given"
    return (
        f"{len(solution.theta)} constants, {data.count} measured values in {len(data.sheet)} experiments; errors of "
        f"measurement ({how}): {noise}; {solution.agreeing} of {solution.starts} starts agree"
    )


def render(fit: Fit, card: str) -> str:
    """Return the page."""
    import jinja2

    from rxnopt.fitting import figures

    text = (files("rxnopt.fitting") / "report.html.j2").read_text()
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    labels = [each.label for each in fit.estimates]
    distribution = f"t with {fit.solution.freedom} degrees of freedom" if fit.solution.estimated else "normal"
    return page.from_string(text).render(
        style=style(),
        title=f"{fit.card.title}: constants fitted to {Path(fit.data.sheet.file).name}",
        counts=f"{counts(fit)}.",
        warnings=fit.warnings,
        rows=rows(fit),
        level=f"{100 * fit.level:g} %",
        how=f"Intervals by the standard error ({distribution}), on the scale of the fit: logarithms of rate constants.",
        labels=labels,
        correlation=[
            (name, ["–" if value != value else f"{value:.2f}" for value in values])
            for name, values in zip(labels, fit.correlation, strict=True)
        ],
        residuals=svg(figures.residuals(fit)),
        profiles=svg(figures.profiles(fit)) if fit.profiles else "",
        provenance=provenance(fit),
        card=card,
    )


def _interval(low: float, high: float) -> str:
    return f"{low:.4g} to {high:.4g}"


__all__ = ["counts", "render", "rows", "write"]
