"""Trains the WordPiece vocabulary from Brown's training split and writes a Hugging Face tokenizer directory.

    node scripts/export-training-text.ts brown-train.txt
    python scripts/train-tokenizer.py brown-train.txt assets/tokenizer

Needs the package tokenizers 0.23 (Hugging Face). The same text gives the same bytes.
"""

import json
import os
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SIZE = 4096
LENGTH = 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def train(lines: list[str]) -> dict[str, int]:
    """The vocabulary of a text, piece to id.

    The trainer numbers the letters inside words in the order of a hash table, and breaks ties by these numbers.
    Naming them beforehand, sorted, as if they were special pieces, makes the result a function of the text.
    """
    tokenizer = bert(models.WordPiece(unk_token="[UNK]"))
    words = (word for line in lines for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(line)))
    inside = sorted({"##" + letter for word in words for letter in word[1:]})
    trainer = trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=SPECIAL + inside, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer.get_vocab(with_added_tokens=False)


def main(text: str, directory: str) -> None:
    with open(text, encoding="utf-8") as file:
        vocabulary = train(file.read().splitlines())
    tokenizer = bert(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", SPECIAL.index("[SEP]")), ("[CLS]", SPECIAL.index("[CLS]")))

    os.makedirs(directory, exist_ok=True)
    tokenizer.save(os.path.join(directory, "tokenizer.json"))
    pieces = sorted(vocabulary, key=vocabulary.get)
    with open(os.path.join(directory, "vocab.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(piece + "\n" for piece in pieces)
    config = {
        "cls_token": "[CLS]",
        "do_lower_case": True,
        "mask_token": "[MASK]",
        "model_max_length": LENGTH,
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
        "unk_token": "[UNK]",
    }
    with open(os.path.join(directory, "tokenizer_config.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(config, indent=2) + "\n")
    special = {key: config[key] for key in ["cls_token", "mask_token", "pad_token", "sep_token", "unk_token"]}
    with open(os.path.join(directory, "special_tokens_map.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(special, indent=2) + "\n")
    print(f"{len(pieces)} pieces in {directory}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python scripts/train-tokenizer.py TRAINING_TEXT DIRECTORY")
    main(sys.argv[1], sys.argv[2])
