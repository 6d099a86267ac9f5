"""Commands that look: list, show, simulate, schema, pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rxnopt.catalogue import Kind, gym_ids, is_path, names, owner_of_general
from rxnopt.cli.frame import (
    Json,
    Quiet,
    assignments,
    check_folder,
    check_out,
    command,
    number,
    print_json,
    print_table,
    write_csv,
)
from rxnopt.cli.tables import read_conditions
from rxnopt.errors import ConditionsError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxnopt.cards import AgentCard, ExperimentCard
    from rxnopt.simulators import Reaction
    from rxnopt.space import Array

KINDS: tuple[Kind, ...] = ("envs", "agents", "experiments")


@command("list", epilog="`rxnopt list agents`")
def list_cards(
    kind: Annotated[str | None, typer.Argument(help="envs, agents or experiments; all three if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List the cards of the catalogues."""
    if kind is not None and kind not in KINDS:
        raise UnknownNameError(
            f"there is no catalogue {kind!r}{did_you_mean(kind, KINDS)}; give one of {', '.join(KINDS)}"
        )
    kinds = KINDS if kind is None else (kind,)
    found = {k: [{"name": name, **_summary(k, name)} for name in names(k)] for k in kinds}
    if as_json:
        print_json(found)
        return
    for k, rows in found.items():
        print_table(k, list(rows[0]) if rows else ["name"], [list(row.values()) for row in rows])


def _summary(kind: Kind, name: str) -> dict[str, str]:
    from rxnopt.catalogue import find

    data = find(kind, name).data
    gym_id = {"id": f"rxnopt/{data.get('id', '')}"} if kind == "envs" else {}
    some = f" (and {len(data['parts'])} parts, see `rxnopt show {name}`)" if data.get("parts") else ""
    return {**gym_id, "title": f"{data.get('title', '')}{some}"}


@command("show", epilog="`rxnopt show snar`")
def show(
    name: Annotated[str, typer.Argument(help="Name of a card, or the path of a .yaml file with a reaction.")],
    as_json: Json = False,
) -> None:
    """Show a card: what can be set, what comes back, what is wanted, where it comes from."""
    from rxnopt.cards import AgentCard, ExperimentCard, load_card

    kind = _kind_of(name)
    if kind == "envs":
        from rxnopt.simulators import load
        from rxnopt.simulators.ode import OdeSimulator

        reaction = load(name)
        if isinstance(reaction.simulator, OdeSimulator):
            reaction.simulator.lower()  # a card with a wrong formula is told here, not at the first experiment
        if as_json:
            print_json(reaction.card.model_dump(mode="json"))
        else:
            _show_reaction(reaction)
        return
    card: AgentCard | ExperimentCard
    card = load_card(kind, name, AgentCard)[0] if kind == "agents" else load_card(kind, name, ExperimentCard)[0]
    if as_json:
        print_json(card.model_dump(mode="json"))
        return
    rows = [[field, _plain(value)] for field, value in card.model_dump(mode="json", exclude_none=True).items()]
    print_table(card.title, ["field", "value"], rows)


