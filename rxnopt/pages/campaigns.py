"""The sections of a page on campaigns, where a step is an experiment: spaces, rewards, optimum, difficulty."""

from __future__ import annotations

from rxnopt.cards.model import OdeModel
from rxnopt.envs.observations import HEAD, objective_scale
from rxnopt.envs.rewards import failed_score
from rxnopt.pages.spaces import parameters
from rxnopt.pages.survey import AT_BOUND, POINTS, Survey
from rxnopt.pages.text import code, number, percent, rounded, sentence, table, unit, whole_percent, with_unit, words
from rxnopt.simulators import Reaction


def action(reaction: Reaction) -> str:
    """Return the table of parameters in the order of the action."""
    return f"""One action is one experiment. The entries of the box lie in [−1, 1] and are spread over the range of
their parameter; what lies outside is refused, never clamped. Other forms: `action_mode="discrete"`, `"multidiscrete"`,
and `"dict"` with natural values.

{parameters(reaction.space)}"""


def observation(reaction: Reaction) -> str:
    """Return the table of the default observation."""
    card, w = reaction.card, reaction.space.width
    objective = f"{words(reaction.objective)}{'' if card.objective.sign > 0 else ', sign turned'}"
    size, in_unit = objective_scale(card), reaction.units[reaction.objective]
    scaled = objective if size == 1.0 else f"{objective} over {with_unit(number(size, 6), in_unit)}"
    rows = [
        ["0", "share of the budget that is left", "0", "1"],
        ["1", "1 as soon as there is a result", "0", "1"],
        ["2", f"best {scaled}", "−∞", "∞"],
        ["3", "last experiment: 1 for a result, −1 for a failure, 0 for none", "−1", "1"],
        ["4", f"last {scaled}", "−∞", "∞"],
        [f"{HEAD}–{HEAD + w - 1}", "conditions of the best experiment, as in the action", "−1", "1"],
        [f"{HEAD + w}–{HEAD + 2 * w - 1}", "conditions of the last experiment", "−1", "1"],
    ]
    return f"""{table(["Num", "Observation", "Min", "Max"], rows)}

With `observation_mode="history"`: all experiments so far, {w + 2} entries each, in `({card.budget * (w + 2)},)`."""


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
    if card.objectives:
        goals = ", ".join(f"{'' if goal.sign > 0 else '−'}{words(name)}" for name, goal in card.objectives.items())
        rows.append(["`vector`", f"measured ({goals})", "", "each the best alone, above"])
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
    found = f"""Best known: **{value}**{f" ({note[:-1]})" if note else ""}.

{table(["Parameter", "Value", "Place"], rows)}"""
    if not any(survey.places.values()):
        return found
    return f"""{found}

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
    """Return what is done: explicit steps, implicit ones where needed, Newton's method, or what measured data need."""
    if not isinstance(survey.reaction.card.model, OdeModel):
        return survey.reaction.card.model.kind
    if survey.stiff is None:
        return "steady state"
    return f"implicit in {whole_percent(survey.stiff)}" if survey.stiff else "explicit"


def _where(survey: Survey) -> str:
    words_of = {"interior": "interior", "corner": "in a corner"}
    return words_of.get(region(survey)) or f"at a {region(survey)}"


def region(survey: Survey) -> str:
    """Return "interior", "corner", at the bounds of which parameters the optimum lies, or "level" without numbers."""
    places = {name: where for name, where in survey.places.items() if where}
    if not places:
        return "level"
    bound = [name for name, where in places.items() if where != "interior"]
    return "corner" if len(bound) == len(places) else f"bound of {', '.join(map(code, bound))}" if bound else "interior"
