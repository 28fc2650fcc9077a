"""Golden vectors of the losses of embeddings by their labels or of two views, in float64.

    /usr/bin/python3 tests/golden/make_metric.py

Each loss is written as in its paper, term by term, and differentiated by PyTorch 1.13. Writes one
JSON file per loss beside this script, and tests/losses/metric_published.json.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
torch.manual_seed(20251130)


def normal(*shape):
    """Numbers of four digits, so that files are short."""
    return (torch.randn(*shape, dtype=torch.float64) * 1e4).round() / 1e4


def cosines(x, y):
    return F.normalize(x, eps=1e-12) @ F.normalize(y, eps=1e-12).T


def distance(x, y):
    """With gradient 0 at 0."""
    squared = ((x - y) ** 2).sum()
    return torch.zeros((), dtype=x.dtype) if squared == 0 else squared.sqrt()


def mean(terms):
    return torch.stack(terms).mean() if terms else torch.zeros((), dtype=torch.float64, requires_grad=True)


def supervised_contrastive(embeddings, labels, temperature):
    """Khosla et al. 2020, equation 2, and the mean over anchors with a positive."""
    s = cosines(embeddings, embeddings) / temperature
    n = len(labels)
    losses = []
    for i in range(n):
        positives = [p for p in range(n) if p != i and labels[p] == labels[i]]
        others = [a for a in range(n) if a != i]
        if positives:
            total = torch.logsumexp(s[i, others], 0)
            losses.append(-mean([s[i, p] - total for p in positives]))
    return mean(losses)


def nt_xent(a, b, temperature):
    """Chen et al. 2020, equation 1, over all 2n views."""
    z = torch.cat([a, b])
    s = cosines(z, z) / temperature
    n = len(a)
    losses = []
    for i in range(2 * n):
        others = [k for k in range(2 * n) if k != i]
        losses.append(torch.logsumexp(s[i, others], 0) - s[i, (i + n) % (2 * n)])
    return mean(losses)


def all_triplets(embeddings, labels):
    n = len(labels)
    for a in range(n):
        for p in range(n):
            for q in range(n):
                if p != a and labels[p] == labels[a] and labels[q] != labels[a]:
                    yield a, p, q


def triplet(embeddings, labels, margin, mining):
    n = len(labels)
    d = [[distance(embeddings[i], embeddings[j]) for j in range(n)] for i in range(n)]
    if mining == "hard":
        terms = []
        for a in range(n):
            positives = [d[a][p] for p in range(n) if p != a and labels[p] == labels[a]]
            negatives = [d[a][q] for q in range(n) if labels[q] != labels[a]]
            if positives and negatives:
                terms.append(torch.relu(torch.stack(positives).amax() - torch.stack(negatives).amin() + margin))
        return mean(terms)
    terms = []
    for a, p, q in all_triplets(embeddings, labels):
        counts = d[a][q] < d[a][p] + margin
        if mining == "semiHard":
            counts = counts and d[a][p] < d[a][q]
        if counts:
            terms.append(d[a][p] - d[a][q] + margin)
    return mean(terms)


def arc_face(embeddings, weights, labels, margin, scale):
    """Deng et al. 2019, equation 3, by the angle itself."""
    c = cosines(embeddings, weights)
    rows = torch.arange(len(labels))
    own = torch.cos(torch.acos(c[rows, labels]) + margin)
    return F.cross_entropy(c.index_put((rows, labels), own) * scale, labels)


def cos_face(embeddings, weights, labels, margin, scale):
    c = cosines(embeddings, weights)
    return F.cross_entropy((c - margin * F.one_hot(labels, len(weights)).double()) * scale, labels)


def vic_reg(a, b, invariance, variance, covariance):
    """As the authors' code has it."""
    def spread(x):
        return torch.relu(1 - torch.sqrt(x.var(0) + 1e-4)).mean()

    def between(x):
        x = x - x.mean(0)
        c = x.T @ x / (len(x) - 1)
        return (c**2).sum() / x.shape[1] - (torch.diagonal(c) ** 2).sum() / x.shape[1]

    return (
        invariance * F.mse_loss(a, b)
        + variance * (spread(a) + spread(b)) / 2
        + covariance * (between(a) + between(b))
    )


def barlow_twins(a, b, lambd):
    """Zbontar et al. 2021, equations 1 and 2; constant columns are 0."""
    def standard(x):
        deviation = torch.where((x == x[:1]).all(0), 1.0, x.var(0, unbiased=False))
        return (x - x.mean(0)) * (~(x == x[:1]).all(0)) / torch.sqrt(deviation)

    c = standard(a).T @ standard(b) / len(a)
    own = torch.diagonal(c)
    return ((1 - own) ** 2).sum() + lambd * ((c**2).sum() - (own**2).sum())


