"""Tuning: a study of Optuna over the hyperparameters that an agent card lets it choose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import optuna
import yaml
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from rxnopt.agents import load as load_agent
from rxnopt.agents.algorithm import algorithm, with_options
from rxnopt.agents.sampler import quiet
from rxnopt.agents.weights import keep, settings_digest
from rxnopt.cards.agent import AgentCard, Sb3Trained
from rxnopt.cards.sb3 import Tuned
from rxnopt.errors import AgentError, WeightsError, at_least
from rxnopt.progress import bar
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction
from rxnopt.training.learning import Manner, learn

USUAL = Path("runs") / "tune"
"""Where studies are kept, in the current folder."""
OVER = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Tuning:
    """What a tuning found: the best ``options`` with their ``score``, out of ``trials``; and a ``card`` with them."""

    card: Path
    options: dict[str, Any]
    score: float
    trials: int
    pruned: int


def tune(
    agent: str | Path | AgentCard,
    reaction: str | Path | Reaction,
    *,
    trials: int = 20,
    steps: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool = True,
) -> Tuning:
    """Look for the best hyperparameters among those in the ``tune`` block of a card, until ``trials`` are over.

    ``reaction`` and ``steps`` are as in :func:`rxnopt.training.train`. A trial is a training and its score that of the
    network that is kept, on held-out seeds. TPE proposes; a trial that at an evaluation is worse than the median of the
    earlier ones is pruned, and so is one whose network is no longer finite. The study is ``<agent>-<reaction>.db``, an
    SQLite file in the folder ``out`` (left out: ``runs/tune``), from which the same call goes on. The best card, called
    ``<agent>-tuned``, is written beside it as ``<agent>-<reaction>.yaml``.

    Raises :class:`rxnopt.errors.AgentError` for an agent without the block or options that its algorithm does not have,
    and for a study of other cards or steps.
    """
    card = agent if isinstance(agent, AgentCard) else load_agent(agent)
    settings = card.agent
    if not isinstance(settings, Sb3Trained) or not card.tune:
        raise AgentError(f"agent {card.name!r} says nothing about what to tune; add a 'tune' block to its card")
    trials, seed = at_least("trials", trials, 1), at_least("seed", seed, 0)
    steps = at_least("steps", settings.steps if steps is None else steps, 1)
    _check(card, settings)
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    folder = USUAL if out is None else Path(out)
    with quiet(), _study(folder, card, reaction, steps, seed) as study:
        _optimise(study, card, reaction, trials, steps, seed, progress)
        over = study.get_trials(deepcopy=False, states=OVER)
        if not any(trial.state == TrialState.COMPLETE for trial in over):
            raise AgentError(f"no trial of agent {card.name!r} came to its end; widen the ranges of its 'tune' block")
        best, path = study.best_trial, folder / f"{card.name}-{reaction.name}.yaml"
        score, options = float(best.values[0]), dict(best.user_attrs["options"])
    keep(path, _text(card, with_options(settings, options), reaction, len(over), score).encode())
    return Tuning(path, options, score, len(over), sum(trial.state == TrialState.PRUNED for trial in over))


def _check(card: AgentCard, settings: Sb3Trained) -> None:
    """Raise :class:`AgentError` where the block names what the algorithm does not have."""
    first = {name: tuned.choices[0] if tuned.choices else tuned.low for name, tuned in card.tune.items()}
    algorithm(card.name, with_options(settings, first))


@contextmanager
def _study(folder: Path, card: AgentCard, reaction: Reaction, steps: int, seed: int) -> Iterator[optuna.Study]:
    path = folder / f"{card.name}-{reaction.name}.db"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"the folder {folder} cannot be made ({error.strerror}); give another one") from error
    identity: dict[str, Any] = {"agent card": settings_digest(card), "reaction card": reaction.card.digest()}
    identity |= {"number of steps": steps, "seed": seed}
    identity["'tune' block"] = {name: tuned.model_dump(mode="json") for name, tuned in card.tune.items()}
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        try:
            yield _begun(storage, path, identity, steps)
        finally:
            storage.engine.dispose()
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: the study cannot be read or written ({reason}); give another folder") from error


def _begun(storage: optuna.storages.RDBStorage, path: Path, identity: dict[str, Any], steps: int) -> optuna.Study:
    """Return the study in the file, a new one if there is none; raise :class:`AgentError` for one of other things."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=steps // 5)
    study = optuna.create_study(
        storage=storage, study_name="tune", direction="maximize", load_if_exists=True, pruner=pruner
    )
    known = study.user_attrs
    for what, value in identity.items():
        if known.get(what, value) != value:
            raise AgentError(
                f"{path}: this study was begun with another {what}; give another folder, or remove the file"
            )
        if what not in known:
            study.set_user_attr(what, value)
    return study


def _optimise(
    study: optuna.Study, card: AgentCard, reaction: Reaction, trials: int, steps: int, seed: int, progress: bool
) -> None:
    """Go on until ``trials`` are over."""
    done = len(study.get_trials(deepcopy=False, states=OVER))
    study.sampler = optuna.samplers.TPESampler(seed=stream_seed(seed, "tune", done))
    with bar(progress, f"tuning {card.name} on {reaction.name}", trials, done) as advance:

        def train(trial: optuna.Trial) -> float:
            values = {name: _suggested(trial, name, tuned) for name, tuned in card.tune.items()}
            trial.set_user_attr("options", values)

            def report(experiments: int, score: float) -> None:
                trial.report(score, experiments)
                if trial.should_prune():
                    raise optuna.TrialPruned

            settings = with_options(cast(Sb3Trained, card.agent), values)
            lesson = learn(card.name, settings, reaction, steps, seed, Manner(report=report))
            if lesson.ended == "interrupted":
                over = len(study.get_trials(deepcopy=False, states=OVER))
                raise KeyboardInterrupt(f"stopped by Ctrl-C after {over} trials; run the same command again to go on")
            if lesson.ended == "diverged":
                raise optuna.TrialPruned
            return dict(lesson.course.scores)[lesson.course.kept_at]

        while done < trials:
            study.optimize(train, n_trials=1)
            done += 1
            complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            advance(1, f"best {study.best_value:.3f}" if complete else "")


def _suggested(trial: optuna.Trial, name: str, tuned: Tuned) -> Any:
    if tuned.choices:
        return json.loads(trial.suggest_categorical(name, [json.dumps(choice) for choice in tuned.choices]))
    low, high = cast(float, tuned.low), cast(float, tuned.high)  # the card has checked that they are there
    if tuned.whole:
        return trial.suggest_int(name, int(low), int(high), log=tuned.log)
    return trial.suggest_float(name, low, high, log=tuned.log)


def _text(card: AgentCard, settings: Sb3Trained, reaction: Reaction, trials: int, score: float) -> str:
    """Return the text of the card with the best options."""
    title = f"{card.title}, tuned on {reaction.name}: {score:.4f} of the optimum, best of {trials} trials"
    tuned = card.model_copy(update={"agent": settings, "name": f"{card.name}-tuned", "title": title})
    data = tuned.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=118)
