"""A policy that sees the trials of a campaign as a set: attention over the history."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from rxnopt.agents.answers import Answer, Normal
from rxnopt.agents.base import distinct, feasible_draw, pending
from rxnopt.agents.borrow import borrowed, one_thread
from rxnopt.agents.family import Family
from rxnopt.cards.pretrained import Pretrained
from rxnopt.envs.observations import Floats, encode_history
from rxnopt.history import PENDING, History
from rxnopt.space import Array, Space

LEAST_LOG_SD, LARGEST_LOG_SD = -5.0, 2.0
SAID = 2
"""Numbers of a trial in an observation beside its conditions: the objective and the flag, see the observations."""


class Transformer(nn.Module):
    """From histories to a normal distribution over the action box; the order of the trials makes no difference.

    ``columns``: of the action box; ``context``: numbers that tell of the reaction; ``answers``: numbers in an answer.
    """

    def __init__(self, settings: Pretrained, columns: int, context: int = 0, answers: int | None = None) -> None:
        super().__init__()
        width, self._budget, self._context = settings.width, settings.budget, context
        self.trial = nn.Sequential(nn.Linear(columns + SAID, width), nn.ReLU(), nn.Linear(width, width))
        self.campaign = nn.Parameter(torch.zeros(1, 1, width))
        self.layers = nn.ModuleList(_Layer(width, settings.heads) for _ in range(settings.layers))
        self.head = nn.Sequential(
            nn.Linear(2 * width + 1 + context, 2 * width), nn.ReLU(), nn.Linear(2 * width, answers or 2 * columns)
        )

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Return numbers (n, answers) for observations (n, budget (columns + 2) + context)."""
        told = seen[:, seen.shape[1] - self._context :]
        rows = seen[:, : seen.shape[1] - self._context].reshape(len(seen), self._budget, -1)
        there = rows[:, :, -1] != 0.0
        share = there.float().mean(dim=1, keepdim=True)
        tokens = torch.cat([self.campaign.expand(len(rows), -1, -1), self.trial(rows)], dim=1)
        there = torch.cat([torch.ones_like(there[:, :1]), there], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, there)
        count = there[:, :, None].float()
        mean = (tokens * count).sum(dim=1) / count.sum(dim=1)
        found: torch.Tensor = self.head(torch.cat([tokens[:, 0], mean, share, told], dim=1))
        return found

    def loss(self, seen: torch.Tensor, optima: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log likelihood of ``optima`` (n, columns), without its constant."""
        mean, sd = self._normal(seen)
        return (0.5 * ((optima - mean) / sd) ** 2 + sd.log()).sum(dim=1).mean()

    def answer(self, seen: Floats) -> Answer:
        """Return what the network believes after observations (n, ...)."""
        with torch.no_grad():
            mean, sd = self._normal(torch.as_tensor(seen))
        return Normal(mean.double().numpy(), sd.double().numpy())

    def _normal(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        location, log_sd = self(seen).chunk(2, dim=1)
        return location, log_sd.clamp(LEAST_LOG_SD, LARGEST_LOG_SD).exp()


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.forwards = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        seen = self.norms[0](tokens)
        tokens = tokens + self.attention(seen, seen, seen, key_padding_mask=~there, need_weights=False)[0]
        found: torch.Tensor = tokens + self.forwards(self.norms[1](tokens))
        return found


class FewShot:
    """Proposes draws from what the network makes of the history, cut off at the box.

    Such a draw is one from what the network believes of the place of the optimum: Thompson sampling, as in Lee et al.,
    Supervised pretraining can learn in-context reinforcement learning, 2023, 10.48550/arXiv.2306.14892. Where the card
    is deterministic the mean is proposed first, unless that is being run. Of a history that is longer than what the
    network can see, it sees the best half and the latest trials.
    """

    def __init__(self, settings: Pretrained, net: Transformer, scale: float, family: Family | None = None) -> None:
        self._settings, self._net, self._scale, self._family = settings, net.eval(), scale, family

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d)."""
        own = space if self._family is None else self._family.space
        decode = own.from_box if self._family is None else self._family.conditions
        seen = observed(own, history, self._settings.budget, self._scale)
        if self._family is not None:
            seen = np.concatenate([seen, self._family.context], axis=1)
        with one_thread():
            answer = self._net.answer(seen)

        def draw() -> Array:
            drawn: Array = answer.draw(rng)[0]
            return drawn

        drawn = [feasible_draw(space, draw, lambda action: decode(action[None])) for _ in range(n)]
        X = decode(np.array(drawn).reshape(n, own.width))
        best, running = decode(answer.best()), pending(space, history)
        if self._settings.deterministic and not (running == best).all(axis=1).any():
            X[:1] = best
        return distinct(space, X, rng, running)


def observed(space: Space, history: History, budget: int, scale: float) -> Floats:
    """Return the observation (1, ...) of a history: of one longer than the budget the best half and the latest."""
    over = np.flatnonzero((history.status != PENDING) & space.inside(history.X))
    more = len(over) - budget
    if more > 0:
        order = over[np.argsort(-np.nan_to_num(history.y[over], nan=-np.inf), kind="stable")]
        best = order[: budget // 2]
        latest = np.setdiff1d(over, best)[-(budget - len(best)) :]
        over = np.concatenate([best, latest])
    over = over[np.lexsort((history.y[over], *history.X[over].T))]  # sums in another order round otherwise
    seen = History(history.X[over], history.y[over], history.status[over])
    return encode_history("history", space, seen, budget, scale)[None]


def network(settings: Pretrained, space: Space, context: int = 0) -> Transformer:
    """Return the network of a card for a space, with the weights that it has when it is made."""
    with borrowed(0):
        return Transformer(settings, space.width, context)