def center(embeddings, centers, labels):
    return mean([((x - centers[y]) ** 2).sum() / 2 for x, y in zip(embeddings, labels)])


def proxy_anchor(embeddings, proxies, labels, margin, alpha):
    """Kim et al. 2020, equation 4."""
    s = cosines(embeddings, proxies)
    classes = range(len(proxies))
    near = [s[labels == c, c] for c in classes if (labels == c).any()]
    far = [s[labels != c, c] for c in classes]
    return mean([torch.log1p(torch.exp(-alpha * (x - margin)).sum()) for x in near]) + mean(
        [torch.log1p(torch.exp(alpha * (x + margin)).sum()) for x in far]
    )


def array(x):
    kind = {} if x.dtype == torch.float64 else {"dtype": "i32"}
    return {"shape": list(x.shape), **(kind or {"dtype": "f64"}), "data": x.flatten().tolist()}


def case(name, f, inputs, params):
    moving = {
        k: x.clone().requires_grad_() if x.dtype == torch.float64 else x for k, x in inputs.items()
    }
    value = f(**moving, **params)
    value.backward()
    none = torch.zeros
    grads = {
        k: {"shape": list(x.shape), "data": (none(x.shape) if x.grad is None else x.grad).flatten().tolist()}
        for k, x in moving.items()
        if x.dtype == torch.float64
    }
    return {
        "id": name,
        "inputs": {k: array(x) for k, x in inputs.items()},
        "params": params,
        "value": value.item(),
        "grads": grads,
    }


def write(loss, f, source, cases):
    found = {"loss": loss, "source": source, "cases": [case(n, f, i, p) for n, i, p in cases]}
    (HERE / f"{loss}.json").write_text(json.dumps(found, indent=1) + "\n")


def classes(*labels):
    return torch.tensor(labels)


def doubled(x, *rows):
    """With some rows equal to the first one."""
    y = x.clone()
    y[list(rows)] = x[0]
    return y


THREE = classes(0, 2, 1, 1, 2, 0, 2, 2)
GAPS = classes(7, 40, 7, 0, 40, 7, 1000)

