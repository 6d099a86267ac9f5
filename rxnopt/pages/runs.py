"""The sections of a page on runs under control, where a step is an interval: spaces, rewards, optimum, difficulty."""

from __future__ import annotations

from rxnopt.envs.rewards import failed_score
from rxnopt.pages.control import PROFILES, ControlSurvey
from rxnopt.pages.spaces import parameters
from rxnopt.pages.text import code, number, percent, rounded, sentence, table, unit, with_unit, words


def action(survey: ControlSurvey) -> str:
    """Return the table of controls in the order of the action."""
    return f"""One action sets the controls for one of {survey.intervals} equal intervals of a run. The entries of the
box lie in [−1, 1] and are spread over the range of their control; what lies outside is refused, never clamped.

{parameters(survey.controls)}

`intervals=...` makes intervals longer or shorter. To choose whole profiles, one run per step, make a
`rxnopt.envs.ReactionEnv("{survey.reaction.name}")`."""


def observation(survey: ControlSurvey) -> str:
    """Return the table of the default observation, and what the other modes show."""
    control = survey.reaction.card.control
    measured = ", ".join(code(name) for name in control.measured) if control else ""
    rows = [["0", "share of the intervals done", "0", "1"]]
    rows += [[str(i), f"{code(name)}, scaled", "−∞", "∞"] for i, name in enumerate(survey.states, start=1)]
    return f"""{table(["Num", "Observation", "Min", "Max"], rows)}

Scaled means that what runs with constant controls visit lies in [−1, 1]. `observation_mode="measured"` shows
{measured or "nothing"} with noise instead of the states, and `"time"` nothing but entry 0."""


def rewards(survey: ControlSurvey) -> str:
    """Return the table of rewards with what can be attained without noise."""
    card = survey.reaction.card
    sign, goal = card.objective.sign, words(card.objective.output)
    best, worst = sign * survey.best, sign * survey.worst
    turned = "" if sign > 0 else ", sign turned"
    least, most, regret, failed = (rounded(x, best) for x in (worst, best, worst - best, failed_score(card)))
    rows = [
        ["`terminal` (default)", f"measured {goal} at the end of the run{turned}, 0 before", least, most],
        ["`running`", "what the interval added to it", least, most],
        ["`regret`", "noise-free score at the end less the best known, 0 before", regret, "0"],
    ]
    in_unit = unit(survey.reaction.units[survey.reaction.objective])
    return f"""{table(["`reward_mode`", "Reward", "Attainable min of a run", "Attainable max of a run"], rows)}

In {in_unit or "plain numbers"}, larger is better, without noise. The maximum is that of the best known profile; the
minimum is the worst of {PROFILES:,} random profiles and {len(survey.constants):,} constant controls. A run that cannot
be integrated counts {failed} and ends there. Else `terminated` comes after the last interval; `truncated` is never
true."""


def optimum(survey: ControlSurvey) -> str:
    """Return the best known profile beside the best constant controls."""
    card, (controls, value) = survey.reaction.card, survey.best_constant
    in_unit = survey.reaction.units[survey.reaction.objective]
    known = card.optimum
    file = known.profile if known is not None else None
    note = f" ({sentence(known.note)[:-1]})" if known is not None and known.note else ""
    held = ", ".join(
        f"{code(p.name)} = {with_unit(number(float(x), 4), p.unit)}"
        for p, x in zip(survey.controls, controls, strict=True)
    )
    return f"""Best known: **{with_unit(number(survey.best, 8), in_unit)}**{note}, with the
{len(survey.profile)} intervals of [envs/{file}](../../envs/{file}).

Best constant controls, on a grid of {len(survey.constants):,}: {with_unit(number(value), in_unit)} with {held}."""


def difficulty(survey: ControlSurvey) -> str:
    """Return how far constant controls and random profiles come."""
    in_unit = survey.reaction.units[survey.reaction.objective]
    rows = [
        ["best constant controls over best known profile", percent(survey.constant_share)],
        [f"median of {PROFILES:,} random profiles", with_unit(rounded(survey.median, survey.best), in_unit)],
        ["random profiles within 95 % of the best known", percent(survey.near)],
    ]
    return f"""{table(["", ""], rows)}

Random profiles draw the controls of each of {survey.intervals} intervals evenly. What is to be won by control is the
gap between the best constant controls and the best known profile: regret is best counted relative to it."""
