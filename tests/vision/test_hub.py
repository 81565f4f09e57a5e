"""Seeing with models from the hub: real networks with tiny random weights,
compared with calls of transformers alone.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from aigen import vision
from aigen.errors import AigenError, GenerationError, UsageError
from aigen.models import catalogue, weights
from aigen.types.seen import Detection, ImageDescription
from aigen.vision import florence, hub
from aigen.vision.florence import Florence
from tests.conftest import make_once, run_aigen
from tests.tiny_models import put_in_cache
from tests.tiny_vision import save_dfine, save_florence, write_seeing

torch.set_num_threads(1)  # the tests run side by side, and the networks are tiny

THINGS = (
    "car<loc_10><loc_20><loc_500><loc_600><loc_700><loc_700><loc_800><loc_900>red "
    "bus<loc_100><loc_200><loc_900><loc_999>"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A Florence-2 that says what comes to it, one that says a sentence, one that names things, and a D-FINE."""
    makers: dict[str, Callable[[Path], object]] = {
        "random": partial(save_florence, seed=3),
        "sentence": partial(save_florence, says="A red bus on the street."),
        "things": partial(save_florence, says=THINGS),
        "d-fine": save_dfine,
    }
    folder = make_once(tmp_path_factory, "seeing", makers)
    return {name: folder / name for name in makers}


@pytest.fixture
def picture() -> Image.Image:
    """A red square on grey."""
    picture = Image.new("RGB", (1200, 800), "grey")
    picture.paste("red", (100, 100, 700, 700))
    return picture


def install(name: str, folder: Path) -> None:
    from huggingface_hub.constants import HF_HUB_CACHE

    put_in_cache(Path(HF_HUB_CACHE), catalogue.find(name).hub or "", folder)


def bare(folder: Path, picture: Image.Image, task: str, longest: int) -> Any:
    """What Florence-2 answers by transformers alone."""
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

    processor: Any = Florence2Processor.from_pretrained(folder)
    network: Any = Florence2ForConditionalGeneration.from_pretrained(folder)
    asked = processor(text=task, images=picture, return_tensors="pt")
    written = network.generate(**asked, num_beams=3, early_stopping=True, do_sample=False, max_new_tokens=longest)
    answer = processor.batch_decode(written, skip_special_tokens=False)[0]
    plain = processor.batch_decode(written, skip_special_tokens=True)[0]
    return plain, processor.post_process_generation(answer, task=task, image_size=picture.size)[task]


