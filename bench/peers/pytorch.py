"""PyTorch's side: one JSON object per line in, one out; arrays as base64 of float32.

At first {"version": of PyTorch}, or {"error": message} where it is missing. Then

{"prepare": form, "inputs": {name: {"shape": [...], "data": "..."}}} -> {"task": number or null}
{"task": number} -> {"outputs": ["...", ...]}
{"task": number, "calls": n} -> {"ms": the processor's milliseconds for n calls}

A request that fails is answered by {"error": message}.
"""

import base64
import json
import math
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(json.dumps({"error": f"{missing} (install python3-torch)"}))
    sys.exit()


def gradient(loss, count, args):
    """Value and gradients of the first `count` arguments."""
    live = [x.requires_grad_() for x in args[:count]]

    def call():
        value = loss(*args)
        gradients = torch.autograd.grad(value, live)
        return [value.item(), *(g.numpy() for g in gradients)]

    return call


def forward(f, args):
    return lambda: [f(*args).numpy()]


def expanded(x, y):
    return (x * x).sum(1, keepdim=True) + (y * y).sum(1) - 2 * x @ y.T


def mmd(x, y):
    def kernel(a, b):
        squared = expanded(a, b)
        return sum(torch.exp(squared * (-0.5 / s**2)) for s in (1, 2, 4, 8, 16)).mean() / 5

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


def energy_distance(distances):
    def mean(x, y):
        return distances(x, y).mean()

    return lambda x, y: 2 * mean(x, y) - mean(x, x) - mean(y, y)


def cdist(mode):
    return lambda x, y: torch.cdist(x, y, compute_mode=mode)


def tensorised(x, y):
    """Roots of expanded squares, kept away from 0, as GeomLoss has them for State."""
    return expanded(x, y).clamp_min(1e-8).sqrt()


def entropy_of(shares):
    return (shares * torch.log(shares + 1e-8)).sum(1).mean() / math.log(3)


def batch_mixing(cells, batches):
    self = torch.eye(len(cells), dtype=torch.bool)
    away = expanded(cells, cells).masked_fill(self, 1e10)
    return entropy_of(F.softmax(-away, 1) @ batches)


def batch_mixing_topk(cells, batches):
    self = torch.eye(len(cells), dtype=torch.bool)
    away = expanded(cells, cells).masked_fill(self, 1e10)
    nearest, places = away.topk(15, dim=1, largest=False)
    return entropy_of((F.softmax(-nearest, 1)[:, :, None] * batches[places]).sum(1))


def elastic(cells):
    units = F.normalize(cells)
    similarity = F.relu((units @ units.T).masked_fill(torch.eye(len(cells), dtype=torch.bool), 0))
    return (1 - (similarity - 0.3) ** 2).mean()


def contrastive(first, second):
    similarity = F.normalize(first, eps=1e-8) @ F.normalize(second, eps=1e-8).T / 0.5
    return F.cross_entropy(similarity, torch.arange(len(first)))


def contrastive_broadcast(first, second):
    """As scGPT and scFormer have it."""
    similarity = F.cosine_similarity(first.unsqueeze(1), second.unsqueeze(0), dim=-1) / 0.5
    return F.cross_entropy(similarity, torch.arange(len(first)))


def supervised_contrastive(cells, labels):
    """In the steps of the authors' SupConLoss, with one view and tau_base = tau = 0.1."""
    features = F.normalize(cells)
    column = labels.view(-1, 1)
    same = torch.eq(column, column.T).float().repeat(1, 1)
    logits = torch.div(features @ features.T, 0.1)
    top, _ = logits.max(dim=1, keepdim=True)
    logits = logits - top.detach()
    others = torch.scatter(torch.ones_like(same), 1, torch.arange(len(cells)).view(-1, 1), 0)
    same = same * others
    powers = torch.exp(logits) * others
    logs = logits - torch.log(powers.sum(1, keepdim=True))
    return -((same * logs).sum(1) / same.sum(1)).mean()


