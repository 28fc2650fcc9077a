"""scGPT and scFormer out of PyTorch's modules, in float64, for the tests beside this file.

    apt-get install python3-torch
    /usr/bin/python3 tests/examples/transformers/make_vectors.py > tests/examples/transformers/torch.json

The modules have the names and the order of scGPT's `TransformerModel` and scFormer's
`TransformerGenerator`, so that `state_dict` is theirs. Every case holds the state_dict, the inputs,
the outputs, the gradients of Σ output · cos(position) by all parameters, and the norms' statistics
afterwards. Made with PyTorch 1.13.0.
"""

import json
import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)
CASES = []
D, HEADS, HIDDEN, LAYERS, GENES, PAD = 4, 2, 6, 2, 9, 7


def packed(x):
    """An array on one line: its numbers as a text, of 13 digits."""
    kind = {torch.bool: "bool", torch.int64: "int32"}.get(x.dtype, "float64")
    data = " ".join(f"{v:.13g}" for v in x.flatten().tolist())
    return {"shape": list(x.shape), "dtype": kind, "data": data}


def numbers(*shape):
    """Numbers of few digits."""
    return torch.round(torch.randn(*shape) * 1000) / 1000


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -g


class Normalized(nn.Module):
    """GeneEncoder, BatchLabelEncoder, CategoryValueEncoder."""

    def __init__(self, entries, padding=None):
        super().__init__()
        self.embedding = nn.Embedding(entries, D, padding_idx=padding)
        self.enc_norm = nn.LayerNorm(D)

    def forward(self, ids):
        return self.enc_norm(self.embedding(ids))


class Values(nn.Module):
    """ContinuousValueEncoder, ValueEncoding."""

    def __init__(self):
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(1, D), nn.Linear(D, D)
        self.norm = nn.LayerNorm(D)

    def forward(self, x):
        x = torch.clamp(x.unsqueeze(-1), max=512)
        return self.norm(self.linear2(torch.relu(self.linear1(x))))


class Classifier(nn.Module):
    """ClsDecoder, and AdversarialDiscriminator where the gradient is reversed."""

    def __init__(self, classes, activation, reverse=False):
        super().__init__()
        layers = [m for _ in range(2) for m in (nn.Linear(D, D), activation(), nn.LayerNorm(D))]
        self._decoder = nn.ModuleList(layers)
        self.out_layer = nn.Linear(D, classes)
        self.reverse = reverse

    def forward(self, x):
        x = Reverse.apply(x) if self.reverse else x
        for layer in self._decoder:
            x = layer(x)
        return self.out_layer(x)


class Expression(nn.Module):
    """ExprDecoder."""

    def __init__(self, told, zero):
        super().__init__()
        make = lambda: nn.Sequential(
            nn.Linear(told, D), nn.LeakyReLU(), nn.Linear(D, D), nn.LeakyReLU(), nn.Linear(D, 1)
        )
        self.fc = make()
        if zero:
            self.zero_logit = make()


class Cells(nn.Module):
    """MVCDecoder."""

    def __init__(self, told, zero, detach=False):
        super().__init__()
        self.gene2query = nn.Linear(D, D)
        self.W = nn.Linear(D, told, bias=False)
        if zero:
            self.W_zero_logit = nn.Linear(D, told)
        self.zero, self.detach = zero, detach

    def forward(self, cells, genes):
        genes = genes.detach() if self.detach else genes
        queries = torch.sigmoid(self.gene2query(genes))
        product = lambda layer: torch.bmm(layer(queries), cells.unsqueeze(2)).squeeze(2)
        return product(self.W), torch.sigmoid(product(self.W_zero_logit)) if self.zero else None


class Domains(nn.Module):
    """DomainSpecificBatchNorm1d."""

    def __init__(self, domains, affine):
        super().__init__()
        norms = [nn.BatchNorm1d(D, eps=6.1e-5, affine=affine) for _ in range(domains)]
        self.bns = nn.ModuleList(norms)


def transformer():
    layer = nn.TransformerEncoderLayer(D, HEADS, HIDDEN, 0.0, batch_first=True)
    return nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)


