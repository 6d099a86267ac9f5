"""The sections of a page on the environment: spaces and arguments."""

from __future__ import annotations

import inspect
import re
from typing import Any

import gymnasium as gym

from rxnopt.envs import NAMESPACE, ReactionEnv
from rxnopt.envs.observations import HEAD, objective_scale
from rxnopt.pages.survey import Survey
from rxnopt.pages.text import code, number, prose, sentence, table, unit, with_unit, words


def title(survey: Survey) -> str:
    """Return the heading, the figure and what an RL researcher needs first."""
    card, env = survey.reaction.card, ReactionEnv(survey.reaction)
    made = f'gymnasium.make("{NAMESPACE}/{card.id}")'
    rows = [
        ["Action space", code(_space(env.action_space))],
        ["Observation space", code(_space(env.observation_space))],
        ["Episode", f"{card.budget} experiments"],
        ["Import", code(made)],
        ["Card", f"[envs/{card.name}.yaml](../../envs/{card.name}.yaml)"],
    ]
    head = f"# {card.title}\n\n![Landscape of {card.id}](figures/{card.name}.png)\n\n"
    return head + table([f"{NAMESPACE}/{card.id}", ""], rows)


def _space(space: gym.Space[Any]) -> str:
    """Return a space as Gymnasium writes it; bounds that differ from entry to entry stand in the table below."""
    box = isinstance(space, gym.spaces.Box) and len({*space.low.flat}) == len({*space.high.flat}) == 1
    return str(space) if box or not isinstance(space, gym.spaces.Box) else f"Box({space.shape}, {space.dtype})"


def description(survey: Survey) -> str:
    """Return the words of the card."""
    card = survey.reaction.card
    goal = "maximise" if card.objective.sign > 0 else "minimise"
    wanted = f"The task is to {goal} **{words(survey.reaction.objective)}** in {card.budget} experiments."
    return f"{sentence(card.description)}\n\n{wanted}"


def action(survey: Survey) -> str:
    """Return the table of parameters in the order of the action."""
    rows, start = [], 0
    for p in survey.reaction.space:
        entries = str(start) if p.width == 1 else f"{start}–{start + p.width - 1}"
        low, high = ("", "") if p.levels else (number(p.low, 6), number(p.high, 6))
        scale = "largest entry chooses" if p.levels else "log" if p.log else "linear"
        about = "; ".join(text for text in (prose(p.card.description), ", ".join(p.levels)) if text)
        rows.append([entries, code(p.name), p.kind, low, high, unit(p.unit), scale, about])
        start += p.width
    columns = ["Num", "Parameter", "Kind", "Low (−1)", "High (+1)", "Unit", "Scale", "Meaning"]
    return f"""One action is one experiment. The entries of the box lie in [−1, 1] and are spread over the range of
their parameter; what lies outside is refused, never clamped. Other forms: `action_mode="discrete"`, `"multidiscrete"`,
and `"dict"` with natural values.

{table(columns, rows)}"""


def observation(survey: Survey) -> str:
    """Return the table of the default observation."""
    card, w = survey.reaction.card, survey.reaction.space.width
    objective = f"{words(survey.reaction.objective)}{'' if card.objective.sign > 0 else ', sign turned'}"
    size, in_unit = objective_scale(card), survey.reaction.units[survey.reaction.objective]
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


def arguments(survey: Survey) -> str:
    """Return the arguments of the environment, out of its own documentation."""
    given = {"budget": survey.reaction.card.budget}
    defaults = inspect.signature(ReactionEnv).parameters
    meanings = _arguments_of(inspect.getdoc(ReactionEnv) or "")
    rows = []
    for name, parameter in defaults.items():
        if name != "reaction":
            default = given.get(name, parameter.default)
            rows.append([code(name), code(repr(default)), meanings[name]])
    return table(["Argument", "Default", "Meaning"], rows)


def _arguments_of(doc: str) -> dict[str, str]:
    """Return the entries of the table under "Arguments" in the docstring of an environment."""
    body = doc.partition("**Arguments:**")[2].split("====\n")[1].splitlines()
    found: dict[str, str] = {}
    for line in body:
        if line.startswith("="):
            break
        name, text = line[:18].strip(), re.sub(r":\w+:", "", " ".join(line[18:].split()))
        last = name or next(reversed(found))
        found[last] = f"{found[last]} {text}" if last in found else text
    return found
