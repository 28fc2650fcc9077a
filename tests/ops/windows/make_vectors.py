"""Convolutions, pools and resized images of PyTorch with their gradients, in float64.

    apt-get install python3-torch
    /usr/bin/python3 tests/ops/windows/make_vectors.py > tests/ops/windows/torch.json

Every case holds the call's inputs and options, the output, and the gradients of
Σ output · cos(position) by all inputs. Made with PyTorch 1.13.0.
"""

import json

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(15)
CASES = []


def packed(x):
    """An array on one line: its numbers as a text, of 13 digits."""
    data = " ".join(f"{v:.13g}" for v in x.flatten().tolist())
    return {"shape": list(x.shape), "data": data}


def numbers(*shape):
    """Numbers of few digits, all different enough that no two are the largest of a window."""
    return torch.round(torch.randn(*shape) * 1000) / 1000


def case(call, arguments, inputs, output):
    """`arguments` are those of our function, behind the inputs."""
    weights = torch.cos(torch.arange(output.numel())).reshape(output.shape)
    gradients = torch.autograd.grad((output * weights).sum(), inputs)
    CASES.append(
        {
            "call": call,
            "arguments": arguments,
            "inputs": [packed(x) for x in inputs],
            "output": packed(output),
            "gradients": [packed(g) for g in gradients],
        }
    )


CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACK = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def conv(x, w, **options):
    inputs = [numbers(*x).requires_grad_(), numbers(*w).requires_grad_()]
    case("conv", [options], inputs, CONV[len(x) - 2](*inputs, **options))


def transposed(x, w, **options):
    inputs = [numbers(*x).requires_grad_(), numbers(*w).requires_grad_()]
    given = {**options, "transposed": True}
    case("conv", [given], inputs, BACK[len(x) - 2](*inputs, **options))


conv((2, 3, 7), (4, 3, 3))
conv((2, 3, 7), (4, 3, 1))
conv((1, 2, 9), (3, 2, 4), padding="same")
conv((2, 4, 9), (6, 2, 3), stride=2, padding=1, groups=2)
conv((2, 2, 11), (2, 1, 3), dilation=3, padding=4, groups=2)
conv((2, 3, 10), (2, 3, 3), stride=3, dilation=2, padding=2)
conv((2, 3, 6, 5), (4, 3, 3, 3))
conv((2, 3, 6, 5), (4, 3, 3, 3), padding=1)
conv((2, 3, 6, 5), (4, 3, 1, 1))
conv((1, 2, 6, 7), (3, 2, 2, 3), padding="same", dilation=[2, 1])
conv((2, 4, 7, 8), (4, 2, 3, 2), stride=[2, 3], padding=[1, 0], groups=2)
conv((1, 3, 8, 9), (6, 1, 3, 3), stride=2, padding=2, dilation=2, groups=3)
conv((1, 2, 4, 5), (2, 2, 2, 2), padding=3)
conv((1, 2, 4, 5, 3), (3, 2, 2, 3, 2), padding=1)
conv((2, 2, 5, 4, 6), (4, 1, 3, 2, 3), stride=[2, 1, 3], padding=[1, 0, 1], groups=2)
conv((1, 2, 5, 5, 6), (2, 2, 2, 3, 2), dilation=[2, 1, 3])
transposed((2, 3, 5), (3, 4, 3))
transposed((2, 4, 5), (4, 3, 4), stride=3, padding=2, groups=2)
transposed((1, 2, 4), (2, 2, 3), dilation=3, padding=2)
transposed((1, 2, 6), (2, 2, 2), padding=3)
transposed((2, 3, 4, 5), (3, 2, 3, 2))
transposed((2, 4, 3, 4), (4, 3, 2, 2), stride=2, groups=2)
transposed((2, 3, 3, 4), (3, 2, 3, 3), stride=[2, 3], padding=[1, 0], dilation=[1, 2])
transposed((1, 4, 3, 2, 3), (4, 1, 2, 3, 2), stride=[1, 2, 3], padding=1, groups=4)
transposed((1, 2, 3, 3, 2), (2, 3, 2, 2, 3), dilation=2)

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pools(shape, size, **options):
    for call, pool in (("maxPool", MAX), ("avgPool", AVG)):
        x = numbers(*shape).requires_grad_()
        case(call, [size, options], [x], pool[len(shape) - 2](x, size, **options))


pools((2, 3, 8), 2)
pools((2, 2, 9), 3, stride=2, padding=1)
pools((1, 2, 7), 4, stride=1, padding=2)
pools((2, 3, 6, 8), 2)
pools((2, 2, 7, 8), 3, stride=2, padding=1)
pools((1, 2, 7, 6), [3, 2], stride=[1, 3], padding=[1, 0])
pools((1, 2, 6, 5), 2, stride=3)
pools((1, 2, 4, 5, 6), 2)
pools((1, 2, 5, 4, 6), [3, 2, 2], stride=[2, 1, 2], padding=[1, 1, 0])

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def resized(shape, space):
    for mode in ("nearest", "linear"):
        x = numbers(*shape).requires_grad_()
        theirs = LINEAR[len(space)] if mode == "linear" else mode
        case("resize", [space, {"mode": mode}], [x], F.interpolate(x, space, mode=theirs))


resized((2, 3, 5), [10])
resized((1, 2, 7), [4])
resized((1, 2, 3), [8])
resized((1, 2, 1), [3])
resized((2, 2, 4, 3), [8, 6])
resized((1, 2, 5, 6), [3, 10])
resized((1, 2, 3, 4), [7, 4])
resized((1, 2, 2, 3, 4), [4, 5, 3])


def case_lines():
    return ",\n".join(f"    {json.dumps(c)}" for c in CASES)


command = "/usr/bin/python3 tests/ops/windows/make_vectors.py > tests/ops/windows/torch.json"
print(
    "{\n"
    f'  "command": {json.dumps(command)},\n'
    f'  "versions": {{ "torch": {json.dumps(torch.__version__)} }},\n'
    f'  "cases": [\n{case_lines()}\n  ]\n'
    "}"
)
