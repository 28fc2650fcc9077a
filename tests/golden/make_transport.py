"""Golden vectors of sinkhornDivergence, wasserstein1d and slicedWasserstein, by PyTorch in float64.

Sinkhorn: alternating log-sum-exp (over-relaxed; averaged where a cloud meets itself) until no potential changes by
more than 1e-14 of the largest cost, then the dual objective at these potentials, differentiated by autograd with the
potentials held fixed (Feydy et al. 2019; with reach Sejourne et al. 2019). Wasserstein: the integral
over quantiles, differentiated by autograd; slices are given as directions.

Run as `python3 make_transport.py` in this folder: it writes sinkhorn.json and wasserstein.json.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
generator = torch.Generator().manual_seed(16)


def cloud(n, d, shift=0.0, scale=1.0):
    return torch.round((torch.randn(n, d, generator=generator) * scale + shift) * 1e4) / 1e4


def weights(n):
    return torch.round((torch.rand(n, generator=generator) + 0.2) * 1e4) / 1e4


def costs(x, y, p):
    squares = ((x[:, None] - y) ** 2).sum(-1)
    same = squares == 0
    apart = torch.where(same, torch.ones_like(squares), squares)
    return torch.where(same, torch.zeros_like(squares), apart ** (p / 2) / p)


def transport(x, y, a, b, p, epsilon, rho, own=False):
    c = costs(x, y, p)
    damping = 1.0 if rho is None else rho / (rho + epsilon)
    with torch.no_grad():
        f, g = torch.zeros(len(a)), torch.zeros(len(b))
        change, turns, least = 1.0, 0, 1e-14 * max(1.0, c.max().item())
        while change > least:
            if own:
                reply = -damping * epsilon * torch.logsumexp((g - c) / epsilon + b.log(), 1)
                nextf = nextg = (f + reply) / 2
            else:
                scores = (f[:, None] - c) / epsilon + a.log()[:, None]
                step = 1.0 if turns < 50 else 1.6
                nextg = -damping * epsilon * torch.logsumexp(scores, 0)
                nextg = g + step * (nextg - g)
                nextf = -damping * epsilon * torch.logsumexp((nextg - c) / epsilon + b.log(), 1)
                nextf = f + step * (nextf - f)
            change = max((nextf - f).abs().max(), (nextg - g).abs().max())
            f, g, turns = nextf, nextg, turns + 1
    plan = a[:, None] * b * ((f[:, None] + g - c) / epsilon).exp()
    if rho is None:
        dual = a @ f + b @ g
    else:
        dual = rho * (a @ (1 - (-f / rho).exp()) + b @ (1 - (-g / rho).exp()))
    return dual - epsilon * (plan.sum() - a.sum() * b.sum())


def sinkhorn(inputs, epsilon=0.05, p=2, debias=True, reach=None):
    x, y = inputs["x"], inputs["y"]
    a = inputs.get("weights_x", torch.full((len(x),), 1 / len(x)))
    b = inputs.get("weights_y", torch.full((len(y),), 1 / len(y)))
    rho = None if reach is None else reach**p
    if rho is None:
        a, b = a / a.sum(), b / b.sum()
    value = transport(x, y, a, b, p, epsilon, rho)
    if debias:
        own = transport(x, x, a, a, p, epsilon, rho, True)
        own = own + transport(y, y, b, b, p, epsilon, rho, True)
        value = value - own / 2
        if rho is not None:
            value = value + epsilon / 2 * (a.sum() - b.sum()) ** 2
    return value


def line_power(x, y, p):
    """The integral of the p-th power of the difference of quantiles, over all breakpoints."""
    n, m = len(x), len(y)
    breaks = sorted({i * m for i in range(n + 1)} | {j * n for j in range(m + 1)})
    x, y = x.sort().values, y.sort().values
    parts = [
        (end - start) * (x[start // m] - y[start // n]).abs() ** p
        for start, end in zip(breaks, breaks[1:])
    ]
    return sum(parts) / (n * m)


def wasserstein(inputs, p):
    x, y = inputs["x"], inputs["y"]
    if x.dim() == 1:
        return line_power(x, y, p) ** (1 / p)
    slices = [line_power(x @ t, y @ t, p) for t in inputs["directions"]]
    return (sum(slices) / len(slices)) ** (1 / p)


def array(x):
    return {"shape": list(x.shape), "dtype": "f64", "data": x.flatten().tolist()}


def case(identity, f, inputs, **params):
    fixed = {"directions"}
    live = {k: v if k in fixed else v.clone().requires_grad_() for k, v in inputs.items()}
    value = f(live, **params)
    names = [name for name in live if name not in fixed]
    grads = torch.autograd.grad(value, [live[name] for name in names])
    return {
        "id": identity,
        "inputs": {name: array(x) for name, x in inputs.items()},
        "params": params,
        "value": value.item(),
        "grads": {name: array(g) for name, g in zip(names, grads)},
    }


def write(name, source, cases):
    with open(f"{name}.json", "w") as file:
        json.dump({"loss": name, "source": source, "cases": cases}, file, indent=1)
        file.write("\n")


def main():
    x, y = cloud(5, 2), cloud(4, 2, 0.5)
    wide = {"x": cloud(6, 3), "y": cloud(5, 3, 0.3, 1.5)}
    heavy = {"x": x, "y": y, "weights_x": weights(5), "weights_y": weights(4)}
    light = {**heavy, "weights_x": heavy["weights_x"] / 3}
    twins = {"x": torch.cat([x[:3], x[:2]]), "y": torch.cat([x[:2], y[:2]])}
    write(
        "sinkhorn",
        "dual objective at potentials iterated to 1e-14, Feydy et al. 2019, Sejourne et al. 2019; "
        "make_transport.py",
        [
            case("plain", sinkhorn, {"x": x, "y": y}, epsilon=0.1, p=2, debias=True, reach=None),
            case("default", sinkhorn, wide, epsilon=0.05, p=2, debias=True, reach=None),
            case("biased", sinkhorn, wide, epsilon=0.5, p=2, debias=False, reach=None),
            case("distance", sinkhorn, wide, epsilon=0.2, p=1, debias=True, reach=None),
            case("twins", sinkhorn, twins, epsilon=0.2, p=1, debias=True, reach=None),
            case("power", sinkhorn, wide, epsilon=0.5, p=3, debias=True, reach=None),
            case("weighted", sinkhorn, heavy, epsilon=0.1, p=2, debias=True, reach=None),
            case("reach", sinkhorn, light, epsilon=0.2, p=2, debias=True, reach=1.0),
            case("reach biased", sinkhorn, light, epsilon=0.3, p=1, debias=False, reach=0.7),
            case("reach plain", sinkhorn, wide, epsilon=0.3, p=2, debias=True, reach=2.0),
        ],
    )
    line = {"x": cloud(6, 1).flatten(), "y": cloud(6, 1, 1).flatten()}
    uneven = {"x": cloud(6, 1).flatten(), "y": cloud(4, 1, 1).flatten()}
    directions = torch.nn.functional.normalize(torch.randn(5, 3, generator=generator), dim=1)
    sliced = {**wide, "directions": directions}
    write(
        "wasserstein",
        "integral over quantiles, Villani 2003; Bonneel et al. 2015; make_transport.py",
        [
            case("line", wasserstein, line, p=1),
            case("line squared", wasserstein, line, p=2),
            case("uneven", wasserstein, uneven, p=1),
            case("uneven squared", wasserstein, uneven, p=2),
            case("uneven power", wasserstein, uneven, p=3.5),
            case("sliced", wasserstein, sliced, p=2),
            case("sliced distance", wasserstein, sliced, p=1),
        ],
    )


main()
