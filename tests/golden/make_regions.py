"""Reference values of the losses of regions and their outlines, from the formulas of the papers.

Run as `python3 tests/golden/make_regions.py` with PyTorch and SciPy (made with PyTorch 1.13 and SciPy
1.10): it writes lovasz.json, matthews.json, poly.json, asymmetric.json, cl_dice.json, boundary.json and
hausdorff.json beside itself. Everything is in float64; gradients are PyTorch's own.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

FOLDER = pathlib.Path(__file__).parent


def one_hot(labels, classes):
    return torch.stack([labels == c for c in range(classes)], dim=1).double()


def lovasz(logits, targets):
    """Berman et al. 2018, algorithm 1: errors in order, Jaccard losses, their differences."""
    classes = logits.shape[1]
    probs = logits.softmax(1).movedim(1, 0).reshape(classes, -1)
    members = one_hot(targets, classes).movedim(1, 0).reshape(classes, -1)
    losses = []
    for q, y in zip(probs, members):
        if y.sum() == 0:
            continue
        errors, order = torch.sort((y - q).abs(), descending=True)
        found = y[order]
        intersection = y.sum() - found.cumsum(0)
        union = y.sum() + (1 - found).cumsum(0)
        jaccard = 1 - intersection / union
        steps = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
        losses.append(errors @ steps)
    return torch.stack(losses).mean()


def matthews(logits, targets):
    """Abhishek & Hamarneh 2021, each class against the rest."""
    classes = logits.shape[1]
    losses = []
    for q, y in zip(logits.softmax(1).unbind(1), one_hot(targets, classes).unbind(1)):
        tp, fp = (q * y).sum(), (q * (1 - y)).sum()
        fn, tn = ((1 - q) * y).sum(), ((1 - q) * (1 - y)).sum()
        below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        correlation = (tp * tn - fp * fn) / below.sqrt() if below > 0 else torch.zeros_like(tp)
        losses.append(1 - correlation)
    return torch.stack(losses).mean()


def poly(logits, targets, epsilon, ignore_index=-100, reduction="mean"):
    """Leng et al. 2022, Poly-1."""
    entropy = F.cross_entropy(logits, targets, reduction="none", ignore_index=ignore_index)
    keep = targets != ignore_index
    p = logits.softmax(1).gather(1, (targets * keep).unsqueeze(1)).squeeze(1)
    losses = (entropy + epsilon * (1 - p))[keep]
    return losses.mean() if reduction == "mean" else losses.sum()


def asymmetric(logits, targets, gamma_negative, gamma_positive, clip):
    """Ridnik et al. 2021, equations 4 to 7, averaged."""
    p = logits.sigmoid()
    shifted = (p - clip).clamp(min=0)
    positive = targets * (1 - p) ** gamma_positive * F.logsigmoid(logits)
    negative = (1 - targets) * shifted**gamma_negative * torch.log1p(-shifted)
    return -(positive + negative).mean()


def pool(x, sizes):
    function = F.max_pool2d if x.dim() == 4 else F.max_pool3d
    return function(x, sizes, 1, tuple(n // 2 for n in sizes))


def erode(x):
    axes = x.dim() - 2
    sizes = [tuple(3 if i == axis else 1 for i in range(axes)) for axis in range(axes)]
    least = [-pool(-x, size) for size in sizes]
    return torch.stack(least).min(0).values


def skeleton(x, iterations):
    opened = lambda inner: pool(erode(inner), (3,) * (x.dim() - 2))
    found = F.relu(x - opened(x))
    for _ in range(iterations):
        x = erode(x)
        found = found + (1 - found) * F.relu(x - opened(x))
    return found


def cl_dice(logits, targets, iterations, smooth):
    """Shit et al. 2021, algorithms 1 and 2, the mean over all classes but the first."""
    classes = logits.shape[1]
    probs, members = logits.softmax(1), one_hot(targets, classes)
    losses = []
    for c in range(1, classes):
        q, y = probs[:, c : c + 1], members[:, c : c + 1]
        middle_q, middle_y = skeleton(q, iterations), skeleton(y, iterations)
        precision = ((middle_q * y).sum() + smooth) / (middle_q.sum() + smooth)
        sensitivity = ((middle_y * q).sum() + smooth) / (middle_y.sum() + smooth)
        losses.append(1 - 2 * precision * sensitivity / (precision + sensitivity))
    return torch.stack(losses).mean()


def boundary(logits, maps):
    """Kervadec et al. 2019, equation 5, averaged."""
    return (logits.softmax(1) * maps).mean()


def field(mask):
    """Distances to the other side of each (...spatial), 0 where there is none."""
    out = np.zeros(mask.shape)
    for at in np.ndindex(mask.shape[:2]):
        if mask[at].any() and not mask[at].all():
            out[at] = distance_transform_edt(mask[at]) + distance_transform_edt(~mask[at])
    return torch.from_numpy(out)


def hausdorff(logits, targets, alpha):
    """Karimi & Salcudean 2019, equation 8, averaged."""
    q, y = logits.softmax(1), one_hot(targets, logits.shape[1])
    distances = field((q > 0.5).numpy()) ** alpha + field((y > 0.5).numpy()) ** alpha
    return ((q - y) ** 2 * distances).mean()


def array(x):
    dtype = "f64" if x.is_floating_point() else "i32"
    return {"shape": list(x.shape), "dtype": dtype, "data": x.detach().flatten().tolist()}


def write(name, loss, source, function, cases):
    """One file; of the inputs of each case, the logits are differentiated by."""
    rows = []
    for case, (logits, other), params in cases:
        live = logits.clone().requires_grad_()
        value = function(live, other, **params)
        (gradient,) = torch.autograd.grad(value, live)
        inputs = {"logits": array(logits), "targets": array(other)}
        rows.append(
            {
                "id": case,
                "inputs": inputs,
                "params": params,
                "value": value.item(),
                "grads": {"logits": array(gradient)},
            }
        )
    text = json.dumps({"loss": loss, "source": source, "cases": rows}, indent=2)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def random_case(seed, shape, present=None, scale=1.0):
    """Logits, and labels of the first `present` classes, in random patches."""
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(shape, generator=g, dtype=torch.float64)
    space = [shape[0], *shape[2:]]
    labels = torch.randint(0, present or shape[1], space, generator=g)
    return logits.round(decimals=4), labels


def segmentations():
    return [
        ("two_classes_2d", random_case(1, (2, 2, 5, 6), scale=2), {}),
        ("four_classes_2d", random_case(2, (1, 4, 6, 5), scale=3), {}),
        ("absent_class_3d", random_case(3, (1, 3, 4, 3, 5), present=2), {}),
        ("cells", random_case(4, (12, 5), scale=2), {}),
    ]


def with_params(cases, *params):
    return [(name, inputs, p) for (name, inputs, _), p in zip(cases, params)]


def lines():
    """Thin structures: a cross, a diagonal, and in three dimensions a rod and a plate."""
    crossing = torch.zeros(2, 7, 8, dtype=torch.long)
    crossing[0, 3, 1:7] = 1
    crossing[0, 1:6, 4] = 1
    for i in range(6):
        crossing[1, i, i : i + 2] = 1
    wide = torch.zeros(1, 9, 9, dtype=torch.long)
    wide[0, 2:7, 1:8] = 1
    wide[0, 8, :] = 2
    rod = torch.zeros(1, 5, 6, 5, dtype=torch.long)
    rod[0, 2, 1:5, 2] = 1
    rod[0, 4, :, :] = 2
    noise = lambda seed, shape: random_case(seed, shape, scale=2)[0]
    lift = lambda labels, classes, seed: (
        noise(seed, (labels.shape[0], classes, *labels.shape[1:]))
        + 2 * one_hot(labels, classes),
        labels,
    )
    return [
        ("lines_2d", lift(crossing, 2, 5), {"iterations": 3, "smooth": 1.0}),
        ("three_classes_2d", lift(wide, 3, 6), {"iterations": 2, "smooth": 0.5}),
        ("three_classes_3d", lift(rod, 3, 7), {"iterations": 1, "smooth": 1.0}),
        ("no_erosion", lift(crossing, 2, 8), {"iterations": 0, "smooth": 0.0}),
    ]


def multi_label(seed, shape, scale=2.0):
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(shape, generator=g, dtype=torch.float64)
    return logits.round(decimals=4), torch.randint(0, 2, shape, generator=g).double()


def main():
    write("lovasz", "lovaszLoss", "Berman et al. 2018, arXiv:1705.08790", lovasz, segmentations())
    write(
        "matthews",
        "matthewsLoss",
        "Abhishek & Hamarneh 2021, arXiv:2010.13454",
        matthews,
        segmentations(),
    )
    ignored = random_case(9, (2, 3, 4))
    ignored[1][0, 1] = ignored[1][1, 3] = 7
    write(
        "poly",
        "polyLoss",
        "Leng et al. 2022, arXiv:2204.12511",
        poly,
        with_params(segmentations(), {"epsilon": 1.0}, {"epsilon": 2.0}, {"epsilon": -1.0})
        + [
            ("ignored", ignored, {"epsilon": 1.0, "ignore_index": 7}),
            ("sum", ignored, {"epsilon": 0.5, "ignore_index": 7, "reduction": "sum"}),
        ],
    )
    names = ("gamma_negative", "gamma_positive", "clip")
    settings = [(4.0, 1.0, 0.05), (0.0, 0.0, 0.0), (2.0, 0.5, 0.2), (0.5, 2.0, 0.0), (1.0, 0.0, 0.1)]
    soft = multi_label(15, (3, 4))[0], torch.linspace(0, 1, 12, dtype=torch.float64).reshape(3, 4)
    write(
        "asymmetric",
        "asymmetricLoss",
        "Ridnik et al. 2021, arXiv:2009.14119",
        asymmetric,
        [
            (f"labels_{i}", multi_label(10 + i, (4, 5)), dict(zip(names, values)))
            for i, values in enumerate(settings)
        ]
        + [("soft_targets", soft, dict(zip(names, settings[0])))],
    )
    write("cl_dice", "clDiceLoss", "Shit et al. 2021, arXiv:2003.07311", cl_dice, lines())
    maps = [
        (name, (logits, random_case(20 + i, logits.shape, scale=3)[0]), {})
        for i, (name, (logits, _), _) in enumerate(segmentations())
    ]
    write("boundary", "boundaryLoss", "Kervadec et al. 2019, arXiv:1812.07032", boundary, maps)
    write(
        "hausdorff",
        "hausdorffLoss",
        "Karimi & Salcudean 2019, arXiv:1904.10030",
        hausdorff,
        with_params(segmentations(), {"alpha": 2.0}, {"alpha": 1.0}, {"alpha": 1.5})
        + [("line_1d", random_case(30, (2, 3, 9), scale=3), {"alpha": 3.0})],
    )


main()
