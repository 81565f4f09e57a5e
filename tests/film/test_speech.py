"""Speech: texts cut, read and refused as people expect;
the real voice of this machine; stand-ins for other programs.
"""

import os
import stat
import sys
import wave
from pathlib import Path
from typing import Any

import numpy
import pytest

from aigen.errors import GenerationError, UsageError
from aigen.film.speech import check, paragraphs, pause_after, seconds_of, sentences, spoken, voice, voices

STORY = (
    "The harbour was silent that morning. Old Captain Reyes, who had sailed for fifty-one years, lit his pipe. "
    '"Will it rain?" asked the boy. Nobody had ever seen him worried... until today.'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Fox met Dr. Smith near the U.S. Embassy. He left.",
            ["Mr. Fox met Dr. Smith near the U.S. Embassy.", "He left."]),
        ("Pi is 3.14. J. K. Rowling wrote it.", ["Pi is 3.14.", "J. K. Rowling wrote it."]),
        ("So did I. Then plan B. We go.", ["So did I.", "Then plan B.", "We go."]),
        ("I live in the U.S. The sun shines.", ["I live in the U.S.", "The sun shines."]),
        ("“What?!” she cried. “No... I can't.” The end.", ["“What?!” she cried.", "“No... I can't.”", "The end."]),
        ("Pets, e.g. cats, dogs etc. are fine. It ends at 5 p.m. Then we go.",
            ["Pets, e.g. cats, dogs etc. are fine.", "It ends at 5 p.m.", "Then we go."]),
        ("No. 5 is alive. No. I said no.", ["No. 5 is alive.", "No.", "I said no."]),
        ("hello there. how are you? fine.", ["hello there.", "how are you?", "fine."]),
        ("She left… The door closed. 1. The fox", ["She left…", "The door closed.", "1. The fox"]),
        ("Great! 😀 Bye!", ["Great!", "😀 Bye!"]),
        ("  spaces \t and\r\nlines ", ["spaces and lines"]),
        ("* * *", []),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_narrator_stops(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_paragraphs_end_at_blank_lines_and_verses_do_not() -> None:
    wrapped = "It was a bright cold day in April, and the clocks were\nstriking thirteen.\nHe ran."
    assert paragraphs(wrapped) == [
        ["It was a bright cold day in April, and the clocks were striking thirteen."],
        ["He ran."],
    ]
    assert paragraphs("Chapter One\n\nRoses are red,\nViolets are blue.") == [
        ["Chapter One"],
        ["Roses are red,", "Violets are blue."],
    ]


@pytest.mark.parametrize("joint", [" ", ", ", "; ", " — "])
def test_endless_sentences_are_cut_and_no_word_is_lost(joint: str) -> None:
    text = joint.join(f"word{letter}" for letter in "abcdefghij" * 40)
    parts = sentences(text)
    assert len(parts) > 5
    assert max(map(seconds_of, parts)) <= 15
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert pause_after(parts[0]) < pause_after("It ends here.") < pause_after("It ends here.", last_of_paragraph=True)


@pytest.mark.parametrize("text", ["a." * 3000, "\n" * 20000 + "a", "*a " * 2000, "a-" * 5000, "<a " * 3000])
def test_odd_texts_take_no_longer_than_others(text: str) -> None:
    assert sentences(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42 of 1,234, the 1st of 2026, at 18:30 for $5, 25 % of St. Peter",
            "42 of 1,234, the 1st of 2026, at 18:30 for $5, 25 % of St. Peter"),
        ("−3 °C, 2-3 days, 1914–1918", "minus 3 °C, 2-3 days, 1914–1918"),
        ("100 m, 1 m, 20 m², 3.5 l, the '90s", "100 meters, 1 meter, 20 square meters, 3.5 liters, the '90s"),
        ("5 € and 3.50 £ 2026 $5", "€5 and £3.50 2026 $5"),
        ("1 000 000 and 1.000.000", "1,000,000 and 1,000,000"),
        ("Fig. 3, Jan. 5, pp. 3", "Figure 3, January 5, pages 3"),
        ("~5, >7, 24/7, 10k, C#, CO₂, π", "about 5, more than 7, 24 7, 10 thousand, C sharp, C O 2, pi"),
        ("See https://www.example.org/a/b?c=d. Mail a.b@x.com!", "See example dot org. Mail a dot b at x dot com!"),
        ("**Bold** `code` snake_case <b>x</b> 😀❤️ [a](http://b.c) [x](/foo/)", "Bold code snake_case x a x"),
        ("# Title\n- item", "Title item"),
    ],
)  # fmt: skip
def test_what_voices_misread_is_written_out(text: str, expected: str) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "The end.",
        "A red kite",
        "Foxes sleep.",
        "Die Hard is a film.",
        "Anna met Boris at Gare du Nord.",
        "Leonardo da Vinci painted La Gioconda.",
        "Good morning, Señor García!",
        '"Bonjour!" said the fox. "Comment ça va?" It was a fine day, and they all laughed.',
        "The Rhine flows through Köln, Düsseldorf and Rotterdam.",
        "Once upon a time there lived a king whom everybody called Владимир, "
        "even his own mother and all of her many friends.",
    ],
)
def test_english_passes(text: str) -> None:
    check(text, "hibari")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Guten Morgen", "German"),
        ("Die Katze schläft.", "German"),
        ("Il était une fois un petit renard qui vivait dans la forêt.", "French"),
        ("Je t'aime", "French"),
        ("Había una vez un zorro que vivía en el bosque.", "Spanish"),
        ("C'era una volta un re che viveva in un castello.", "Italian"),
        ("De kat slaapt op de bank", "Dutch"),
        ("एक समय की बात है", "Hindi"),
        ("你好，世界", "Chinese"),
        ("Привет, мир", "Cyrillic"),
    ],
)
def test_other_languages_are_refused(text: str, language: str) -> None:
    with pytest.raises(UsageError, match=language) as raised:
        check(text, "hibari")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", " \n", "...", "😀🎉", "?!"])
