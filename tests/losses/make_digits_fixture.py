"""Losses where terms cancel, for digits_test.ts, computed with 60 digits.

    apt-get install python3-mpmath
    /usr/bin/python3 tests/losses/make_digits_fixture.py > tests/losses/digits.json

Rows hold the arguments, which are float32 numbers, the value, and the derivative by each argument
that has one.
"""

import itertools
import json
import struct

import mpmath as mp

mp.mp.dps = 60
EPSILON = mp.mpf(1e-8)


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def deviance(mu, x):
    if x == 0:
        return [2 * mu, mp.mpf(2)]
    return [2 * (x * mp.log(x / mu) - (x - mu)), 2 * (1 - x / mu)]


def gaussian(mean, target, variance):
    error = target - mean
    value = (mp.log(variance) + error**2 / variance) / 2
    return [value, -error / variance, error / variance, (1 / variance - error**2 / variance**2) / 2]


def evidential(y, gamma, nu, alpha, beta):
    def value(y, gamma, nu, alpha, beta):
        omega = 2 * beta * (1 + nu)
        return (
            mp.log(mp.pi / nu) / 2 - alpha * mp.log(omega)
            + (alpha + mp.mpf(1) / 2) * mp.log((y - gamma) ** 2 * nu + omega)
            + mp.loggamma(alpha) - mp.loggamma(alpha + mp.mpf(1) / 2)
            + abs(y - gamma) * (2 * nu + alpha)
        )

    point = [y, gamma, nu, alpha, beta]
    slopes = [mp.diff(value, point, tuple(int(i == j) for j in range(5))) for i in range(5)]
    return [value(*point), *slopes]


def negative_binomial(x, mu, theta):
    return (
        mp.loggamma(theta) + mp.loggamma(x + 1) - mp.loggamma(x + theta)
        + theta * mp.log1p(mu / (theta + EPSILON)) + x * mp.log1p(theta / (mu + EPSILON))
    )


def by_mean(x, mu, theta):
    return (x + theta) / (theta + mu + EPSILON) - x / (mu + EPSILON)


def mixture(x, mu1, mu2, theta, z):
    first, second = (negative_binomial(x, mu, theta) for mu in (mu1, mu2))
    share = 1 / (1 + mp.exp(-z))
    one, other = share * mp.exp(-first), (1 - share) * mp.exp(-second)
    chance = one + other
    by_logit = -share * (1 - share) * (mp.exp(-first) - mp.exp(-second)) / chance
    return [
        -mp.log(chance), one / chance * by_mean(x, mu1, theta),
        other / chance * by_mean(x, mu2, theta), by_logit,
    ]


def rows(grids, f, digits=14):
    for point in itertools.product(*grids):
        arguments = [mp.mpf(single(v)) for v in point]
        yield [*(float(v) for v in arguments), *(float(mp.nstr(v, digits)) for v in f(*arguments))]


near = [1, 1 + 1e-6, 1 - 1e-3, 1.01, 0.7, 1.9]
counts = [1, 2, 37, 1e3, 1e6]
fixture = {
    "poissonDeviance": [
        *(row for x in counts for row in rows([[x * r for r in near], [x]], deviance)),
        *rows([[1e-30, 0.003, 2, 1e6, 1e30], [0, 1, 1e6]], deviance),
    ],
    "gaussianNllLoss": list(rows(
        [[0.5], [0.5, 0.500001, 3], [1e-30, 1e-12, 1e-3, 1, 1e30]], gaussian
    )) + list(rows([[0], [1e-15, 1e-18], [1e-30, 1e-36]], gaussian)),
    "evidentialLoss": list(rows(
        [[0.25], [0.5, 4], [1e-3, 2], [1e-3, 1.5, 7.9, 8.1, 300, 1e6], [1e-3, 30]], evidential
    )),
    "negativeBinomialMixtureLoss": list(rows(
        [[0, 3, 1000, 1e6], [0.003, 30], [0.002, 2, 1e6], [0.03, 14, 1e6], [-8, 0.3, 40]], mixture
    )),
}
lines = ",\n".join(
    f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in value) + "\n]"
    for name, value in fixture.items()
)
print("{\n" + lines + "\n}")
