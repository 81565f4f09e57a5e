import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo, putchunk
from sd_parsers import ParserManager

from aigen.errors import GenerationError, UsageError
from aigen.media import provenance
from aigen.media.provenance import read, write
from aigen.types.pipeline import Provenance
from aigen.types.request import KINDS, Kind, Size
from tests.conftest import gradient, scribble

PARAMETERS = {"number": 3, "style": "night", "size": "16x16", "scene": {"objects": [], "caption": "ünï 🐋"}}
WHALE = Provenance("image", "a whale, 5 stars", "storybook", 9, "algorithmicMedia", PARAMETERS)
PROMPTS = [
    "a whale",
    "two lines\nof text, with: colons, commas",
    "Grüße 鯨 🐋‍♂️ <b>&amp;</b>",
    "a\nNegative prompt: b\nNegative prompt: c",
    "Steps: 3, Sampler: x, Seed: 1",
    "  spaces \t around ",
    "nul \0 inside, bell \a",
    "x" * 2000,
]


def packets(path: Path) -> list[tuple[Any, ...]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, packet.time_base, bytes(packet))
            for packet in container.demux(video=0)
        ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_file_says_exactly_what_was_written_into_it(tmp_path: Path, kind: Kind, prompt: str) -> None:
    path = scribble(kind, tmp_path / "a")
    said = replace(WHALE, kind=kind, prompt=prompt)
    write(path, said)
    assert read(path) == said
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


@given(prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_prompt_survives(tmp_path: Path, prompt: str) -> None:
    for kind in KINDS:
        path = scribble(kind, tmp_path / "a")
        write(path, replace(WHALE, kind=kind, prompt=prompt))
        assert read(path).prompt == prompt


def test_marking_keeps_every_pixel(tmp_path: Path) -> None:
    path = scribble("image", tmp_path / "a", Size(40, 30))
    write(path, WHALE)
    with Image.open(path) as image:
        assert image.convert("RGBA").tobytes() == gradient(Size(40, 30)).tobytes()


def test_marking_keeps_every_packet_and_the_order_of_the_file(tmp_path: Path) -> None:
    path = scribble("video", tmp_path / "a", Size(64, 48), 48)
    before = packets(path)
    write(path, replace(WHALE, kind="video"))
    assert packets(path) == before
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 48
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.codec_context.color_primaries, container.duration) == (24, 1, 2_000_000)
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat") < data.index(b"uuid")


