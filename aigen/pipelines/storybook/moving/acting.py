"""Actors in motion: their rigs applied, with what turns on them, their shadows, reflections and lights."""

import math
from dataclasses import dataclass

import numpy  # noqa: TID253 (this module is only loaded where something is drawn)
import skia

from aigen.pipelines.storybook.composing.places import Actor
from aigen.pipelines.storybook.drawing.colours import LINEAR, colour, mix, vertical
from aigen.pipelines.storybook.drawing.lighting import EDGE
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.parts import Part
from aigen.pipelines.storybook.drawing.shadows import Shadow, make_reflection, make_shadow
from aigen.pipelines.storybook.moving.casting import rig_for
from aigen.pipelines.storybook.moving.effects import draw_beam, draw_puffs, draw_signs
from aigen.pipelines.storybook.moving.rigs import RIGS, Moment, Pose, Rig, Shares, burst_at, wing_angle

# In seconds. In a longer take things travel as far, and more slowly: else they would leave the picture.
HALF_A_TAKE = 2.0
# Pictures bend on a grid of so many fields a side.
FIELDS = 6
_U, _V = (part.ravel() for part in numpy.meshgrid(numpy.linspace(0, 1, FIELDS + 1), numpy.linspace(0, 1, FIELDS + 1)))
_CORNERS = [
    corner
    for row in range(FIELDS)
    for at in range(row * (FIELDS + 1), row * (FIELDS + 1) + FIELDS)
    for corner in (at, at + 1, at + FIELDS + 1, at + 1, at + FIELDS + 2, at + FIELDS + 1)
]


