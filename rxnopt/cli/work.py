"""Commands that work: run, train, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rxnopt.cli.frame import EXIT_INCOMPLETE, Json, Out, Quiet, Seed, command, number, print_json, stop

Agent = Annotated[str, typer.Option("--agent", "-a", help="Name of an agent, or the path of an agent card.")]
Weights = Annotated[Path | None, typer.Option("--weights", help="Weights file of a trained agent.")]


@command("run", epilog="`rxnopt run snar --agent gp --budget 30 --journal snar.db`")
def run(
    reaction: Annotated[str, typer.Argument(help="Name of a reaction, or the path of your own card.")],
    agent: Agent = "tpe",
    budget: Annotated[
        int | None, typer.Option("--budget", min=1, help="Trials; the budget of the card if left out.")
    ] = None,
    seed: Seed = 0,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="SQLite file; run again to go on after a stop.")
    ] = None,
    noise: Annotated[bool, typer.Option(help="Add the measurement noise of the card.")] = True,
    weights: Weights = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all trials to this CSV.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one campaign: an agent proposes, the simulator answers, the journal keeps."""
    from rxnopt.campaign import Campaign

    with Campaign(reaction, agent, budget=budget, seed=seed, journal=journal, noise=noise, weights=weights) as campaign:
        table = campaign.run(progress=not quiet)
        best = campaign.best
        if out is not None:
            table.to_csv(out, index=False)
        if as_json:
            print_json(table.to_dict("records"))
            return
        objective = campaign.reaction.objective
        unit = campaign.reaction.units[objective]
        value = number((best.outputs or {})[objective])
        where = ", ".join(f"{k}={v if isinstance(v, str) else number(v)}" for k, v in best.conditions.items())
        typer.echo(f"best of {len(table)} trials: {objective} = {value} {unit} at {where} (trial {best.number})")


@command("train", epilog="`rxnopt train ppo --env snar --steps 1000000`")
def train(
    agent: Annotated[str, typer.Argument(help="Name of an agent that is trained in simulation.")],
    env: Annotated[str, typer.Option("--env", help="Name of a reaction, or the path of your own card.")],
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Environment steps; as in the card if left out.")
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for weights, provenance and learning curve.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train an agent in simulation and keep its weights as tensors."""
    from rxnopt.training import train as train_agent

    result = train_agent(agent, env, steps=steps, seed=seed, out=out, progress=not quiet)
    typer.echo(str(result.weights))


@command("compare", epilog="`rxnopt compare quickstart`")
def compare(
    experiment: Annotated[str, typer.Argument(help="Name of an experiment, or the path of your own card.")],
    out: Out = Path("runs"),
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, help="Processes; all cores if left out.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Let agents compete on reactions and write a report; finished campaigns are kept and skipped."""
    from rxnopt.experiments import compare as run_comparison

    results = run_comparison(experiment, out=out, workers=workers, progress=not quiet)
    typer.echo(str(results.report()))
    if results.failed:
        lost = f"{len(results.failed)} campaigns gave no result"
        stop(f"{lost}; the report lists them, and running again tries them again", EXIT_INCOMPLETE)


@command("report", epilog="`rxnopt report runs/quickstart`")
def report(
    run_folder: Annotated[Path, typer.Argument(help="Folder that `rxnopt compare` has filled.")],
) -> None:
    """Write report.html anew from finished results."""
    from rxnopt.experiments import report as write_report

    typer.echo(str(write_report(run_folder)))