def test_marking_keeps_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    silence = av.AudioFrame.from_ndarray(numpy.zeros((2, 1024), numpy.float32), format="fltp", layout="stereo")
    silence.sample_rate = 44100
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", rate=24), container.add_stream("aac", rate=44100)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        for frame in (av.VideoFrame.from_ndarray(gradient(Size(16, 16)), format="rgba"), None):
            container.mux(video.encode(frame))
        for frame in (silence, None):
            container.mux(sound.encode(frame))
    write(path, replace(WHALE, kind="video"))
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            assert list(container.decode(**{kind: 0}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_marks_give_the_same_bytes(tmp_path: Path, kind: Kind) -> None:
    paths = [scribble(kind, tmp_path / name) for name in ("a", "b")]
    for path in paths:
        write(path, replace(WHALE, kind=kind))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_only_known_marks_and_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(GenerationError, match="can be marked"):
        write(tmp_path / "a.txt", WHALE)
    with pytest.raises(GenerationError, match="digitalCapture"):
        write(scribble("image", tmp_path / "a"), replace(WHALE, source_type="digitalCapture"))
    with Image.open(tmp_path / "a.png") as image:
        image.save(tmp_path / "b.png", format="JPEG")
    with pytest.raises(ValueError, match="no PNG"):
        write(tmp_path / "b.png", WHALE)


def test_marks_take_the_place_of_what_a_library_wrote(tmp_path: Path) -> None:
    texts = PngInfo()
    for name in ("parameters", "aigen", "XML:com.adobe.xmp", "Software"):
        texts.add_itxt(name, "theirs")
    with Image.open(scribble("image", tmp_path / "a")) as image:
        image.save(tmp_path / "b.png", pnginfo=texts)
    write(tmp_path / "b.png", WHALE)
    assert read(tmp_path / "b.png") == WHALE
    with Image.open(tmp_path / "b.png") as image:
        assert (image.info["parameters"].startswith("a whale"), image.info["Software"]) == (True, "theirs")


# Read by others


@pytest.mark.parametrize("prompt", PROMPTS)
def test_an_independent_reader_finds_prompt_seed_and_model(tmp_path: Path, prompt: str) -> None:
    path = scribble("image", tmp_path / "a")
    write(path, replace(WHALE, prompt=prompt))
    found = ParserManager().parse(path)
    assert found is not None
    (sampler,) = found.samplers
    assert sampler.model is not None
    assert (sampler.name, sampler.model.name, sampler.parameters["seed"]) == ("storybook", "storybook", "9")
    assert found.metadata["Size"] == "16x16"
    wanted = prompt.replace("Negative prompt:", "Negative prompt :").replace("\0", " ").strip()
    assert [part.value for part in sampler.prompts] == [wanted]
    assert sampler.negative_prompts == []


def test_players_find_title_and_comment(tmp_path: Path) -> None:
    path = scribble("video", tmp_path / "a")
    write(path, replace(WHALE, kind="video", prompt="two\nlines\0 of text"))
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "two lines of text"
        assert '"seed": 9' in container.metadata["comment"]
        assert "creation_time" not in container.metadata


# Read by us: other programs' files, and none at all


def pictures(tmp_path: Path) -> dict[str, Path]:
    """A whole file of every form that can be read, without any text in it."""
    made = {"PNG": scribble("image", tmp_path / "png", Size(64, 48)), "MP4": scribble("video", tmp_path / "mp4")}
    with Image.open(made["PNG"]) as image:
        for form in ("JPEG", "WEBP"):
            made[form] = tmp_path / form
            image.save(made[form], format=form)
    return made


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "MP4"])
def test_a_file_without_anything_says_nothing(tmp_path: Path, form: str) -> None:
    assert read(pictures(tmp_path)[form]) == Provenance("video" if form == "MP4" else "image")


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_photograph_that_states_its_source_type(tmp_path: Path, form: str) -> None:
    xmp = b"<x><DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</DigitalSourceType></x>"
    with Image.open(scribble("image", tmp_path / "a")) as image:
        image.save(tmp_path / "photo", format=form, xmp=xmp)
    assert read(tmp_path / "photo") == Provenance("image", source_type="digitalCapture")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "MP4"])
def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path, form: str) -> None:
    path = pictures(tmp_path)[form]
    if form in ("PNG", "MP4"):
        write(path, replace(WHALE, kind="image" if form == "PNG" else "video"))
    whole = path.read_bytes()
    assert read(path)
    cut = tmp_path / f"cut{path.suffix}"
    step = 1 if len(whole) < 1500 else 7
    for length in chain(range(1, len(whole) - 2, step), [len(whole) - 1] if form in ("PNG", "MP4") else []):
        cut.write_bytes(whole[:length])
        if form == "MP4" and length == whole.index(b"uuid") - 4:
            continue  # whole but for the box with the mark
        if form == "PNG" and length >= whole.index(b"IEND") - 12:  # only checksums are missing
            assert read(cut) == read(path)  # all of its rows are there
            continue
        with pytest.raises(UsageError, match="give a") as raised:
            read(cut)
        assert len(str(raised.value).splitlines()) == 1, raised.value


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused_but_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a"
    if not path.exists():
        for kind in KINDS:
            whole = scribble(kind, tmp_path / kind)
            write(whole, replace(WHALE, kind=kind))
    whole = (tmp_path / data.draw(st.sampled_from(["image.png", "video.mp4"]))).read_bytes()
    broken = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=6)):
        broken[at] = data.draw(st.integers(0, 255))
    path.write_bytes(broken)
    try:
        read(path)
    except UsageError as error:
        told = str(error)
    else:
        told = "it could be read"
    assert len(told.splitlines()) == 1


def text_file(folder: Path) -> Path:
    (folder / "a.png").write_text("no picture at all")
    return folder / "a.png"


def empty_file(folder: Path) -> Path:
    (folder / "a.png").touch()
    return folder / "a.png"