def _kind_of(name: str) -> Kind:
    ids = gym_ids()
    known_id = name.removeprefix("rxnopt/") in ids or name in ids.values()
    if known_id or is_path(name) or owner_of_general(name) is not None:
        return "envs"
    for kind in KINDS:
        if name in names(kind):
            return kind
    known = [card for kind in KINDS for card in names(kind)]
    hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
    raise UnknownNameError(f"there is no card {name!r}{hint}; see them with `rxnopt list`")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_plain(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _show_reaction(reaction: Reaction) -> None:
    card = reaction.card
    typer.echo(f"{card.title}\n{card.description}\n")
    rows = []
    for p in reaction.space:
        allowed = ", ".join(p.levels) if p.levels else f"{p.low:g} to {p.high:g}"
        rows.append([p.name, p.kind, allowed, "" if p.unit == "1" else p.unit, p.card.description])
    print_table("parameters", ["name", "kind", "allowed", "unit", "description"], rows)
    rows = [[n, "" if o.unit == "1" else o.unit, o.description] for n, o in card.outputs.items()]
    print_table("outputs", ["name", "unit", "description"], rows)
    goal = "maximise" if card.objective.sign > 0 else "minimise"
    typer.echo(f"objective: {goal} {reaction.objective}; budget: {card.budget} experiments; id: rxnopt/{card.id}")
    for words in _wanted(reaction):
        typer.echo(words)
    if card.optimum is not None:
        pairs = (f"{k}={v if isinstance(v, str) else number(v)}" for k, v in card.optimum.conditions.items())
        where = card.optimum.profile or ", ".join(pairs)
        typer.echo(f"best known: {number(card.optimum.value)} {reaction.units[reaction.objective]} at {where}")
    if card.parts:
        typer.echo(f"parts: {', '.join(f'{card.name}-{part}' for part in card.parts)}")
    for key, value in card.source.model_dump(exclude_none=True).items():
        typer.echo(f"{key}: {value}")


def _wanted(reaction: Reaction) -> Iterator[str]:
    """Yield a line each for several objectives, limits of outputs and constraints of parameters."""
    card, units = reaction.card, {name: "" if unit == "1" else f" {unit}" for name, unit in reaction.units.items()}
    goals = [f"{g.direction} {n} (reference {number(g.reference)}{units[n]})" for n, g in card.objectives.items()]
    if goals:
        yield f"several objectives: {', '.join(goals)}"
    for name, limit in card.limits.items():
        low, high = (None if bound is None else number(bound) + units[name] for bound in (limit.low, limit.high))
        yield f"limit: {name}" + (f" at least {low}" if low else "") + (f" at most {high}" if high else "")
    for name, text in card.constraints.items():
        yield f"constraint {name}: {text}"


@command("compile", epilog="`rxnopt compile`, `rxnopt compile snar my-reaction.yaml`")
def compile_(
    reactions: Annotated[
        list[str] | None, typer.Argument(help="Names or paths; the whole catalogue if left out.")
    ] = None,
) -> None:
    """Compile reactions that are not compiled yet, on all processors; otherwise each is compiled when first used."""
    from rxnopt.kinetics import compile_kernels
    from rxnopt.simulators import load
    from rxnopt.simulators.ode import OdeSimulator

    simulators = [load(name).simulator for name in reactions or names("envs")]
    made = compile_kernels({s.key: s.lower for s in simulators if isinstance(s, OdeSimulator)})
    typer.echo(f"{made} compiled" if made else "all were compiled before")


@command("simulate", epilog="`rxnopt simulate snar residence_time=1 equivalents=2 concentration=0.3 temperature=90`")
def simulate(
    reaction: Annotated[str, typer.Argument(help="Name of a reaction, or the path of your own card.")],
    conditions: Annotated[list[str] | None, typer.Argument(help="One name=value for each parameter.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Table of conditions, a column per parameter.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write conditions and outputs to this CSV.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Add measurement noise of this seed.")] = None,
    as_json: Json = False,
) -> None:
    """Run experiments on a simulator and print what they return."""
    from rxnopt.simulators import load

    check_out(out)
    loaded = load(reaction)
    if csv is not None and conditions:
        raise ConditionsError("conditions were given twice; give either name=value or --csv, not both")
    given = assignments(conditions or [], "temperature=90")
    if csv is None and out is None:
        result = loaded.simulate(given, seed=seed)
        if as_json:
            print_json(result)
        else:
            _print_result(loaded, result)
        return
    X = loaded.space.to_array(given) if csv is None else read_conditions(csv, loaded.space)
    _simulate_table(loaded, X, seed, out, as_json)


def _simulate_table(reaction: Reaction, X: Array, seed: int | None, out: Path | None, as_json: bool) -> None:
    import pandas as pd

    conditions = reaction.space.to_frame(X)
    table = pd.concat([conditions, reaction.simulate(conditions, seed=seed)], axis=1)
    if out is not None:
        write_csv(table, out)
    if as_json:
        print_json(table.to_dict("records"))
    elif out is None:
        typer.echo(table.to_csv(index=False), nl=False)


def _print_result(reaction: Reaction, result: dict[str, Any]) -> None:
    if result["failed"]:
        why = "nobody measured" if reaction.card.model.kind == "table" else "the model has no finite solution at"
        typer.echo(f"the experiment failed: {why} these conditions")
        return
    rows = []
    for name, unit in reaction.units.items():
        mark = " (objective)" if name == reaction.objective else ""
        rows.append([name + mark, number(result[name]), "" if unit == "1" else unit])
    print_table(reaction.card.title, ["output", "value", "unit"], rows)


@command("schema", epilog="`rxnopt schema docs/schema`")
def schema(
    folder: Annotated[Path, typer.Argument(help="Where the JSON Schemas of the three kinds of card are written.")],
    quiet: Quiet = False,
) -> None:
    """Write the JSON Schemas with which an editor completes and checks cards."""
    from rxnopt.cards.schema import write_schemas

    for path in write_schemas(folder):
        if not quiet:
            typer.echo(str(path))


@command("pages", epilog="`rxnopt pages docs/envs`")
def pages(
    folder: Annotated[Path, typer.Argument(help="Where the pages, their figures and the index are written.")],
    only: Annotated[str | None, typer.Option("--only", help="Only the page of this environment; no index.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write a page for each environment: chemistry, spaces, rewards, optimum, difficulty, landscape."""
    from rxnopt.pages import write_pages

    check_folder(folder)
    written = write_pages(folder, only, progress=not quiet)
    typer.echo(str(written[0] if only is not None else written[-1]))
