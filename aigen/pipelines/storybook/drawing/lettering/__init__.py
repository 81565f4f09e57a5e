"""Captions set in type. The font and its licence: README.md beside this file."""

from functools import cache
from importlib.resources import files

import skia

# Of the picture's width and height, what a caption may take.
WIDTH, HEIGHT = 0.84, 0.22
# Between the capitals of a title, in shares of their size.
SPACING = 0.06


@cache
def _typeface() -> skia.Typeface:
    data = skia.Data.MakeWithCopy((files(__package__) / "Nunito_700Bold.ttf").read_bytes())
    return skia.FontMgr.New_Custom_Empty().makeFromData(data)


def can_set(text: str) -> bool:
    """Whether the font has every letter of a text."""
    letters = [ord(letter) for letter in text if letter.isprintable() and letter != " "]
    return bool(letters) and all(_typeface().unicharsToGlyphs(letters))


def draw_title(canvas: skia.Canvas, text: str, area: skia.Rect, rgb: int) -> None:
    """A title in capitals, letter-spaced, centred in an area and as large as fits;
    nothing where letters are missing.
    """
    words = "".join(letter if letter.isprintable() else " " for letter in text).upper().split()
    if not words or not can_set(" ".join(words)):
        return
    for share in range(40, 5, -1):
        font = skia.Font(_typeface(), area.height() * share / 46)
        font.setSubpixel(True)
        lines = _broken(words, font, area.width() / 1.12)
        step = font.getSize() * 1.14
        if step * len(lines) <= area.height() and max(_spaced(line, font) for line in lines) <= area.width():
            break
    top = area.centerY() - step * len(lines) / 2
    for place, line in enumerate(lines):
        x, y = area.centerX() - _spaced(line, font) / 2, top + step * (place + 0.82)
        for letter in line:
            canvas.drawString(letter, x, y, font, skia.Paint(AntiAlias=True, Color=rgb))
            x += font.measureText(letter) + font.getSize() * SPACING


def _spaced(line: str, font: skia.Font) -> float:
    return float(sum(font.measureText(letter) + font.getSize() * SPACING for letter in line) - font.getSize() * SPACING)


def set_caption(text: str, width: float, height: float) -> skia.Image | None:
    """A caption on a soft dark band, as large as fits; None where the font lacks letters or there is no room."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    if not words or not can_set(text):
        return None
    for share in range(20, 5, -1):
        font = skia.Font(_typeface(), height * HEIGHT * share / 40)
        font.setSubpixel(True)
        lines = _broken(words, font, width * WIDTH)
        step = font.getSize() * 1.2
        if step * len(lines) <= height * HEIGHT and max(map(font.measureText, lines)) <= width * WIDTH:
            return _drawn(lines, font, step)
    return None


def _broken(words: list[str], font: skia.Font, limit: float) -> list[str]:
    """The words in lines no longer than the limit, where no single word is."""
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if font.measureText(longer) <= limit:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _drawn(lines: list[str], font: skia.Font, step: float) -> skia.Image:
    around = font.getSize() * 0.5
    wide = max(map(font.measureText, lines)) + 2.4 * around
    tall = step * len(lines) + around
    surface = skia.Surface(max(1, round(wide)), max(1, round(tall)))
    canvas = surface.getCanvas()
    band = skia.Paint(AntiAlias=True, Color=skia.ColorSetARGB(120, 10, 14, 34))
    canvas.drawRoundRect(skia.Rect.MakeWH(wide, tall), around, around, band)
    for place, line in enumerate(lines):
        x, y = (wide - font.measureText(line)) / 2, around * 0.5 + step * (place + 0.8)
        canvas.drawString(line, x, y, font, skia.Paint(AntiAlias=True, Color=skia.ColorWHITE))
    return surface.makeImageSnapshot()
