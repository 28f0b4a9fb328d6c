"""Writes what scikit-learn and SciPy say of labels and predictions in test/golden/metrics.json, for test/evaluate/LabelMetric.test.ts.

    python scripts/metrics-golden.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

root = Path(__file__).resolve().parent.parent
golden = root / "test" / "golden" / "metrics.json"
draw = np.random.default_rng(6)
warnings.simplefilter("ignore")


def number(value):
    """A number, or null where the metric has none."""
    return None if not np.isfinite(value) else float(value)


def classes(count, predicted, labels):
    f1 = {"f1": number(f1_score(labels, predicted, zero_division=0))} if count == 2 else {}
    return {
        "kind": "classes",
        "predicted": [int(x) for x in predicted],
        "labels": [int(x) for x in labels],
        "metrics": {"accuracy": number(accuracy_score(labels, predicted)), "matthews": number(matthews_corrcoef(labels, predicted)), **f1},
    }


def scores(predicted, labels):
    return {
        "kind": "scores",
        "predicted": [float(x) for x in predicted],
        "labels": [float(x) for x in labels],
        "metrics": {"pearson": number(pearsonr(predicted, labels)[0]), "spearman": number(spearmanr(predicted, labels)[0])},
    }


cases = []
for size in (2, 3, 7, 30, 60):
    for count in (2, 3):
        cases.append(classes(count, draw.integers(0, count, size), draw.integers(0, count, size)))
# one class only, in the labels, in the predictions, in both, alike and not
for predicted, labels in (([0, 1, 1], [1, 1, 1]), ([1, 1, 1], [0, 1, 0]), ([1, 1], [1, 1]), ([0, 0], [0, 0]), ([0, 0], [1, 1]), ([1], [1])):
    cases.append(classes(2, predicted, labels))
for size in (2, 3, 10, 40):
    labels = draw.normal(2.5, 1.5, size)
    cases.append(scores(np.round(labels + draw.normal(0, 1, size), 3), np.round(labels, 3)))
    # many ties, as the scores of STS-B have
    cases.append(scores(draw.integers(0, 4, size) + (np.arange(size) == 0), np.round(2 * labels) / 2))
cases.append(scores([1, 1, 1], [1, 2, 3]))
cases.append(scores([1, 2, 3], [2, 2, 2]))
cases.append(scores([1e9 + x for x in (1, 2, 4)], [1, 2, 3]))
lines = ",\n".join(json.dumps(case) for case in cases)
golden.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
print(f"{len(cases)} cases in {golden.relative_to(root)}")
