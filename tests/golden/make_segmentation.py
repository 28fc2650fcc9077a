"""Values and gradients of the losses of segmentations, from the papers' formulas, by PyTorch's autograd.

Run by Debian's python3 (PyTorch 1.13) in this folder; it writes the files that it names.
"""
import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20250)


def array(x):
    kind = "i32" if x.dtype == torch.int64 else "f64"
    data = [int(v) if kind == "i32" else float(f"{v:.15g}") for v in x.detach().reshape(-1).tolist()]
    return {"shape": list(x.shape), "dtype": kind, "data": data}


def case(name, f, inputs, params, by):
    moving = {k: v.clone().requires_grad_(k in by) for k, v in inputs.items()}
    value = f(**moving, **params)
    grads = torch.autograd.grad(value, [moving[k] for k in by])
    return {
        "id": name,
        "inputs": {k: array(v) for k, v in inputs.items()},
        "params": params,
        "value": float(f"{value.item():.15g}"),
        "grads": {k: array(g) for k, g in zip(by, grads)},
    }


def write(loss, source, cases):
    with open(f"{loss}.json", "w") as file:
        json.dump({"loss": loss, "source": source, "cases": cases}, file, indent=2)
        file.write("\n")


def rounded(*shape):
    return torch.round(torch.randn(*shape) * 1.5, decimals=3)


def labels(classes, *shape):
    return torch.randint(0, classes, shape)


def one_hot(logits, targets):
    if targets.shape == logits.shape:
        return targets
    classes = logits.shape[1]
    if classes == 1:
        return targets.unsqueeze(1).to(logits.dtype)
    return F.one_hot(targets, classes).movedim(-1, 1).to(logits.dtype)


def activate(logits, activation):
    if activation == "none":
        return logits
    return logits.sigmoid() if activation == "sigmoid" else logits.softmax(1)


def counts(logits, targets, p):
    q, y = activate(logits, p.get("activation")), one_hot(logits, targets)
    if p.get("includeBackground") is False:
        q, y = q[:, 1:], y[:, 1:]
    axes = [i for i in range(q.dim()) if i != 1 and not (i == 0 and p.get("perSample"))]
    over = (lambda x: x.sum(axes)) if axes else (lambda x: x)
    tp = over(q * y)
    power = 2 if p.get("squared") else 1
    return tp, over(q**power) - tp, over(y**power) - tp, over(y)


def reduce(losses, volume, weight, p):
    if weight is not None:
        losses = losses * (weight[1:] if p.get("includeBackground") is False else weight)
    if p.get("absent") != "skip":
        return losses.sum() if p.get("reduction") == "sum" else losses.mean()
    present = (volume != 0).to(losses.dtype)
    total = (losses * present).sum()
    return total if p.get("reduction") == "sum" else total / present.sum()


def ratio(index):
    def loss(logits, targets, weight=None, **p):
        tp, fp, fn, volume = counts(logits, targets, p)
        if p.get("perClass") is False:
            tp, fp, fn, volume = (x.sum(-1) for x in (tp, fp, fn, volume))
        return reduce(index(tp, fp, fn, p), volume, weight, p)

    return loss


def tversky(tp, fp, fn, p):
    s = p["smooth"]
    return 1 - (tp + s) / (tp + p["alpha"] * fp + p["beta"] * fn + s)


dice = ratio(lambda tp, fp, fn, p: 1 - (2 * tp + p["smooth"]) / (2 * tp + fp + fn + p["smooth"]))
jaccard = ratio(lambda tp, fp, fn, p: 1 - (tp + p["smooth"]) / (tp + fp + fn + p["smooth"]))
tversky_loss = ratio(tversky)
focal_tversky = ratio(lambda tp, fp, fn, p: tversky(tp, fp, fn, p) ** p["gamma"])


def generalized_dice(logits, targets, weight=None, **p):
    tp, fp, fn, volume = counts(logits, targets, p)
    w = 1 / volume**2
    w[torch.isinf(w)] = 0 if p.get("absent") == "skip" else w[~torch.isinf(w)].max()
    if weight is not None:
        w = w * weight
    s = p["smooth"]
    return (1 - (2 * (w * tp).sum(-1) + s) / ((w * (2 * tp + fp + fn)).sum(-1) + s)).mean()


def cross_entropy(logits, targets, weight=None, **p):
    return F.cross_entropy(
        logits,
        targets,
        weight=weight,
        label_smoothing=p.get("labelSmoothing", 0.0),
        reduction=p.get("reduction", "mean"),
    )


def binary(logits, targets, positiveWeight=None, weight=None, **p):
    return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=positiveWeight, weight=weight)