write(
    "supervised_contrastive",
    supervised_contrastive,
    "Khosla et al. 2020, equation 2, term by term",
    [
        ("three_classes", {"embeddings": normal(8, 3), "labels": THREE}, {"temperature": 0.1}),
        ("gaps_and_singles", {"embeddings": normal(7, 4), "labels": GAPS}, {"temperature": 0.5}),
        ("one_class", {"embeddings": normal(5, 2), "labels": classes(3, 3, 3, 3, 3)}, {"temperature": 2.0}),
        ("duplicates", {"embeddings": doubled(normal(8, 3), 5, 6), "labels": THREE}, {"temperature": 0.02}),
        ("all_apart", {"embeddings": normal(4, 2), "labels": classes(0, 1, 2, 3)}, {"temperature": 0.1}),
    ],
)
A, B = normal(5, 3), normal(5, 3)
write(
    "nt_xent",
    nt_xent,
    "Chen et al. 2020, equation 1, over all views",
    [
        ("random", {"a": A, "b": B}, {"temperature": 0.5}),
        ("cold", {"a": A, "b": A + 0.3 * B}, {"temperature": 0.05}),
        ("duplicates", {"a": doubled(A, 2), "b": doubled(B, 2)}, {"temperature": 1.0}),
        ("one_cell", {"a": A[:1], "b": B[:1]}, {"temperature": 0.5}),
    ],
)
CELLS = normal(8, 3)
write(
    "triplet",
    triplet,
    "Hermans et al. 2017 (batch all over non-zero terms, batch hard) and Schroff et al. 2015 "
    "(semi-hard), triplet by triplet, with distances",
    [
        (f"{mining}_{margin}", {"embeddings": CELLS, "labels": THREE}, {"margin": margin, "mining": mining})
        for mining in ["all", "hard", "semiHard"]
        for margin in [0.2, 1.0, 4.0]
    ]
    + [
        (f"{mining}_gaps", {"embeddings": normal(7, 2), "labels": GAPS}, {"margin": 0.7, "mining": mining})
        for mining in ["all", "hard", "semiHard"]
    ]
    + [
        (f"{mining}_duplicates", {"embeddings": doubled(CELLS, 3, 5), "labels": THREE}, {"margin": 0.5, "mining": mining})
        for mining in ["all", "hard", "semiHard"]
    ]
    + [("all_one_class", {"embeddings": normal(4, 2), "labels": classes(1, 1, 1, 1)}, {"margin": 1.0, "mining": "all"})],
)
ANGULAR = {"embeddings": normal(6, 4), "weights": normal(3, 4), "labels": classes(0, 2, 1, 1, 2, 0)}
write(
    "arc_face",
    arc_face,
    "Deng et al. 2019, equation 3, by the arccosine",
    [
        ("default", ANGULAR, {"margin": 0.5, "scale": 64.0}),
        ("soft", ANGULAR, {"margin": 0.3, "scale": 4.0}),
        ("beyond_pi", ANGULAR, {"margin": 2.5, "scale": 4.0}),
        ("no_margin", ANGULAR, {"margin": 0.0, "scale": 10.0}),
    ],
)
write(
    "cos_face",
    cos_face,
    "Wang et al. 2018, equation 4",
    [
        ("default", ANGULAR, {"margin": 0.35, "scale": 64.0}),
        ("soft", ANGULAR, {"margin": 0.2, "scale": 4.0}),
        ("wide", ANGULAR, {"margin": 1.5, "scale": 2.0}),
    ],
)
WIDE = normal(4, 7)
write(
    "vic_reg",
    vic_reg,
    "Bardes et al. 2022, main_vicreg.py",
    [
        ("default", {"a": A, "b": B}, {"invariance": 25.0, "variance": 25.0, "covariance": 1.0}),
        ("narrow", {"a": 0.3 * A, "b": 0.2 * B + 5}, {"invariance": 2.0, "variance": 3.0, "covariance": 7.0}),
        ("wide", {"a": WIDE, "b": WIDE + 0.1 * normal(4, 7)}, {"invariance": 10.0, "variance": 0.0, "covariance": 5.0}),
    ],
)
FLAT = A.clone()
FLAT[:, 1] = 0.1
write(
    "barlow_twins",
    barlow_twins,
    "Zbontar et al. 2021, equations 1 and 2",
    [
        ("random", {"a": A, "b": B}, {"lambd": 0.005}),
        ("near", {"a": WIDE, "b": WIDE + 0.1 * normal(4, 7)}, {"lambd": 0.5}),
        ("constant_column", {"a": FLAT, "b": B + 3}, {"lambd": 0.1}),
    ],
)
CENTERS = {"embeddings": normal(6, 3), "centers": normal(4, 3), "labels": classes(0, 2, 1, 1, 2, 0)}
write(
    "center",
    center,
    "Wen et al. 2016, equation 2, as a mean",
    [
        ("random", CENTERS, {}),
        ("one_cell", {k: x if k == "centers" else x[:1] for k, x in CENTERS.items()}, {}),
        ("on_their_centers", {**CENTERS, "embeddings": CENTERS["centers"][CENTERS["labels"]]}, {}),
    ],
)
PROXIES = {"embeddings": normal(6, 4), "proxies": normal(4, 4), "labels": classes(0, 2, 1, 1, 2, 0)}
write(
    "proxy_anchor",
    proxy_anchor,
    "Kim et al. 2020, equation 4",
    [
        ("default", PROXIES, {"margin": 0.1, "alpha": 32.0}),
        ("soft", PROXIES, {"margin": 0.5, "alpha": 2.0}),
        ("one_class", {**PROXIES, "labels": classes(3, 3, 3, 3, 3, 3)}, {"margin": 0.0, "alpha": 8.0}),
    ],
)


# What other libraries' tests expect, as facts: numbers where they print them, else their formula.

PML = "pytorch-metric-learning tests/losses/"
MONAI = "MONAI tests/losses/"
OPTAX = "optax losses/_self_supervised_test.py"


def on_circle(*degrees):
    return torch.tensor([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in degrees], dtype=torch.float64)


def agrees(where, loss, args, expected, options=None, atol=1e-4):
    if torch.is_tensor(expected):
        expected, atol = expected.item(), 1e-9
    given = [x.tolist() if torch.is_tensor(x) else x for x in args]
    return {"from": where, "loss": loss, "args": given, "options": options or {}, "expected": expected, "atol": atol}


def differs(where, loss, args, theirs, ours, why, options=None):
    row = agrees(where, loss, args, ours, options)
    return {**row, "theirs": theirs, "why": why}


def mined(x, triplets, margin):
    """The mean term of triplets that a miner found."""
    return mean([torch.relu(distance(x[a], x[p]) - distance(x[a], x[q]) + margin) for a, p, q in triplets])


