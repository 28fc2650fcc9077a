"""Likelihoods of counts and their gradients, for counts_test.ts, computed with 60 digits.

    apt-get install python3-mpmath
    /usr/bin/python3 tests/losses/make_counts_fixture.py > tests/losses/counts.json

Rows hold the arguments, which are float32 numbers, the value, and the derivative by each argument.
"""

import itertools
import json
import struct

import mpmath as mp

mp.mp.dps = 60
EPSILON = mp.mpf(1e-8)


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def negative_binomial(x, mu, theta):
    """With epsilon inside the logarithms, as the losses have it."""
    return (
        mp.loggamma(theta) + mp.loggamma(x + 1) - mp.loggamma(x + theta)
        + theta * mp.log1p(mu / (theta + EPSILON)) + x * mp.log1p(theta / (mu + EPSILON))
    )


def slopes(x, mu, theta):
    total = theta + mu + EPSILON
    return [
        mp.digamma(x + 1) - mp.digamma(x + theta) + mp.log(total / (mu + EPSILON)),
        (x + theta) / total - x / (mu + EPSILON),
        mp.digamma(theta) - mp.digamma(x + theta) + mp.log(total / (theta + EPSILON))
        + (x + theta) / total - theta / (theta + EPSILON),
    ]


def zinb(x, log_rate, log_theta, pi):
    mu, theta = mp.exp(log_rate), mp.exp(log_theta)
    drawn = negative_binomial(x, mu, theta)
    own = slopes(x, mu, theta)
    share = 1 / (1 + mp.exp(-pi))
    own = [own[0], own[1] * mu, own[2] * theta]
    if x > 0:
        return [drawn - mp.log(1 - share), *own, share]
    chance = share + (1 - share) * mp.exp(-drawn)
    kept = (1 - share) * mp.exp(-drawn) / chance
    by_pi = -(share * (1 - share) * (1 - mp.exp(-drawn))) / chance
    return [-mp.log(chance), *[kept * s for s in own], by_pi]


def rows(grids, f, digits=12):
    for point in itertools.product(*grids):
        arguments = [mp.mpf(single(v)) for v in point]
        yield [*(float(v) for v in arguments), *(float(mp.nstr(v, digits)) for v in f(*arguments))]


counts = [0, 1, 2, 4, 37, 1000, 1e6]
means = [0.003, 0.5, 2, 30, 1037, 1.001e6]
dispersions = [1e-4, 0.03, 1, 11, 14, 300, 1e4, 1e6, 1e8]
fixture = {
    "negativeBinomial": list(rows(
        [counts, means, dispersions], lambda x, m, t: [negative_binomial(x, m, t), *slopes(x, m, t)]
    )),
    "zinb": list(rows(
        [[0, 1, 4, 1000], [-6, 0, 0.7, 6.9], [-9, -1, 2.5, 7, 9.9], [-8, 0.3, 9]], zinb
    )),
}
lines = ",\n".join(
    f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in value) + "\n]"
    for name, value in fixture.items()
)
print("{\n" + lines + "\n}")