def binary_probs(probs, targets, positiveWeight=None, weight=None, **p):
    v = 1 if positiveWeight is None else positiveWeight
    losses = -(v * targets * probs.log() + (1 - targets) * (1 - probs).log())
    return (losses if weight is None else losses * weight).mean()


def dice_ce(logits, targets, weight=None, **p):
    y = one_hot(logits, targets)
    if p.get("activation") == "sigmoid":
        v = None if "positiveWeight" not in p else torch.tensor(p["positiveWeight"])
        w = None if weight is None else weight.reshape(-1, *[1] * (logits.dim() - 2))
        ce = F.binary_cross_entropy_with_logits(logits, y, pos_weight=v, weight=w)
    else:
        ce = cross_entropy(logits, targets, weight, **p)
    return p["diceWeight"] * dice(logits, targets, weight, **p) + p["crossEntropyWeight"] * ce


def focal(logits, targets, weight=None, **p):
    y = one_hot(logits, targets)
    columns = [-1] + [1] * (logits.dim() - 2)
    w = torch.ones(logits.shape[1]) if weight is None else weight
    w, g = w.reshape(columns), p["gamma"]
    first = 1 if p.get("includeBackground") is False else 0
    if p.get("activation") == "sigmoid":
        q = logits.sigmoid()
        there, absent = (1 - q) ** g * q.log(), q**g * (1 - q).log()
        return -(w * (y * there + (1 - y) * absent))[:, first:].mean()
    q = logits.softmax(1)
    return -(w * (1 - q) ** g * y * q.log())[:, first:].sum(1).mean()


def unified(logits, targets, weight, delta, gamma, form):
    q, y = logits.softmax(1), one_hot(logits, targets)
    axes = [i for i in range(q.dim()) if i != 1]
    classes = logits.shape[1]
    symmetric = form == "symmetric"
    d = torch.tensor([1 - delta] + [delta] * (classes - 1))
    g = torch.tensor([gamma] + [gamma if symmetric else 0.0] * (classes - 1))
    e = torch.tensor([1 - gamma if symmetric else 1.0] + [1 - gamma] * (classes - 1))
    columns = [-1] + [1] * (logits.dim() - 2)
    terms = d.reshape(columns) * (1 - q) ** g.reshape(columns) * y * q.log()
    tp = (q * y).sum(axes)
    index = tp / (tp + delta * ((1 - q) * y).sum(axes) + (1 - delta) * (q * (1 - y)).sum(axes))
    return weight * -terms.sum(1).mean() + (1 - weight) * ((1 - index) ** e).mean()


volume = {"logits": rounded(2, 3, 4), "targets": labels(3, 2, 4)}
soft = {"logits": rounded(3, 3, 2), "targets": torch.round(rounded(3, 3, 2).softmax(1), decimals=3)}
channel = {"logits": rounded(2, 1, 2, 3), "targets": labels(2, 2, 2, 3)}
many = {"logits": rounded(2, 3, 3), "targets": labels(2, 2, 3, 3).to(torch.float64)}
gone = {"logits": rounded(2, 4, 3), "targets": labels(2, 2, 3)}
weight3, weight4 = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([0.5, 1.0, 2.0, 3.0])
both = ["logits", "targets"]


def overlap(name, loss, source, more):
    options = {"smooth": 1.0, **more}
    write(name, source, [
        case("labels", loss, volume, options, ["logits"]),
        case("no_background_sum", loss, volume, {**options, "includeBackground": False, "reduction": "sum"}, ["logits"]),
        case("per_sample_weights", loss, {**volume, "weight": weight3}, {**options, "perSample": True}, ["logits", "weight"]),
        case("soft", loss, soft, options, both),
        case("one_channel", loss, channel, {**options, "activation": "sigmoid"}, ["logits"]),
        case("many_labels_no_smoothing", loss, many, {**options, "activation": "sigmoid", "smooth": 0.0}, ["logits"]),
        case("absent_skipped", loss, gone, {**options, "absent": "skip"}, ["logits"]),
        case("absent_counted", loss, gone, {**options, "smooth": 0.0}, ["logits"]),
    ])


