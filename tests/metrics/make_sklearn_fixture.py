"""Values of scikit-learn's metrics, for sklearn_test.ts, and of LISI and batch entropy from its neighbours.

    apt-get install python3-sklearn
    /usr/bin/python3 tests/metrics/make_sklearn_fixture.py > tests/metrics/sklearn.json

Made with scikit-learn 1.2.1, SciPy 1.10.1, NumPy 1.24.2.
"""

import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from scipy.stats import entropy
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors

warnings.simplefilter("ignore")
rng = np.random.default_rng(3)


def classification(pred, target, classes):
    labels = list(range(classes))
    options = dict(labels=labels, average=None, zero_division=0)
    return {
        "pred": [int(x) for x in pred],
        "target": [int(x) for x in target],
        "numClasses": classes,
        "confusion": metrics.confusion_matrix(target, pred, labels=labels).tolist(),
        "accuracy": metrics.accuracy_score(target, pred),
        "balancedAccuracy": metrics.balanced_accuracy_score(target, pred),
        "macroF1": metrics.f1_score(target, pred, average="macro", zero_division=0),
        "recall": metrics.recall_score(target, pred, **options).tolist(),
        "precision": metrics.precision_score(target, pred, **options).tolist(),
        "f1": metrics.f1_score(target, pred, **options).tolist(),
        "iou": metrics.jaccard_score(target, pred, **options).tolist(),
    }


def clustering(a, b):
    return {
        "a": [int(x) for x in a],
        "b": [int(x) for x in b],
        "ari": metrics.adjusted_rand_score(a, b),
        "nmi": metrics.normalized_mutual_info_score(a, b),
    }


def lisi(points, labels, perplexity):
    """The definition, with the exponent found by SciPy."""
    k = min(3 * perplexity, len(points))
    distances, indices = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(points)
    found = []
    for d, near in zip(distances[:, 1:], labels[indices[:, 1:]]):
        x = (d - d[0]) / d.mean()
        weights = lambda beta: np.exp(-beta * x) / np.exp(-beta * x).sum()
        gap = lambda beta: entropy(weights(beta)) - np.log(perplexity)
        beta = brentq(gap, 1e-9, 1e6, xtol=1e-15, rtol=1e-14)
        shares = [weights(beta)[near == label].sum() for label in np.unique(labels)]
        found.append(1 / np.square(shares).sum())
    return found


def batch_entropy(points, labels, k):
    indices = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)[1][:, 1:]
    return float(np.mean([entropy(np.bincount(labels[row])) for row in indices]))


def embedding(points, labels, perplexity, neighbors):
    # scikit-learn's own distances lose digits away from the origin.
    distances = cdist(points, points)
    return {
        "points": points.tolist(),
        "labels": [int(x) for x in labels],
        "silhouetteSamples": metrics.silhouette_samples(distances, labels, metric="precomputed").tolist(),
        "silhouette": metrics.silhouette_score(distances, labels, metric="precomputed"),
        "perplexity": perplexity,
        "lisi": lisi(points, labels, perplexity),
        "nNeighbors": neighbors,
        "batchEntropy": batch_entropy(points, labels, neighbors),
    }


target = rng.choice(5, 60, p=[0.6, 0.2, 0.1, 0.07, 0.03])
noisy = np.where(rng.random(60) < 0.3, rng.choice(5, 60), target)
blobs = rng.choice(3, 50)
points = np.round(np.eye(3)[blobs] * 2 + rng.normal(size=(50, 3)), 4)

json.dump(
    {
        "command": "/usr/bin/python3 tests/metrics/make_sklearn_fixture.py"
        " > tests/metrics/sklearn.json",
        "versions": {
            "sklearn": sklearn.__version__,
            "scipy": scipy.__version__,
            "numpy": np.__version__,
        },
        "classification": [
            classification(noisy, target, 5),
            classification(rng.choice(4, 40), rng.choice(4, 40), 6),
            classification([0, 0, 0, 0], [0, 0, 0, 1], 2),
            classification([2, 2, 2], [0, 1, 1], 3),
            classification([1, 1], [1, 1], 2),
        ],
        "clustering": [
            clustering(noisy, target),
            clustering(rng.choice(4, 40), rng.choice(7, 40)),
            clustering([0, 0, 1, 1], [1, 1, 0, 0]),
            clustering([0, 0, 0, 0], [0, 1, 2, 3]),
            clustering([0, 1, 2, 3], [0, 1, 2, 3]),
            clustering([0, 0, 0], [5, 5, 5]),
            clustering([0, 0, 1, 1], [0, 1, 0, 1]),
            clustering([], []),
        ],
        "embeddings": [
            embedding(points, blobs, 5, 10),
            embedding(points, rng.choice(4, 50), 12, 30),
            embedding(points[:20] * 1e-6 + 1, blobs[:20], 3, 4),
        ],
    },
    sys.stdout,
    indent=1,
)
print()
