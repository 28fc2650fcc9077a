"""Values of scalar functions for references_test.ts, computed with 50 digits.

    apt-get install python3-mpmath
    /usr/bin/python3 tests/kernels/functions/make_references.py > tests/kernels/functions/references.json

By function: rows of an argument and the value, rounded to float64; arguments of `singles` are float32
numbers.
"""

import json
import random
import struct

import mpmath as mp

mp.mp.dps = 50


def single(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def arguments(low, high, around=()):
    """Evenly and by equal factors between two positive limits, and next to some numbers."""
    random.seed(1)
    ratio = mp.log(mp.mpf(high) / low)
    xs = [low + (high - low) * random.random() for _ in range(25)]
    xs += [low * mp.exp(ratio * random.random()) for _ in range(25)]
    xs += [x + d for x in around for d in (0, 1e-6, -1e-6, 1e-3, -1e-3, 0.03, -0.03)]
    return sorted({single(x) for x in xs})


def negative():
    random.seed(2)
    return sorted({single(-random.randrange(10) - 0.05 - 0.9 * random.random()) for _ in range(25)})


def rows(f, xs):
    found = [[x, float(f(mp.mpf(x)))] for x in xs]
    return [row for row in found if 1e-37 < abs(row[1]) < 3e38 or row[1] == 0]


GAMMA = [1, 1.4616321, 2, 2.5, 3, 4, 8, 12]
positive = arguments(1e-3, 30, GAMMA) + arguments(31, 1e7) + [single(1e-10), single(1e-30)]
signed = [x for x in arguments(1e-3, 9, [1, 3]) for x in (x, -x)] + [1e-10, -1e-30]
signed = [single(x) for x in signed]


def erfinv(x):
    """By Newton's method on what is left of 1, which has the digits next to it."""
    y = mp.sqrt(-mp.log1p(-abs(x)))
    for _ in range(200):
        y += (mp.erfc(y) - (1 - abs(x))) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return mp.sign(x) * y


# Next to 0 and by equal factors next to 1.
inside = [x for x in arguments(1e-30, 0.99) + [1 - 2.0**-k for k in range(1, 25)] for x in (x, -x)]
references = {
    "erfinv": rows(erfinv, inside),
    "erf": rows(mp.erf, signed),
    "erfc": rows(mp.erfc, signed),
    "lgamma": rows(lambda x: mp.loggamma(x).real, positive + negative()),
    **{
        f"polygamma{n}": rows(lambda x: mp.psi(n, x).real, positive + negative())
        for n in range(5)
    },
}
# Arguments that only float64 has, or whose values only it has.
far = [1e-300, 5e-11, 12345.678, 1e10, 1e300, -1e-10, -50.75, -100.3, -12345.25]
doubles = {
    "lgamma": [[x, float(mp.loggamma(mp.mpf(x)).real)] for x in far],
    "polygamma0": [[x, float(mp.psi(0, mp.mpf(x)))] for x in far[1:4] + [-50.75]],
    "erfinv": [[x, float(erfinv(mp.mpf(x)))] for x in (-1e-300, 0.3, 0.9, 0.998, -0.99999)]
    + [[1 - 2.0**-k, float(erfinv(1 - mp.mpf(2) ** -k))] for k in range(25, 54)],
    "erfc": [[x, float(mp.erfc(mp.mpf(x)))] for x in (0.1, 1.1, 7.3, 15.5, 26.4)],
}
print(json.dumps({"singles": references, "doubles": doubles}))
