"""A student that is trained, scored and pruned: AdamW, importance scores, masks or physical shrinking."""

import torch

import bert

BETA1, BETA2, WINDOW = 0.85, 0.95, 10
SLOTS = {"magnitude": 0, "random": 0, "sensitivity": 1, "platon": 3}


class Scorer:
    """Importance of every weight, in place: |w|, chance, |w g| averaged over a window, PLATON."""

    def __init__(self, name, watched):
        self.name, self.step = name, 0
        self.slots = {key: [torch.zeros_like(w) for _ in range(SLOTS[name])] for key, w in watched.items()}

    @torch.no_grad()
    def observe(self, params):
        """Sees the clipped gradient and the weights after the step."""
        if SLOTS[self.name] == 0:
            return
        place = self.step % WINDOW
        self.step += 1
        for key, slots in self.slots.items():
            now = torch.mul(params[key], params[key].grad).abs_()
            slots[0].lerp_(now, 1 / (place + 1))
            if self.name == "platon" and place == WINDOW - 1:
                slots[1].lerp_(slots[0], 1 - BETA1)
                slots[2].lerp_(torch.sub(slots[0], slots[1], out=now).abs_(), 1 - BETA2)

    def score(self, key, weight):
        if self.name == "random":
            return torch.rand_like(weight)
        if self.name == "magnitude":
            return weight.abs()
        return self.slots[key][0] if self.name == "sensitivity" else self.slots[key][1] * self.slots[key][2]


class Student:
    """`mode` is how it is pruned: masks (every product stays as large as it was), shrink, or None for never."""

    def __init__(self, job, model, values, scorer=None, mode=None):
        self.config, self.mode = dict(model["config"]), mode
        self.axes_of = {tensor["name"]: tensor["axes"] for tensor in model["tensors"]}
        self.axes = {axis["id"]: axis for axis in job["axes"]}
        self.kept = {}  # masks: which original units of an axis remain
        self.keep = None  # masks: 1 for each kept unit of the residual width
        self.params = {name: value.requires_grad_() for name, value in values.items()}
        self.adam()
        watched = {name: p for name, p in self.params.items() if self.watches(name)}
        self.scorer = None if scorer is None else Scorer(scorer, watched)

    def watches(self, name):
        return not name.startswith("projection.") and any(self.axes[axis]["prunable"] for axis in self.axes_of[name])

    def adam(self, moments=None):
        groups = [
            {"params": [p for p in self.params.values() if p.dim() > 1], "weight_decay": 0.01},
            {"params": [p for p in self.params.values() if p.dim() == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), eps=1e-8, fused=True)
        for name, state in (moments or {}).items():
            self.optimizer.state[self.params[name]] = state

    def learn(self, loss, rate):
        """Backward, clipping, AdamW, the scorer."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params.values(), 1.0, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.scorer is not None:
            self.scorer.observe(self.params)

    @torch.no_grad()
    def prune(self, ratio):
        scores = self.unit_scores()
        kept = {}
        for name, axis in self.axes.items():
            if not axis["prunable"]:
                continue
            blocks, whole = axis["blocks"], axis["size"] // axis["blocks"]
            per_block = scores[name].view(blocks, -1)
            now = len(self.kept[name]) // blocks if name in self.kept else per_block.shape[1]
            width = min(now, max(1, round(ratio * whole)))
            if width < now:
                best = per_block.topk(width, 1).indices.sort(1).values
                kept[name] = (best + torch.arange(blocks)[:, None] * per_block.shape[1]).flatten()
        if kept and self.mode == "masks":
            self.silence(kept)
        elif kept:
            self.shrink(kept)

    def unit_scores(self):
        """The sum over all weights that go with a unit; cut units of a masked student come last."""
        sums = {}
        for name, p in self.params.items():
            if not self.watches(name):
                continue
            score = self.scorer.score(name, p)
            for dimension, axis in enumerate(self.axes_of[name]):
                if self.axes[axis]["prunable"]:
                    others = [d for d in range(score.dim()) if d != dimension]
                    sums[axis] = sums.get(axis, 0) + (score.sum(others) if others else score)
        for axis, units in self.kept.items():
            sums[axis] = torch.full_like(sums[axis], -1.0).index_copy(0, units, sums[axis][units])
        return sums

    def tensors(self):
        """Everything that has a parameter's shape: weights, moments, the scorer's memory."""
        for name, p in self.params.items():
            state = self.optimizer.state[p]
            slots = self.scorer.slots.get(name, [])
            yield name, p, {key: state[key] for key in ("exp_avg", "exp_avg_sq")}, slots

    def silence(self, kept):
        """Sets what is cut to zero, once: gradients of cut units are zero from then on, so that they stay so."""
        self.kept.update(kept)
        masks = {axis: torch.zeros(self.axes[axis]["size"]).index_fill(0, units, 1.0) for axis, units in self.kept.items()}
        self.keep = masks.get("hidden")
        for name, p, moments, slots in self.tensors():
            for dimension, axis in enumerate(self.axes_of[name]):
                if axis in kept:
                    mask = masks[axis].view([-1 if d == dimension else 1 for d in range(p.dim())])
                    for tensor in (p.data, *moments.values(), *slots):
                        tensor.mul_(mask)

    def shrink(self, kept):
        """Cuts weights, moments and scores; products are smaller from then on."""

        def cut(name, tensor):
            for dimension, axis in enumerate(self.axes_of[name]):
                if axis in kept:
                    tensor = tensor.index_select(dimension, kept[axis])
            return tensor

        params, moments = {}, {}
        for name, p, state, slots in self.tensors():
            params[name] = cut(name, p.detach()).requires_grad_()
            moments[name] = {"step": self.optimizer.state[p]["step"], **{key: cut(name, x) for key, x in state.items()}}
            if slots:
                self.scorer.slots[name] = [cut(name, x) for x in slots]
        self.params = params
        self.adam(moments)


def whole_run(job, model, values, teacher, taught_by, batches, scorer, mode):
    """A whole distillation; gives the loss and the terms of each step."""
    student = Student(job, model, values, scorer, mode)
    prunings = {event["done"]: event["ratio"] for event in job["prunings"]}
    rates, history = job["learningRates"], []
    for step in range(job["steps"]):
        ids, positions, labels = batches[step % len(batches)]
        with torch.no_grad():
            taught = bert.teach(teacher, taught_by, ids, positions)
        total, terms = bert.distillation(student.params, student.config, ids, positions, labels, taught, student.keep)
        student.learn(total, rates[min(step, len(rates) - 1)])
        history.append({"total": total.item(), **{name: term.item() for name, term in terms.items()}})
        if step + 1 in prunings:
            student.prune(prunings[step + 1])
    return history
