"""Values of scalar functions for references_test.ts, computed with 50 digits.

    apt-get install python3-mpmath
    /usr/bin/python3 tests/kernels/functions/make_references.py > tests/kernels/functions/references.json

By function: rows of an argument and the value, rounded to float64; arguments of `singles` are float32
numbers.
"""

import json
import math
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


def any_double():
    """A positive number of any exponent."""
    return struct.unpack("d", struct.pack("Q", random.randrange(0x7FF0000000000000)))[0]


def exact(f, arguments):
    """Rows of arguments and the value, where double precision can hold it."""
    rows = [[*xs, float(f(*map(mp.mpf, xs)))] for xs in arguments]
    return [row for row in rows if not math.isinf(row[-1])]


random.seed(3)
COUNT = 60
spread = lambda low, high: [[random.uniform(low, high)] for _ in range(COUNT)]
small = [[s * 2.0**-k * random.uniform(1, 2)] for k in range(1, 64, 3) for s in (1, -1)]
large = [[any_double()] for _ in range(COUNT)]
near = [[1 + s * 2.0**-k] for k in range(1, 53, 2) for s in (0.5, -0.5)]
elementary = {
    "exp": exact(mp.exp, spread(-745, 709.7) + spread(-1, 1) + small),
    "expm1": exact(mp.expm1, spread(-40, 709.7) + spread(-1, 1) + small),
    "exp2": exact(lambda x: mp.mpf(2) ** x, spread(-1074, 1023.9) + spread(-1, 1) + small),
    "log": exact(mp.log, large + near + [[5e-324], [1e-310]]),
    "log2": exact(lambda x: mp.log(x, 2), large + near + [[5e-324]]),
    "log10": exact(mp.log10, large + near + [[5e-324]]),
    "log1p": exact(mp.log1p, large + small + spread(-1, 3)),
    "sinh": exact(mp.sinh, spread(-710, 710) + spread(-2, 2) + small),
    "cosh": exact(mp.cosh, spread(-710, 710) + spread(-2, 2) + small),
    "tanh": exact(mp.tanh, spread(-20, 20) + spread(-1, 1) + small),
    "asinh": exact(mp.asinh, large + small + spread(-5, 5) + [[2.0**28 + 3], [2.0**57]]),
    "acosh": exact(mp.acosh, spread(1, 3) + [[x + 1] for [x] in large] + [[2.0**28 + 3]]),
    "atanh": exact(mp.atanh, spread(-1, 1) + small),
}
random.seed(4)
signed_power = lambda x, n: mp.power(abs(x), n) * (-1 if x < 0 and n % 2 == 1 else 1)
whole = [[random.uniform(-3, 3), random.randrange(-200, 200)] for _ in range(3 * COUNT)]
far = [[x, random.uniform(-1, 1) * 700 / abs(math.log(x))] for [x] in large]
close = [[x, random.uniform(-1, 1) * min(700 / abs(math.log(x)), 1e15)] for [x] in near if x != 1]
tiny = [[random.uniform(0.5, 2), random.uniform(-1100, -900)] for _ in range(COUNT)]
elementary["pow"] = exact(signed_power, whole + far + close + tiny)
print(json.dumps({"singles": references, "doubles": doubles, "elementary": elementary}))
