"""PyTorch's side of the benchmark: python bench/peer JOB VARIANT, then a request a line on stdin, a reply a line on stdout.

VARIANT is what is tried, joined by +: eager, sdpa, compile for steps and inference; masks or shrink for whole runs.
python bench/peer --ready says which PyTorch there is.
"""

import json
import os
import pathlib
import sys
import time

try:
    import numpy
    import torch
except ImportError as error:
    print(f"{error.name} is missing; run: {sys.executable} -m pip install torch==2.13.0 numpy", file=sys.stderr)
    sys.exit(2)

import bert
import method

# replies go to stdout alone; what libraries print goes to stderr
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(value):
    print(json.dumps(value), file=replies, flush=True)


def memory():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("Vm"))
    return {name: 1024 * int(fields[key].split()[0]) for name, key in (("peak", "VmHWM"), ("resident", "VmRSS"))}


class Given:
    """The job's folder: models and batches as tensors."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.job = json.loads((self.folder / "job.json").read_text())

    def values(self, name):
        made = {}
        with open(self.folder / f"{name}.bin", "rb") as file:
            for tensor in self.job["models"][name]["tensors"]:
                count = int(numpy.prod(tensor["shape"]))
                made[tensor["name"]] = torch.from_numpy(numpy.fromfile(file, "<f4", count)).view(tensor["shape"])
        return made

    def config(self, name):
        return self.job["models"][name]["config"]

    def batches(self):
        rows, length, masked = (self.job[key] for key in ("rows", "length", "masked"))
        made = []
        with open(self.folder / "batches.bin", "rb") as file:
            for _ in range(self.job["batches"]):
                sizes = (rows * length, masked, masked)
                ids, positions, labels = (torch.from_numpy(numpy.fromfile(file, "<i4", n)).long() for n in sizes)
                made.append((ids.view(rows, length), positions, labels))
        return made


def stepping(act):
    """Requests for steps; each step gives its loss."""
    done = 0

    def serve(request):
        nonlocal done
        ms, losses = [], []
        for _ in range(request["steps"]):
            begin = time.perf_counter()
            losses.append(act(done))
            ms.append(1000 * (time.perf_counter() - begin))
            done += 1
        return {"ms": ms, "losses": losses, "finals": {}}

    return serve


def train(given, variant):
    batches, config, sdpa = given.batches(), given.config("student"), "sdpa" in variant
    student = method.Student(given.job, given.job["models"]["student"], given.values("student"))
    loss_of = torch.compile(bert.masked_lm, dynamic=False) if "compile" in variant else bert.masked_lm
    rate = given.job["learningRates"][-1]

    def act(step):
        loss = loss_of(student.params, config, *batches[step % len(batches)], sdpa)
        student.learn(loss, rate)
        return loss.item()

    return stepping(act)


def distil(given, variant):
    batches, config, teacher_config = given.batches(), given.config("student"), given.config("teacher")
    teacher = given.values("teacher")
    student = method.Student(given.job, given.job["models"]["student"], given.values("student"), "platon")
    wrap = (lambda f: torch.compile(f, dynamic=False)) if "compile" in variant else (lambda f: f)
    teach, loss_of, rate = wrap(bert.teach), wrap(bert.distillation), given.job["learningRates"][-1]

    def act(step):
        ids, positions, labels = batches[step % len(batches)]
        with torch.no_grad():
            taught = teach(teacher, teacher_config, ids, positions)
        total, terms = loss_of(student.params, config, ids, positions, labels, taught)
        student.learn(total, rate)
        return total.item()

    return stepping(act)


def run(given, variant):
    """`what` names the scorers of one request, each a run of its own."""
    batches, teacher, config = given.batches(), given.values("teacher"), given.config("teacher")
    model = given.job["models"]["student"]

    def serve(request):
        ms, finals, losses = [], {}, []
        for scorer in request["what"].split("+"):
            values = given.values("student")
            begin = time.perf_counter()
            history = method.whole_run(given.job, model, values, teacher, config, batches, scorer, variant[0])
            ms.append(1000 * (time.perf_counter() - begin))
            losses = [step["total"] for step in history]
            for name in history[-1]:
                finals[f"{scorer} {name}"] = sum(step[name] for step in history[-20:]) / len(history[-20:])
        return {"ms": ms, "losses": losses, "finals": finals}

    return serve


def infer(given, variant):
    """`what` names the model."""
    batches = given.batches()
    models = {name: (given.values(name), given.config(name)) for name in given.job["models"]}
    predict = torch.compile(bert.predict, dynamic=False) if "compile" in variant else bert.predict

    def serve(request):
        values, config = models[request["what"]]

        def act(step):
            ids, positions, _ = batches[step % len(batches)]
            with torch.inference_mode():
                return predict(values, config, ids, positions, "sdpa" in variant)[0, 0].item()

        return stepping(act)(request)

    return serve


def product(given, variant):
    """`what` is the shape of a product, m×k×n."""

    def serve(request):
        m, k, n = map(int, request["what"].split("x"))
        a, b = torch.rand(m, k), torch.rand(k, n)
        return stepping(lambda _: torch.mm(a, b)[0, 0].item())(request)

    return serve


def main():
    if sys.argv[1:] == ["--ready"]:
        say({"torch": torch.__version__, "blas": "MKL" if torch.backends.mkl.is_available() else "other"})
        return
    given, variant = Given(sys.argv[1]), sys.argv[2].split("+")
    torch.set_num_threads(given.job["threads"])
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    serve = {"train": train, "distil": distil, "run": run, "infer": infer, "product": product}[given.job["kind"]](given, variant)
    for line in sys.stdin:
        say({**serve(json.loads(line)), **memory()})


main()
