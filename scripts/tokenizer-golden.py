"""Writes what Python's tokenizers makes of texts, for the tests of src/data:

- test/golden/tokenizer.json: the sentences that are in it, with the shipped tokenizer
- test/golden/tokenizers.json: awkward texts with the shipped tokenizer and with the cased vocabulary in test/data/fixtures/cased,
  pairs cut to a length, texts with added tokens, and the classes of characters

    python scripts/tokenizer-golden.py
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.implementations import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

root = Path(__file__).resolve().parent.parent
golden = root / "test" / "golden" / "tokenizer.json"
shipped = (root / "assets" / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8")
project = Tokenizer.from_str(shipped)
cased = BertWordPieceTokenizer(str(root / "test" / "data" / "fixtures" / "cased" / "vocab.txt"), lowercase=False)
random.seed(1)


def ids(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def lines(entries):
    return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in entries) + "\n]"


sentences = [entry["text"] for entry in json.loads(golden.read_text(encoding="utf-8"))]
entries = [{"text": text, "ids": ids(project, text)} for text in sentences]
text = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
golden.write_text(f"[\n{text}\n]\n", encoding="utf-8")

special = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[unused1]", "[mask]", "[[MASK]]", "x[SEP]y", "[ SEP ]", "##s"]
space = ["a\tb", "a\nb", "a\r\nb", "a\x0bb", "a\x0cb", "a\x1cb", "a\x85b", "a\xa0b", "a\u3000b", "a\u2028b", "a\u2029b", "  ", ""]
unseen = ["a\x00b", "a\x7fb", "a\u200bb", "a\u200db", "a\ufeffb", "a\ufffdb", "a\u00adb", "a\u180eb", "a\u061cb", "a\U000e0001b", "a\ue000b"]
accents = ["café", "cafe\u0301", "É", "E\u0301", "Å", "A\u030a", "\u212b", "İstanbul", "I\u0307stanbul", "ıI", "naïve", "ﬁne", "ǅ", "Ωή"]
accents += ["ΟΔΟΣ", "ΑΣ ΑΣΑ Σ", "σς", "Straße", "STRASSE", "ẞ", "\u0344", "\u1fe3", "\u037e", "\u1fef", "≠", "각", "\u1100\u1161\u11a8", "\u0958"]
chinese = ["東京", "中国人 々〇", "あア", "한국어", "\U00020000", "\U0002b81f\U0002b820\U0002b920", "\U0002f800", "\uf900", "\u3400\u4dbf\u4dc0", "東a京"]
emoji = ["🙂", "👍🏽", "❤️", "👩‍👩‍👧", "🇫🇷", "a🙂b", "🙂🙂 🙂", "𝒜", "𐐀𐐨"]
marks = ["don't", "U.S.", "“quoted”", "a—b", "$1+1=2^3", "`x`", "a_b", "№1", "™", "x²", "¡hola!", "٪", "、。", "a\u2e52b", "\u166d", "\u111c9", "\u0bf0"]
long = ["a" * 100, "a" * 101, "a" * 99 + "é", "a" * 100 + "\u0301", "🙂" * 50, "🙂" * 100, "🙂" * 101, "東" * 120, "a." * 60, "é" * 101]
late = ["\u07fda", "\u0897a", "a\U0001e08fb", "\U00011f00a", "\U000105c9", "\U00011383", "\U00016d68", "a\u0890b", "a\U00013430b", "\u1734", "\U0001171e"]
awkward = special + space + unseen + accents + chinese + emoji + marks + long + late
ranges = [(0x20, 0x250), (0x250, 0x3100), (0x300, 0x370), (0xA000, 0xB000), (0xF900, 0x10000), (0x10000, 0x12000), (0x1D400, 0x20000), (0, 0x110000)]


def character():
    code = 0xD800
    while 0xD800 <= code < 0xE000:
        code = random.randrange(*random.choice(ranges))
    return chr(code)


mixed = [
    "".join(random.choice([random.choice(awkward), character(), "the ", "un", " "]) for _ in range(random.randrange(2, 9)))
    for _ in range(250)
]
texts = [{"text": text, "project": ids(project, text), "cased": ids(cased, text)} for text in awkward + mixed]

pairs = []
for _ in range(80):
    first, second = (" ".join(random.choices(["the", "run", "of", "unable", "café"], k=random.randrange(0, 9))) for _ in range(2))
    length = random.randrange(3, 20)
    project.enable_truncation(max_length=length, strategy="longest_first")
    encoded = project.encode(first, second)
    pairs.append({"first": first, "second": second, "length": length, "ids": encoded.ids, "types": encoded.type_ids})
project.no_truncation()

contents = ["foo", "foobar", "FOO", "Fôo", "new york", "[X]", "[X", "a", "é", "e\u0301", "_", "東", "東京", "🙂", " lead", "the", "a\u200bb"]
added = []
for _ in range(20):
    tokenizer = Tokenizer.from_str(shipped)
    chosen = random.sample(contents, random.randrange(1, 6))
    flags = [{name: random.random() < 0.4 for name in ["single_word", "lstrip", "rstrip", "normalized"]} for _ in chosen]
    tokenizer.add_tokens([AddedToken(content, special=False, **f) for content, f in zip(chosen, flags)])
    extra = random.choice(contents)
    if extra not in chosen:
        tokenizer.add_special_tokens([AddedToken(extra, special=True, normalized=False)])
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    parts = contents + ["b", "1", ".", " ", " ", "[MASK]", "\u0301", "FOOBAR", "New  York", "\x0b"]
    cases = ["".join(random.choices(parts, k=random.randrange(1, 7))) for _ in range(12)]
    tokens = json.loads(tokenizer.to_str())["added_tokens"]
    added.append({"tokens": tokens, "cases": [{"text": text, "ids": ids(tokenizer, text)} for text in cases]})


def classes():
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    clean, chinese_, strip = (BertNormalizer(**{**off, name: True}) for name in ["clean_text", "handle_chinese_chars", "strip_accents"])
    cut = BertPreTokenizer()
    found = {"punctuation": [], "accents": [], "removed": [], "ideographs": [], "spaces": []}
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        text = f"a{chr(code)}b"
        parts = [part for part, _ in cut.pre_tokenize_str(text)]
        for name, is_in in [
            ("punctuation", len(parts) == 3),
            ("accents", strip.normalize_str(text) == "ab"),
            ("removed", clean.normalize_str(text) == "ab"),
            ("ideographs", chinese_.normalize_str(text) != text),
            ("spaces", parts == ["a", "b"]),
        ]:
            if is_in:
                found[name].append(code)
    return found


def as_ranges(codes):
    whole = []
    for code in codes:
        if whole and whole[-1][1] == code - 1:
            whole[-1][1] = code
        else:
            whole.append([code, code])
    return " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in whole)


characters = {name: as_ranges(codes) for name, codes in classes().items()}
parts = {"texts": lines(texts), "pairs": lines(pairs), "added": lines(added), "characters": json.dumps(characters)}
both = root / "test" / "golden" / "tokenizers.json"
both.write_text("{\n" + ",\n".join(f'"{name}": {part}' for name, part in parts.items()) + "\n}\n", encoding="utf-8")
print(f"{len(entries)} sentences in {golden.relative_to(root)}, {len(texts)} texts in {both.relative_to(root)}")