SIX, SIX_LABELS = on_circle(0, 10, 20, 50, 60, 80), [0, 0, 0, 1, 1, 2]
FIVE, FIVE_LABELS = on_circle(0, 20, 40, 60, 80), [0, 0, 1, 1, 2]
NINE, NINE_LABELS = on_circle(*range(0, 180, 20)), [0, 0, 1, 1, 0, 2, 1, 1, 1]
HARDEST = list(zip([0, 1, 2, 3, 4, 6, 7, 8], [4, 4, 8, 8, 0, 2, 2, 2], [2, 2, 1, 4, 3, 5, 5, 5]))
LINE = torch.arange(9, dtype=torch.float64)[:, None]
ROWS = [[-1.9540, 1.0780], [0.2380, -0.5703], [1.8745, -0.0195], [-0.6719, -1.9210]]
ZERO_ROW = [[0.0, 0.0], *ROWS[1:]]
A4 = [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]
B4 = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
MIXED = "MONAI standardises with n − 1 and divides by n"
BARLOW = [
    ([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0]], [[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 1.0]], 5e-3, 5.2562),
    ([[2.0, 3.0, 1.0, 2.0], [0.0, 1.0, 2.0, 5.0]], [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], 5e-4, 5.0015),
    (
        [[1.0, 2.0, 1.0, 1.0], [3.0, 1.0, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 0.0]],
        [[0.0, 1.0, -1.0, 0.0], [1 / 3, 0.0, -2 / 3, 1 / 3], [-2 / 3, -1.0, 7 / 3, 1 / 3], [1 / 3, 0.0, 1 / 3, -2 / 3]],
        5e-3,
        1.4736,
    ),
]
double = lambda x: torch.tensor(x, dtype=torch.float64)
WHEEL = on_circle(*range(180))
WHEEL_LABELS = [(7 * i) % 10 for i in range(180)]
TEN = normal(10, 2)

