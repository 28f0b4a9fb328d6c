"""Repeats recorded distillations with PyTorch and compares: losses, pruned units, and the state after the first and last step.

    python test/parity/check.py TRACE... [--same TRACE TRACE]

A second implementation of the method, written with PyTorch's own operations, optimiser and autograd from the paper's formulas; it
takes from a trace (see README.md here) the weights, the batches and the settings, and prunes by its own scores and ranking.
It runs in float64, which the trace is held against, and in float32: how far those two are apart is what rounding alone does.
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
SCORE_TOLERANCE = 1e-2  # the same, for the unit scores of an axis
TIE = 1e-5  # scores nearer to the threshold than this, relatively, may go either way
SMALLEST = 1e-4  # loss terms below this differ by at most 1e-7: float32 numbers of order one say no more


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


# one run ------------------------------------------------------------------------------------------------------------------------


class Run:
    """A recorded run repeated from its weights and batches; where it prunes, it goes on with the recorded units."""

    def __init__(self, folder, trace, settings, dtype):
        self.terms = []  # by step
        self.choices = {}  # by steps done: own units kept, thresholds, unit scores
        self.states = {}  # after the first and the last step
        taught = {name: value.to(dtype) for name, value in load_file(folder / "teacher.safetensors").items()}
        start = load_file(folder / "weights.safetensors")
        params = {name: value.to(dtype).requires_grad_() for name, value in start.items()}
        batches = load_file(folder / "batches.safetensors")
        kept_there = {event["step"]: event["kept"] for event in trace["events"] if event["event"] == "pruning"}
        sizes = original_sizes(settings.student)
        optimizer, scorer = adam(params, settings.optimizer), Scorer(settings.scorer)

        def watched():
            return {n: p for n, p in params.items() if not n.startswith("projection.") and any(axes_of(n)[0])}

        for step in range(settings.steps):
            ids = batches["ids"][step].long().reshape(settings.rows, settings.length)
            positions, labels = batches["positions"][step].long(), batches["labels"][step].long()
            attention = batches["attention"][step].to(dtype).reshape(ids.shape) if "attention" in batches else None
            with torch.no_grad():
                teacher = bert(taught, settings.teacher, ids, positions, attention)
            student = bert(params, settings.student, ids, positions, attention)
            terms, total = losses(settings, params, student, teacher, labels, attention)
            optimizer.zero_grad()
            total.backward()
            torch.nn.utils.clip_grad_norm_(params.values(), settings.optimizer["clipNorm"] or float("inf"))
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate(step)
            optimizer.step()
            scorer.after_step(watched())
            self.terms.append({name: value.item() for name, value in [*terms.items(), ("total", total)]})

            done = step + 1
            if settings.prunes_after(done):
                scores = unit_scores(scorer.scores(watched()), settings.granularity)
                mine, threshold = rank(scores, sizes, settings.ratio(done))
                if mine:
                    self.choices[done] = mine, threshold, scores
                kept = kept_there.get(done, mine)
                moments = {}
                for name, p in params.items():
                    state = optimizer.state[p]
                    moments[name] = {key: x if key == "step" else cut(name, x, kept) for key, x in state.items()}
                params = {name: cut(name, p.detach(), kept).requires_grad_() for name, p in params.items()}
                optimizer = adam(params, settings.optimizer, moments)
                scorer.cut(kept)
            if done in (1, settings.steps):
                self.states["first" if done == 1 else "last"] = flat(params, optimizer, scorer)


def flat(params, optimizer, scorer):
    """Weights, moments and scorer memory under the names of a recorded state."""
    state = {f"param.{name}": p.detach().clone() for name, p in params.items()}
    for ours, theirs in (("mean", "exp_avg"), ("square", "exp_avg_sq")):
        state |= {f"moment.{ours}.{name}": optimizer.state[p][theirs].clone() for name, p in params.items()}
    for slot, values in scorer.slots().items():
        state |= {f"slot.{slot}.{name}": value.clone() for name, value in values.items()}
    return state


# comparison ---------------------------------------------------------------------------------------------------------------------


class Report:
    """What was found: the largest difference of each quantity and where, what rounding alone makes of it, and what is wrong."""

    def __init__(self):
        self.largest, self.noise, self.problems, self.notes, self.units = {}, {}, [], [], []

    def see(self, quantity, difference, where, tolerance=None, noise=None):
        if not difference <= self.largest.get(quantity, (-1, ""))[0]:
            self.largest[quantity] = (difference, where)
        if noise is not None:
            self.noise[quantity] = max(noise, self.noise.get(quantity, 0))
        if tolerance is not None and not difference <= tolerance:
            self.problems.append(f"{where}: {quantity} differs by {difference:.2e}, more than {tolerance:.0e}")


def relative(ours, theirs, smallest):
    return abs(ours - theirs) / max(abs(ours), abs(theirs), smallest)


def distance(a, b):
    a, b = a.double(), torch.as_tensor(b).double()
    return ((a - b).norm() / a.norm().clamp_min(1e-300)).item()


def compare_terms(report, where, recorded, exact, single):
    theirs = {**recorded["terms"], "total": recorded["total"]}
    if theirs.keys() != exact.keys():
        report.problems.append(f"{where}: other terms: {sorted(theirs)}")
    for name in [name for name in exact if name in theirs]:
        difference = relative(exact[name], theirs[name], SMALLEST)
        report.see(name, difference, where, LOSS_TOLERANCE, relative(exact[name], single[name], SMALLEST))


def compare_units(report, where, event, exact, single):
    """Own choice against the recorded one. Units on the wrong side of a threshold must be ties, or rounding must reach so far."""
    mine, threshold, scores = exact
    recorded = event["kept"]
    for axis, theirs in event["scores"].items():
        noise = distance(scores[axis], single[2][axis])
        report.see("unit scores", distance(scores[axis], theirs), f"{where} {axis}", SCORE_TOLERANCE, noise)
    if {axis: len(units) for axis, units in mine.items()} != {axis: len(units) for axis, units in recorded.items()}:
        report.problems.append(f"{where}: other widths: {event['widths']}")
        return
    swaps = 0
    for axis, units in mine.items():
        spread = (scores[axis] - single[2][axis]) / scores[axis].clamp_min(1e-300)
        rounding = 3 * spread.square().mean().sqrt().item()
        for unit in sorted(set(units) ^ set(recorded[axis])):
            swaps += 1
            score, limit = scores[axis][unit].item(), threshold[axis][unit].item()
            off = relative(score, limit, 1e-300)
            line = f"{where}: {axis} unit {unit}: score {score:.7g} here, {event['scores'][axis][unit]:.7g} recorded, {off:.1e} off the threshold"
            if off < TIE:
                report.notes.append(f"tie: {line}")
            elif off < rounding:
                report.notes.append(f"within rounding ({rounding:.1e}): {line}")
            else:
                report.problems.append(f"other unit: {line}")
    kept = sum(map(len, mine.values()))
    report.units.append(f"{kept} of {sum(map(len, scores.values()))}" + (f" ({swaps} the other way)" if swaps else ""))


def compare_state(report, where, which, recorded, exact, single):
    # what a scorer has not made yet is zero in the record
    for key, value in recorded.items():
        if key.startswith("slot.") and key not in exact:
            exact[key] = single[key] = torch.zeros_like(value)
    shapes = lambda state: {key: list(value.shape) for key, value in state.items()}
    if shapes(exact) != shapes(recorded):
        wrong = sorted(key for key in exact.keys() | recorded.keys() if shapes(exact).get(key) != shapes(recorded).get(key))
        report.problems.append(f"{where}: other tensors: {', '.join(wrong[:4])}")
        return
    kinds = sorted({key.split(".bert.")[0].split(".cls.")[0].split(".projection.")[0] for key in recorded})
    for kind in kinds:
        keys = [key for key in recorded if key.startswith((f"{kind}.bert.", f"{kind}.cls.", f"{kind}.projection."))]
        whole = lambda state: torch.cat([state[key].flatten().double() for key in keys])
        noise = distance(whole(exact), whole(single))
        report.see(f"{which} {kind}", distance(whole(exact), whole(recorded)), where, STATE_TOLERANCE, noise)


def check(folder):
    """Repeats one recorded run and compares."""
    trace = json.loads((folder / "trace.json").read_text())
    if trace["format"] != 1:
        raise SystemExit(f"parity: {folder}: format {trace['format']} of the trace is not known; record it again")
    settings, report = Settings(trace), Report()
    exact, single = (Run(folder, trace, settings, dtype) for dtype in (torch.float64, torch.float32))
    steps = [event for event in trace["events"] if event["event"] == "step"]
    prunings = {event["step"]: event for event in trace["events"] if event["event"] == "pruning"}
    if [event["step"] for event in steps] != list(range(1, settings.steps + 1)):
        report.problems.append(f"{len(steps)} steps recorded, of {settings.steps}")
    for step, (recorded, *ours) in enumerate(zip(steps, exact.terms, single.terms)):
        where = f"step {step + 1}"
        rate = relative(settings.learning_rate(step), recorded["learningRate"], 1e-12)
        report.see("learning rate", rate, where, 1e-9)
        compare_terms(report, where, recorded, *ours)
    if prunings.keys() != exact.choices.keys():
        report.problems.append(f"pruned after {sorted(prunings)} steps there, {sorted(exact.choices)} here")
    for done in sorted(prunings.keys() & exact.choices.keys()):
        where, event = f"step {done}", prunings[done]
        report.see("remaining ratio", relative(settings.ratio(done), event["ratio"], 1e-12), where, 1e-9)
        compare_units(report, where, event, exact.choices[done], single.choices[done])
    if len(prunings) < 2:
        report.problems.append(f"{len(prunings)} prunings; record at least two")
    for which in () if settings.masked else ("first", "last"):
        recorded = load_file(folder / f"state.{which}.safetensors")
        compare_state(report, f"{which} step", which, recorded, exact.states[which], single.states[which])
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
                report.see(name, relative(value, theirs, SMALLEST), where, LOSS_TOLERANCE)
        elif a["kept"] != b["kept"]:
            report.problems.append(f"{where}: other units")
    return report


def show(title, report):
    print(f"\n{title}: {'agrees' if not report.problems else 'DIFFERS'}")
    for quantity, (difference, where) in report.largest.items():
        noise = f"(rounding {report.noise[quantity]:.1e})" if quantity in report.noise else ""
        print(f"  {quantity:<24} {difference:9.2e} {noise:<19} {where}".rstrip())
    if report.units:
        print(f"  units kept alike          {', then '.join(report.units)}")
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
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--ready", action="store_true", help="only say whether PyTorch is there")
    options = parser.parse_args()
    if options.ready:
        return 0
    torch.set_num_threads(options.threads)
    folders = [*options.traces, *(folder for pair in options.same for folder in pair)]
    missing = [str(folder) for folder in folders if not (folder / "trace.json").is_file()]
    if missing or not folders:
        print(
            f"parity: trace = {', '.join(missing) or 'none'}: must be folders written by homodistil trace-run; "
            "record them first, or run npm run parity",
            file=sys.stderr,
        )
        return 2
    print("Largest differences, relative, and where; in brackets that of PyTorch's float32 from its float64")
    print(f"(tolerances: loss terms {LOSS_TOLERANCE:.0e} at each step, states {STATE_TOLERANCE:.0e} of their norm)")
    reports = []
    for folder in options.traces:
        settings, report = check(folder)
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