@dataclass(frozen=True)
class Player:
    """An actor with all that is made for it once."""

    look: Look
    actor: Actor
    rig: Rig
    shadow: Shadow | None
    reflection: skia.Image | None
    paint: skia.Paint
    speed: float  # pixels a second, as fast as its rig but never out of the picture
    corners: list[skia.Point]
    triangles: list[int]

    def pose(self, time: float, duration: float) -> Pose:
        """How it stands at a moment, its travel included; in measures of what carries it,
        and as if it looked to the left.
        """
        moment = self.moment(time, duration)
        pose = self.rig.pose(moment)
        travel = self.speed * moment.passed / self.actor.measure
        return Pose(pose.x - travel, pose.y, pose.turn, pose.wide, pose.tall, pose.alpha)

    def moment(self, time: float, duration: float) -> Moment:
        if not duration:
            return Moment(time, 0.0, self.actor.phase)
        return Moment(time, (time - duration / 2) * min(1.0, 2 * HALF_A_TAKE / duration), self.actor.phase)

    def moved(self, time: float, duration: float) -> tuple[float, float]:
        """How far it is from its place at a moment, in pixels."""
        pose = self.pose(time, duration)
        return self._across(pose), pose.y * self.actor.measure

    def _across(self, pose: Pose) -> float:
        return (-1 if self.actor.flip else 1) * pose.x * self.actor.measure

    def draw(self, canvas: skia.Canvas, time: float, duration: float) -> None:
        actor, pose = self.actor, self.pose(time, duration)
        if pose.alpha < 0.02:
            return
        shift = self._across(pose)
        if self.shadow:
            _draw_shadow(canvas, self.shadow, actor.x + shift, actor.base, 1 - 0.6 * min(1.0, max(0.0, -pose.y) * 2))
        if self.reflection:
            self._draw_reflection(canvas, shift, time)
            if actor.name == "frog":
                self._draw_lily_pad(canvas, shift)
        canvas.save()
        canvas.translate(actor.pivot[0] + shift, actor.pivot[1] + pose.y * actor.measure)
        if actor.flip:
            canvas.scale(-1, 1)
        height = self.rig.turns_at * actor.measure
        canvas.translate(0, -height)
        canvas.rotate(pose.turn)
        canvas.translate(0, height)
        canvas.scale(pose.wide, pose.tall)
        aside = actor.x - actor.pivot[0]
        canvas.translate(-aside if actor.flip else aside, actor.base - actor.pivot[1])
        self._draw_figure(canvas, pose, time, duration)
        canvas.restore()
        if self.reflection:
            self._draw_rings(canvas, shift, time)

    def _draw_figure(self, canvas: skia.Canvas, pose: Pose, time: float, duration: float) -> None:
        figure, moment = self.actor.figure, self.moment(time, duration)
        for part in figure.parts:
            if part.kind == "far wing":
                self._draw_part(canvas, part, moment)
        if glow := figure.glow:
            strength = 0.85 + 0.15 * moment.wave(7.3) * (0.5 + 0.5 * moment.wave(3.1))
            area = skia.Rect.MakeXYWH(glow.x - glow.radius, glow.y - glow.radius, 2 * glow.radius, 2 * glow.radius)
            light = skia.Paint(BlendMode=skia.BlendMode.kPlus, Alphaf=strength * pose.alpha)
            canvas.drawImageRect(glow.image, area, LINEAR, light)
        if self.actor.name == "flying-saucer":
            draw_beam(canvas, figure.width, figure.height, self.look.height * 0.93 - self.actor.base, time)
        if not figure.rigid:
            draw_puffs(canvas, self.actor.name, figure.width, figure.height, time, self.actor.phase)
        self.paint.setAlphaf(pose.alpha)
        left, top = -figure.width / 2 - EDGE, -figure.height - EDGE
        if any(part.kind == "burst" for part in figure.parts):
            pass  # they are the whole of it
        elif self.rig.bend and not self.actor.carried:
            canvas.translate(left, top)
            canvas.drawVertices(self._bent(moment), self.paint)
            canvas.translate(-left, -top)
        else:
            canvas.drawImage(figure.image, left, top, LINEAR, skia.Paint(Alphaf=pose.alpha))
        for part in figure.parts:
            if part.kind != "far wing":
                self._draw_part(canvas, part, moment)
        if self.actor.doing:
            draw_signs(canvas, self.actor.doing, figure.width, figure.height, time, self.actor.flip)

    def _bent(self, moment: Moment) -> skia.Vertices:
        assert self.rig.bend
        wide, tall = self.actor.figure.image.width(), self.actor.figure.image.height()
        across, down = self.rig.bend(moment, _U, _V)
        xs, ys = (_U + across) * wide, (_V + down) * tall
        points = _points(xs, ys)
        return skia.Vertices(skia.Vertices.kTriangles_VertexMode, points, self.corners, None, self.triangles)

    def _draw_part(self, canvas: skia.Canvas, part: Part, moment: Moment) -> None:
        paint = skia.Paint()
        canvas.save()
        canvas.translate(part.x, part.y)
        if part.kind == "wheel":
            radius = max(1.0, part.joint[0] - EDGE)
            way = self.speed * moment.passed
            canvas.rotate(-math.degrees(way / radius))
        elif part.kind == "rotor":
            canvas.scale(0.55 + 0.45 * math.sin(moment.time * 19), 1)
        elif part.kind == "flame":
            canvas.scale(1 - 0.03 * moment.wave(7.1), 1 + 0.07 * moment.wave(8.3) + 0.03 * moment.wave(12.7))
            canvas.skew(0.06 * moment.wave(5.3), 0)
        elif part.kind == "burst":
            size, alpha = burst_at(moment, part.x / self.actor.width)
            canvas.scale(size, size)
            paint.setAlphaf(alpha)
            paint.setBlendMode(skia.BlendMode.kPlus)
        else:
            canvas.rotate(wing_angle(part.kind, moment))
        canvas.drawImage(part.image, -part.joint[0], -part.joint[1], LINEAR, paint)
        canvas.restore()

    def _draw_reflection(self, canvas: skia.Canvas, shift: float, time: float) -> None:
        """Upside down in the water, broken by the waves, and a few light rings around where it lies."""
        assert self.reflection
        actor = self.actor
        wide, tall = self.reflection.width(), self.reflection.height()
        xs = (_U + 0.03 * _V * numpy.sin(_V * 16 - time * 3 + actor.phase)) * wide
        points, corners = _points(xs, _V * tall), _points(_U * wide, _V * tall)
        paint = skia.Paint(
            AntiAlias=True, Shader=self.reflection.makeShader(skia.TileMode.kClamp, skia.TileMode.kClamp, LINEAR)
        )
        canvas.save()
        canvas.translate(actor.x + shift, actor.base - actor.height * 0.015)
        if actor.flip:
            canvas.scale(-1, 1)
        canvas.translate(-wide / 2, 0)
        canvas.drawVertices(skia.Vertices(skia.Vertices.kTriangles_VertexMode, points, corners, None, _CORNERS), paint)
        canvas.restore()

    def _draw_lily_pad(self, canvas: skia.Canvas, shift: float) -> None:
        actor, look = self.actor, self.look
        wide = actor.width * 1.5
        pad = skia.Rect.MakeXYWH(actor.x + shift - wide / 2, actor.base - wide * 0.11, wide, wide * 0.24)
        dark, light = look.lit((40, 110, 60)), look.lit((96, 186, 92))
        canvas.drawOval(pad.makeOffset(0, wide * 0.016), skia.Paint(AntiAlias=True, Color=colour(dark)))
        canvas.drawArc(
            pad, 24, 330, True, vertical(pad.top(), pad.bottom(), [colour(light), colour(mix(light, dark, 0.5))])
        )

    def _draw_rings(self, canvas: skia.Canvas, shift: float, time: float) -> None:
        """Foam where a thing lies in the water, in front of it."""
        actor, look = self.actor, self.look
        foam = mix(look.light.sky[2], (255, 255, 255), 0.5)
        for ring in range(3):
            share = (time * 0.25 + ring / 3 + actor.phase) % 1
            wide = actor.width * (0.74 + 0.34 * share)
            level = actor.base - actor.height * 0.05 + look.unit * 0.012 * share
            paint = skia.Paint(
                AntiAlias=True, Style=skia.Paint.kStroke_Style,
                StrokeWidth=max(1.0, look.unit * 0.0032 * (1 - share * 0.5)),
                StrokeCap=skia.Paint.kRound_Cap, Color=colour(foam, 170 * math.sin(math.pi * share)),
            )  # fmt: skip
            area = skia.Rect.MakeXYWH(actor.x + shift - wide / 2, level - wide * 0.035, wide, wide * 0.07)
            canvas.drawArc(area, 8, 164, False, paint)


