"""Repeats recorded distillations with PyTorch and compares: losses, pruned units, and the state after the first and last step.

    python test/parity/check.py TRACE... [--same TRACE TRACE] [--double] [--verbose]

A second implementation of the method, written with PyTorch's own operations, optimiser and autograd from the paper's formulas; it
takes from a trace (see README.md here) the weights, the batches and the settings, and prunes by its own scores and ranking.
Exits with 0 when everything agrees, 1 when something differs, 2 when it cannot start.
"""

import argparse
import json
import pathlib
import sys

try:
    import numpy
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file
except ImportError as error:
    print(
        f"parity: {error.name} = missing: PyTorch, safetensors and numpy are needed; "
        f"run: {sys.executable} -m pip install torch==2.13.0 safetensors numpy, or name another Python with PYTHON=...",
        file=sys.stderr,
    )
    sys.exit(2)

LOSS_TOLERANCE = 1e-3  # relative, for every loss term of every step
STATE_TOLERANCE = 1e-3  # norm of the difference, relative to the norm
TIE = 1e-5  # scores nearer to the threshold than this, relatively, may go either way
SMALLEST = 1e-6  # loss terms below this are compared absolutely


# settings ---------------------------------------------------------------------------------------------------------------------


class Settings:
    """What the trace says of the run, read from the specs of its components."""

    def __init__(self, trace):
        parts = {part["name"]: part["parts"][0] for part in trace["plan"]["parts"]}
        option = lambda name: parts[name]["options"]
        self.teacher, self.student = trace["teacher"], trace["student"]
        self.rows, self.length = trace["batch"]["rows"], trace["batch"]["length"]
        self.training, self.optimizer = option("training"), option("optimizer")
        self.steps = self.training["steps"]
        self.scorer = parts["scorer"]
        self.granularity = parts["granularity"]["name"]
        self.shared_projection = option("projection")["shared"]
        self.masked = parts["mode"]["name"] == "masked"
        self.rate_options, self.ratio_options = option("learningRate"), option("ratio")
        self.loss = []
        self._read_loss(parts["loss"], 1.0)
        expected = {"learningRate": "linearDecay", "ratio": "cubic", "ranking": "local", "optimizer": "adamW"}
        for name, known in expected.items():
            if parts[name]["name"] != known:
                raise SystemExit(f"parity: {name} = {parts[name]['name']}: must be {known}; this checker knows no other")
        if self.training["hiddenDropout"] or self.training["attentionDropout"] or option("ranking")["multiples"]:
            raise SystemExit("parity: dropout and multiples must be off; this checker does not know them")

    def _read_loss(self, spec, weight):
        if spec["name"] == "sum":
            for part in spec["parts"]:
                self._read_loss(part, weight)
        elif spec["name"] == "scale":
            self._read_loss(spec["parts"][0], weight * spec["options"]["weight"])
        else:
            self.loss.append((spec["name"], spec["options"], weight))

    def learning_rate(self, step):
        """Linear warm-up, then a linear fall to zero; steps count from 0."""
        peak, warm = self.rate_options["peak"], self.rate_options["warmup"] * self.steps
        rising = (step + 1) / max(1.0, warm)
        falling = (self.steps - step) / max(1.0, self.steps - warm)
        return peak * min(rising, max(0.0, falling))

    def ratio(self, done):
        """Section 4 of the paper: the cubic fall between t_i and t_f."""
        final = self.ratio_options["final"]
        begin, end = (self.ratio_options[key] * self.steps for key in ("start", "end"))
        if done <= begin:
            return 1.0
        return final if done >= end else final + (1 - final) * (1 - (done - begin) / (end - begin)) ** 3

    def prunes_after(self, done):
        end = self.ratio_options["end"] * self.steps
        last = int(numpy.ceil(end))
        return done <= last and (done % self.training["pruneEvery"] == 0 or done == last)


# the model ----------------------------------------------------------------------------------------------------------------------


