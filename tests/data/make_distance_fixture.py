"""Reference values for distanceTransform: scipy.ndimage.distance_transform_edt.

Run as `python3 tests/data/make_distance_fixture.py > tests/data/distance.json` with SciPy (made with
SciPy 1.10).
"""

import json

import numpy as np
from scipy.ndimage import distance_transform_edt

CASES = [
    ((17,), 0.8, 1.0),
    ((9,), 0.7, [0.5]),
    ((7, 9), 0.9, 1.0),
    ((6, 8), 0.8, [3.0, 0.7]),
    ((5, 6, 7), 0.95, 1.0),
    ((4, 5, 6), 0.9, [2.5, 1.0, 0.4]),
    ((1, 8), 0.6, 2.0),
]

random = np.random.default_rng(1)
cases = []
for shape, share, spacing in CASES:
    mask = random.random(shape) < share
    distances = distance_transform_edt(mask, sampling=spacing)
    cases.append(
        {
            "shape": shape,
            "spacing": spacing,
            "mask": mask.astype(int).ravel().tolist(),
            "distances": distances.ravel().tolist(),
        }
    )
print(json.dumps(cases, indent=2))
