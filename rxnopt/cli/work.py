"""Commands that work: run, train, compare, report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rxnopt.cli.frame import (
    EXIT_INCOMPLETE,
    Json,
    Out,
    Quiet,
    Seed,
    check_folder,
    check_out,
    command,
    number,
    print_json,
    stop,
    write_csv,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from rxnopt.campaign import Campaign, Trial
    from rxnopt.cards.realism import Given
    from rxnopt.simulators.general import GeneralReaction

Agent = Annotated[
    str,
    typer.Option("--agent", "-a", help="Name or path of a card, or a function: my_module:propose, file.py:propose."),
]
ENV = typer.Option("--env", help="Name, path or Gymnasium id of a reaction; of a family, each episode has its own.")
Env = Annotated[str, ENV]
EnvOrNone = Annotated[str | None, ENV]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Environment steps; as in the card if left out.")]
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
        Path | None,
        typer.Option("--journal", help="SQLite file; run again to go on after a stop, or with a larger budget."),
    ] = None,
    noise: Annotated[bool, typer.Option(help="Add the measurement noise of the card.")] = True,
    realism: Annotated[
        str | None, typer.Option("--realism", help="YAML file of noise, drift, failures, plate, delay, cost; or off.")
    ] = None,
    weights: Weights = None,
    pareto: Annotated[bool, typer.Option("--pareto", help="Go after all objectives of the card at once.")] = False,
    lab: Annotated[Path | None, typer.Option("--lab", help="Lab file: run on this rig, not on the simulator.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="On a rig: wait where a person must act, or return.")
    ] = True,
    out: Annotated[Path | None, typer.Option("--out", help="Write all trials to this CSV.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one campaign: an agent proposes, the simulator or a rig answers, the journal keeps."""
    from rxnopt.campaign import Campaign

    check_out(out)
    options: dict[str, Any] = {"budget": budget, "seed": seed, "journal": journal, "noise": noise, "weights": weights}
    options |= {"pareto": pareto, "lab": lab}
    with Campaign(reaction, agent, realism=_realism(realism), **options) as campaign:
        try:
            table = campaign.run(progress=not quiet) if campaign.lab is None else _on_rig(campaign, wait, quiet)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_stopped(campaign, journal, out)) from None
        if out is not None:
            write_csv(table, out)
        if as_json:
            print_json(table.to_dict("records"))
            return
        if campaign.lab is not None and not campaign.history.done.any():
            typer.echo("no trial has a result yet; `rxnopt lab status` tells what is waited for")
            return
        typer.echo(_front(campaign) if pareto else _best(campaign))


def _on_rig(campaign: Campaign, wait: bool, quiet: bool) -> pd.DataFrame:
    from rxnopt.cli.live import live

    with live(quiet, Path(campaign.journal.path or "")) as show:
        return campaign.conduct(wait=wait, show=show, signals=True)


def _realism(given: str | None) -> Given:
    """Return the options in a file, None for those of the card; raise :class:`rxnopt.errors.CardError`."""
    from rxnopt.cards.base import validate
    from rxnopt.cards.realism import Realism
    from rxnopt.catalogue import read

    if given in (None, "off"):
        return given is None
    return validate(read(Path(str(given)), str(given)), Realism)


def _best(campaign: Campaign) -> str:
    from rxnopt.simulators.general import GeneralReaction

    history, limits = campaign.history, campaign.reaction.card.limits
    if history.done.any() and not history.within_limits.any():
        return f"none of {len(campaign)} trials keeps the limits of {', '.join(limits)}; give a larger --budget"
    best, over = campaign.best, sum(trial.status != "pending" for trial in campaign)
    if isinstance(campaign.reaction, GeneralReaction) and not limits:
        return _recommended(campaign, campaign.reaction)
    return f"best of {over} trials: {_told(campaign, best, [campaign.reaction.objective])} (trial {best.number})"


def _recommended(campaign: Campaign, reaction: GeneralReaction) -> str:
    """Say which conditions a campaign on substrates recommends, and how often they were run."""
    import numpy as np

    from rxnopt.simulators.general import recommended

    history = campaign.history
    done = np.flatnonzero(history.done)
    columns = [j for j, name in enumerate(reaction.space.names) if name not in reaction.generality.over]
    _, arms = np.unique(history.X[done][:, columns], axis=0, return_inverse=True)
    own = done[arms == recommended(arms, history.y[done])]
    mean = reaction.card.objective.sign * history.y[own].mean()
    row = reaction.space.to_dicts(history.X[own[:1]])[0]
    where = ", ".join(f"{reaction.space.names[j]}={row[reaction.space.names[j]]}" for j in columns)
    unit = reaction.units[reaction.objective]
    told = f"mean {reaction.objective} = {number(mean)} {unit}".removesuffix(" 1")
    return f"recommended after {len(campaign)} trials: {where} ({told} in {len(own)} of them)"


