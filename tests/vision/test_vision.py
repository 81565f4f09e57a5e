"""Seeing with the built-in networks: what is in real photos is said, and what is not there never is."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from aigen import vision
from aigen.errors import UsageError
from aigen.media import provenance
from aigen.types.pipeline import Provenance
from aigen.types.seen import Detection, ImageDescription
from aigen.vision import classification, colours, detection, facts, nanodet, sentences
from aigen.vision.classification import Subject
from aigen.vision.facts import Facts
from aigen.vision.nanodet import NanoDet

if not (skimage := find_spec("skimage")) or not skimage.origin:
    pytest.skip("scikit-image, whose photos are looked at, is not installed", allow_module_level=True)
PHOTOS = Path(skimage.origin).parent / "data"


def photo(name: str) -> Image.Image:
    with Image.open(PHOTOS / name) as image:
        picture: Image.Image = image.convert("RGB")
    return picture


def see(picture: Image.Image) -> ImageDescription:
    return NanoDet().see(picture)


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("astronaut.png", "a person"),
        ("chelsea.png", "a cat"),
        ("camera.png", "a person and a tripod"),
        ("coffee.png", "a cup of coffee"),
        ("horse.png", "a horse"),
        ("motorcycle_left.png", "a motorcycle"),
    ],
)
def test_what_is_there_is_said(name: str, caption: str) -> None:
    path = PHOTOS / name
    if not path.exists():
        pytest.skip(f"{name} is not in this version of scikit-image")
    seen = see(photo(name))
    assert seen.caption == caption
    assert seen.description.startswith(f"{caption[0].upper()}{caption[1:]}; the picture is mostly ")
    assert seen.model == "nanodet"


@pytest.mark.parametrize(
    "name",
    ["brick.png", "cell.png", "clock_motion.png", "coins.png", "color.png", "grass.png", "gravel.png",
        "hubble_deep_field.jpg",
     "ihc.png", "logo.png", "moon.png", "page.png", "retina.jpg", "rocket.jpg", "text.png"],
)  # fmt: skip
def test_what_is_not_there_is_not_said(name: str) -> None:
    if not (PHOTOS / name).exists():
        pytest.skip(f"{name} is not in this version of scikit-image")
    seen = see(photo(name))
    assert (seen.objects, seen.caption) == ((), "")
    assert seen.description.startswith("Nothing in it was recognised; it is mostly ")


def test_in_a_mirror_it_is_the_same() -> None:
    picture = photo("coffee.png")
    seen, mirrored = see(picture), see(ImageOps.mirror(picture))
    assert mirrored.caption == seen.caption
    (cup,), (other,) = seen.objects, mirrored.objects
    assert cup.score == pytest.approx(other.score, abs=0.1)
    assert picture.width - other.box[0] == pytest.approx(cup.box[2], abs=20)


def test_boxes_are_where_the_things_are() -> None:
    (cat,) = see(photo("chelsea.png")).objects
    left, top, right, bottom = cat.box
    assert left < 60
    assert top < 60
    assert right > 350
    assert bottom > 240


def odd_pictures() -> dict[str, Image.Image]:
    noise = numpy.random.default_rng(7).integers(0, 256, (300, 400, 3), numpy.uint8)
    stripes = Image.new("RGB", (400, 300), "white")
    for at in range(0, 400, 20):
        ImageDraw.Draw(stripes).line((at, 0, at, 300), "black", 9)
    return {
        "tiny": Image.new("RGB", (16, 16), "red"), "wide": Image.fromarray(numpy.resize(noise, (16, 4000, 3))),
        "high": Image.new("RGB", (16, 4000), "blue"), "noise": Image.fromarray(noise),
        "black": Image.new("RGB", (64, 48)), "white": Image.new("RGB", (640, 480), "white"), "stripes": stripes,
        "gradient": Image.linear_gradient("L").convert("RGB"), "rings": Image.radial_gradient("L").convert("RGB"),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(odd_pictures()))
def test_in_odd_pictures_nothing_is_there(name: str) -> None:
    picture = odd_pictures()[name]
    seen = see(picture)
    assert (seen.objects, seen.caption, (seen.width, seen.height)) == ((), "", picture.size)
    assert seen.description.startswith("Nothing in it was recognised")


@given(
    box=st.tuples(*[st.floats(0, 1)] * 4).map(
        lambda at: (min(at[0], at[2]), min(at[1], at[3]), max(at[0], at[2]), max(at[1], at[3]))
    ),
    size=st.tuples(st.integers(16, 5000), st.integers(16, 5000)),
)
def test_a_box_in_pixels_lies_in_its_picture(box: detection.Box, size: tuple[int, int]) -> None:
    left, top, right, bottom = detection.in_pixels(box, size)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]


# From a file


def test_a_large_photo_is_looked_at_small_and_told_in_its_own_pixels(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    photo("chelsea.png").resize((3608, 2400)).save(path)
    seen = vision.describe(path, NanoDet())
    (cat,) = seen.objects
    assert (seen.width, seen.height, cat.name) == (3608, 2400, "cat")
    left, top, right, bottom = cat.box
    assert 0 <= left < right <= 3608
    assert 0 <= top < bottom <= 2400
    assert right > 2800


def test_a_photo_is_turned_upright_first(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    exif = Image.Exif()
    exif[274] = 6
    photo("chelsea.png").resize((1804, 1200)).transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    seen = vision.describe(path, NanoDet())
    assert (seen.width, seen.height, seen.caption) == (1804, 1200, "a cat")


def test_an_upload_is_called_as_the_user_called_it(tmp_path: Path) -> None:
    (path := tmp_path / "tmp1234").write_text("no picture")
    with pytest.raises(UsageError, match=r"picture 'holiday\.jpg' cannot be read"):
        vision.describe(path, NanoDet(), name="holiday.jpg")


@dataclass
class Blind:
    label: str = "sees nothing"

    def see(self, picture: Image.Image) -> ImageDescription:
        return ImageDescription(width=picture.width, height=picture.height, description="Nothing.", model="blind")


def with_exif(path: Path, day: Any = "2019:05:03 10:11:12", make: Any = "Canon", model: Any = "Canon EOS 5D") -> Path:
    exif = Image.Exif()
    exif[271], exif[272], exif[270], exif[315] = make, model, "secret comment", "secret name"
    exif.get_ifd(34665).update({36867: day, 42033: "secret number", 37510: b"ASCII\0\0\0secret"})
    exif.get_ifd(34853).update({1: "N", 2: (48.0, 8.0, 15.0), 3: "E", 4: (11.0, 34.0, 0.0)})
    Image.new("RGB", (40, 20), "green").save(path, exif=exif, comment=b"secret")
    return path


def test_when_and_with_what_a_photo_was_taken_is_told_and_nothing_else(tmp_path: Path) -> None:
    path = with_exif(tmp_path / "a.jpg")
    seen = vision.describe(path, Blind())
    assert seen.text == "Nothing. Its file says that it was taken on 3 May 2019 with a Canon EOS 5D."
    assert facts.read(path, camera=False) == Facts()
    told = str(seen.as_json())
    assert not [word for word in ("secret", "48", "11") if word in told]


@pytest.mark.parametrize(
    ("make", "model", "told"),
    [
        ("Apple", "iPhone 12", "an Apple iPhone 12"),
        ("NIKON CORPORATION", "NIKON D90", "a NIKON D90"),
        ("SONY", "DSC-W55", "a Sony DSC-W55"),
        ("", "X100V", "an X100V"),
        ("HTC", "HTC One", "an HTC One"),
        ("", "FE-310", "an FE-310"),
        ("Canon\nEvil", "EOS\x1b[31m", None),
        ("x" * 90, "y" * 90, None),
        ("", "</p><script>", None),
    ],
)
def test_a_camera_is_named_if_that_is_a_name(tmp_path: Path, make: str, model: str, told: str | None) -> None:
    (sentence,) = facts.read(with_exif(tmp_path / "a.jpg", make=make, model=model), camera=True).sentences
    assert sentence == f"Its file says that it was taken on 3 May 2019{f' with {told}' if told else ''}."


@pytest.mark.parametrize(
    "day", ["0000:00:00 00:00:00", "2019:02:31 1:1:1", "1066:10:14 09:00:00", "3019:01:01 0:0:0", "soon"]
)
def test_an_impossible_day_is_not_told(tmp_path: Path, day: str) -> None:
    path = with_exif(tmp_path / "a.jpg", day=day)
    assert facts.read(path, camera=True).sentences == ("Its file says that it was taken with a Canon EOS 5D.",)


@given(junk=st.binary(max_size=60), at=st.integers(0, 300))
def test_broken_exif_is_no_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("exif") / "a.jpg"
    whole = with_exif(path).read_bytes()
    path.write_bytes(whole[: 4 + at] + junk + whole[4 + at + len(junk) :])
    for sentence in facts.read(path, camera=True).sentences:
        assert sentence.isprintable()
        assert len(sentence) < 120


def marked(
    path: Path, source_type: str, prompt: str | None = "a whale\nunder the stars", model: str = "storybook"
) -> Path:
    Image.new("RGB", (40, 20), "blue").save(path)
    provenance.write(path, Provenance("image", prompt, model, 7, source_type, {"number": 1}))
    return path


@pytest.mark.parametrize(
    ("source_type", "sentence"),
    [
        ("algorithmicMedia", "drawn by a program, storybook, from the prompt “a whale under the stars”"),
        ("trainedAlgorithmicMedia", "made by a trained model, storybook, from the prompt “a whale under the stars”"),
        (
            "compositeWithTrainedAlgorithmicMedia",
            "made by a trained model, storybook, from somebody's picture and from the prompt “a whale under the stars”",
        ),
    ],
)
def test_what_aigen_made_says_so(tmp_path: Path, source_type: str, sentence: str) -> None:
    seen = vision.describe(marked(tmp_path / "a.png", source_type), Blind())
    assert seen.caption == "a whale under the stars"
    assert seen.text == f"Nothing. Its file says that it was {sentence}."
    assert seen.source_type == source_type


def test_the_prompt_of_another_program_is_told_but_is_no_caption(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("parameters", "a red kite\nSteps: 20, Sampler: Euler, Seed: 7, Size: 512x512, Model: dream")
    Image.new("RGB", (40, 20)).save(path := tmp_path / "a.png", pnginfo=told)
    seen = vision.describe(path, Blind())
    assert seen.caption == ""
    assert "from the prompt “a red kite”" in seen.facts


@pytest.mark.parametrize("name", ["none.png", "a.txt", "cut.png"])
def test_a_file_without_facts_has_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("a kite")
    signature = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + zlib.compress(bytes(9))
    (tmp_path / "cut.png").write_bytes(signature)
    assert facts.read(tmp_path / name, camera=True) == Facts()


def test_a_picture_that_was_read_already_is_looked_at_with_its_facts() -> None:
    seen = vision.describe_picture(
        Image.new("RGB", (40, 20)), Facts(("It is ours.",), "a kite", "algorithmicMedia"), Blind()
    )
    assert (seen.caption, seen.text, seen.source_type) == ("a kite", "Nothing. It is ours.", "algorithmicMedia")


def test_looking_loads_no_torch(tmp_path: Path) -> None:
    path = with_exif(tmp_path / "a.jpg")
    script = (
        "import sys; from pathlib import Path; from aigen import vision\n"
        "vision.describe(Path(sys.argv[1]), vision.load('nanodet'))\n"
        "print(sorted({'torch', 'transformers', 'diffusers'} & {name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "[]\n"


def test_nobody_unknown_looks() -> None:
    with pytest.raises(UsageError, match="vision model 'owl' is not known"):
        vision.load("owl")


def test_kinds_are_those_of_the_labels() -> None:
    kinds = set(classification._kinds())
    assert len(classification._kinds()) == 1000
    assert nanodet.SUBJECTS | set(sentences.REFINES) <= kinds
    assert nanodet.OFTEN_WRONG | set(nanodet.ALONE) <= set(detection.NAMES)
    assert {"cat", "lion", "squirrel"} <= classification.animals()
    assert not classification.animals() & {"person", "cup", "castle"}


# Words

BUS = Detection("bus", 0.9, (0, 0, 600, 400))
FRONT = Detection("person", 0.6, (100, 200, 150, 450))


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("person", 2, "two people"), ("sheep", 3, "three sheep"), ("bus", 2, "two buses"), ("knife", 4, "four knives"),
        ("wine glass", 5, "five wine glasses"), ("orange", 1, "an orange"), ("apple", 1, "an apple"),
        ("toothbrush", 2, "two toothbrushes"),
        ("couch", 2, "two couches"), ("mouse", 2, "two mice"), ("cat", 7, "several cats"), ("bird", 30, "many birds"),
        ("tv", 1, "a screen"), ("skis", 1, "a pair of skis"), ("scissors", 2, "two pairs of scissors"),
        ("mountains", 1, "mountains"),
        ("bench", 2, "two benches"), ("sandwich", 2, "two sandwiches"), ("umbrella", 1, "an umbrella"),
        ("hot dog", 2, "two hot dogs"), ("butterfly", 2, "two butterflies"), ("monkey", 2, "two monkeys"),
    ],
)  # fmt: skip
def test_things_are_counted_in_words(name: str, count: int, words: str) -> None:
    assert sentences.counted(name, count) == words


def test_more_of_them_than_were_counted_have_no_number() -> None:
    assert sentences.counted("person", 2, uncounted=True) == "people"
    assert sentences.counted("person", 1, uncounted=True) == "a person"


def caption(*objects: Detection, subject: Subject | None = None, uncounted: Sequence[str] = ()) -> str:
    return sentences.compose(objects, (600, 500), subject, (), uncounted).caption


def test_who_covers_a_part_and_stands_lower_is_in_front() -> None:
    assert caption(FRONT, replace(FRONT, box=(300, 210, 350, 460)), BUS) == "two people in front of a bus"


@pytest.mark.parametrize(
    "person",
    [
        replace(FRONT, box=(100, 200, 150, 400)),  # on one level
        replace(FRONT, box=(610, 200, 650, 450)),  # not before it
        replace(FRONT, box=(100, 100, 150, 300)),  # in it, maybe
    ],
)
def test_else_no_more_is_said_than_that_both_are_there(person: Detection) -> None:
    assert "in front of" not in caption(person, BUS)


def test_things_that_people_wear_or_sit_on_are_not_in_front_of_them() -> None:
    assert (
        caption(Detection("person", 0.9, (0, 0, 300, 400)), Detection("chair", 0.9, (50, 200, 250, 450)))
        == "a person and a chair"
    )


def test_two_things_on_a_level_are_beside_each_other() -> None:
    cat, dog = Detection("cat", 0.9, (0, 100, 100, 200)), Detection("dog", 0.9, (120, 80, 240, 205))
    assert caption(cat, dog) == "a dog beside a cat"
    assert caption(cat, replace(dog, box=(120, 0, 240, 60))) == "a cat and a dog"


def test_a_classifier_refines_and_adds_only_what_is_sure() -> None:
    cup = Detection("cup", 0.9, (0, 0, 100, 100))
    coffee = Subject("cup of coffee", 0.9)
    assert caption(cup, subject=coffee) == "a cup of coffee"
    assert caption(cup, cup, subject=coffee) == "two cups"
    assert caption(cup, subject=Subject("castle", 0.7)) == "a cup"
    assert caption(cup, subject=Subject("castle", 0.9)) == "a cup and a castle"
    assert caption(subject=Subject("castle", 0.7)) == "a castle"


def test_sureness_is_told_in_words() -> None:
    said = sentences.compose((BUS, FRONT), (600, 500), colours=("grey", "blue"))
    assert said.description == (
        "A person in front of a bus; the picture is mostly grey and blue. Sure of the bus, fairly sure of the person."
    )
    people = [replace(FRONT, score=score) for score in (0.9, 0.8, 0.4)]
    assert sentences.compose(people, (600, 500)).description == "Three people. Not quite sure of that."
    assert sentences.compose(people, (600, 500), uncounted={"person"}).description == "People. Sure of that."
    assert sentences.compose((), (600, 500), colours=("red", "white")).description == (
        "Nothing in it was recognised; it is mostly red and white."
    )
    assert sentences.compose((), (600, 500)).description == "Nothing in it was recognised."


@given(
    st.lists(
        st.builds(
            Detection,
            st.sampled_from(detection.NAMES),
            st.floats(0, 1),
            st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(51, 99), st.integers(51, 99)),
        ),
        max_size=20,
    ),
    st.sets(st.sampled_from(detection.NAMES), max_size=3),
)
def test_any_things_make_sentences(objects: list[Detection], uncounted: set[str]) -> None:
    said = sentences.compose(objects, (100, 100), colours=("red",), uncounted=uncounted)
    assert bool(said.caption) == bool(objects)
    assert said.description.endswith(".")
    assert "  " not in said.description


# Colours


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#808080", "grey"), ("#000000", "black"), ("#ffffff", "white"), ("#e01010", "red"), ("#ff8c00", "orange"),
        ("#7a4a20", "brown"), ("#ffe020", "yellow"), ("#20a030", "green"), ("#20c8c0", "turquoise"),
        ("#2050d0", "blue"),
        ("#7030b0", "purple"), ("#ffa0c0", "pink"), ("#e8d8b8", "beige"), ("#203060", "blue"),
    ],
)  # fmt: skip
def test_colours_have_their_names(colour: str, name: str) -> None:
    assert colours.names(Image.new("RGB", (50, 40), colour)) == (name,)


def test_the_most_of_it_comes_first_and_little_of_it_is_not_named() -> None:
    picture = Image.new("RGB", (100, 100), "white")
    picture.paste((220, 20, 20), (0, 0, 30, 100))
    picture.paste((30, 60, 220), (0, 0, 5, 100))
    assert colours.names(picture) == ("white", "red")


def test_a_black_and_white_photo_has_only_greys() -> None:
    assert set(colours.names(photo("camera.png"))) <= {"black", "grey", "white"}
