"""Writes small BERT directories and what `transformers` computes with them to test/golden/bert/, for test/checkpoint/transformers.test.ts.

    pip install torch transformers safetensors
    python scripts/bert-golden.py

Every directory holds a config.json and weights as `save_pretrained` writes them (or as older versions did), and expected.safetensors:
the input (ids, mask, types), the last hidden states and, where there is a head, the logits.
"""

import json
import random
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertModel

root = Path(__file__).resolve().parent.parent
golden = root / "test" / "golden" / "bert"


def drawn(rng, **fixed):
    """A random configuration: sizes, heads, segments and positions."""
    heads = rng.choice([1, 2, 3, 4])
    hidden = heads * rng.choice([2, 3, 4])
    return BertConfig(
        **{
            "vocab_size": rng.randint(20, 40),
            "hidden_size": hidden,
            "num_hidden_layers": rng.randint(1, 3),
            "num_attention_heads": heads,
            "intermediate_size": rng.randint(3, 20),
            "max_position_embeddings": rng.randint(9, 24),
            "type_vocab_size": rng.randint(1, 3),
            "layer_norm_eps": rng.choice([1e-12, 1e-5]),
            "attn_implementation": "eager",
            **fixed,
        }
    )


def randomise(model, generator):
    """Values that no parameter could be forgotten with unnoticed."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = 0.4 * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + noise if name.endswith("LayerNorm.weight") else noise)


def expected(model, config, rng, generator):
    rows, length = rng.randint(1, 3), rng.randint(5, 9)
    ids = torch.randint(config.vocab_size, (rows, length), generator=generator)
    types = torch.randint(config.type_vocab_size, (rows, length), generator=generator)
    kept = torch.tensor([[rng.randint(2, length)] for _ in range(rows)])
    mask = (torch.arange(length)[None] < kept).long()
    model.eval()
    with torch.no_grad():
        made = model(input_ids=ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True)
    logits = made.get("logits") if isinstance(model, BertForMaskedLM) else made.get("prediction_logits")
    return {
        "ids": ids.int(),
        "mask": mask.float(),
        "types": types.int(),
        "hidden": made.hidden_states[-1].float().contiguous(),
        **({} if logits is None else {"logits": logits.float().contiguous()}),
    }


def old_names(file):
    """Layer normalisation called its weight gamma and its bias beta, and positions were stored, too."""
    tensors = load_file(file)
    rename = lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    tensors = {rename(name): tensor for name, tensor in tensors.items()}
    tensors["bert.embeddings.position_ids"] = torch.arange(9)[None]
    save_file(tensors, file, metadata={"format": "pt"})


cases = {
    "masked-gelu": (BertForMaskedLM, {}, {}),
    "masked-gelu_fast-long": (BertForMaskedLM, {"hidden_act": "gelu_fast", "max_position_embeddings": 512, "hidden_size": 8, "num_attention_heads": 2}, {}),
    "masked-gelu_pytorch_tanh-sharded": (BertForMaskedLM, {"hidden_act": "gelu_pytorch_tanh", "hidden_size": 8, "num_attention_heads": 2}, {"shard": "3KB"}),
    "masked-silu-float16": (BertForMaskedLM, {"hidden_act": "silu"}, {"dtype": torch.float16}),
    "untied-relu": (BertForMaskedLM, {"hidden_act": "relu", "tie_word_embeddings": False}, {}),
    "untied-swish-equal": (BertForMaskedLM, {"hidden_act": "swish", "tie_word_embeddings": False}, {"equal": True}),
    "pretraining-gelu_new-old": (BertForPreTraining, {"hidden_act": "gelu_new"}, {"old": True}),
    "encoder-quick_gelu": (BertModel, {"hidden_act": "quick_gelu", "type_vocab_size": 3}, {}),
    "encoder-gelu-bfloat16": (BertModel, {"type_vocab_size": 1}, {"dtype": torch.bfloat16}),
    "classifier-tanh": (BertForSequenceClassification, {"hidden_act": "tanh", "num_labels": 3}, {}),
}

shutil.rmtree(golden, ignore_errors=True)
for number, (name, (architecture, fixed, options)) in enumerate(cases.items()):
    rng, generator = random.Random(number), torch.Generator().manual_seed(number)
    config = drawn(rng, **fixed)
    model = architecture(config)
    randomise(model, generator)
    if options.get("equal"):
        with torch.no_grad():
            model.cls.predictions.decoder.weight.copy_(model.bert.embeddings.word_embeddings.weight)
    directory = golden / name
    dtype = options.get("dtype", torch.float32)
    model.to(dtype).save_pretrained(directory, max_shard_size=options.get("shard", "1GB"))
    (directory / "generation_config.json").unlink(missing_ok=True)
    if options.get("old"):
        old_names(directory / "model.safetensors")
    # halves are what is stored; the computation is in float32, as homodistil's
    save_file(expected(model.float(), config, rng, generator), directory / "expected.safetensors")
    size = sum(file.stat().st_size for file in directory.iterdir())
    print(f"{name}: {size} bytes, {sorted(file.name for file in directory.iterdir())}")