def _front(campaign: Campaign) -> str:
    lines = [f"trial {trial.number}: {_told(campaign, trial, campaign.goals)}" for trial in campaign.front]
    return "\n".join([f"{len(lines)} of {len(campaign)} trials are dominated by no other", *lines])


def _told(campaign: Campaign, trial: Trial, outputs: Iterable[str]) -> str:
    units, told = campaign.reaction.units, trial.outputs or {}
    values = [f"{name} = {number(told[name])} {units[name]}".removesuffix(" 1") for name in outputs]
    where = ", ".join(f"{k}={v if isinstance(v, str) else number(v)}" for k, v in trial.conditions.items())
    return f"{', '.join(values)} at {where}"


def _stopped(campaign: Campaign, journal: Path | None, out: Path | None) -> str:
    """Write the table of what is done and say what was kept, and how to go on."""
    done = f"stopped after {sum(trial.status != 'pending' for trial in campaign)} of {campaign.budget} trials"
    table = ""
    if out is not None:
        try:
            write_csv(campaign.trials, out)
            table = f"the table {out} was written"
        except OSError as error:
            table = f"the table {out} could not be written ({error.strerror})"
    if journal is not None:
        kept = f"they are in the journal {journal}: run the same command again to go on"
    else:
        kept = "no journal was kept: give --journal next time to be able to go on"
    return f"{done}; {table + ', and ' if table else ''}{kept}"


@command("train", epilog="`rxnopt train ppo --env snar --steps 1000000`")
def train(
    agent: Annotated[str, typer.Argument(help="Name of an agent that is trained beforehand.")],
    env: EnvOrNone = None,
    steps: Steps = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for weights, provenance, learning curve and checkpoint.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option("--patience", min=1, help="Stop when so many evaluations (of 20 in all) brought no better score."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in the folder.")] = False,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", help="Folder for logs that TensorBoard shows (extra tensorboard).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train an agent in simulation and keep its weights as tensors."""
    from rxnopt.training import train as train_agent

    check_folder(out)
    check_folder(tensorboard)
    options: dict[str, Any] = {"patience": patience, "resume": resume, "tensorboard": tensorboard}
    result = train_agent(agent, env, steps=steps, seed=seed, out=out, progress=not quiet, **options)
    typer.echo(str(result.weights))
    score = result.provenance.get("score")  # a prior that was fitted has none
    if not quiet and score:
        typer.echo(_scored(score), err=True)


def _scored(score: Mapping[str, Any]) -> str:
    """Return what a training says of what was learnt."""
    where = f"{score['budget']} experiments, in {score['campaigns']} campaigns on other seeds"
    found = [score[way] for way in ("sampled", "deterministic", "random_search")]
    if "within" in score:
        draws, best, chance = (f"{each['reached']:.0%}" for each in found)
        told, of = f"within {1.0 - score['within']:.0%} of the optimum in {where}", ""
    else:
        draws, best, chance = (f"{each:.2%}" for each in found)
        told, of = f"best of {where}", " of the optimum"
    return f"{told}: {draws}{of} by draws, {best} by its best actions, {chance} by random search"


@command("tune", epilog="`rxnopt tune sac --env snar --trials 20 --steps 20000`")
def tune(
    agent: Annotated[str, typer.Argument(help="Name of an agent whose card has a tune block.")],
    env: Env,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trainings, those of earlier runs included.")] = 20,
    steps: Steps = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the study and the best card.")] = None,
    quiet: Quiet = False,
) -> None:
    """Look for better hyperparameters of an agent; run again to go on after a stop, or with more trials."""
    from rxnopt.training.tuning import tune as tune_agent

    check_folder(out)
    found = tune_agent(agent, env, trials=trials, steps=steps, seed=seed, out=out, progress=not quiet)
    options = ", ".join(f"{name}={value}" for name, value in found.options.items())
    typer.echo(
        f"best of {found.trials} trials, {found.pruned} of them pruned: {found.score:.2%} of the optimum with {options}"
    )
    typer.echo(str(found.card))


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

    check_folder(out)
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