def focal_and_dice(logits, labels, one_hot):
    logs = F.log_softmax(logits, 1)
    nll = F.nll_loss(logs, labels, reduction="none")
    focal = ((1 - torch.exp(-nll)) ** 2 * nll).mean()
    p = logs.exp()
    both = (p * one_hot).sum((0, 2, 3))
    either = p.sum((0, 2, 3)) + one_hot.sum((0, 2, 3))
    return 0.5 * focal + 0.5 * (1 - (2 * both + 1) / (either + 1)).mean()


def lovasz(logits, labels):
    """As its authors have it: each class by itself, differences of the Jaccard losses."""
    classes = logits.shape[1]
    probs = logits.softmax(1).permute(0, 2, 3, 1).reshape(-1, classes)
    losses = []
    for c in range(classes):
        members = (labels.view(-1) == c).float()
        if members.sum() == 0:
            continue
        errors, order = torch.sort((members - probs[:, c]).abs(), 0, descending=True)
        found = members[order]
        total = found.sum()
        jaccard = 1 - (total - found.cumsum(0)) / (total + (1 - found).cumsum(0))
        jaccard[1:] = jaccard[1:] - jaccard[:-1]
        losses.append(torch.dot(errors, jaccard))
    return sum(losses) / len(losses)


def hausdorff(logits, labels, members):
    """As MONAI has it, with the background: distances by SciPy, on the host."""
    import numpy as np
    from scipy.ndimage import distance_transform_edt as edt

    probs = logits.softmax(1)

    def field(x):
        masks = (x.detach() > 0.5).numpy()
        fields = np.array([[edt(m) + edt(~m) for m in sample] for sample in masks])
        return torch.from_numpy(fields).float()

    return ((probs - members) ** 2 * (field(probs) ** 2 + field(members) ** 2)).mean()


def bernoulli_and_mse(predictions, probabilities, targets, mask):
    squares = (((predictions - targets) * mask) ** 2).sum()
    limited = probabilities.clamp(2**-23, 1 - 2**-23)
    present = (targets > 0).float()
    against = F.binary_cross_entropy(limited, present, weight=mask, reduction="sum")
    return (squares + against) / mask.sum()


def negative_binomial(mu, theta, counts):
    """As scVI has it."""
    log_both = torch.log(theta + mu + 1e-8)
    logs = (
        theta * (torch.log(theta + 1e-8) - log_both)
        + counts * (torch.log(mu + 1e-8) - log_both)
        + torch.lgamma(counts + theta)
        - torch.lgamma(theta)
        - torch.lgamma(counts + 1)
    )
    return -logs.mean()


def zinb(log_rate, log_theta, pi, counts):
    """As scVI has it."""
    mu, theta = log_rate.exp(), log_theta.exp()
    softplus_pi = F.softplus(-pi)
    log_theta_eps = torch.log(theta + 1e-8)
    log_both = torch.log(theta + mu + 1e-8)
    pi_theta = -pi + theta * (log_theta_eps - log_both)
    at_zero = F.softplus(pi_theta) - softplus_pi
    above = (
        -softplus_pi
        + pi_theta
        + counts * (torch.log(mu + 1e-8) - log_both)
        + torch.lgamma(counts + theta)
        - torch.lgamma(theta)
        - torch.lgamma(counts + 1)
    )
    is_zero = counts < 1e-8
    return -(is_zero * at_zero + ~is_zero * above).sum()


def embedding(table, genes, targets):
    rows = F.layer_norm(F.embedding(genes, table), table.shape[1:])
    return F.mse_loss(rows, targets)


def conv(x, kernel):
    return F.conv2d(x, kernel, padding="same").square().mean()


def lstm(x, wi, wh, b):
    layer = torch.nn.LSTM(wi.shape[0], wh.shape[0])
    with torch.no_grad():
        for name, value in {"ih": wi, "hh": wh}.items():
            getattr(layer, f"weight_{name}_l0").copy_(value.T)
        layer.bias_ih_l0.copy_(b)
        layer.bias_hh_l0.zero_()
    live = [x.requires_grad_(), layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0]

    def call():
        value = layer(x)[0].square().mean()
        gx, gi, gh, gb = torch.autograd.grad(value, live)
        return [value.item(), gx, gi.T, gh.T, gb]

    return call


