"""Writes what Python's tokenizers makes of the sentences in test/golden/tokenizer.json, for test/data/Tokenizer.test.ts.

    python scripts/tokenizer-golden.py
"""

import json
from pathlib import Path

from tokenizers import Tokenizer

root = Path(__file__).resolve().parent.parent
golden = root / "test" / "golden" / "tokenizer.json"
tokenizer = Tokenizer.from_file(str(root / "assets" / "tokenizer" / "tokenizer.json"))
sentences = [entry["text"] for entry in json.loads(golden.read_text(encoding="utf-8"))]
entries = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in sentences]
lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
golden.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
print(f"{len(entries)} sentences in {golden.relative_to(root)}")
