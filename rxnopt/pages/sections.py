"""The sections of a page on what comes back: outputs, limits, rewards, optimum, difficulty, source, versions.

Each is a function of the survey, and "" where it has nothing to say.
"""

from __future__ import annotations

from rxnopt.cards import ReactionCard
from rxnopt.envs.rewards import failed_score
from rxnopt.pages.survey import AT_BOUND, POINTS, Survey
from rxnopt.pages.text import (
    code,
    number,
    percent,
    prose,
    rounded,
    sentence,
    table,
    unit,
    whole_percent,
    with_unit,
    words,
)


def outputs(survey: Survey) -> str:
    """Return the table of outputs with formulas, units, limits and noise."""
    card, rows = survey.reaction.card, []
    for name, output in card.outputs.items():
        mark = " **(objective)**" if name == survey.reaction.objective else ""
        rows.append([code(name) + mark, unit(output.unit), code(output.formula), prose(output.description)])
    return f"""Each experiment returns, in `info["outputs"]`:

{table(["Output", "Unit", "Formula (in SI)", "Meaning"], rows)}"""


def limits(survey: Survey) -> str:
    """Return the limits of outputs and how many random experiments keep them."""
    card, rows = survey.reaction.card, []
    for name, limit in card.limits.items():
        low, high = ("" if bound is None else number(bound, 6) for bound in (limit.low, limit.high))
        rows.append([code(name), low, high, unit(card.outputs[name].unit)])
    if not rows:
        return ""
    return f"""{table(["Output", "At least", "At most", "Unit"], rows)}

Experiments beyond are marked by `info["within_limits"]`, not altered; {percent(survey.within_limits)} of random ones
keep all limits."""


def constraints(survey: Survey) -> str:
    """Return the inequalities that conditions keep."""
    rows = [[code(name), code(text)] for name, text in survey.reaction.card.constraints.items()]
    if not rows:
        return ""
    return f"""{table(["Constraint", "Conditions keep"], rows)}

Conditions that break one cannot be run: in the environment such an experiment fails."""


def objectives(survey: Survey) -> str:
    """Return the objectives that can be traded off, with the reference point of the hypervolume."""
    card, rows = survey.reaction.card, []
    for name, goal in card.objectives.items():
        rows.append([code(name), goal.direction, with_unit(number(goal.reference, 6), card.outputs[name].unit)])
    return table(["Objective", "Direction", "Reference point"], rows)


def rewards(survey: Survey) -> str:
    """Return the table of rewards with what can be attained without noise."""
    card = survey.reaction.card
    sign, best = card.objective.sign, card.objective.sign * survey.optimum.value
    worst, most = (sign * value for value in survey.extremes)
    size, failed = abs(best), failed_score(card)
    turned = "" if sign > 0 else ", sign turned"

    def show(value: float) -> str:
        return rounded(value, size)

    rows = [
        ["`objective` (default)", f"measured {words(survey.reaction.objective)}{turned}", show(worst), show(most)],
        ["`improvement`", "what is gained over the best so far", "0", show(most - failed)],
        ["`regret`", "noise-free score less that of the optimum", show(worst - best), show(most - best)],
    ]
    columns = ["`reward_mode`", "Reward", "Attainable min", "Attainable max"]
    in_unit = unit(survey.reaction.units[survey.reaction.objective])
    return f"""{table(columns, rows)}

In {in_unit or "plain numbers"}, larger is better, without noise. The minimum is the worst of {POINTS:,} random
experiments and the corners of the space; the maximum is {_most(survey)}. A failed experiment counts {show(failed)}.
The episode ends, `terminated`, when the budget is spent; `truncated` is never true."""


def _most(survey: Survey) -> str:
    if survey.extremes[1] == survey.optimum.value:
        return "the best known optimum"
    return "the best of these, beyond the limits, which the optimum keeps"


def optimum(survey: Survey) -> str:
    """Return the best known conditions and where they lie."""
    reaction, best = survey.reaction, survey.optimum
    rows = []
    for p in reaction.space:
        value = best.conditions[p.name]
        shown = str(value) if isinstance(value, str) else with_unit(number(value, 6), p.unit)
        rows.append([code(p.name), shown, survey.places[p.name] or "level"])
    value = with_unit(number(best.value, 8), reaction.units[reaction.objective])
    note = sentence(best.note)
    return f"""Best known: **{value}**{f" ({note[:-1]})" if note else ""}.

{table(["Parameter", "Value", "Place"], rows)}

The optimum is {_where(survey)}; at a bound means within {percent(AT_BOUND)} of the
range."""


def difficulty(survey: Survey) -> str:
    """Return how hard the task is for random search, and what moves the objective."""
    reaction, n = survey.reaction, survey.reaction.card.budget
    in_unit = reaction.units[reaction.objective]

    def show(value: float) -> str:
        return with_unit(rounded(value, survey.optimum.value), in_unit)

    rows = [
        ["share within 95 % of the optimum", percent(survey.near)],
        ["median", show(survey.scale.baseline)],
        [f"best of {n} (median over campaigns)", show(survey.best_of(n))],
        ["share that fails", percent(survey.failed)],
        ["solved by", solver(survey)],
    ]
    effects = {code(name): share for name, share in survey.effects.items()}
    effects |= {"interactions": max(0.0, 1.0 - sum(effects.values()))}
    shares = [[name, whole_percent(share)] for name, share in effects.items()]
    return f"""{table([f"Of {POINTS:,} random experiments", ""], rows)}

{table(["Main effect on the objective", "Share of variance"], shares)}"""


def solver(survey: Survey) -> str:
    """Return what the kernel does: explicit steps, implicit ones where they are needed, or Newton's method."""
    if survey.stiff is None:
        return "steady state"
    return f"implicit in {whole_percent(survey.stiff)}" if survey.stiff else "explicit"


def _where(survey: Survey) -> str:
    words_of = {"interior": "interior", "corner": "in a corner"}
    return words_of.get(region(survey)) or f"at a {region(survey)}"


def region(survey: Survey) -> str:
    """Return "interior", "corner", or at the bounds of which parameters the optimum lies."""
    places = {name: where for name, where in survey.places.items() if where}
    bound = [name for name, where in places.items() if where != "interior"]
    return "corner" if len(bound) == len(places) else f"bound of {', '.join(map(code, bound))}" if bound else "interior"


def source(survey: Survey) -> str:
    """Return where the facts come from, with everything that was remembered or assumed."""
    own = survey.reaction.card.source
    rows = [f"- {sentence(own.citation)}"] if own.citation else []
    rows += [f"- [doi.org/{own.doi}](https://doi.org/{own.doi})"] if own.doi else []
    rows += [f"- <{own.url}>"] if own.url else []
    note = f"> **Note.** {sentence(own.note)}" if own.note else ""
    return "\n\n".join(part for part in ("\n".join(rows), note) if part)


def versions(survey: Survey) -> str:
    """Return the history of the id."""
    return "\n".join(f"- `{version}`: {sentence(text)}" for version, text in history(survey.reaction.card).items())


def history(card: ReactionCard) -> dict[str, str]:
    """Return what each version of the id of a card changed, from the newest to the first."""
    newest = int(card.id.rpartition("-v")[2])
    return {f"v{n}": card.versions.get(f"v{n}", "first" if n == 0 else "") for n in range(newest, -1, -1)}