def picture_as_avif(folder: Path) -> Path:
    (folder / "a.avif").write_bytes(struct.pack(">I", 24) + b"ftypavif" + bytes(12))
    return folder / "a.avif"


def sound(folder: Path) -> Path:
    with av.open(str(folder / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(numpy.zeros((2, 1024), numpy.float32), format="fltp", layout="stereo")
        frame.sample_rate = 44100
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return folder / "a.mp4"


def enormous_picture(folder: Path) -> Path:
    """Its header promises 30000 by 30000 pixels."""
    header = struct.pack(">II5B", 30000, 30000, 8, 2, 0, 0, 0)
    with (folder / "a.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")):
            putchunk(file, name, data)
    return folder / "a.png"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda folder: folder, "folder"),
        (lambda folder: folder / "nonesuch.png", "not there"),
        (empty_file, "empty"),
        (text_file, "no picture or video"),
        (picture_as_avif, "no picture or video"),
        (sound, "has no picture: give"),
        (enormous_picture, "too many pixels"),
        (lambda folder: folder / ("x" * 300), "File name too long"),
        (pipe, "no regular file"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, make: Callable[[Path], Path], named: str) -> None:
    path = make(tmp_path)
    with pytest.raises(UsageError, match=named) as raised:
        read(path)
    assert str(path) in str(raised.value)


def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = scribble("image", tmp_path / "a")
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may read everything
        with pytest.raises(UsageError, match="Permission denied"):
            read(path)
    finally:
        os.seteuid(user)


def test_a_large_picture_and_odd_exif_data_are_read_without_a_word(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    Image.new("1", (12000, 9000)).save(tmp_path / "large.png")
    assert read(tmp_path / "large.png") == Provenance("image")
    with Image.open(scribble("image", tmp_path / "a")) as image:
        image.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x87i\0\x04")
    assert read(tmp_path / "a.jpg") == Provenance("image")
    assert not recwarn.list


WEB_UI = "a castle\nSteps: 20, Sampler: Euler a, Seed: 42, Model: dream"


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + WEB_UI.encode("utf-16-be"),
        b"UNICODE\0" + WEB_UI.encode("utf-16-le"),
        b"ASCII\0\0\0" + WEB_UI.encode(),
        bytes(8) + WEB_UI.encode(),
        WEB_UI.encode(),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_the_comment_of_exif_data_is_read(tmp_path: Path, form: str, comment: bytes) -> None:
    with Image.open(scribble("image", tmp_path / "a")) as image:
        exif = image.getexif()
        exif.get_ifd(IFD.Exif)[Base.UserComment] = comment
        image.save(tmp_path / "b", format=form, exif=exif)
    found = read(tmp_path / "b")
    assert (found.prompt, found.model, found.seed) == ("a castle", "dream", 42)


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    said = {**provenance.as_json(WHALE), "version": 2}
    assert read(with_chunk(tmp_path, json.dumps(said))) == replace(WHALE, source_type="algorithmicMedia")


def with_chunk(folder: Path, chunk: str) -> Path:
    texts = PngInfo()
    texts.add_itxt("aigen", chunk)
    with Image.open(scribble("image", folder / "a")) as image:
        image.save(folder / "b.png", pnginfo=texts)
    return folder / "b.png"


@pytest.mark.parametrize(
    "chunk",
    [
        "[]",
        "{}",
        "nonsense",
        '{"prompt": 1, "model": null, "seed": null, "mark": null, "parameters": {}}',
        "[" * 100_000,
        '{"prompt": "x", "model": null, "seed": null, "mark": null, "parameters": {"a": ' + "[" * 99 + "]" * 99 + "}}",
        '{"prompt": "x", "model": null, "seed": true, "mark": null, "parameters": {}}',
    ],
)
def test_a_chunk_that_is_not_ours_is_passed_over(tmp_path: Path, chunk: str) -> None:
    assert read(with_chunk(tmp_path, chunk)) == Provenance("image")


def test_every_source_type_has_a_meaning() -> None:
    for name in provenance.SOURCE_TYPES:
        assert provenance.explain(name) == f"{name}: {provenance.SOURCE_TYPES[name]}"
    assert provenance.explain(None) is None
    assert "cv.iptc.org/newscodes/digitalsourcetype/digitalCapture" in str(provenance.explain("digitalCapture"))
