import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
from PIL import Image

from aigen.errors import GenerationError, UsageError
from aigen.film.burning import check_captions
from aigen.film.captions import WIDTH, captions, write_captions
from aigen.film.music import check_music
from aigen.film.plan import Film, Line, Shot
from aigen.film.shots import painted, still
from aigen.film.sound import _filtered
from aigen.film.writing import make
from aigen.types.request import Size

SIZE, FPS, SECONDS = Size(320, 180), 25, 6.0
TEXTS = ("A ship comes home.", "The keeper lights the lamp.")


def write_wav(path: Path, seconds: float, pitch: float, level: float = 0.3, rate: int = 22_050) -> Path:
    sound = level * numpy.sin(2 * numpy.pi * pitch * numpy.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def write_noise(path: Path, seconds: float) -> Path:
    sound = numpy.random.default_rng(3).normal(0, 600, round(seconds * 44_100))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    return path


def write_picture(path: Path, seed: int, size: Size = SIZE) -> Path:
    rough = numpy.random.default_rng(seed).integers(60, 200, (18, 32, 3), dtype=numpy.uint8)
    Image.fromarray(rough).resize((size.width, size.height), Image.Resampling.BICUBIC).save(path)
    return path


def plain(*rgb: int) -> Any:
    def frames(size: Size, count: int, fps: int) -> Iterator[Any]:
        pixels = numpy.full((size.height, size.width, 4), (*rgb, 255), numpy.uint8)
        for _ in range(count):
            yield pixels

    return painted(frames)


def spoken(folder: Path) -> list[Line]:
    """Two lines of 1.2 s, at 0.5 s and at 3 s."""
    paths = [
        write_wav(folder / f"{pitch}.wav", 1.2, pitch, rate=rate) for pitch, rate in ((400, 16_000), (600, 44_100))
    ]
    return [Line(text, path, begin, 1.2) for text, path, begin in zip(TEXTS, paths, (0.5, 3.0), strict=True)]


def stills(folder: Path, size: Size = SIZE) -> list[Shot]:
    return [Shot(2.0 * each, still(write_picture(folder / f"{each}.png", each), each + 1, each)) for each in range(3)]


def made(film: Film, path: Path) -> Path:
    make(film, path, lambda done, total: None)
    return path


def seen(path: Path) -> list[Any]:
    """All frames, as they are shown in RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def heard(path: Path) -> Any:
    """The sound as it is played: in one channel, 48 kHz."""
    with av.open(str(path)) as container:
        return numpy.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1).mean(axis=0)


def levels(sound: Any) -> Any:
    """Loudness in dB of every hundredth of a second."""
    parts = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    return 20 * numpy.log10(numpy.sqrt((parts**2).mean(axis=1)) + 1e-9)


def measured(path: Path) -> dict[str, float]:
    sound = heard(path).astype(numpy.float32)
    filters = ("ebur128", "metadata=1:peak=true:framelog=quiet")
    return {
        name: float(value)
        for frame in _filtered(iter([numpy.stack((sound, sound))]), filters)
        for name, value in frame.metadata.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film")


@pytest.fixture(scope="module")
def with_speech(folder: Path) -> Path:
    return made(Film(SIZE, FPS, SECONDS, stills(folder), spoken(folder)), folder / "speech.mp4")


@pytest.fixture(scope="module")
def with_music(folder: Path) -> Path:
    music = write_noise(folder / "music.wav", 3.7)
    lines = [Line(TEXTS[0], write_wav(folder / "long.wav", 3.0, 1000), 4.0, 3.0)]
    film = Film(SIZE, FPS, 12.0, [Shot(0.0, plain(90, 120, 90))], lines, music, captions="off")
    return made(film, folder / "music.mp4")


def test_the_file_is_what_players_expect(with_speech: Path) -> None:
    with av.open(str(with_speech)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (context.name, context.pix_fmt, video.average_rate) == ("h264", "yuv420p", FPS)
        assert (video.width, video.height) == (SIZE.width, SIZE.height)
        assert [int(each) for each in (context.colorspace, context.color_primaries, context.color_trc)] == [1, 1, 1]
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", 48_000, 2)
        for stream in (video, sound):
            assert stream.duration is not None
            assert float(stream.duration * stream.time_base) == pytest.approx(SECONDS, abs=0.001)
    assert len(seen(with_speech)) == round(SECONDS * FPS)
    data = with_speech.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_speech_is_heard_when_its_caption_stands_and_only_then(folder: Path, with_speech: Path) -> None:
    loud = levels(heard(with_speech)) > -40
    spans = numpy.flatnonzero(numpy.diff(loud.astype(int), prepend=0, append=0)).reshape(-1, 2) / 100
    assert spans == pytest.approx(numpy.array([[0.5, 1.7], [3.0, 4.2]]), abs=0.03)
    stands = [(each.begin, each.end) for each in captions(spoken(folder))]
    assert spans == pytest.approx(numpy.array(stands), abs=0.2)


def test_sound_and_picture_are_in_step_at_the_end(tmp_path: Path) -> None:
    def flash(size: Size, count: int, fps: int) -> Iterator[Any]:
        for frame in range(count):
            yield numpy.full((size.height, size.width, 4), 255 if frame >= 29 * fps else 40, numpy.uint8)

    click = Line("", write_wav(tmp_path / "click.wav", 1.0, 1000), 29.0, 1.0)
    path = made(Film(Size(64, 36), 10, 30.0, [Shot(0, painted(flash))], [click]), tmp_path / "a.mp4")
    bright = next(number for number, frame in enumerate(seen(path)) if frame.mean() > 150)
    assert bright == 290
    assert numpy.argmax(levels(heard(path)) > -40) / 100 == pytest.approx(29.0, abs=0.02)


def test_captions_stand_in_their_box_and_for_their_time(folder: Path, with_speech: Path, tmp_path: Path) -> None:
    film = Film(SIZE, FPS, SECONDS, stills(folder), spoken(folder), captions="off")
    differs = [
        abs(a - b).max(axis=2) > 60
        for a, b in zip(seen(with_speech), seen(made(film, tmp_path / "off.mp4")), strict=True)
    ]
    shown = numpy.array([each.any() for each in differs])
    for begin, end in ((0.5, 1.7), (3.0, 4.2)):
        assert shown[round(begin * FPS) + 1 : round(end * FPS) - 1].all()
    assert not shown[: round(0.5 * FPS)].any()
    assert not shown[round(1.7 * FPS) + 1 : round(3.0 * FPS)].any()
    assert not shown[round(4.2 * FPS) + 1 :].any()
    rows, columns = numpy.nonzero(numpy.any(differs, axis=0))
    assert rows.min() > SIZE.height * 0.6
    assert rows.max() < SIZE.height * 0.95
    assert columns.min() + columns.max() == pytest.approx(SIZE.width, abs=8)
    assert SIZE.width * 0.05 < columns.min() < columns.max() < SIZE.width * 0.95


def test_music_makes_way_for_speech_goes_on_and_fades_out(with_music: Path) -> None:
    sound = heard(with_music)
    # The music is noise, the speech a tone: what there is of the first in each half second, far from the other.
    spectrum = abs(numpy.fft.rfft(sound[: 24 * 24_000].reshape(24, 24_000) * numpy.hanning(24_000), axis=1))[
        :, 1500:4000
    ]
    music = 10 * numpy.log10((spectrum**2).mean(axis=1))
    free, under = music[2:7], music[9:13]
    assert free.mean() - under.mean() == pytest.approx(12, abs=1.5)
    assert music[17:20].min() > free.mean() - 4  # the file has ended twice
    assert music[23] < free.mean() - 12
    assert abs(sound[-480:]).max() < 0.003


@pytest.mark.parametrize("name", ["with_speech", "with_music"])
def test_it_is_as_loud_as_players_expect(name: str, request: pytest.FixtureRequest) -> None:
    found = measured(request.getfixturevalue(name))
    assert found["lavfi.r128.I"] == pytest.approx(-16, abs=1)
    assert 20 * numpy.log10(found["lavfi.r128.true_peak"]) < -1


def test_the_picture_never_goes_black_nor_stands(with_speech: Path) -> None:
    frames = seen(with_speech)
    assert min(frame.mean() for frame in frames) > 60
    moved = [abs(after - before)[: SIZE.height // 2].mean() for before, after in pairwise(frames)]
    assert min(numpy.convolve(moved, numpy.ones(5), "valid")) > 0.2


@pytest.mark.parametrize(("transition", "halfway"), [("fade", (110, 60, 80)), ("cut", (180, 60, 40))])
def test_one_shot_fades_into_the_next_or_is_cut(tmp_path: Path, transition: Any, halfway: tuple[int, ...]) -> None:
    shots = [Shot(0, plain(180, 60, 40)), Shot(1.0, plain(40, 60, 120))]
    frames = seen(made(Film(SIZE, FPS, 2.0, shots, transition=transition), tmp_path / "a.mp4"))
    assert len(frames) == 50
    for number, colour in ((5, (180, 60, 40)), (25, (40, 60, 120)), (17, halfway)):
        assert abs(frames[number].mean(axis=(0, 1)) - colour).max() < 9


def test_no_move_shows_a_border(tmp_path: Path) -> None:
    Image.new("RGB", (100, 90), (200, 40, 60)).save(tmp_path / "plain.png")
    seen_by = [frame for number in range(1, 9) for frame in still(tmp_path / "plain.png", number, number)(SIZE, 5, 1)]
    assert len(seen_by) == 40
    for frame in seen_by:
        assert frame.y.shape == (180, 320)
        assert (frame.u.shape, frame.v.shape) == ((90, 160), (90, 160))
        assert all(plane.max() - plane.min() <= 1 for plane in (frame.y, frame.u, frame.v))


def test_moves_differ(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png", 1)
    ends = [list(still(picture, number, 1)(SIZE, 25, 5))[-1].y.astype(int) for number in range(1, 9)]
    assert all(abs(a - b).mean() > 1 for number, a in enumerate(ends) for b in ends[:number])


def test_a_vertical_film(tmp_path: Path) -> None:
    size = Size(180, 320)
    text = "The keeper lights the lamp, and the ship comes home at last."
    line = Line(text, write_wav(tmp_path / "a.wav", 1.5, 500), 0.2, 1.5)
    frames = seen(made(Film(size, FPS, 2.0, [Shot(0, plain(30, 90, 60))], [line]), tmp_path / "a.mp4"))
    assert frames[0].shape == (320, 180, 3)
    rows, columns = numpy.nonzero(frames[15].min(axis=2) > 200)
    assert len(rows) > 50
    assert columns.min() > 180 * 0.05
    assert columns.max() < 180 * 0.95
    assert 320 * 0.7 < rows.min() < rows.max() < 320 * 0.95


def test_a_long_sentence_is_cut_at_punctuation_into_captions_that_can_be_read() -> None:
    text = (
        "The keeper climbs the hundred and twelve steps to the lamp, as he has done every single night for forty "
        "long years; he lights it, and far out at sea a ship turns towards home."
    )
    found = captions([Line(text, Path("a.wav"), 10.0, 9.0)])
    assert len(found) == 3
    assert " ".join(line for caption in found for line in caption.lines) == text
    assert [caption.lines[-1][-1] for caption in found] == [",", ";", "."]
    assert all(len(caption.lines) <= 2 and max(map(len, caption.lines)) <= WIDTH for caption in found)
    assert (found[0].begin, found[-1].end) == (10.0, pytest.approx(19.0))
    for before, after in pairwise(found):
        assert before.end == after.begin
    assert found[0].end - 10 == pytest.approx(9 * 58 / len(text), abs=0.2)


@pytest.mark.parametrize(
    "text",
    ["", "a", "word " * 60, "x" * 300, "灯台守は百二十段の階段を登り、灯をともす。" * 5, "\n\t ", "a" * 43 + " b"],
)
def test_captions_of_any_text_fit(text: str) -> None:
    found = captions([Line(text, Path("a.wav"), 0.0, 5.0)])
    assert "".join("".join(caption.lines) for caption in found).replace(" ", "") == "".join(text.split())
    assert all(1 <= len(caption.lines) <= 2 for caption in found)
    assert all(len(line) <= WIDTH for caption in found for line in caption.lines)


def test_caption_files(tmp_path: Path) -> None:
    lines = [
        Line("Jack & Jill <b>said</b> --> “grüß Gott”", Path("a.wav"), 1.5, 2.0),
        Line("Bye.", Path("b.wav"), 3661.25, 1),
    ]
    write_captions(lines, tmp_path / "film.v2")
    assert (tmp_path / "film.v2.srt").read_text("utf-8") == (
        "1\n00:00:01,500 --> 00:00:03,500\nJack & Jill <b>said</b> -> “grüß Gott”\n\n"
        "2\n01:01:01,250 --> 01:01:02,250\nBye.\n"
    )  # fmt: skip
    assert (tmp_path / "film.v2.vtt").read_text("utf-8") == (
        "WEBVTT\n\n00:00:01.500 --> 00:00:03.500\nJack &amp; Jill &lt;b&gt;said&lt;/b&gt; --&gt; “grüß Gott”\n\n"
        "01:01:01.250 --> 01:01:02.250\nBye.\n"
    )


def test_captions_that_the_font_cannot_set_are_refused() -> None:
    check_captions("Ein “schönes” Bild… Привет, Đường! 🎉")
    with pytest.raises(UsageError, match=r"no letters for Chinese, Arabic \(灯 台 س\).*srt"):
        check_captions("灯台 and س")


def test_damaged_music_is_refused(tmp_path: Path, with_speech: Path) -> None:
    (tmp_path / "noise.mp3").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    Image.new("RGB", (20, 20)).save(tmp_path / "picture.png")
    write_wav(tmp_path / "nothing.wav", 0.0, 400)
    for path in tmp_path.iterdir():
        with pytest.raises(UsageError, match=r"cannot be used as music") as refusal:
            check_music(path)
        assert "\n" not in str(refusal.value)
    with pytest.raises(UsageError, match="no file"):
        check_music(tmp_path / "none.mp3")
    check_music(with_speech)  # a film with sound


def test_the_same_film_has_the_same_bytes(folder: Path, with_speech: Path, tmp_path: Path) -> None:
    again = made(Film(SIZE, FPS, SECONDS, stills(folder), spoken(folder)), tmp_path / "again.mp4")
    assert again.read_bytes() == with_speech.read_bytes()


def test_a_film_without_any_sound_is_silent(tmp_path: Path) -> None:
    path = made(Film(SIZE, FPS, 1.0, [Shot(0, plain(9, 99, 9))]), tmp_path / "a.mp4")
    assert abs(heard(path)).max() < 0.001


def test_progress_is_told_and_may_stop_it(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def step(done: int, total: int) -> None:
        told.append((done, total))
        if done == 30:
            raise KeyboardInterrupt

    film = Film(SIZE, FPS, 2.0, [Shot(0, plain(9, 99, 9))])
    with pytest.raises(KeyboardInterrupt):
        make(film, tmp_path / "a.mp4", step)
    assert [done for done, _ in told if done] == list(range(1, 31))
    assert {total for _, total in told} == {50}


def test_a_shot_without_frames_and_a_line_without_sound_are_told(tmp_path: Path) -> None:
    nothing = painted(lambda size, count, fps: iter(()))
    with pytest.raises(GenerationError, match=r"shot 2 .* no frames"):
        made(Film(SIZE, FPS, 2.0, [Shot(0, plain(9, 9, 9)), Shot(1, nothing)]), tmp_path / "a.mp4")
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(GenerationError, match=r"bad\.wav"):
        made(
            Film(SIZE, FPS, 1.0, [Shot(0, plain(9, 9, 9))], [Line("a", tmp_path / "bad.wav", 0, 1)]), tmp_path / "b.mp4"
        )


def test_a_shot_that_ends_early_stands(tmp_path: Path) -> None:
    short = painted(lambda size, count, fps: iter([numpy.full((size.height, size.width, 4), 120, numpy.uint8)] * 3))
    assert len(seen(made(Film(SIZE, FPS, 1.0, [Shot(0, short)]), tmp_path / "a.mp4"))) == 25


def test_importing_it_loads_nothing_heavy() -> None:
    script = "import sys, json, aigen.film.production; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert not {"numpy", "PIL", "av", "skia"} & set(loaded)
