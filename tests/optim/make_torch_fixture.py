"""Trajectories of PyTorch's optimizers and schedules, in float64, for torch_test.ts.

    apt-get install python3-torch
    /usr/bin/python3 tests/optim/make_torch_fixture.py > tests/optim/torch.json

Every optimizer is fed the same gradients, so that only its own rule shows. Made with PyTorch 1.13.0,
whose NAdam is right in its form for many tensors alone: the other one multiplies by a momentum twice.
"""

import json
import random

import torch

STEPS = 12
torch.set_default_dtype(torch.float64)
random.seed(7)
START = {"w": [1.0, -2.0, 0.5, 3.0], "b": [0.25]}


def numbers(count):
    return [round(random.gauss(0, 1), 4) for _ in range(count)]


GRADS = [{key: numbers(len(values)) for key, values in START.items()} for _ in range(STEPS)]
GRADS[3]["w"] = [0.0, 0.0, 0.0, 0.0]
GRADS[5]["b"] = [1000.0]


class Written(torch.optim.Optimizer):
    """What PyTorch 1.13 does not have, from the algorithm in the paper, line by line."""

    def __init__(self, params, **settings):
        super().__init__(params, {**self.defaults_of_paper, **settings})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                self.move(p, p.grad, self.state[p], **{k: group[k] for k in self.defaults_of_paper})


class Lion(Written):
    """Algorithm 2 of https://arxiv.org/abs/2302.06675, with the defaults of optax."""

    defaults_of_paper = dict(lr=1e-4, betas=(0.9, 0.99), weight_decay=1e-3)

    def move(self, p, g, state, lr, betas, weight_decay):
        m = state.get("m", torch.zeros_like(p))
        update = torch.sign(betas[0] * m + (1 - betas[0]) * g)
        state["m"] = betas[1] * m + (1 - betas[1]) * g
        p -= lr * (update + weight_decay * p)


class Lamb(Written):
    """Algorithm 2 of https://arxiv.org/abs/1904.00962, φ the identity, with the defaults of optax."""

    defaults_of_paper = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0)

    def move(self, p, g, state, lr, betas, eps, weight_decay):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = betas[0] * state.get("m", torch.zeros_like(p)) + (1 - betas[0]) * g
        v = state["v"] = betas[1] * state.get("v", torch.zeros_like(p)) + (1 - betas[1]) * g * g
        r = m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)).sqrt() + eps) + weight_decay * p
        p -= lr * (p.norm() / r.norm()) * r