overlap("jaccard", jaccard, "Rahman & Wang 2016, the formula in PyTorch 1.13", {})
overlap("jaccard_squared", jaccard, "the same with sums of squares", {"squared": True})
overlap("dice_options", dice, "Milletari et al. 2016, with MONAI's options, in PyTorch 1.13", {})
overlap("dice_squared", dice, "the same with sums of squares", {"squared": True})
overlap("tversky_options", tversky_loss, "Salehi et al. 2017, in PyTorch 1.13", {"alpha": 0.6, "beta": 1.5})
overlap("focal_tversky", focal_tversky, "Abraham & Khan 2019, in PyTorch 1.13", {"alpha": 0.7, "beta": 0.3, "gamma": 0.75})
pooled = {"perClass": False, "smooth": 1.0}
write("dice_pooled", "Milletari et al. 2016, one ratio of all classes, in PyTorch 1.13", [
    case("labels_no_background", dice, volume, {**pooled, "includeBackground": False}, ["logits"]),
    case("per_sample_squared", dice, soft, {**pooled, "perSample": True, "squared": True}, both),
    case("many_labels", dice, many, {**pooled, "activation": "sigmoid"}, ["logits"]),
])
small = {"smooth": 1e-5}
write("generalized_dice", "Sudre et al. 2017, in PyTorch 1.13", [
    case("labels", generalized_dice, volume, small, ["logits"]),
    case("per_sample_weights", generalized_dice, {**volume, "weight": weight3}, {"smooth": 0.5, "perSample": True}, ["logits", "weight"]),
    case("soft", generalized_dice, soft, {"smooth": 0.1}, both),
    case("squared", generalized_dice, volume, {**small, "squared": True}, ["logits"]),
    case("one_channel", generalized_dice, channel, {**small, "activation": "sigmoid"}, ["logits"]),
    case("absent_skipped", generalized_dice, {**gone, "weight": weight4}, {**small, "absent": "skip"}, ["logits", "weight"]),
    case("absent_counted", generalized_dice, gone, small, ["logits"]),
])
write("soft_cross_entropy", "torch.nn.functional.cross_entropy of probabilities, PyTorch 1.13", [
    case("plain", cross_entropy, soft, {}, both),
    case("weights", cross_entropy, {**soft, "weight": weight3}, {}, ["logits", "targets"]),
    case("smoothed_sum", cross_entropy, {**soft, "weight": weight3}, {"labelSmoothing": 0.2, "reduction": "sum"}, both),
])
shares = {"targets": many["targets"] * 0.7 + 0.1}
for name, f, inputs in [
    ("binary_cross_entropy_logits", binary, {"logits": many["logits"]}),
    ("binary_cross_entropy", binary_probs, {"probs": torch.round(many["logits"].sigmoid(), decimals=3)}),
]:
    by = list(inputs)
    columns = {"positiveWeight": torch.tensor([[0.5], [1.0], [3.0]])}
    write(name, "torch.nn.functional.binary_cross_entropy_with_logits and its formula, PyTorch 1.13", [
        case("labels", f, {**inputs, "targets": many["targets"]}, {}, by),
        case("shares", f, {**inputs, **shares}, {}, [*by, "targets"]),
        case("weights", f, {**inputs, "targets": many["targets"], **columns, "weight": torch.tensor([1.0, 0.5, 2.0])}, {}, by),
    ])
parts = {"diceWeight": 0.7, "crossEntropyWeight": 1.3, "smooth": 1.0}
write("dice_cross_entropy", "Isensee et al. 2021, in PyTorch 1.13", [
    case("labels", dice_ce, volume, parts, ["logits"]),
    case("weights", dice_ce, {**volume, "weight": weight3}, {**parts, "includeBackground": False, "labelSmoothing": 0.1}, ["logits"]),
    case("soft", dice_ce, soft, {**parts, "perSample": True}, both),
    case("one_channel", dice_ce, channel, {**parts, "activation": "sigmoid", "positiveWeight": 2.0}, ["logits"]),
    case("many_labels_weights", dice_ce, {**many, "weight": weight3}, {**parts, "activation": "sigmoid"}, ["logits"]),
])
write("focal_options", "Lin et al. 2017, in PyTorch 1.13", [
    case("sigmoid", focal, many, {"gamma": 2.0, "activation": "sigmoid"}, ["logits"]),
    case("sigmoid_weights", focal, {**volume, "weight": weight3}, {"gamma": 0.5, "activation": "sigmoid", "includeBackground": False}, ["logits"]),
    case("one_channel", focal, channel, {"gamma": 1.5, "activation": "sigmoid"}, ["logits"]),
    case("shares", focal, {**soft, "weight": weight3}, {"gamma": 1.5}, both),
    case("no_background", focal, volume, {"gamma": 2.0, "includeBackground": False}, ["logits"]),
])
defaults = {"weight": 0.5, "delta": 0.6, "gamma": 0.5, "form": "asymmetric"}
write("unified_focal", "Yeung et al. 2022, in PyTorch 1.13", [
    case("asymmetric", unified, volume, defaults, ["logits"]),
    case("symmetric", unified, volume, {**defaults, "form": "symmetric", "weight": 0.3}, ["logits"]),
    case("soft", unified, soft, {**defaults, "delta": 0.7, "gamma": 0.2}, both),
    case("absent", unified, gone, {**defaults, "gamma": 0.8}, ["logits"]),
])