def jacobian(x, w1, w2):
    network = lambda x: ((x @ w1).tanh() @ w2).tanh()
    return lambda: [torch.autograd.functional.jacobian(network, x, vectorize=True)]


def runge_kutta(start, rate):
    step = 1e-3

    def slope(y):
        return y * rate * (1 - y)

    y = start
    for _ in range(10_000):
        k1 = slope(y)
        k2 = slope(y + k1 * (step / 2))
        k3 = slope(y + k2 * (step / 2))
        k4 = slope(y + k3 * step)
        y = y + (k1 + k2 * 2 + k3 * 2 + k4) * (step / 6)
    return y.square().sum()


def sinkhorn(x, y):
    nearness = -2 * ((x[:, None] - y) ** 2).sum(-1)
    g = torch.zeros(len(y))
    for _ in range(50):
        f = -torch.logsumexp(nearness + g, 1)
        g = -torch.logsumexp(nearness + f[:, None], 0)
    return f.mean() + g.mean()


def sinkhorn_divergence(x, y, epsilon=5.0, iterations=100):
    """Debiased, as GeomLoss' tensorised form: log-sum-exp over held costs, gradient by the plan."""
    shares = [-torch.log(torch.tensor(float(len(z)))) for z in (x, y)]

    def costs(x, y):
        squares = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
        return squares.clamp(min=0) / 2

    def reply(c, potential, share):
        return -epsilon * (potential / epsilon + share - c / epsilon).logsumexp(1)

    # Each cost is differentiated by its rows only: together they are the whole gradient.
    xy, yx = costs(x, y.detach()), costs(y, x.detach())
    xx, yy = costs(x, x.detach()), costs(y, y.detach())
    with torch.no_grad():
        f, g = torch.zeros(len(x)), torch.zeros(len(y))
        fx, gy = torch.zeros(len(x)), torch.zeros(len(y))
        for _ in range(iterations):
            g = reply(yx, f, shares[0])
            f = reply(xy, g, shares[1])
            fx = (fx + reply(xx, fx, shares[0])) / 2
            gy = (gy + reply(yy, gy, shares[1])) / 2
    of_x = reply(xy, g, shares[1]) - reply(xx, fx, shares[0])
    of_y = reply(yx, f, shares[0]) - reply(yy, gy, shares[1])
    return of_x.mean() + of_y.mean()


def factors(f, *args):
    """Factors of matrices in double precision."""
    args = [x.double() for x in args]

    def call():
        result = f(*args)
        parts = result if isinstance(result, tuple) else (result,)
        return [x.numpy() for x in parts]

    return call


def normal_likelihood(a, x):
    factor = torch.linalg.cholesky(a)
    whitened = torch.linalg.solve_triangular(factor, x[:, None], upper=False)
    return whitened.square().sum() / 2 + torch.linalg.slogdet(factor)[1]


def fill(network, values):
    """A network with these parameters, in the order in which it names them."""
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values, strict=True):
            parameter.copy_(value)
    return network


def encoder_layer(width, heads, hidden):
    return torch.nn.TransformerEncoderLayer(
        width, heads, hidden, dropout=0, activation="gelu", batch_first=True
    )


def transformer_layer(heads, x, *rest):
    *params, targets = rest
    layer = fill(encoder_layer(x.shape[2], heads, params[4].shape[0]), params)
    args = [x, *layer.parameters()]
    return gradient(lambda x, *_: F.mse_loss(layer(x), targets), len(args), args)


def transformer_step(x, targets, *params):
    layer = encoder_layer(x.shape[2], 4, params[4].shape[0])
    network = fill(torch.nn.TransformerEncoder(layer, 12), params)
    return training_step(lambda *_: F.mse_loss(network(x), targets), network.parameters())


