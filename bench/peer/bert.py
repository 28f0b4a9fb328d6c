"""BERT in PyTorch as a function of a dictionary of parameters, and the five loss terms of HomoDistil."""

import torch
import torch.nn.functional as F

TABLE = "bert.embeddings.{}_embeddings.weight"


def layer_norm(p, name, x, eps, keep):
    """With `keep` (1 for a kept unit) the statistics are those of the kept units, so that masked and shrunk models agree."""
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    if keep is None:
        return F.layer_norm(x, x.shape[-1:], weight, bias, eps)
    count = keep.sum()
    # the mean reads kept units only, so that no gradient reaches the others
    centred = (x - (x @ (keep / count)).unsqueeze(-1)) * keep
    return torch.addcmul(bias, centred * torch.rsqrt(centred.square().sum(-1, keepdim=True) / count + eps), weight)


def encode(p, config, ids, sdpa=False, keep=None):
    """The embedding output, hidden states and attention scores; with `sdpa` no scores are seen."""
    heads, eps, scale = config["heads"], config["epsilon"], config["scale"]
    rows, length = ids.shape

    def dense(name, x):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def by_head(x):
        return x.view(rows, length, heads, -1).transpose(1, 2)

    x = F.embedding(ids, p[TABLE.format("word")])
    x = x + (p[TABLE.format("position")][:length] + p[TABLE.format("token_type")][0])
    x = layer_norm(p, "bert.embeddings.LayerNorm", x, eps, keep)
    embedding, hidden, scores = x, [], []
    for i in range(config["layers"]):
        at = f"bert.encoder.layer.{i}."
        query, key, value = (dense(f"{at}attention.self.{name}", x) for name in ("query", "key", "value"))
        if sdpa:
            context = F.scaled_dot_product_attention(by_head(query), by_head(key), by_head(value), scale=scale)
        else:
            a = by_head(query * scale) @ by_head(key).transpose(-1, -2)
            scores.append(a)
            context = a.softmax(-1) @ by_head(value)
        context = context.transpose(1, 2).reshape(rows, length, -1)
        x = layer_norm(p, f"{at}attention.output.LayerNorm", x + dense(f"{at}attention.output.dense", context), eps, keep)
        inner = F.gelu(dense(f"{at}intermediate.dense", x))
        x = layer_norm(p, f"{at}output.LayerNorm", x + dense(f"{at}output.dense", inner), eps, keep)
        hidden.append(x)
    return embedding, hidden, scores


def logits(p, config, states, positions, keep=None):
    """The masked-language-model head at the masked places only."""
    chosen = states.flatten(0, 1).index_select(0, positions)
    name = "cls.predictions.transform."
    x = F.gelu(F.linear(chosen, p[name + "dense.weight"], p[name + "dense.bias"]))
    x = layer_norm(p, name + "LayerNorm", x, config["epsilon"], keep)
    return F.linear(x, p[TABLE.format("word")], p["cls.predictions.bias"])


def predict(p, config, ids, positions, sdpa):
    _, hidden, _ = encode(p, config, ids, sdpa)
    return logits(p, config, hidden[-1], positions)


def masked_lm(p, config, ids, positions, labels, sdpa):
    """The loss of case a."""
    return F.cross_entropy(predict(p, config, ids, positions, sdpa), labels)


def teach(p, config, ids, positions):
    """What the student is held against; variances and log-probabilities of the teacher are needed once."""
    embedding, hidden, scores = encode(p, config, ids)
    variances = [a.var((0, 2, 3)).clamp_min(1e-12) for a in scores]
    return embedding, hidden, scores, variances, F.log_softmax(logits(p, config, hidden[-1], positions), -1)


def distillation(p, config, ids, positions, labels, taught, keep=None):
    """The sum of the five terms in the micro setting, and the terms."""
    t_embedding, t_hidden, t_scores, t_variances, t_log = taught
    embedding, hidden, scores = encode(p, config, ids, keep=keep)
    log = F.log_softmax(logits(p, config, hidden[-1], positions, keep), -1)
    layers = len(hidden)

    def score_error(a, b, variance):
        return ((a - b).square().mean((0, 2, 3)) / variance).mean()

    projected = [h @ p[f"projection.layer.{i}.weight"] for i, h in enumerate(hidden)]
    terms = {
        "mlm": F.nll_loss(log, labels),
        "kl": F.kl_div(log, t_log, reduction="batchmean", log_target=True),
        "hidden": sum(F.mse_loss(h, t) for h, t in zip(projected, t_hidden)) / layers,
        "embedding": F.mse_loss(embedding @ p["projection.embedding.weight"], t_embedding),
        "attention": sum(map(score_error, scores, t_scores, t_variances)) / layers,
    }
    return sum(terms.values()), terms
