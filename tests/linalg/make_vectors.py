"""Linear algebra of PyTorch with its gradients, in float64, for torch_test.ts.

    apt-get install python3-torch python3-scipy
    /usr/bin/python3 tests/linalg/make_vectors.py > tests/linalg/torch.json

Every case holds the inputs, the outputs, and the gradients of Σ output · cos(position) by all
inputs. Vectors whose signs are free are squared. SciPy must give the same values, else nothing is written.
Made with PyTorch 1.13.0 and SciPy 1.10.1.
"""

import json
import sys

import numpy as np
import scipy.linalg
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(15)
CASES = []


def packed(x):
    """An array on one line: its numbers as a text, of 15 digits."""
    data = " ".join(f"{v:.15g}" for v in x.flatten().tolist())
    return {"shape": list(x.shape), "data": data}


def numbers(*shape):
    """Numbers of few digits."""
    return torch.round(torch.randn(*shape) * 1000) / 1000


def symmetric(a):
    return (a + a.mT) / 2


def positive(*shape):
    a = numbers(*shape)
    return symmetric(a @ a.mT + torch.eye(shape[-1]))


def flat(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def each(f, *inputs):
    """What SciPy gives for every matrix of a batch, one output after the other."""
    batch = torch.broadcast_shapes(*(x.shape[:-2] for x in inputs))
    rows = [x.expand(*batch, *x.shape[-2:]).reshape(-1, *x.shape[-2:]).numpy() for x in inputs]
    results = [flat(f(*matrices)) for matrices in zip(*rows)]
    return [
        torch.from_numpy(np.stack(parts).reshape((*batch, *np.shape(parts[0]))))
        for parts in map(list, zip(*results))
    ]


def case(function, title, run, peer, inputs, options=None):
    """`run` gives the outputs by name, `peer` SciPy's in the same order."""
    live = {name: x.clone().requires_grad_() for name, x in inputs.items()}
    outputs = run(*live.values())
    total = sum(
        (y * torch.cos(torch.arange(y.numel())).reshape(y.shape)).sum()
        for name, y in outputs.items()
        if y.requires_grad
    )
    total.backward()
    for (name, y), other in zip(outputs.items(), each(peer, *inputs.values()), strict=True):
        if not torch.allclose(y.detach(), other, rtol=1e-9, atol=1e-11):
            sys.exit(f"{function}, {title}: SciPy has another {name}")
    CASES.append(
        {
            "function": function,
            "title": title,
            "options": options or {},
            "inputs": {name: packed(x) for name, x in inputs.items()},
            "outputs": {name: packed(y.detach()) for name, y in outputs.items()},
            "gradients": {name: packed(x.grad) for name, x in live.items()},
        }
    )


def named(*names):
    """A function's outputs by name."""

    def wrap(f):
        return lambda *inputs: dict(zip(names, flat(f(*inputs)), strict=True))

    return wrap


def slogdet(a):
    sign, log = np.linalg.slogdet(a)
    return sign, log


def eigh(a):
    values, vectors = torch.linalg.eigh(symmetric(a))
    return values, vectors**2


def scipy_eigh(a):
    values, vectors = scipy.linalg.eigh((a + a.T) / 2)
    return values, vectors**2


def svd(a):
    u, s, vt = torch.linalg.svd(a, full_matrices=False)
    return u**2, s, vt**2, (u * torch.cos(s)[..., None, :]) @ vt


def scipy_svd(a):
    u, s, vt = scipy.linalg.svd(a, full_matrices=False)
    return u**2, s, vt**2, (u * np.cos(s)) @ vt


one = named("output")
for n in (1, 2, 5, 9):
    a, g, b = positive(n, n), numbers(n, n), numbers(n, 3)
    case(
        "cholesky",
        f"{n} rows",
        one(lambda a: torch.linalg.cholesky(symmetric(a))),
        lambda a: scipy.linalg.cholesky(a, lower=True),
        {"a": a},
    )
    case("solve", f"{n} rows", one(torch.linalg.solve), scipy.linalg.solve, {"a": g, "b": b})
    case("inverse", f"{n} rows", one(torch.linalg.inv), scipy.linalg.inv, {"a": g})
    case("det", f"{n} rows", one(torch.linalg.det), scipy.linalg.det, {"a": g})
    case("logDet", f"{n} rows", named("sign", "logAbs")(torch.linalg.slogdet), slogdet, {"a": g})
    case(
        "eigh", f"{n} rows", named("values", "squares")(eigh), scipy_eigh, {"a": symmetric(g)}
    )

for lower in (True, False):
    for transpose in (False, True):
        triangle = torch.tril if lower else torch.triu
        case(
            "solveTriangular",
            f"lower {lower}, transpose {transpose}",
            one(
                lambda a, b: torch.linalg.solve_triangular(
                    triangle(a).mT if transpose else a, b, upper=lower == transpose
                )
            ),
            lambda a, b: scipy.linalg.solve_triangular(a, b, lower=lower, trans=int(transpose)),
            {"a": numbers(4, 4) + 2 * torch.eye(4), "b": numbers(4, 2)},
            {"lower": lower, "transpose": transpose},
        )

for m, n in ((4, 4), (5, 2), (2, 5), (1, 3), (12, 7)):
    a = numbers(m, n)
    title = f"{m} by {n}"
    case("svd", title, named("u", "s", "vt", "product")(svd), scipy_svd, {"a": a})
    case("pinv", title, one(torch.linalg.pinv), scipy.linalg.pinv, {"a": a})
    case(
        "qr",
        title,
        named("q", "r")(torch.linalg.qr),
        lambda a: scipy.linalg.qr(a, mode="economic"),
        {"a": a},
    )

decomposed = named("u", "s", "vt", "product")(svd)
factors = named("q", "r")(torch.linalg.qr)
scipy_qr = lambda a: scipy.linalg.qr(a, mode="economic")
solved = one(torch.linalg.solve)
low = numbers(4, 2) @ numbers(2, 3)
systems = {"a": numbers(2, 3, 3), "b": numbers(2, 3, 2)}
many = {"a": numbers(1, 3, 3), "b": numbers(4, 3, 1)}
case("solve", "batches", solved, scipy.linalg.solve, systems)
case("solve", "one matrix, many systems", solved, scipy.linalg.solve, many)
case("svd", "a batch", decomposed, scipy_svd, {"a": numbers(3, 4, 2)})
case("qr", "a batch", factors, scipy_qr, {"a": numbers(3, 2, 4)})
case(
    "eigh",
    "a batch",
    named("values", "squares")(eigh),
    scipy_eigh,
    {"a": symmetric(numbers(2, 3, 3, 3))},
)
case("det", "a batch", one(torch.linalg.det), scipy.linalg.det, {"a": numbers(2, 2, 3, 3)})
case("pinv", "of rank 2", one(torch.linalg.pinv), scipy.linalg.pinv, {"a": low})

print('{"cases": [\n' + ",\n".join(json.dumps(c) for c in CASES) + "\n]}")
