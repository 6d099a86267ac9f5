"""What pages say of spaces, and of how an environment is made."""

from __future__ import annotations

import inspect
import re
from typing import Any

import gymnasium as gym

from rxnopt.cards import ReactionCard
from rxnopt.envs import NAMESPACE
from rxnopt.pages.text import code, number, prose, sentence, table, unit, words
from rxnopt.space import Space


def title(card: ReactionCard, env: gym.Env[Any, Any], episode: str) -> str:
    """Return the heading, the figure and what an RL researcher needs first."""
    made = f'gymnasium.make("{NAMESPACE}/{card.id}")'
    rows = [
        ["Action space", code(_space(env.action_space))],
        ["Observation space", code(_space(env.observation_space))],
        ["Episode", episode],
        ["Import", code(made)],
        ["Card", f"[envs/{card.name}.yaml](../../envs/{card.name}.yaml)"],
    ]
    head = f"# {card.title}\n\n![What {card.id} looks like](figures/{card.name}.png)\n\n"
    return head + table([f"{NAMESPACE}/{card.id}", ""], rows)


def _space(space: gym.Space[Any]) -> str:
    """Return a space as Gymnasium writes it; bounds that differ from entry to entry stand in the table below."""
    box = isinstance(space, gym.spaces.Box) and len({*space.low.flat}) == len({*space.high.flat}) == 1
    return str(space) if box or not isinstance(space, gym.spaces.Box) else f"Box({space.shape}, {space.dtype})"


def description(card: ReactionCard, share: str) -> str:
    """Return the words of the card, and what is wanted of its objective ``share``."""
    goal = "maximise" if card.objective.sign > 0 else "minimise"
    return f"{sentence(card.description)}\n\nThe task is to {goal} **{words(card.objective.output)}** {share}."


def parameters(space: Space) -> str:
    """Return the table of parameters in the order of the action."""
    rows, start = [], 0
    for p in space:
        entries = str(start) if p.width == 1 else f"{start}–{start + p.width - 1}"
        low, high = ("", "") if p.levels else (number(p.low, 6), number(p.high, 6))
        scale = "largest entry chooses" if p.levels else "log" if p.log else "linear"
        about = "; ".join(text for text in (prose(p.card.description), ", ".join(p.levels)) if text)
        rows.append([entries, code(p.name), p.kind, low, high, unit(p.unit), scale, about])
        start += p.width
    columns = ["Num", "Parameter", "Kind", "Low (−1)", "High (+1)", "Unit", "Scale", "Meaning"]
    return table(columns, rows)


def arguments(env: type[gym.Env[Any, Any]], given: dict[str, Any]) -> str:
    """Return the arguments of an environment, out of its own documentation, with the defaults ``given`` by a card."""
    meanings, rows = _meanings(inspect.getdoc(env) or ""), []
    for name, parameter in inspect.signature(env).parameters.items():
        if name != "reaction":
            rows.append([code(name), code(repr(given.get(name, parameter.default))), meanings.get(name, "")])
    return table(["Argument", "Default", "Meaning"], rows)


def _meanings(doc: str) -> dict[str, str]:
    """Return the entries of the table under "Arguments" in the docstring of an environment."""
    _, *body = doc.partition("**Arguments:**")[2].split("====\n")
    found: dict[str, str] = {}
    for line in "".join(body[:1]).splitlines():
        if line.startswith("="):
            break
        name, text = line[:18].strip(), re.sub(r":\w+:(?=`)|`(?=`)", "", " ".join(line[18:].split()))
        last = name or next(reversed(found))
        found[last] = f"{found[last]} {text}" if last in found else text
    return found