def gaussian_mixture(alphas, means, icf, x):
    """As GradBench has it, after ADBench."""
    n, d = x.shape
    diagonal, below = torch.exp(icf[:, :d]), icf[:, d:]
    columns, rows = torch.triu_indices(d, d, 1)
    lower = torch.zeros(len(icf), d, d, dtype=icf.dtype)
    lower[:, rows, columns] = below
    centred = x[:, None, :] - means
    scaled = diagonal * centred + torch.einsum("ijk,mik->mij", lower, centred)
    logs = alphas + icf[:, :d].sum(1) - 0.5 * (scaled**2).sum(2)
    normalizer = n * torch.logsumexp(alphas, 0) + n * d * 0.5 * math.log(2 * math.pi)
    return torch.logsumexp(logs, 1).sum() - normalizer


def least_squares(w, t):
    """A polynomial through the sign of numbers (GradBench's least squares)."""
    powers = t[:, None] ** torch.arange(len(w))
    return 0.5 * ((powers @ w - torch.sign(t)) ** 2).sum()


def doubles(*args):
    return [x.double() for x in args]


def training_step(loss, start):
    params = [p.requires_grad_() for p in start]
    optimizer = torch.optim.Adam(params, lr=1e-3)

    def call():
        optimizer.zero_grad(set_to_none=True)
        value = loss(*params)
        value.backward()
        optimizer.step()
        return [value.item()]

    return call


def mlp_step(cells, types, *start):
    def loss(w1, b1, w2, b2):
        hidden = F.relu(torch.addmm(b1, cells, w1))
        return F.cross_entropy(torch.addmm(b2, hidden, w2), types)

    return training_step(loss, start)


def vae_step(counts, noise, *start):
    """An autoencoder of counts: scVI's model with a layer of 128 on each side."""

    def loss(*params):
        def layer(i, x):
            return torch.addmm(params[2 * i + 1], x, params[2 * i])

        hidden = F.relu(layer(0, torch.log1p(counts)))
        mean, log_variance = layer(1, hidden), layer(2, hidden)
        decoded = F.relu(layer(3, mean + torch.exp(log_variance / 2) * noise))
        error = zinb(layer(4, decoded), layer(5, decoded), layer(6, decoded), counts)
        divergence = (mean**2 + torch.expm1(log_variance) - log_variance).sum() / 2
        return (error + divergence) / len(counts)

    return training_step(loss, start)


def one_hot(labels, count):
    return F.one_hot(labels.long(), count).float()


