"""Hugging Face's `transformers` as an oracle: one request a line in JSON, one answer a line.

    {"do": "write", "folder": …, "result": …, …}   writes a random BERT as save_pretrained does
    {"do": "load", "folder": …, "result": …, …}    loads a directory; with "again", saves it there anew

Either runs the model on the batch it was asked for and puts what went in (ids, mask, types) and came out (hidden.0 … hidden.n, logits)
into the safetensors file `result`: in float64, which is what others are held against, and how far float32 was from it.
"""

import json
import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
warnings.filterwarnings("ignore")

import torch
import transformers
from safetensors.torch import load_file, save_file

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)


def randomise(model, std, generator):
    """Values that no parameter could be forgotten with unnoticed, tied ones once."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = std * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + noise if name.endswith("LayerNorm.weight") else noise)


def drawn(asked, config, generator):
    """Tokens, and what is padding: nothing, an end, a beginning, or anything but one token of each row."""
    rows, length = asked["rows"], asked["length"]
    ids = torch.randint(config.vocab_size, (rows, length), generator=generator)
    batch = {"input_ids": ids}
    if asked["types"]:
        batch["token_type_ids"] = torch.randint(config.type_vocab_size, (rows, length), generator=generator)
    if asked["mask"] != "none":
        kept = torch.randint(1, length + 1, (rows, 1), generator=generator)
        mask = torch.arange(length)[None] < kept
        if asked["mask"] == "left":
            mask = mask.flip(1)
        if asked["mask"] == "holes":
            mask = torch.rand((rows, length), generator=generator) < 0.5
            mask.scatter_(1, kept - 1, True)
        batch["attention_mask"] = mask.long()
    return batch


def outputs(model, batch):
    with torch.no_grad():
        made = model(**batch, output_hidden_states=True)
    found = {f"hidden.{n}": states for n, states in enumerate(made.hidden_states)}
    logits = made.get("logits") if isinstance(model, masked) else made.get("prediction_logits")
    return found if logits is None else {**found, "logits": logits}


masked = (transformers.BertForMaskedLM, transformers.BertLMHeadModel)
names = {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "types"}


def run(model, asked, generator):
    """Runs a model in both precisions; halves are what is stored, not what is computed in."""
    model.eval()
    batch = drawn(asked, model.config, generator)
    single = outputs(model.float(), batch)
    exact = outputs(model.double(), batch)
    own = max((single[name].double() - exact[name]).abs().max().item() for name in exact)
    largest = max(states.abs().max().item() for states in exact.values())
    given = {names[name]: value.float() if name == "attention_mask" else value.int() for name, value in batch.items()}
    made = {name: states.float().contiguous() for name, states in exact.items()}
    save_file({**given, **made}, asked["result"])
    return {"float32": own, "largest": largest}


def old_names(file):
    """Layer normalisation called its weight gamma and its bias beta, and positions were stored, too."""
    tensors = load_file(file)
    rename = lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    tensors = {rename(name): tensor for name, tensor in tensors.items()}
    prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""
    tensors[f"{prefix}embeddings.position_ids"] = torch.arange(9)[None]
    save_file(tensors, file, metadata={"format": "pt"})


def write(asked):
    generator = torch.Generator().manual_seed(asked["seed"])
    config = transformers.BertConfig(**asked["config"], attn_implementation="eager")
    architecture = getattr(transformers, asked["architecture"])
    model = architecture(config, add_pooling_layer=False) if asked["bare"] else architecture(config)
    randomise(model, asked["std"], generator)
    if asked["equal"] and model.get_output_embeddings() is not None:
        with torch.no_grad():
            model.get_output_embeddings().weight.copy_(model.get_input_embeddings().weight)
    model.to(getattr(torch, asked["dtype"])).save_pretrained(asked["folder"], max_shard_size=asked["shard"])
    files = sorted(os.listdir(asked["folder"]))
    if asked["old"] and "model.safetensors" in files:
        old_names(os.path.join(asked["folder"], "model.safetensors"))
    return {"files": files, **run(model, asked, generator)}


def load(asked):
    generator = torch.Generator().manual_seed(asked["seed"])
    auto = transformers.AutoModel if asked["bare"] else transformers.AutoModelForMaskedLM
    model, told = auto.from_pretrained(asked["folder"], output_loading_info=True, attn_implementation="eager")
    if asked["again"]:
        model.save_pretrained(asked["again"], max_shard_size=asked["shard"])
    strange = [str(key) for keys in told.values() for key in keys if not str(key).startswith("pooler.")]
    return {"class": type(model).__name__, "strange": sorted(strange), **run(model, asked, generator)}


print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"write": write, "load": load}[asked["do"]](asked)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