def bert(p, config, ids, positions, attention):
    """BERT with its taps: embedding output, hidden states, attention scores before the softmax, logits at `positions`."""
    heads, eps, scale = config["num_attention_heads"], config["layer_norm_eps"], config["homodistil"]["scale"]
    rows, length = ids.shape

    def dense(name, x):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], eps)

    table = "bert.embeddings.{}_embeddings.weight"
    x = (
        F.embedding(ids, p[table.format("word")])
        + F.embedding(torch.arange(length), p[table.format("position")])
        + F.embedding(torch.zeros_like(ids), p[table.format("token_type")])
    )
    x = norm("bert.embeddings.LayerNorm", x)
    embedding, hidden, scores = x, [], []
    for i in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{i}."
        q, k, v = (
            dense(layer + f"attention.self.{name}", x).unflatten(-1, (heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        a = torch.einsum("bhid,bhjd->bhij", q, k) * scale
        scores.append(a)
        if attention is not None:
            a = a + (1 - attention)[:, None, None, :] * -1e4
        context = (a.softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = norm(layer + "attention.output.LayerNorm", x + dense(layer + "attention.output.dense", context))
        inner = F.gelu(dense(layer + "intermediate.dense", x))
        x = norm(layer + "output.LayerNorm", x + dense(layer + "output.dense", inner))
        hidden.append(x)
    chosen = x.flatten(0, 1)[positions]
    head = norm("cls.predictions.transform.LayerNorm", F.gelu(dense("cls.predictions.transform.dense", chosen)))
    logits = F.linear(head, p["bert.embeddings.word_embeddings.weight"], p["cls.predictions.bias"])
    return {"embedding": embedding, "hidden": hidden, "scores": scores, "logits": logits}


def losses(settings, p, student, teacher, labels, attention):
    """The terms of section 2 by name, unweighted, and their weighted sum."""

    def projection(which):
        return p["projection.weight" if settings.shared_projection else f"projection.{which}.weight"]

    def over_tokens(a, b):
        squares = (a - b).square()
        return squares.mean() if attention is None else squares[attention.bool()].mean()

    def per_layer(values, options):
        total = torch.stack(values)
        return total.sum() if options["reduce"] == "sum" else total.mean()

    def mlm(_):
        return F.cross_entropy(student["logits"], labels)

    def kl(options):
        t = options["temperature"]
        log = [F.log_softmax(x["logits"] / t, -1) for x in (student, teacher)]
        return F.kl_div(log[0], log[1], reduction="batchmean", log_target=True) * t * t

    def hidden(options):
        pairs = enumerate(zip(student["hidden"], teacher["hidden"]))
        return per_layer([over_tokens(s @ projection(f"layer.{i}"), t) for i, (s, t) in pairs], options)

    def embedding(_):
        return over_tokens(student["embedding"] @ projection("embedding"), teacher["embedding"])

    def attention_scores(options):
        def layer(s, t):
            if attention is None:
                valid = torch.ones_like(t[:, 0], dtype=torch.bool)
            else:
                valid = (attention[:, :, None] * attention[:, None, :]).bool()
            each = []
            for h in range(t.shape[1]):
                a, b = s[:, h][valid], t[:, h][valid]
                error = (a - b).square().mean()
                each.append(error / b.var().clamp_min(1e-12) if options["scale"] == "teacherVariance" else error)
            return torch.stack(each).mean()

        return per_layer([layer(s, t) for s, t in zip(student["scores"], teacher["scores"])], options)

    known = {"maskedLm": ("mlm", mlm), "kl": ("kl", kl), "hidden": ("hidden", hidden)}
    known |= {"embedding": ("embedding", embedding), "attention": ("attention", attention_scores)}
    terms, total = {}, 0
    for name, options, weight in settings.loss:
        label, term = known[name]
        terms[label] = term(options)
        total = total + weight * terms[label]
    return terms, total


# units --------------------------------------------------------------------------------------------------------------------------


def axes_of(name):
    """The axes of a parameter's dimensions, and the one whose units it produces; None for an axis that is never pruned."""
    if name.startswith("projection."):
        return ["hidden", None], None
    if name.endswith("_embeddings.weight"):
        return [None, "hidden"], "hidden"
    if name == "cls.predictions.bias":
        return [None], None
    layer = name.split(".")[3] if ".layer." in name else ""
    inner = {"query": "qk", "key": "qk", "value": "vo"}
    part = name.split(".")[-2]
    if part in inner:
        out, source = f"layer.{layer}.{inner[part]}", "hidden"
    elif ".intermediate." in name:
        out, source = f"layer.{layer}.ffn", "hidden"
    elif ".attention.output.dense." in name:
        out, source = "hidden", f"layer.{layer}.vo"
    elif ".output.dense." in name:
        out, source = "hidden", f"layer.{layer}.ffn"
    else:
        out, source = "hidden", "hidden"
    is_matrix = name.endswith("dense.weight") or (part in inner and name.endswith(".weight"))
    return ([out, source] if is_matrix else [out]), out


def original_sizes(config):
    """Size and number of blocks (heads) of each axis before pruning."""
    heads = config["num_attention_heads"]
    sizes = {"hidden": (config["hidden_size"], 1)}
    for i in range(config["num_hidden_layers"]):
        widths = config["homodistil"]
        for kind, blocks in (("ffn", 1), ("qk", heads), ("vo", heads)):
            sizes[f"layer.{i}.{kind}"] = (widths[kind][i], blocks)
    return sizes


def cut(name, tensor, kept):
    for dimension, axis in enumerate(axes_of(name)[0]):
        if axis in kept:
            tensor = tensor.index_select(dimension, torch.as_tensor(kept[axis], dtype=torch.long))
    return tensor.contiguous()


def unit_scores(scores, granularity):
    """The L1 norm of the scores of a unit's weights: those that produce it, or all that go with it."""
    sums = {}
    for name, score in scores.items():
        axes, produced = axes_of(name)
        for dimension, axis in enumerate(axes):
            if axis is None or (granularity == "producers" and (axis != produced or axes.index(axis) != dimension)):
                continue
            others = [d for d in range(score.dim()) if d != dimension]
            mine = score.abs().double()
            sums[axis] = sums.get(axis, 0) + (mine.sum(others) if others else mine)
    return sums


def rank(scores, sizes, ratio):
    """The units that remain of each axis that shrinks, and the scores around each block's threshold."""
    kept, threshold = {}, {}
    for axis, (whole, blocks) in sizes.items():
        mine = scores[axis].reshape(blocks, -1)
        now = mine.shape[1]
        width = min(now, max(1, round(ratio * (whole // blocks))))
        if width == now:
            continue
        order = torch.sort(mine, dim=1, descending=True, stable=True)
        best = order.indices[:, :width].sort(1).values + torch.arange(blocks)[:, None] * now
        kept[axis] = best.flatten().tolist()
        threshold[axis] = order.values[:, width - 1 : width + 1].mean(1).repeat_interleave(now)
    return kept, threshold


class Scorer:
    """Section 3, elementwise: magnitude, sensitivity averaged over its running window, PLATON."""

    def __init__(self, spec):
        self.name, self.options = spec["name"], spec["options"]
        if self.name not in ("magnitude", "sensitivity", "platon"):
            raise SystemExit(f"parity: scorer = {self.name}: must be magnitude, sensitivity or platon; record one of these")
        self.total, self.count, self.mean, self.deviation = {}, 0, {}, {}

    def after_step(self, params):
        """Sees the gradient of the step and the weights after it."""
        if self.name == "magnitude":
            return
        if self.count == self.options["window"]:
            self.total, self.count = {}, 0
        for name, w in params.items():
            self.total[name] = self.total.get(name, 0) + (w.detach() * w.grad).abs()
        self.count += 1
        if self.name == "platon" and self.count == self.options["window"]:
            b1, b2 = self.options["beta1"], self.options["beta2"]
            for name, total in self.total.items():
                now = total / self.count
                self.mean[name] = b1 * self.mean.get(name, torch.zeros_like(now)) + (1 - b1) * now
                spread = (now - self.mean[name]).abs()
                self.deviation[name] = b2 * self.deviation.get(name, torch.zeros_like(now)) + (1 - b2) * spread

    def scores(self, params):
        if self.name == "magnitude":
            return {name: w.detach().abs() for name, w in params.items()}
        if self.name == "sensitivity":
            return {name: total / self.count for name, total in self.total.items()}
        zeros = {name: torch.zeros_like(w) for name, w in params.items()}
        return {name: self.mean.get(name, zero) * self.deviation.get(name, zero) for name, zero in zeros.items()}

    def cut(self, kept):
        for memory in (self.total, self.mean, self.deviation):
            for name in memory:
                memory[name] = cut(name, memory[name], kept)

    def slots(self):
        """The memory under the names of the recorded one."""
        window = {name: total / max(1, self.count) for name, total in self.total.items()}
        if self.name == "sensitivity":
            return {"mean": window}
        return {"mean": self.mean, "uncertainty": self.deviation, "inner.mean": window} if self.name == "platon" else {}


def adam(params, options, state=None):
    """torch.optim.AdamW, matrices with decay and vectors without; moments go on where they are given."""
    groups = [
        {"params": [p for p in params.values() if p.dim() > 1], "weight_decay": options["weightDecay"]},
        {"params": [p for p in params.values() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(options["beta1"], options["beta2"]), eps=options["epsilon"])
    for name, moments in (state or {}).items():
        optimizer.state[params[name]] = moments
    return optimizer


# comparison ---------------------------------------------------------------------------------------------------------------------


class Report:
    """What was found: the largest difference of each quantity and where, and what is wrong."""

    def __init__(self):
        self.largest, self.problems, self.notes, self.units = {}, [], [], []

    def see(self, quantity, difference, where, tolerance=None):
        if not difference <= self.largest.get(quantity, (-1, ""))[0]:
            self.largest[quantity] = (difference, where)
        if tolerance is not None and not difference <= tolerance:
            self.problems.append(f"{where}: {quantity} differs by {difference:.2e}, more than {tolerance:.0e}")


def relative(ours, theirs, smallest=SMALLEST):
    return abs(ours - theirs) / max(abs(ours), abs(theirs), smallest)


def compare_units(report, where, mine, threshold, scores, event):
    """Own choice against the recorded one: how many units differ, how many of those are no ties."""
    recorded = event["kept"]
    if {axis: len(units) for axis, units in mine.items()} != {axis: len(units) for axis, units in recorded.items()}:
        report.problems.append(f"{where}: other widths: {event['widths']}")
        return
    kept = swapped = 0
    for axis, units in mine.items():
        kept += len(units)
        for unit in sorted(set(units) ^ set(recorded[axis])):
            swapped += 1
            distance = relative(scores[axis][unit].item(), threshold[axis][unit].item(), 1e-300)
            other = event["scores"][axis][unit]
            line = f"{where}: {axis} unit {unit}: score {scores[axis][unit].item():.8g} here, {other:.8g} recorded, {distance:.1e} from the threshold"
            if distance < TIE:
                report.notes.append(f"tie at {line}")
            else:
                report.problems.append(f"other unit at {line}")
    for axis, theirs in event["scores"].items():
        mine_, theirs_ = scores[axis], torch.tensor(theirs, dtype=torch.float64)
        report.see("unit scores", ((mine_ - theirs_).norm() / mine_.norm().clamp_min(1e-300)).item(), f"{where} {axis}")
    report.units.append(f"{kept} kept" + (f", {swapped} swapped" if swapped else ""))


def compare_state(report, where, folder, which, params, moments, slots):
    recorded = load_file(folder / f"state.{which}.safetensors")
    mine = {f"param.{name}": p.detach() for name, p in params.items()}
    for ours, theirs in (("mean", "exp_avg"), ("square", "exp_avg_sq")):
        mine |= {f"moment.{ours}.{name}": state[theirs] for name, state in moments.items()}
    for slot, values in slots.items():
        mine |= {f"slot.{slot}.{name}": value for name, value in values.items()}
    # what a scorer has not made yet is zero in the record
    mine |= {key: torch.zeros_like(value) for key, value in recorded.items() if key not in mine and key.startswith("slot.")}
    if mine.keys() != recorded.keys():
        report.problems.append(f"{where}: other tensors: {sorted(mine.keys() ^ recorded.keys())[:4]}")
        return
    kinds = {}
    for key, theirs in recorded.items():
        ours, theirs = mine[key].double(), theirs.double()
        if ours.shape != theirs.shape:
            report.problems.append(f"{where}: {key} is {list(theirs.shape)} there, {list(ours.shape)} here")
            return
        kind = key.split(".")[0] if key.startswith("param") else ".".join(key.split(".bert.")[0].split(".cls.")[0].split(".projection.")[0].split("."))
        kinds.setdefault(kind, []).append(((ours - theirs).norm().item(), ours.norm().item()))
    for kind, pairs in kinds.items():
        difference, norm = (sum(x * x for x in column) ** 0.5 for column in zip(*pairs))
        report.see(f"{which}: {kind}", difference / max(norm, 1e-30), where, STATE_TOLERANCE)


def repeat(folder, double):
    """Repeats one recorded run from its weights and batches."""
    trace = json.loads((folder / "trace.json").read_text())
    if trace["format"] != 1:
        raise SystemExit(f"parity: {folder}: format {trace['format']} of the trace is not known; record it again")
    settings, report = Settings(trace), Report()
    dtype = torch.float64 if double else torch.float32
    taught = {name: value.to(dtype) for name, value in load_file(folder / "teacher.safetensors").items()}
    params = {name: value.to(dtype).requires_grad_() for name, value in load_file(folder / "weights.safetensors").items()}
    batches = load_file(folder / "batches.safetensors")
    sizes = original_sizes(settings.student)
    watched = lambda: {name: p for name, p in params.items() if not name.startswith("projection.") and any(axes_of(name)[0])}
    optimizer, scorer = adam(params, settings.optimizer), Scorer(settings.scorer)
    steps = [event for event in trace["events"] if event["event"] == "step"]
    prunings = {event["step"]: event for event in trace["events"] if event["event"] == "pruning"}
    if len(steps) != settings.steps:
        report.problems.append(f"{len(steps)} steps recorded of {settings.steps}")

    for step, recorded in enumerate(steps):
        where = f"step {step + 1}"
        ids = batches["ids"][step].long().reshape(settings.rows, settings.length)
        positions, labels = batches["positions"][step].long(), batches["labels"][step].long()
        attention = batches["attention"][step].to(dtype).reshape(ids.shape) if "attention" in batches else None
        with torch.no_grad():
            teacher = bert(taught, settings.teacher, ids, positions, attention)
        student = bert(params, settings.student, ids, positions, attention)
        terms, total = losses(settings, params, student, teacher, labels, attention)
        optimizer.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(params.values(), settings.optimizer["clipNorm"] or float("inf"))
        rate = settings.learning_rate(step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        scorer.after_step(watched())

        report.see("learning rate", relative(rate, recorded["learningRate"], 1e-12), where, 1e-9)
        for name, value in [*terms.items(), ("total", total)]:
            theirs = recorded["total"] if name == "total" else recorded["terms"][name]
            report.see(name, relative(value.item(), theirs), where, LOSS_TOLERANCE)
        if terms.keys() != recorded["terms"].keys():
            report.problems.append(f"{where}: other terms: {sorted(recorded['terms'])}")

        done, event = step + 1, prunings.get(step + 1)
        if settings.prunes_after(done):
            scores = unit_scores(scorer.scores(watched()), settings.granularity)
            mine, threshold = rank(scores, sizes, settings.ratio(done))
            if bool(mine) != (event is not None):
                report.problems.append(f"{where}: pruned {'here' if mine else 'there'} only")
            if event is not None:
                report.see("remaining ratio", relative(settings.ratio(done), event["ratio"], 1e-12), where, 1e-9)
                compare_units(report, where, mine, threshold, scores, event)
                # the same as one's own choice, or what both go on with where a tie fell the other way
                kept = event["kept"]
                moments = {
                    name: {key: value if key == "step" else cut(name, value, kept) for key, value in optimizer.state[p].items()}
                    for name, p in params.items()
                }
                params = {name: cut(name, p.detach(), kept).requires_grad_() for name, p in params.items()}
                optimizer = adam(params, settings.optimizer, moments)
                scorer.cut(kept)
        elif event is not None:
            report.problems.append(f"{where}: pruned there only")

        if done in (1, len(steps)) and not settings.masked:
            moments = {name: optimizer.state[p] for name, p in params.items()}
            compare_state(report, where, folder, "first" if done == 1 else "last", params, moments, scorer.slots())
    if len(prunings) < 2:
        report.problems.append(f"only {len(prunings)} prunings; record at least two")
    return settings, report


def same(one, other):
    """Compares two recorded runs with each other: hard and masked pruning must give the same losses and units."""
    report = Report()
    first, second = (json.loads((folder / "trace.json").read_text())["events"] for folder in (one, other))
    if [event["event"] for event in first] != [event["event"] for event in second]:
        report.problems.append("other events")
    for a, b in zip(first, second):
        where = f"step {a['step']}"
        if a["event"] == "step":
            for name, value in [*a["terms"].items(), ("total", a["total"])]:
                theirs = b["total"] if name == "total" else b["terms"][name]
                report.see(name, relative(value, theirs), where, LOSS_TOLERANCE)
        elif a["kept"] != b["kept"]:
            report.problems.append(f"{where}: other units")
    return report


def show(title, report):
    print(f"\n{title}: {'ok' if not report.problems else 'DIFFERS'}")
    for quantity, (difference, where) in report.largest.items():
        print(f"  {quantity:<28} {difference:9.2e}  {where}")
    if report.units:
        print(f"  {'units':<28} {'; '.join(report.units)}")
    for note in report.notes[:10]:
        print(f"  {note}")
    for problem in report.problems[:12]:
        print(f"  ! {problem}")
    if len(report.problems) > 12:
        print(f"  ! and {len(report.problems) - 12} more")


def main():
    parser = argparse.ArgumentParser(description="Repeats recorded distillations with PyTorch and compares.")
    parser.add_argument("traces", nargs="*", type=pathlib.Path, help="folders of homodistil trace-run")
    parser.add_argument("--same", nargs=2, action="append", default=[], type=pathlib.Path, help="two traces that must agree")
    parser.add_argument("--double", action="store_true", help="compute here in double precision")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--ready", action="store_true", help="only say whether PyTorch is there")
    options = parser.parse_args()
    if options.ready:
        return 0
    torch.set_num_threads(options.threads)
    missing = [folder for folder in options.traces if not (folder / "trace.json").is_file()]
    if missing or not (options.traces or options.same):
        print(f"parity: trace = {[str(folder) for folder in missing]}: must be folders of homodistil trace-run; record them first", file=sys.stderr)
        return 2
    print("Largest differences, relative, and where (loss terms: tolerance 1e-3 each step; state: 1e-3 of the norm)")
    reports = []
    for folder in options.traces:
        settings, report = repeat(folder, options.double)
        show(f"{folder.name} ({settings.scorer['name']}, {settings.steps} steps)", report)
        reports.append(report)
    for one, other in options.same:
        report = same(one, other)
        show(f"{one.name} = {other.name}", report)
        reports.append(report)
    failed = sum(bool(report.problems) for report in reports)
    print(f"\n{len(reports) - failed} agree, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
