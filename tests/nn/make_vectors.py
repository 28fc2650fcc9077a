"""Layers of PyTorch with their gradients, in float64, for torch_test.ts.

    apt-get install python3-torch
    /usr/bin/python3 tests/nn/make_vectors.py > tests/nn/torch.json

Every case holds the module's state_dict, the inputs, the outputs, and the gradients of
Σ output · cos(position) by all parameters and floating inputs. Made with PyTorch 1.13.0.
"""

import json
import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
CASES = []


def packed(x):
    """An array on one line: its numbers as a text, of 13 digits."""
    kind = {torch.bool: "bool", torch.int64: "int32"}.get(x.dtype, "float64")
    data = " ".join(f"{v:.13g}" for v in x.flatten().tolist())
    return {"shape": list(x.shape), "dtype": kind, "data": data}


def numbers(*shape):
    """Numbers of few digits."""
    return torch.round(torch.randn(*shape) * 1000) / 1000


def shorten(module):
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(numbers(*p.shape) / 2)
    return module


def case(layer, title, module, inputs, run, options=None):
    """`run` gives the outputs by name."""
    inputs = {
        name: x.requires_grad_() if x.is_floating_point() and not name.endswith("ask") else x
        for name, x in inputs.items()
    }
    params = {name: packed(x) for name, x in module.state_dict().items()}
    outputs = run(module, inputs)
    total = sum(
        (y * torch.cos(torch.arange(y.numel())).reshape(y.shape)).sum()
        for name, y in outputs.items()
        if y.requires_grad
    )
    total.backward()
    given = {name: packed(p.grad) for name, p in module.named_parameters()}
    CASES.append(
        {
            "layer": layer,
            "title": title,
            "options": options or {},
            "params": params,
            "inputs": {name: packed(x) for name, x in inputs.items()},
            "outputs": {name: packed(y) for name, y in outputs.items()},
            "gradients": {
                "params": given,
                "inputs": {n: packed(x.grad) for n, x in inputs.items() if x.grad is not None},
            },
        }
    )


one = lambda m, v: {"output": m(v["x"])}
case("linear", "a bias", shorten(nn.Linear(3, 4)), {"x": numbers(2, 3, 3)}, one)
case("linear", "no bias", shorten(nn.Linear(3, 2, bias=False)), {"x": numbers(4, 3)}, one)
case(
    "embedding",
    "ids that repeat",
    shorten(nn.Embedding(5, 3)),
    {"x": torch.tensor([[0, 4, 1], [1, 1, 3]])},
    one,
)
case("layerNorm", "weights", shorten(nn.LayerNorm(6)), {"x": numbers(2, 3, 6)}, one)
case(
    "layerNorm",
    "another epsilon",
    shorten(nn.LayerNorm(4, eps=0.1)),
    {"x": numbers(3, 4)},
    one,
    {"epsilon": 0.1},
)


def batch_norm(module, values):
    output = module(values["x"])
    state = {"running_mean": module.running_mean, "running_var": module.running_var}
    return {"output": output, **state}


def with_statistics(module):
    shorten(module)
    module.running_mean.copy_(numbers(module.num_features))
    module.running_var.copy_(numbers(module.num_features).abs() + 0.5)
    return module


for training in (True, False):
    for shape, kind in (((5, 3), nn.BatchNorm1d), ((2, 3, 2, 2), nn.BatchNorm2d)):
        case(
            "batchNorm",
            f"{'training' if training else 'no training'}, rank {len(shape)}",
            with_statistics(kind(3)).train(training),
            {"x": numbers(*shape)},
            batch_norm,
            {"training": training},
        )
case(
    "batchNorm",
    "another epsilon and momentum",
    with_statistics(nn.BatchNorm1d(2, eps=0.01, momentum=0.3)),
    {"x": numbers(4, 2)},
    batch_norm,
    {"training": True, "epsilon": 0.01, "momentum": 0.3},
)

MASK = torch.tensor([[0, 1, 1], [0, 0, 1], [0, 0, 0], [1, 0, 0]]).bool()
PADDING = torch.tensor([[0, 0, 0], [0, 0, 1]]).bool()


def attention(module, v):
    output, _ = module(
        v["query"],
        v["key"],
        v["value"],
        attn_mask=v.get("mask"),
        key_padding_mask=v.get("keyPaddingMask"),
    )
    return {"output": output}


