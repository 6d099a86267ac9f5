"""The sections of a page on what a card says: outputs, limits, constraints, source, versions."""

from __future__ import annotations

from rxnopt.cards import ReactionCard
from rxnopt.pages.text import code, number, percent, prose, sentence, table, unit


def outputs(card: ReactionCard) -> str:
    """Return the table of outputs with formulas, units, limits and noise."""
    rows: list[list[str]] = []
    for name, output in card.outputs.items():
        mark = " **(objective)**" if name == card.objective.output else ""
        rows.append([code(name) + mark, unit(output.unit), code(output.formula), prose(output.description)])
    return f"""Each step returns, in `info["outputs"]`:

{table(["Output", "Unit", "Formula (in SI)", "Meaning"], rows)}"""


def limits(card: ReactionCard, kept: float) -> str:
    """Return the limits of outputs and the share of random experiments that is ``kept`` within them."""
    rows: list[list[str]] = []
    for name, limit in card.limits.items():
        low, high = ("" if bound is None else number(bound, 6) for bound in (limit.low, limit.high))
        rows.append([code(name), low, high, unit(card.outputs[name].unit)])
    if not rows:
        return ""
    return f"""{table(["Output", "At least", "At most", "Unit"], rows)}

What is beyond is marked by `info["within_limits"]`, not altered; {percent(kept)} of random ones keep all limits."""


def constraints(card: ReactionCard) -> str:
    """Return the inequalities that conditions keep."""
    rows = [[code(name), code(text)] for name, text in card.constraints.items()]
    if not rows:
        return ""
    return f"""{table(["Constraint", "Conditions keep"], rows)}

Conditions that break one cannot be run: in the environment such an experiment fails."""


def source(card: ReactionCard) -> str:
    """Return where the facts come from, with everything that was remembered or assumed."""
    own = card.source
    rows = [f"- {sentence(own.citation)}"] if own.citation else []
    rows += [f"- [doi.org/{own.doi}](https://doi.org/{own.doi})"] if own.doi else []
    rows += [f"- <{own.url}>"] if own.url else []
    note = f"> **Note.** {sentence(own.note)}" if own.note else ""
    return "\n\n".join(part for part in ("\n".join(rows), note) if part)


def versions(card: ReactionCard) -> str:
    """Return the history of the id."""
    return "\n".join(f"- `{version}`: {sentence(text)}" for version, text in history(card).items())


def history(card: ReactionCard) -> dict[str, str]:
    """Return what each version of the id of a card changed, from the newest to the first."""
    newest = int(card.id.rpartition("-v")[2])
    return {f"v{n}": card.versions.get(f"v{n}", "first" if n == 0 else "") for n in range(newest, -1, -1)}