AGREE = [
    agrees(f"{MONAI}test_contrastive_loss.py, 1", "ntXentLoss", [A4[:1], A4[:1]], 0.0, {"temperature": 0.5}),
    agrees(f"{MONAI}test_contrastive_loss.py, 2", "ntXentLoss", [A4, A4], 1.0986, {"temperature": 0.5}),
    agrees(
        f"{MONAI}test_contrastive_loss.py, 3",
        "ntXentLoss",
        [[[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]],
        0.8719,
        {"temperature": 0.5},
    ),
    agrees(f"{MONAI}test_contrastive_loss.py, 4", "ntXentLoss", [B4[:1], A4[:1]], 0.0, {"temperature": 0.5}),
    agrees(f"{MONAI}test_contrastive_loss.py, 5", "ntXentLoss", [B4[:1], A4[:1]], 0.0, {"temperature": 0.05}),
    agrees(f"{MONAI}test_contrastive_loss.py, ones", "ntXentLoss", [[[1.0] * 10], [[1.0] * 10]], 0.0, {"temperature": 0.5}),
    agrees(f"{MONAI}test_barlow_twins_loss.py, 1", "barlowTwinsLoss", [A4, A4], 4.0, {"lambda": 5e-3}),
    agrees(f"{MONAI}test_barlow_twins_loss.py, 2", "barlowTwinsLoss", [B4, A4], 4.0, {"lambda": 5e-3}),
    agrees(f"{MONAI}test_barlow_twins_loss.py, ones", "barlowTwinsLoss", [[[1.0] * 10] * 2] * 2, 10.0, {"lambda": 5e-3}),
    agrees(f"{OPTAX}, ntxent 1", "supervisedContrastiveLoss", [ROWS, [0, 0, 1, 1]], 14.01032, {"temperature": 0.07}),
    agrees(f"{OPTAX}, ntxent 1 as views", "ntXentLoss", [ROWS[::2], ROWS[1::2]], 14.01032, {"temperature": 0.07}),
    agrees(f"{OPTAX}, ntxent 3", "supervisedContrastiveLoss", [ZERO_ROW, [0, 0, 1, 1]], 9.2889, {"temperature": 0.07}),
    agrees(f"{OPTAX}, triplet_margin_loss 1", "tripletLoss", [[[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]], [0, 0, 1]], 1.0, {"margin": 1.0}),
    agrees(f"{PML}test_supcon_loss.py, cosine", "supervisedContrastiveLoss", [SIX, SIX_LABELS], supervised_contrastive(SIX, SIX_LABELS, 0.1)),
    agrees(f"{PML}test_supcon_loss.py, one cell", "supervisedContrastiveLoss", [on_circle(0), [0]], 0.0),
    agrees(f"{PML}test_supcon_loss.py, no positives", "supervisedContrastiveLoss", [on_circle(0, 40, 60), [1, 2, 3]], 0.0),
    agrees(f"{PML}test_triplet_margin_loss.py, non-zero terms", "tripletLoss", [FIVE, FIVE_LABELS], triplet(FIVE, FIVE_LABELS, 0.2, "all"), {"margin": 0.2}),
    agrees(f"{PML}test_triplet_margin_loss.py, no triplets", "tripletLoss", [FIVE, [0, 1, 2, 3, 4]], 0.0, {"margin": 0.2}),
    agrees("pytorch-metric-learning tests/miners/test_batch_hard_miner.py, line", "tripletLoss", [LINE, NINE_LABELS], mined(LINE, HARDEST, 10), {"margin": 10, "mining": "hard"}),
    agrees("pytorch-metric-learning tests/miners/test_batch_hard_miner.py, circle", "tripletLoss", [NINE, NINE_LABELS], mined(NINE, HARDEST, 10), {"margin": 10, "mining": "hard"}),
    agrees("pytorch-metric-learning tests/miners/test_batch_hard_miner.py, no triplets", "tripletLoss", [LINE, list(range(9))], 0.0, {"mining": "hard"}),
    agrees(f"{PML}test_arcface_loss.py", "arcFaceLoss", [WHEEL, TEN, WHEEL_LABELS], arc_face(WHEEL, TEN, torch.tensor(WHEEL_LABELS), math.radians(30), 64), {"margin": math.radians(30), "scale": 64}),
    agrees(f"{PML}test_cosface_loss.py", "cosFaceLoss", [WHEEL, TEN, WHEEL_LABELS], cos_face(WHEEL, TEN, torch.tensor(WHEEL_LABELS), 0.5, 64), {"margin": 0.5, "scale": 64}),
    agrees(f"{PML}test_proxy_anchor_loss.py", "proxyAnchorLoss", [WHEEL, TEN, [y % 5 for y in WHEEL_LABELS]], proxy_anchor(WHEEL, TEN, torch.tensor(WHEEL_LABELS) % 5, 0.5, 32), {"margin": 0.5, "alpha": 32}),
    agrees(f"{PML}test_vicreg_loss.py, 1", "vicRegLoss", [A, A + 0.1 * B], vic_reg(A, A + 0.1 * B, 25, 25, 1)),
]
DIFFER = [
    differs(f"{PML}test_supcon_loss.py, one label", "supervisedContrastiveLoss", [on_circle(0, 10, 20), [0, 0, 0]], 0.0, supervised_contrastive(on_circle(0, 10, 20), [0, 0, 0], 0.1), "the paper's formula asks for no negatives"),
    differs(f"{OPTAX}, ntxent 2", "supervisedContrastiveLoss", [ROWS, [0, 0, 0, 1]], 8.968544, supervised_contrastive(double(ROWS), [0, 0, 0, 1], 0.07), "optax sets each pair of a label against other labels only", {"temperature": 0.07}),
    *(
        differs(f"{MONAI}test_barlow_twins_loss.py, {3 + i}", "barlowTwinsLoss", [a, b], theirs, barlow_twins(double(a), double(b), lambd), MIXED, {"lambda": lambd})
        for i, (a, b, lambd, theirs) in enumerate(BARLOW)
    ),
    differs(f"{OPTAX}, triplet_margin_loss 2", "tripletLoss", [[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0, 0, 1]], 0.0, 1.0, "optax is given anchors; here both cells of a label are", {"margin": 1.0}),
]
CANNOT = {
    f"{PML}test_supcon_loss.py and test_ntxent_loss.py with LpDistance": "similarities are cosines, not negative distances",
    f"{PML}test_ntxent_loss.py, three cells per label, and by anchor": "pairs of a label against other labels only, as in optax",
    f"{PML}test_ntxent_loss.py with ref_emb": "embeddings are compared with each other, not with a second set",
    f"{PML}test_triplet_margin_loss.py with MeanReducer": "the mean over all triplets, zeros included",
    f"{PML}test_triplet_margin_loss.py with CosineSimilarity or smooth_loss": "distances are Euclidean, the hinge is sharp",
    f"{PML}test_vicreg_loss.py, 2 and 3": "the number below the root is 1e-4",
    f"{PML}*, test_backward and get_logits": "they expect no number",
    f"{MONAI}*, test_ill_shape and test_ill_batch_size": "errors, which are ours; a single cell is allowed in barlowTwinsLoss",
    f"{OPTAX}, test_vmap": "the first row, mapped; tests/program/losses_test.ts maps ours",
}
(HERE.parent / "losses" / "metric_published.json").write_text(
    json.dumps({"agree": AGREE, "differ": DIFFER, "cannot": CANNOT}, indent=1, ensure_ascii=False) + "\n"
)