class Scgpt(nn.Module):
    def __init__(self, style="continuous", bins=6, batches=None, affine=False, types=4, zero=True):
        super().__init__()
        told = 2 * D if batches else D
        self.style = style
        self.encoder = Normalized(GENES, PAD)
        self.flag_encoder = nn.Embedding(2, D)
        if style == "continuous":
            self.value_encoder = Values()
        if style == "category":
            self.value_encoder = Normalized(bins)
        if batches:
            self.batch_encoder = Normalized(batches)
            self.dsbn = Domains(batches, affine)
        self.transformer_encoder = transformer()
        self.decoder = Expression(told, zero)
        self.cls_decoder = Classifier(types, nn.ReLU)
        self.mvc_decoder = Cells(told, zero)
        if batches:
            self.grad_reverse_discriminator = Classifier(batches, nn.LeakyReLU, True)
        self.batches, self.zero = batches, zero

    def forward(self, genes, values, labels=None):
        own = self.encoder(genes)
        if self.style == "scaling":
            x = own * values.unsqueeze(2)
        else:
            x = own + self.value_encoder(values.long() if self.style == "category" else values)
        if self.batches:
            x = self.dsbn.bns[int(labels[0])](x.permute(0, 2, 1)).permute(0, 2, 1)
        tokens = self.transformer_encoder(x, src_key_padding_mask=genes.eq(PAD))
        cells = whole = tokens[:, 0, :]
        told = tokens
        if self.batches:
            batch = self.batch_encoder(labels)
            whole = torch.cat([cells, batch], 1)
            told = torch.cat([tokens, batch.unsqueeze(1).repeat(1, tokens.shape[1], 1)], 2)
        pred, probs = self.mvc_decoder(whole, own)
        found = {
            "mlmOutput": self.decoder.fc(told).squeeze(-1),
            "mvcOutput": pred,
            "cellEmbeddings": cells,
            "clsLogits": self.cls_decoder(cells),
        }
        if self.zero:
            zero = torch.sigmoid(self.decoder.zero_logit(told).squeeze(-1))
            found.update(mlmZeroProbs=zero, mvcZeroProbs=probs)
        if self.batches:
            found.update(dabLogits=self.grad_reverse_discriminator(cells))
        return found


class Scformer(nn.Module):
    def __init__(self, types=4, detach=False):
        super().__init__()
        self.encoder = Normalized(GENES, PAD)
        self.value_encoder = Values()
        self.pert_encoder = nn.Embedding(3, D, padding_idx=2)
        self.transformer_encoder = transformer()
        self.decoder = nn.Linear(D, 1)
        self.cls_decoder = Classifier(types, nn.ReLU)
        self.mvc_decoder = Cells(D, False, detach)

    def forward(self, genes, values, flags):
        own = self.encoder(genes)
        x = own + self.value_encoder(values) + self.pert_encoder(flags)
        tokens = self.transformer_encoder(x, src_key_padding_mask=genes.eq(PAD))
        cells = tokens[:, 0, :]
        return {
            "mlmOutput": self.decoder(tokens).squeeze(-1),
            "mvcOutput": self.mvc_decoder(cells, own)[0],
            "cellEmbeddings": cells,
            "clsLogits": self.cls_decoder(cells),
        }


def case(title, model, inputs, options=None, training=True):
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(numbers(*p.shape) / 2)
        for name, b in model.named_buffers():
            if b.is_floating_point():
                b.copy_(numbers(*b.shape).abs() + 0.5)
    model.train(training)
    params = {name: packed(x) for name, x in model.state_dict().items()}
    outputs = model(**inputs)
    weight = lambda y: torch.cos(torch.arange(y.numel())).reshape(y.shape)
    sum((y * weight(y)).sum() for y in outputs.values()).backward()
    zero = torch.zeros_like
    CASES.append(
        {
            "model": type(model).__name__.lower(),
            "title": title,
            "options": {"heads": HEADS, "padding": PAD, **(options or {})},
            "params": params,
            "inputs": {name: packed(x) for name, x in inputs.items()},
            "outputs": {name: packed(y) for name, y in outputs.items()},
            "gradients": {
                name: packed(zero(p) if p.grad is None else p.grad)
                for name, p in model.named_parameters()
            },
            "buffers": {name: packed(b) for name, b in model.named_buffers()},
        }
    )


genes = torch.tensor([[8, 0, 1, 2, 3, 4], [8, 5, 3, 1, PAD, PAD], [8, 6, 0, 4, 2, PAD]])
values = numbers(3, 6).abs() * 3
values[0, 2] = 600.0
labels = torch.tensor([1, 1, 1])
cells = {"genes": genes, "values": values}
train = {"training": True}
case("three batches, in training", Scgpt(batches=3), {**cells, "labels": labels}, train)
case("three batches, afterwards", Scgpt(batches=3), {**cells, "labels": labels}, {}, False)
bins = torch.tensor([[0, 5, 1, 2, 3, 4], [0, 5, 3, 1, 2, 2], [1, 0, 0, 4, 2, 2]])
case(
    "bins, norms that scale and shift, in training",
    Scgpt("category", batches=2, affine=True, zero=False),
    {"genes": genes, "values": bins, "labels": torch.tensor([0, 0, 0])},
    train,
)
case("values that scale, no batches", Scgpt("scaling"), cells)
flags = torch.tensor([[0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 2, 2], [0, 0, 0, 0, 0, 2]])
case("genes learn from cells", Scformer(), {**cells, "flags": flags})
case(
    "genes are detached",
    Scformer(detach=True),
    {**cells, "flags": flags},
    {"archStyle": "inner product, detach"},
)

def names(model):
    """Names and shapes of all that is learned, and of the statistics."""
    return {
        name: list(x.shape)
        for name, x in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


D, HEADS, HIDDEN, LAYERS, GENES = 512, 8, 512, 12, 1203
whole = {"scgpt": names(Scgpt(batches=3)), "scformer": names(Scformer())}
json.dump({"torch": torch.__version__, "whole": whole, "cases": CASES}, sys.stdout, separators=(",", ":"))
print()
