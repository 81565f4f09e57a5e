"""Pictures that are painted here, because no artwork of them stands by itself: a bridge, a fireplace."""

import skia

from aigen.pipelines.storybook.drawing.colours import Colour, colour, scaled, vertical


def paint_bridge(pixels: int) -> skia.Image:
    """A red suspension bridge from rock to rock, seen from the side, three times as long as high."""
    wide, tall = float(pixels), pixels / 2.9
    surface = skia.Surface(int(wide), int(tall))
    canvas = surface.getCanvas()
    deck, thick = tall * 0.62, tall * 0.055
    red: Colour = (232, 70, 66)
    towers = (wide * 0.24, wide * 0.76)
    rope = skia.Paint(
        AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=tall * 0.022, Color=colour(scaled(red, 0.82))
    )
    path = skia.Path()
    path.moveTo(wide * 0.02, deck)
    path.quadTo(wide * 0.16, deck - tall * 0.1, towers[0], tall * 0.06)
    path.quadTo(wide * 0.5, deck * 1.62, towers[1], tall * 0.06)
    path.quadTo(wide * 0.84, deck - tall * 0.1, wide * 0.98, deck)
    hangers = skia.Paint(AntiAlias=True, StrokeWidth=tall * 0.011, Color=colour(scaled(red, 0.7)))
    measure = skia.PathMeasure(path, False)
    for step in range(1, 40):
        point, _ = measure.getPosTan(measure.getLength() * step / 40)
        if point.fY < deck:
            canvas.drawLine(point.fX, point.fY, point.fX, deck, hangers)
    canvas.drawPath(path, rope)
    for x in towers:
        for side in (-1, 1):
            leg = skia.Rect.MakeLTRB(
                x + side * tall * 0.05 - tall * 0.026, tall * 0.03, x + side * tall * 0.05 + tall * 0.026, tall
            )
            shades = [colour(scaled(red, 1.08)), colour(red), colour(scaled(red, 0.66))]
            canvas.drawRoundRect(leg, tall * 0.02, tall * 0.02, vertical(0, tall, shades))
        for level in (0.12, 0.3, 0.48, 0.8):
            beam = skia.Rect.MakeXYWH(x - tall * 0.06, tall * level, tall * 0.12, tall * 0.035)
            canvas.drawRect(beam, skia.Paint(AntiAlias=True, Color=colour(scaled(red, 0.84))))
    road = skia.Rect.MakeLTRB(0, deck, wide, deck + thick)
    canvas.drawRect(road, vertical(deck, deck + thick, [colour(scaled(red, 0.95)), colour(scaled(red, 0.6))]))
    canvas.drawRect(skia.Rect.MakeLTRB(0, deck - thick * 0.35, wide, deck), skia.Paint(Color=colour((96, 90, 104))))
    for left, into in ((True, 1), (False, -1)):  # the rocks it ends on
        x = 0.0 if left else wide
        rock = skia.Path()
        rock.moveTo(x, deck - thick * 0.3)
        for across, down in ((0.075, 0.0), (0.09, 0.12), (0.12, 0.2), (0.125, 0.42)):
            rock.lineTo(x + into * wide * across, deck + tall * down)
        rock.lineTo(x, tall)
        rock.close()
        canvas.drawPath(rock, vertical(deck, tall, [colour((150, 140, 150)), colour((96, 88, 108))]))
    return surface.makeImageSnapshot()


def paint_hearth(pixels: int) -> skia.Image:
    """A fireplace of bricks with a dark opening, under a wooden shelf."""
    wide, tall = float(pixels), pixels * 0.92
    surface = skia.Surface(int(wide), int(tall))
    canvas = surface.getCanvas()
    brick: Colour = (178, 92, 74)
    body = skia.Rect.MakeLTRB(wide * 0.06, tall * 0.1, wide * 0.94, tall)
    canvas.drawRect(body, vertical(0, tall, [colour(scaled(brick, 0.72)), colour(scaled(brick, 0.6))]))
    high, long = tall * 0.075, wide * 0.145
    canvas.save()
    canvas.clipRect(body)
    for row in range(13):
        for place in range(-1, 8):
            x = wide * 0.06 + (place + 0.5 * (row % 2)) * long
            stone = skia.Rect.MakeXYWH(x + 2, tall * 0.1 + row * high + 2, long - 4, high - 4)
            shade = scaled(brick, 0.9 + 0.14 * ((row * 7 + place * 3) % 3) / 2)
            canvas.drawRoundRect(stone, high * 0.14, high * 0.14, skia.Paint(AntiAlias=True, Color=colour(shade)))
    canvas.restore()
    opening = skia.Path()
    opening.moveTo(wide * 0.22, tall)
    opening.lineTo(wide * 0.22, tall * 0.52)
    opening.cubicTo(wide * 0.24, tall * 0.3, wide * 0.76, tall * 0.3, wide * 0.78, tall * 0.52)
    opening.lineTo(wide * 0.78, tall)
    opening.close()
    canvas.drawPath(opening, vertical(tall * 0.3, tall, [colour((30, 18, 22)), colour((64, 30, 26))]))
    shelf = skia.Rect.MakeLTRB(0, tall * 0.03, wide, tall * 0.12)
    canvas.drawRoundRect(
        shelf,
        tall * 0.015,
        tall * 0.015,
        vertical(tall * 0.03, tall * 0.12, [colour((158, 108, 70)), colour((104, 66, 44))]),
    )
    return surface.makeImageSnapshot()
