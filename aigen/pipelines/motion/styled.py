"""A still in a style, for a camera to move over; what borders the style has stand still before it.

The picture is graded with more around it than is filmed, so that borders fall there and are cut off.
"""

from typing import TYPE_CHECKING, Any

from aigen.types.request import Size

if TYPE_CHECKING:
    from PIL.Image import Image

# Styles with borders, and how much around a picture keeps them out of it, as a share of its sides.
BORDERED = {"cinematic", "watercolour", "poster"}
AROUND = 0.16
# Cinematic bars, as a share of the height.
BARS = 0.09


def graded(still: "Image", style: str, seed: int) -> "Image":
    """The still in this style, of the same size, without the style's border."""
    import numpy
    from PIL import Image

    from aigen.pipelines.storybook.drawing.grading import grade

    if style not in BORDERED:
        return grade(still, style, seed)
    beside, above = round(still.width * AROUND), round(still.height * AROUND)
    wider = Image.fromarray(numpy.pad(numpy.asarray(still), ((above, above), (beside, beside), (0, 0)), mode="reflect"))
    printed = grade(wider, style, seed)
    above += _lowered(wider, printed)
    return printed.crop((beside, above, beside + still.width, above + still.height))


def _lowered(picture: "Image", printed: "Image") -> int:
    """How many pixels lower things are in the print, as a style sets them
    where its border needs them: where most is alike.
    """
    import numpy
    from PIL import Image

    rows = [
        numpy.diff(
            numpy.asarray(each.convert("L").resize((48, each.height), Image.Resampling.BOX), numpy.float32), axis=0
        )
        for each in (picture, printed)
    ]
    reach = round(picture.height * AROUND / 3)
    inner = slice(round(picture.height * AROUND), round(picture.height * (1 - AROUND)))
    before = rows[0][inner]
    alike = [
        float((before * rows[1][inner.start + down : inner.stop + down]).sum()) for down in range(-reach, reach + 1)
    ]
    best = max(range(len(alike)), key=lambda place: (alike[place], -abs(place - reach)))
    return best - reach


def border(style: str, size: Size) -> Any:
    """What stands before every frame in this style, as an image of skia; None where there is nothing."""
    import skia

    from aigen.pipelines.storybook.drawing.styles import cream_border, paper_border

    unit = min(size.width * 1.1, size.height * 1.2)
    if style == "watercolour":
        return paper_border(size.width, size.height, unit)
    if style == "poster":
        return cream_border(size.width, size.height, unit)
    if style != "cinematic":
        return None
    surface = skia.Surface(size.width, size.height)
    bar = round(size.height * BARS)
    for top in (0, size.height - bar):
        surface.getCanvas().drawRect(skia.Rect.MakeXYWH(0, top, size.width, bar), skia.Paint(Color=skia.ColorBLACK))
    return surface.makeImageSnapshot()