def heads(bias=True):
    return shorten(nn.MultiheadAttention(4, 2, bias=bias, batch_first=True))


def three():
    return {"query": numbers(2, 4, 4), "key": numbers(2, 3, 4), "value": numbers(2, 3, 4)}


two = {"heads": 2}
case("multiHeadAttention", "no mask", heads(), three(), attention, two)
case("multiHeadAttention", "no bias", heads(bias=False), three(), attention, two)
case("multiHeadAttention", "a mask of booleans", heads(), {**three(), "mask": MASK}, attention, two)
case(
    "multiHeadAttention",
    "a mask of numbers",
    heads(),
    {**three(), "mask": numbers(4, 3)},
    attention,
    two,
)
case(
    "multiHeadAttention",
    "padding",
    heads(),
    {**three(), "keyPaddingMask": PADDING},
    attention,
    two,
)
case(
    "multiHeadAttention",
    "both masks",
    heads(),
    {**three(), "mask": MASK & torch.tensor([True, True, False]), "keyPaddingMask": PADDING},
    attention,
    two,
)


def encoder_layer(activation, norm_first, **options):
    module = nn.TransformerEncoderLayer(
        4, 2, 5, 0.0, activation, batch_first=True, norm_first=norm_first, **options
    )
    return shorten(module)


def encoder(module, v):
    output = module(v["x"], v.get("mask"), src_key_padding_mask=v.get("keyPaddingMask"))
    return {"output": output}


for activation in ("relu", "gelu"):
    for norm_first in (False, True):
        case(
            "transformerEncoderLayer",
            f"{activation}, norm {'first' if norm_first else 'last'}",
            encoder_layer(activation, norm_first),
            {"x": numbers(2, 3, 4), "keyPaddingMask": PADDING},
            encoder,
            {"heads": 2, "activation": activation, "normFirst": norm_first},
        )
case(
    "transformerEncoderLayer",
    "a causal mask, another epsilon",
    encoder_layer("relu", True, layer_norm_eps=0.01),
    {"x": numbers(2, 3, 4), "mask": MASK[:3]},
    encoder,
    {"heads": 2, "normFirst": True, "epsilon": 0.01},
)
case(
    "transformerEncoder",
    "two layers and a norm",
    shorten(nn.TransformerEncoder(encoder_layer("gelu", True), 2, nn.LayerNorm(4))),
    {"x": numbers(2, 3, 4), "keyPaddingMask": PADDING},
    encoder,
    {"heads": 2, "activation": "gelu", "normFirst": True},
)


def lstm(module, v):
    state = (v["h"], v["c"]) if "h" in v else None
    outputs, (h, c) = module(v["x"], state)
    return {"outputs": outputs, "h": h, "c": c}


def gru(module, v):
    outputs, h = module(v["x"], v.get("h"))
    return {"outputs": outputs, "h": h}


for layer, kind, run in (("lstm", nn.LSTM, lstm), ("gru", nn.GRU, gru)):
    states = ("h", "c") if layer == "lstm" else ("h",)
    x = lambda: {"x": numbers(4, 2, 3)}
    case(layer, "one layer", shorten(kind(3, 2)), x(), run)
    case(layer, "no bias", shorten(kind(3, 2, bias=False)), x(), run)
    start = {name: numbers(2, 2, 2) for name in states}
    case(layer, "two layers, a state", shorten(kind(3, 2, 2)), {**x(), **start}, run)



def perceptron(act):
    return shorten(nn.Sequential(nn.Linear(3, 4), act, nn.Linear(4, 3), act, nn.Linear(3, 2)))


for name, act in (
    ("relu", nn.ReLU()),
    ("gelu", nn.GELU()),
    ("silu", nn.SiLU()),
    ("leakyRelu", nn.LeakyReLU()),
    ("tanh", nn.Tanh()),
    ("sigmoid", nn.Sigmoid()),
    ("softplus", nn.Softplus(threshold=1e9)),
):
    case("mlp", name, perceptron(act), {"x": numbers(3, 3)}, one, {"activation": name})

json.dump(
    {
        "command": "/usr/bin/python3 tests/nn/make_vectors.py > tests/nn/torch.json",
        "versions": {"torch": torch.__version__},
        "cases": CASES,
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