OPTIMIZERS = [
    ("sgd", dict(learningRate=0.1), torch.optim.SGD, dict(lr=0.1)),
    ("sgd", dict(learningRate=0.1, momentum=0.9), torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    (
        "sgd",
        dict(learningRate=0.05, momentum=0.8, nesterov=True),
        torch.optim.SGD,
        dict(lr=0.05, momentum=0.8, nesterov=True),
    ),
    (
        "sgd",
        dict(learningRate=0.1, weightDecay=0.3),
        torch.optim.SGD,
        dict(lr=0.1, weight_decay=0.3),
    ),
    (
        "sgd",
        dict(learningRate=0.1, momentum=0.5, nesterov=True, weightDecay=0.01),
        torch.optim.SGD,
        dict(lr=0.1, momentum=0.5, nesterov=True, weight_decay=0.01),
    ),
    ("adam", dict(learningRate=0.1), torch.optim.Adam, dict(lr=0.1)),
    (
        "adam",
        dict(learningRate=0.01, beta1=0.5, beta2=0.9, epsilon=1e-3),
        torch.optim.Adam,
        dict(lr=0.01, betas=(0.5, 0.9), eps=1e-3),
    ),
    (
        "adam",
        dict(learningRate=0.01, beta1=0, beta2=0.99),
        torch.optim.Adam,
        dict(lr=0.01, betas=(0, 0.99)),
    ),
    ("adamw", dict(learningRate=0.1), torch.optim.AdamW, dict(lr=0.1)),
    (
        "adamw",
        dict(learningRate=0.1, weightDecay=0.5, beta2=0.95),
        torch.optim.AdamW,
        dict(lr=0.1, weight_decay=0.5, betas=(0.9, 0.95)),
    ),
    ("rmsprop", dict(learningRate=0.01), torch.optim.RMSprop, dict(lr=0.01)),
    (
        "rmsprop",
        dict(learningRate=0.02, alpha=0.9, epsilon=1e-3, momentum=0.8, weightDecay=0.1),
        torch.optim.RMSprop,
        dict(lr=0.02, alpha=0.9, eps=1e-3, momentum=0.8, weight_decay=0.1),
    ),
    (
        "rmsprop",
        dict(learningRate=0.02, centered=True, momentum=0.5),
        torch.optim.RMSprop,
        dict(lr=0.02, centered=True, momentum=0.5),
    ),
    ("adagrad", dict(learningRate=0.1), torch.optim.Adagrad, dict(lr=0.1)),
    (
        "adagrad",
        dict(
            learningRate=0.2,
            learningRateDecay=0.3,
            initialAccumulator=0.5,
            epsilon=1e-3,
            weightDecay=0.1,
        ),
        torch.optim.Adagrad,
        dict(lr=0.2, lr_decay=0.3, initial_accumulator_value=0.5, eps=1e-3, weight_decay=0.1),
    ),
    ("nadam", dict(learningRate=0.02), torch.optim.NAdam, dict(lr=0.02, foreach=True)),
    (
        "nadam",
        dict(learningRate=0.1, beta1=0.8, beta2=0.9, weightDecay=0.1, momentumDecay=0.1),
        torch.optim.NAdam,
        dict(lr=0.1, betas=(0.8, 0.9), weight_decay=0.1, momentum_decay=0.1, foreach=True),
    ),
    ("lion", dict(learningRate=0.02), Lion, dict(lr=0.02)),
    (
        "lion",
        dict(learningRate=0.1, beta1=0.8, beta2=0.6, weightDecay=0.2),
        Lion,
        dict(lr=0.1, betas=(0.8, 0.6), weight_decay=0.2),
    ),
    ("lamb", dict(learningRate=0.05), Lamb, dict(lr=0.05)),
    (
        "lamb",
        dict(learningRate=0.1, beta1=0.7, beta2=0.9, epsilon=1e-3, weightDecay=0.2),
        Lamb,
        dict(lr=0.1, betas=(0.7, 0.9), eps=1e-3, weight_decay=0.2),
    ),
]


def parameters():
    make = lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)
    return {key: make(values) for key, values in START.items()}


def trajectory(make, settings, schedule=None):
    params = parameters()
    optimizer = make(params.values(), **settings)
    scheduler = schedule and schedule(optimizer)
    path = []
    for grads in GRADS:
        for key, values in grads.items():
            params[key].grad = torch.tensor(values, dtype=torch.float64)
        optimizer.step()
        if scheduler:
            scheduler.step()
        path.append({key: p.tolist() for key, p in params.items()})
    return path


def rates(schedule, count):
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.4)
    scheduler = schedule(optimizer)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def clipped(max_norm):
    params = parameters()
    for key, values in GRADS[0].items():
        params[key].grad = torch.tensor(values, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_(params.values(), max_norm)
    return {
        "maxNorm": max_norm,
        "norm": norm.item(),
        "grads": {key: p.grad.tolist() for key, p in params.items()},
    }


lr = torch.optim.lr_scheduler
cosine = lambda o: lr.CosineAnnealingLR(o, T_max=10, eta_min=0.05)
json.dump(
    {
        "command": "/usr/bin/python3 tests/optim/make_torch_fixture.py > tests/optim/torch.json",
        "versions": {"torch": torch.__version__},
        "start": START,
        "grads": GRADS,
        "trajectories": [
            {"optimizer": name, "options": options, "path": trajectory(make, settings)}
            for name, options, make, settings in OPTIMIZERS
        ],
        "scheduled": trajectory(
            torch.optim.Adam, dict(lr=0.4), lambda o: lr.MultiStepLR(o, [3, 7], gamma=0.5)
        ),
        "schedules": {
            "cosine": rates(cosine, 11),
            "step": rates(lambda o: lr.MultiStepLR(o, [3, 4, 8], gamma=0.25), 11),
            "exponential": rates(lambda o: lr.ExponentialLR(o, gamma=0.7), 11),
            "polynomial": rates(lambda o: lr.PolynomialLR(o, total_iters=8, power=2.0), 11),
            "warmup": rates(lambda o: lr.LambdaLR(o, lambda n: min(n / 5, 1)), 11),
        },
        "clipped": [clipped(0.5), clipped(100.0)],
    },
    __import__("sys").stdout,
    indent=1,
)
print()