FORMS = {
    "matmul": lambda a, b: forward(torch.matmul, [a, b]),
    "squared distances": lambda x: forward(expanded, [x, x]),
    "squared distances, cdist": lambda x: forward(lambda a, b: torch.cdist(a, b) ** 2, [x, x]),
    "cross entropy": lambda z, labels: gradient(F.cross_entropy, 1, [z, labels.long()]),
    "gaussian mmd": lambda x, y: gradient(mmd, 2, [x, y]),
    "energy distance": lambda x, y: gradient(
        energy_distance(cdist("use_mm_for_euclid_dist_if_necessary")), 2, [x, y]
    ),
    "energy distance, differences": lambda x, y: gradient(
        energy_distance(cdist("donot_use_mm_for_euclid_dist")), 2, [x, y]
    ),
    "energy distance, tensorised": lambda x, y: gradient(energy_distance(tensorised), 2, [x, y]),
    "batch mixing softmax": lambda x, b: gradient(batch_mixing, 1, [x, one_hot(b, 3)]),
    "batch mixing topk": lambda x, b: gradient(batch_mixing_topk, 1, [x, one_hot(b, 3)]),
    "elastic cell similarity": lambda x: gradient(elastic, 1, [x]),
    "contrastive cell embedding": lambda x, y: gradient(contrastive, 2, [x, y]),
    "contrastive cell embedding, broadcast": lambda x, y: gradient(
        contrastive_broadcast, 2, [x, y]
    ),
    "supervised contrastive": lambda x, labels: gradient(
        supervised_contrastive, 1, [x, labels.long()]
    ),
    "focal and dice": lambda z, labels: gradient(
        focal_and_dice,
        1,
        [z, labels.long(), one_hot(labels, 4).permute(0, 3, 1, 2).contiguous()],
    ),
    "lovasz": lambda z, labels: gradient(lovasz, 1, [z, labels.long()]),
    "hausdorff": lambda z, labels: gradient(
        hausdorff,
        1,
        [z, labels.long(), one_hot(labels, 2).permute(0, 3, 1, 2).contiguous()],
    ),
    "bernoulli and masked mse": lambda *args: gradient(bernoulli_and_mse, 2, list(args)),
    "mlp step": lambda cells, types, *params: mlp_step(cells, types.long(), *params),
    "negative binomial": lambda *args: gradient(negative_binomial, 2, list(args)),
    "zinb": lambda *args: gradient(zinb, 3, list(args)),
    "vae step": vae_step,
    "lstm": lstm,
    "runge kutta": lambda *args: gradient(runge_kutta, 2, doubles(*args)),
    "conv": lambda x, kernel: gradient(conv, 2, [x, kernel]),
    "conv value": lambda x, kernel: forward(
        lambda x, kernel: F.conv2d(x, kernel, padding="same"), [x, kernel]
    ),
    "sinkhorn": lambda x, y: gradient(sinkhorn, 2, [x, y]),
    "sinkhorn divergence": lambda x, y: gradient(sinkhorn_divergence, 2, [x, y]),
    "jacobian, eager": jacobian,
    "transformer layer of 4 heads": lambda *args: transformer_layer(4, *args),
    "transformer layer of 8 heads": lambda *args: transformer_layer(8, *args),
    "transformer step": transformer_step,
    "gaussian mixture": lambda *args: gradient(gaussian_mixture, 3, doubles(*args)),
    "least squares": lambda *args: gradient(least_squares, 1, doubles(*args)),
    "exp, float64": lambda x: forward(torch.exp, [x.double()]),
    "log1p, float64": lambda x: forward(torch.log1p, [x.double()]),
    "tanh, float64": lambda x: forward(torch.tanh, [x.double()]),
    "lgamma": lambda x: forward(torch.lgamma, [x]),
    "digamma": lambda x: forward(torch.digamma, [x]),
    "normal": lambda like: forward(torch.randn_like, [like]),
    "cumsum": lambda x: forward(lambda x: x.cumsum(0).square().mean(), [x]),
    "quantile": lambda x: forward(torch.quantile, [x, torch.tensor([0.1, 0.5, 0.9])]),
    "symmetric squares": lambda x: gradient(lambda x: (x * x.T).square().sum(), 1, [x]),
    "embedding and layer norm": lambda table, genes, targets: gradient(
        embedding, 1, [table, genes.long(), targets]
    ),
    "cholesky": lambda a: factors(torch.linalg.cholesky, a),
    "eigh": lambda a: factors(torch.linalg.eigh, a),
    "svd": lambda a: factors(torch.linalg.svd, a),
    "solve": lambda a, b: factors(torch.linalg.solve, a, b),
    "normal likelihood": lambda a, x: gradient(normal_likelihood, 2, [a.double(), x.double()]),
}


def decode(array):
    data = bytearray(base64.b64decode(array["data"]))
    return torch.frombuffer(data, dtype=torch.float32).reshape(array["shape"])


def encode(output):
    array = torch.as_tensor(output, dtype=torch.float32).contiguous().numpy()
    return base64.b64encode(array.tobytes()).decode()


# The processor's time of one thread, and that of several by the clock on the wall.
THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
CLOCK = time.process_time if THREADS == 1 else time.perf_counter


def timed(call, calls):
    start = CLOCK()
    for _ in range(calls):
        call()
    return 1000 * (CLOCK() - start)


def answer(request, tasks):
    if "prepare" in request:
        make = FORMS.get(request["prepare"])
        if make is None:
            return {"task": None}
        tasks.append(make(*(decode(array) for array in request["inputs"].values())))
        return {"task": len(tasks) - 1}
    call = tasks[request["task"]]
    if "calls" in request:
        return {"ms": timed(call, request["calls"])}
    return {"outputs": [encode(output) for output in call()]}


def main():
    torch.set_num_threads(THREADS)
    tasks = []
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        try:
            result = answer(json.loads(line), tasks)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