def test_nothing_to_say_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to read"):
        check(text, None)
    with pytest.raises(GenerationError):
        voice().say(text, tmp_path / "line.wav")
    assert list(tmp_path.glob("*.wav")) == []


def heard(path: Path) -> tuple[Any, int]:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        return numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768, sound.getframerate()


def test_hibari_speaks_the_same_bytes_without_silence_around(tmp_path: Path) -> None:
    seconds = voice("hibari").say("The fox ran over 3 hills.", tmp_path / "a.wav")
    voice().say("The fox ran over 3 hills.", tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    samples, rate = heard(tmp_path / "a.wav")
    assert seconds == pytest.approx(len(samples) / rate)
    assert 0.02 < numpy.sqrt((samples**2).mean()) < 0.3
    assert 0.1 < abs(samples).max() < 0.999
    assert all(abs(end[: int(0.25 * rate)]).max() > 0.02 for end in (samples, samples[::-1]))
    assert sorted(path.name for path in tmp_path.glob("*")) == ["a.wav", "b.wav"]


def test_estimates_are_near_what_is_spoken(tmp_path: Path) -> None:
    lines = sentences(STORY)
    taken = [voice().say(line, tmp_path / "line.wav") for line in lines]
    assert sum(map(seconds_of, lines)) == pytest.approx(sum(taken), rel=0.2)
    assert all(seconds_of(line) == pytest.approx(length, abs=1.2) for line, length in zip(lines, taken, strict=True))


@pytest.mark.parametrize(
    "samples", [numpy.zeros(2400), numpy.zeros(0), numpy.full(2400, numpy.nan)], ids=["silence", "nothing", "nan"]
)
def test_silence_is_an_error_that_names_the_sentence(
    samples: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voices, "_hibari", lambda _: lambda text, seed: samples)
    with pytest.raises(GenerationError, match="The fox ran"):
        voice().say("The fox ran over the hill.", tmp_path / "line.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_voice_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> Any:
        raise RuntimeError("no\nmemory")

    monkeypatch.setattr(voices, "_hibari", fail)
    with pytest.raises(GenerationError, match="could not speak 'The fox': no memory"):
        voice().say("The fox", tmp_path / "line.wav")


def test_unknown_and_missing_voices_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, advice in {
        "espeak": "hibari, piper, gtts",
        "piper": "pip install piper-tts",
        "gtts": r"pip install 'aigen\[gtts\]'",
        "hibari:nobody": "choose one of heart",
    }.items():
        with pytest.raises(UsageError, match=advice):
            voice(name)


PIPER = """
import math, os, struct, sys, wave
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
text = sys.stdin.buffer.read().decode()
if "fail" in text:
    sys.exit("Traceback (most recent call last):\\nValueError: bad model")
if "slow" in text:
    import time; time.sleep(30)
assert arguments["--model"].endswith(".onnx") and text.strip(), sys.argv
with wave.open(arguments["--output-file"], "wb") as sound:
    sound.setparams((1, 2, 22050, 0, "NONE", ""))
    for at in range(44100):
        sound.writeframesraw(struct.pack("<h", int(9000 * math.sin(at / 20)) if 11025 < at < 33075 else 0))
"""
GTTS = """
import shutil, sys
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
text = sys.stdin.buffer.read().decode()
if "fail" in text:
    sys.exit("Usage: gtts-cli\\n\\nError: Failed to connect. Probable cause: Unknown")
assert arguments["--lang"] == "de" and arguments["--file"] == "-" and text.strip(), sys.argv
shutil.copy(FILE, arguments["--output"])
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins that behave as piper 1.8.0 and gtts-cli 2.2.4 do, and a voice model."""
    import av

    folder = tmp_path / "bin"
    folder.mkdir()
    with av.open(str(folder / "tone.mp3"), "w") as container:
        stream = container.add_stream("libmp3lame", rate=24000)
        stream.layout = "mono"
        tone = 0.3 * numpy.sin(numpy.arange(24000) / 10).astype("f4")
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.rate = 24000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for name, script in {"piper": PIPER, "gtts-cli": GTTS.replace("FILE", repr(str(folder / "tone.mp3")))}.items():
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "en_US-test.onnx").write_bytes(b"model")
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


@pytest.mark.skipif(os.name != "posix", reason="the stand-ins are scripts")
def test_piper_speaks(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = voice(f"piper:{programs / 'en_US-test.onnx'}")
    assert speaker.english
    assert 0.9 < speaker.say("--help; $(true) “naïve”", tmp_path / "line.wav") < 1.15
    assert heard(tmp_path / "line.wav")[1] == 22050
    with pytest.raises(GenerationError, match="ValueError: bad model"):
        speaker.say("fail", tmp_path / "failed.wav")
    monkeypatch.setitem(voices._PATIENCE, "piper", 0.5)
    with pytest.raises(GenerationError, match="no answer within"):
        speaker.say("slow", tmp_path / "failed.wav")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "line.wav"]


@pytest.mark.skipif(os.name != "posix", reason="the stand-ins are scripts")
def test_piper_finds_its_voices_by_name(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(voices, "find_spec", lambda _: None)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    for name in ("piper", "piper:de_DE-test"):
        with pytest.raises(UsageError, match=r"piper\.download_voices"):
            voice(name)
    folder = tmp_path / "aigen" / "voices"
    folder.mkdir(parents=True)
    (folder / "de_DE-test.onnx").write_bytes(b"model")
    assert not voice("piper").english
    check("Guten Morgen, kleiner Fuchs", "piper:de_DE-test")


@pytest.mark.skipif(os.name != "posix", reason="the stand-ins are scripts")
def test_google_speaks(programs: Path, tmp_path: Path) -> None:
    speaker = voice("gtts:de")
    assert 0.9 < speaker.say("Guten Morgen", tmp_path / "line.wav") < 1.2
    assert heard(tmp_path / "line.wav")[1] == 24000
    with pytest.raises(GenerationError, match="could not speak 'fail': Failed to connect"):
        speaker.say("fail", tmp_path / "failed.wav")
    with pytest.raises(UsageError, match="gtts:de"):
        voice("gtts:../x")
