"""Trajectories of PyTorch's optimizers and schedules, in float64, for torch_test.ts.

    apt-get install python3-torch
    /usr/bin/python3 tests/optim/make_torch_fixture.py > tests/optim/torch.json

Every optimizer is fed the same gradients, so that only its own rule shows. Made with PyTorch 1.13.0.
"""

import json
import random

import torch

STEPS = 12
random.seed(7)
START = {"w": [1.0, -2.0, 0.5, 3.0], "b": [0.25]}


def numbers(count):
    return [round(random.gauss(0, 1), 4) for _ in range(count)]


GRADS = [{key: numbers(len(values)) for key, values in START.items()} for _ in range(STEPS)]
GRADS[3]["w"] = [0.0, 0.0, 0.0, 0.0]
GRADS[5]["b"] = [1000.0]

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
            "warmup": rates(lambda o: lr.LambdaLR(o, lambda n: min(n / 5, 1)), 11),
        },
        "clipped": [clipped(0.5), clipped(100.0)],
    },
    __import__("sys").stdout,
    indent=1,
)
print()
