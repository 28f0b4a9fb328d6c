"""Writes how Python's tokenizers encode and cut pairs in test/golden/pairs.json, for test/data/glue/EncodedTexts.test.ts.

    python scripts/pairs-golden.py
"""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

root = Path(__file__).resolve().parent.parent
golden = root / "test" / "golden" / "pairs.json"
tokenizer = Tokenizer.from_file(str(root / "assets" / "tokenizer" / "tokenizer.json"))
cls, sep = (tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]"))
tokenizer.post_processor = TemplateProcessing(
    single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
)
short = "The ferry left."
middle = 'He said "the bridge is closed", and nobody asked why .'
long = "On the far side of the valley a narrow road climbs past three farms, a chapel and an old mill before it reaches the pass."
texts = [
    (short, None), (long, None), (short, middle), (middle, short), (long, long), (long, middle), (middle, long),
    (short, long), (long, short), (middle, middle), ("Café\u00a0naïve — 東京!", "\U0001f40d snakes\u200b, zero\x00width"),
]
entries = []
for first, second in texts:
    for longest in (8, 9, 15, 16, 24, 64):
        tokenizer.enable_truncation(longest, strategy="longest_first")
        encoding = tokenizer.encode(first, second) if second is not None else tokenizer.encode(first)
        entries.append({"first": first, **({} if second is None else {"second": second}), "longest": longest,
                        "ids": encoding.ids, "types": encoding.type_ids})
lines = ",\n".join(json.dumps(entry) for entry in entries)
golden.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
print(f"{len(entries)} encodings in {golden.relative_to(root)}")