@pytest.mark.system
def test_florence_says_what_it_says_by_transformers_alone(
    folders: dict[str, Path], picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(florence, "_SENTENCES", 12)
    monkeypatch.setattr(florence, "_THINGS", 40)
    seen = vision.load(str(folders["random"])).see(picture)
    caption, _ = bare(folders["random"], picture, "<CAPTION>", 12)
    details, _ = bare(folders["random"], picture, "<DETAILED_CAPTION>", 12)
    assert caption
    assert seen.caption.lower() == " ".join(caption.split()).rstrip(" .").lower()
    assert " ".join(details.split()).rstrip(" .") in seen.description
    _, told = bare(folders["random"], picture, "<OD>", 40)
    # A place that belongs to no name is for transformers a part of the next name.
    things = {(name.split(">")[-1], tuple(box)) for name, box in zip(told["labels"], told["bboxes"], strict=True)}
    assert {(each.name, each.box) for each in seen.objects} == {
        (name, box) for name, box in things if box[0] < box[2] and box[1] < box[3]
    }
    assert things
    check(seen)


def test_florence_says_a_sentence_and_the_colours(folders: dict[str, Path], picture: Image.Image) -> None:
    seen = vision.load(str(folders["sentence"])).see(picture)
    assert seen == ImageDescription(
        width=1200,
        height=800,
        caption="a red bus on the street",
        colours=("grey", "red"),
        description="In the words of sentence: A red bus on the street. The picture is mostly grey and red.",
        model="sentence",
    )


def test_florence_names_things_where_transformers_alone_finds_them(
    folders: dict[str, Path], picture: Image.Image
) -> None:
    model = vision.load(str(folders["things"]))
    seen = model.see(picture)
    _, told = bare(folders["things"], picture, "<OD>", 512)
    assert sorted((each.name, list(each.box)) for each in seen.objects) == sorted(
        zip(told["labels"], told["bboxes"], strict=True)
    )
    assert {each.name for each in seen.objects} == {"car", "red bus"}
    assert all(0.9 < each.score <= 1 for each in seen.objects)  # it was taught to say nothing else
    assert [each.score for each in seen.objects] == sorted((each.score for each in seen.objects), reverse=True)
    check(seen)
    assert isinstance(model, Florence)
    assert model.find(picture, "a car and a <OD> red bus") == seen.objects
    assert model.find(picture, " <> ") == ()


def check(seen: ImageDescription) -> None:
    """All boxes are of whole pixels within the picture, and have an area."""
    assert ImageDescription.from_json(json.loads(json.dumps(seen.as_json()))) == seen
    for each in seen.objects:
        left, top, right, bottom = each.box
        assert 0 <= left < right <= seen.width
        assert 0 <= top < bottom <= seen.height
        assert 0 <= each.score <= 1


def test_what_is_as_probable_as_anything_else_scores_low() -> None:
    tokens = ["<s>", "a", "Ġcar", "<loc_1>", "<loc_2>", "<loc_3>", "<loc_4>", "dog", "<loc_5>", "</s>"]
    chances = [1.0, 0.2, 0.4, *[1.0] * 4, 0.9, 1.0, 1.0]
    found = {tuple(tokens[where]): score for where, score in florence._things(tokens, chances)}
    assert found[tuple(tokens[:7])] == pytest.approx(0.3)  # the mean of its name, whatever its places are
    assert found["dog", "<loc_5>"] == pytest.approx(0.9)


def test_dfine_finds_what_transformers_alone_finds(folders: dict[str, Path], picture: Image.Image) -> None:
    from transformers import AutoImageProcessor, DFineForObjectDetection

    seen = vision.load(str(folders["d-fine"])).see(picture)
    processor: Any = AutoImageProcessor.from_pretrained(folders["d-fine"])
    network: Any = DFineForObjectDetection.from_pretrained(folders["d-fine"])
    with torch.inference_mode():
        told = network(**processor(images=picture, return_tensors="pt"))
    (found,) = processor.post_process_object_detection(told, threshold=0.6, target_sizes=[(800, 1200)])
    expected = [
        (network.config.id2label[kind], round(score, 3), tuple(map(round, box)))
        for kind, score, box in zip(
            found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist(), strict=True
        )
    ]
    assert seen.objects
    assert {(each.name, each.score, each.box) for each in seen.objects} <= set(expected)
    assert len(seen.objects) == len({(name, box) for name, _, box in expected})
    check(seen)
    assert seen.model == "d-fine"
    assert seen.colours == ("grey", "red")
    assert seen.caption
    assert "mostly grey and red" in seen.description


@pytest.mark.parametrize("name", ["d-fine", pytest.param("things", marks=pytest.mark.system)])
def test_a_picture_of_any_size_can_be_looked_at(folders: dict[str, Path], name: str) -> None:
    model = vision.load(str(folders[name]))
    for size in ((1, 1), (3, 3)):
        check(model.see(Image.new("RGB", size, "red")))


def test_what_was_found_is_brought_into_the_picture() -> None:
    found = [
        ("car", 0.5, (-3.2, 4.6, 30.4, 99.0)),
        ("car", 0.7, (-9.0, 4.9, 30.4, 50.4)),
        ("dog", 0.9, (10.0, 10.0, 10.2, 20.0)),
        ("", 0.9, (0.0, 0.0, 9.0, 9.0)),
        ("cat", 0.8, (50.0, 0.0, 60.0, 9.0)),
    ]
    assert hub.detections(found, 40, 50) == (Detection("car", 0.7, (0, 5, 30, 50)),)


def test_one_network_is_held_and_let_go_of(folders: dict[str, Path]) -> None:
    def prepare(name: str) -> hub.Loaded:
        contents = weights.find(catalogue.find(str(folders[name])))
        return hub.prepare(contents, name, "Florence2Processor", half=True)

    held = prepare("things")
    assert prepare("things") is held
    assert str(held.network.dtype) == ("torch.float16" if held.device == "cuda" else "torch.float32")
    other = prepare("sentence")
    assert other is not held
    assert hub.slot.held is other
    vision.release()
    assert hub.slot.held is None


def test_weights_named_otherwise_and_broken_files_are_told_in_one_line(tmp_path: Path, picture: Image.Image) -> None:
    """A network with weights that were never learnt would see, but nothing that is there."""
    from safetensors.torch import load_file, save_file

    folder = save_florence(tmp_path / "models" / "mine")
    file = folder / "model.safetensors"
    save_file({f"theirs.{name}": weight for name, weight in load_file(file).items()}, file)
    with pytest.raises(GenerationError, match=r"^mine cannot be loaded: \d+ of its weights are missing") as refused:
        vision.load(str(folder)).see(picture)
    (folder / "processor_config.json").write_text("{")
    with pytest.raises(GenerationError, match="mine cannot be loaded") as broken:
        vision.load(str(folder)).see(picture)
    assert "\n" not in f"{refused.value}{broken.value}"
    assert str(tmp_path) not in f"{refused.value}{broken.value}"


def test_words_that_are_written_are_those_that_are_read(tmp_path: Path, picture: Image.Image) -> None:
    """Also where a file says that they are not, and holds no others."""
    folder = save_florence(tmp_path / "mine", "A red bus.")
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tie_word_embeddings": False}))
    assert vision.load(str(folder)).see(picture).caption == "a red bus"


def test_files_as_older_versions_wrote_them_are_read(tmp_path: Path, picture: Image.Image) -> None:
    """As those on the hub: what prepares pictures in a file of its own, which still names code that is not there."""
    folder = save_florence(tmp_path / "mine", "A red bus.")
    path = folder / "processor_config.json"
    told = json.loads(path.read_text())
    pictures = told.pop("image_processor") | {
        "image_processor_type": "CLIPImageProcessor",
        "auto_map": {"AutoProcessor": "processing_florence2.Florence2Processor"},
        "_valid_processor_keys": ["images", "do_resize"],
    }
    path.write_text(json.dumps(told))
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    assert vision.load(str(folder)).see(picture).caption == "a red bus"


def test_who_looks_is_who_was_asked_for_or_the_best_that_is_here(tmp_path: Path) -> None:
    assert vision.names() == ["nanodet"]
    assert vision.choose(None) == vision.choose("nanodet") == "nanodet"
    install("d-fine", write_seeing(tmp_path / "one", "DFineForObjectDetection"))
    assert (vision.names(), vision.choose(None)) == (["nanodet", "d-fine"], "d-fine")
    install("florence-2", write_seeing(tmp_path / "two"))
    assert (vision.names(), vision.choose(None)) == (["nanodet", "florence-2", "d-fine"], "florence-2")
    assert vision.choose("ustc-community/dfine-medium-obj2coco") == vision.choose("d-fine") == "d-fine"
    assert vision.load("florence-2").label.startswith("Florence-2")
    mine = write_seeing(tmp_path / "mine")
    assert vision.choose("./mine") == str(mine)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("florence-2", "is not here: get it with aigen models pull florence-2 (0.5 GB)"),
        ("florence", "vision model 'florence' is not known: choose from nanodet, florence-2, d-fine"),
        ("./nowhere", "is not known: choose from"),
        ("sdxl", "makes pictures and sees none: choose from"),
        ("somebody/theirs", "is not here: get it with aigen models pull somebody/theirs"),
        (".", "is no model"),
    ],
)
def test_who_is_not_here_is_told_in_one_line(name: str, told: str) -> None:
    for ask in (vision.choose, vision.load):
        with pytest.raises(UsageError) as refused:
            ask(name)
        assert told in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_damaged_one_is_not_chosen_by_itself(tmp_path: Path) -> None:
    folder = write_seeing(tmp_path / "one")
    (folder / "model.safetensors").write_bytes(b"cut")
    install("florence-2", folder)
    assert vision.choose(None) == "nanodet"
    with pytest.raises(AigenError, match=r"not whole: .*; get it again: aigen models pull florence-2"):
        vision.choose("florence-2")


def test_choosing_loads_no_library_of_models(tmp_path: Path) -> None:
    install("florence-2", write_seeing(tmp_path / "one"))
    script = (
        "import sys; from aigen import vision; assert vision.choose(None) == 'florence-2' == vision.names()[1];"
        "vision.load('florence-2'); vision.release();"
        "assert not {'torch', 'transformers', 'diffusers', 'PIL', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.system
def test_a_picture_is_described_by_a_model_from_the_hub(folders: dict[str, Path], picture: Image.Image) -> None:
    """The whole program in a process of its own."""
    picture.save("photo.png")
    told = run_aigen("describe", "photo.png", "--model", folders["things"], "--json")
    assert (told.returncode, told.stderr) == (0, "")
    seen = json.loads(told.stdout)
    assert seen["model"] == "things"
    assert {each["name"] for each in seen["objects"]} == {"car", "red bus"}
    assert all(0 <= each["box"][0] < each["box"][2] <= 1200 for each in seen["objects"])