def _points(xs: Shares, ys: Shares) -> list[skia.Point]:
    return [skia.Point(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]


def _draw_shadow(canvas: skia.Canvas, shadow: Shadow, x: float, y: float, alpha: float) -> None:
    """At whole pixels where the camera comes no nearer: a soft edge hides it, and it is drawn three times as fast."""
    paint = skia.Paint(Alphaf=alpha)
    matrix = canvas.getTotalMatrix()
    if matrix.isTranslate():
        left, top = matrix.getTranslateX() + x + shadow.left, matrix.getTranslateY() + y + shadow.top
        canvas.save()
        canvas.resetMatrix()
        canvas.drawImage(shadow.image, round(left), round(top), skia.SamplingOptions(), paint)
        canvas.restore()
    else:
        canvas.drawImage(shadow.image, x + shadow.left, y + shadow.top, skia.SamplingOptions(), paint)


def make_player(look: Look, actor: Actor) -> Player:
    """An actor ready to move."""
    image = actor.figure.image
    lies_in_water = actor.where == "water" and not actor.carried
    stands = actor.where == "ground" and not actor.carried
    rig = RIGS["still" if actor.figure.rigid else rig_for(actor.mover, actor.action, actor.where, actor.free)]
    shader = image.makeShader(skia.TileMode.kClamp, skia.TileMode.kClamp, LINEAR)
    corners = _points(_U * image.width(), _V * image.height())
    return Player(
        look=look,
        actor=actor,
        rig=rig,
        shadow=make_shadow(look, image, actor.x) if stands else None,
        reflection=make_reflection(image) if lies_in_water else None,
        paint=skia.Paint(AntiAlias=True, Shader=shader),
        speed=_speed(look, actor, rig),
        corners=corners,
        triangles=_seen_triangles(image),
    )


def _speed(look: Look, actor: Actor, rig: Rig) -> float:
    """What is carried travels with its carrier, so it must come to the same for both: by the carrier's place alone."""
    half = actor.measure * 0.5
    room = min(actor.pivot[0] - half, look.width - actor.pivot[0] - half) - look.width * 0.05
    return min(rig.speed * look.unit, max(0.012 * look.unit, room) / HALF_A_TAKE) if rig.speed else 0.0


def _seen_triangles(image: skia.Image) -> list[int]:
    """The corners of those triangles of the grid that show something of a picture."""
    alpha = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    tall, wide = alpha.shape
    found = []
    for field in range(FIELDS * FIELDS):
        row, column = divmod(field, FIELDS)
        part = alpha[
            row * tall // FIELDS : (row + 1) * tall // FIELDS + 2,
            max(0, column * wide // FIELDS - 1) : (column + 1) * wide // FIELDS + 2,
        ]
        if part.any():
            found += _CORNERS[field * 6 : field * 6 + 6]
    return found
