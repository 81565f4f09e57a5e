"""A scene and its frames: what moves, and the camera.

A frame only places the layers and bitmaps that were made beforehand. A still is one frame of the same scene.
"""

import math
import random
from dataclasses import replace
from functools import lru_cache
from typing import Any

import skia

from aigen.pipelines.storybook.composing.places import Actor, place_actors, shares_seen
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.backdrop import make_layers
from aigen.pipelines.storybook.drawing.lettering import set_caption
from aigen.pipelines.storybook.drawing.look import EDGE, LINEAR, colour, make_look, mix, scaled, soft_disc
from aigen.pipelines.storybook.understanding.plan import Plan
from aigen.types import Size


class Scene:
    """A scene of a given size. `number` (1, 2, …) chooses composition and camera, `seed` the small differences."""

    def __init__(self, plan: Plan, style: str, number: int, seed: int, size: Size) -> None:
        self.number = number
        self.look = make_look(plan, style, number, seed, size)
        self.layers = make_layers(self.look)
        self.actors = place_actors(self.look)
        self.clouds = self._make_clouds()
        self.flake = soft_disc(32, (255, 255, 255))
        self.shade = soft_disc(64, (8, 12, 36))
        self.caption = set_caption(plan.caption, self.look.width, self.look.height) if plan.caption else None

    def boxes(self) -> list[list[list[float]]]:
        """For each object of the plan, a box for each of its things that is drawn and can be seen.

        In shares of width and height: left, top, right, bottom; as seen in the middle of the take.
        """
        look = self.look
        found: list[list[list[float]]] = [[] for _ in look.plan.objects]
        x, y, zoom = self._camera(0.5)
        seen = []
        for actor in self.actors:
            near = 1 + (zoom - 1) * actor.depth
            middle_x, middle_y = look.width * (0.5 - x * actor.depth), look.height * (0.5 - y * actor.depth)
            seen.append(
                replace(
                    actor,
                    x=middle_x + (actor.x - look.width / 2) * near,
                    base=middle_y + (actor.base - look.height / 2) * near,
                    width=actor.width * near,
                    height=actor.height * near,
                )
            )
        if look.disc:  # the sun or moon stands behind everything
            x, y, radius = look.disc
            disc = Actor(0, self.flake, x, y + radius, 2 * radius, 2 * radius, 0.0, "still", 0.0, False, 0.0)
            places = [place for place, thing in enumerate(look.plan.objects) if scenery.is_sky(look.plan, thing)]
            seen = [*(replace(disc, thing=place) for place in places[:1]), *seen]
        for actor, share in zip(seen, shares_seen(seen, look), strict=True):
            if share > 1 / 3:
                found[actor.thing].append(self._share(actor.box))
        return found

    def _share(self, box: tuple[float, float, float, float]) -> list[float]:
        left, top, right, bottom = box
        parts = left / self.look.width, top / self.look.height, right / self.look.width, bottom / self.look.height
        return [round(min(1.0, max(0.0, part)), 4) for part in parts]

    def _make_clouds(self) -> list[tuple[skia.Image, float, float, float, float]]:
        """Soft clouds: bitmap, x, y, width and speed."""
        if self.look.setting.ground in ("indoor", "deep", "space"):
            return []
        many = {"clear": 4, "cloudy": 9, "storm": 11, "rain": 9, "snow": 6, "wind": 7, "fog": 3}[self.look.plan.weather]
        many += 5 if self.look.setting.ground == "air" else 0
        many = 2 if self.look.dark and self.look.plan.weather == "clear" else many
        bitmaps = [self._cloud() for _ in range(3)]
        reach = min(self.look.horizon, self.look.height) * (0.95 if self.look.setting.ground == "air" else 0.6)
        clouds = []
        for _ in range(many):
            wide = self.look.unit * self.look.random.uniform(0.2, 0.5)
            speed = (
                wide * self.look.random.uniform(0.02, 0.06) * (3 if self.look.plan.weather in ("wind", "storm") else 1)
            )
            x, y = (
                self.look.random.uniform(-0.2, 1.0) * self.look.width,
                self.look.random.uniform(0.02, 1) * reach + self.look.bars * 0.5,
            )
            if (
                self.look.disc
                and abs(y - self.look.disc[1]) < self.look.disc[2] + wide * 0.25
                and x < self.look.disc[0] + self.look.disc[2] < x + wide * 1.6
            ):
                continue  # it would pass before the sun or moon
            clouds.append((self.look.random.choice(bitmaps), x, y, wide, speed))
        return sorted(clouds, key=lambda cloud: cloud[3])

    def _cloud(self) -> skia.Image:
        surface = skia.Surface(384, 192)
        canvas = surface.getCanvas()
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 9)
        for shade, lift in ((0.86, 8), (1.0, 0)):
            paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour(scaled(self.look.light.cloud, shade), 170))
            for _ in range(9):
                x = min(max(self.look.random.gauss(192, 62), 84), 300)  # puffs end within the bitmap
                size = 52 * math.exp(-(((x - 192) / 120) ** 2)) + 14
                canvas.drawOval(skia.Rect.MakeXYWH(x - size, 112 - size + lift, size * 2, size * 1.35), paint)
        return surface.makeImageSnapshot()

    def draw(self, canvas: skia.Canvas, time: float, duration: float) -> None:
        """Draw the frame at `time` seconds of a take that lasts `duration`."""
        camera = self._camera(time / duration if duration else 0.5)
        for place, layer in enumerate(self.layers):
            with self._seen_from(canvas, camera, layer.depth):
                canvas.drawImage(layer.image, layer.left, layer.top, LINEAR)
            if place == 0 and self.clouds:
                with self._seen_from(canvas, camera, 0.25):
                    self._draw_clouds(canvas, time)
        if self.look.setting.ground in ("water", "shore"):
            with self._seen_from(canvas, camera, 0.5):
                self._draw_glints(canvas, time)
        for actor in self.actors:
            with self._seen_from(canvas, camera, actor.depth):
                self._draw_actor(canvas, actor, time)
        with self._seen_from(canvas, camera, 1.0):
            self._draw_weather(canvas, time)
        for top in (0.0, self.look.height - self.look.bars):
            canvas.drawRect(
                skia.Rect.MakeXYWH(0, top, self.look.width, self.look.bars), skia.Paint(Color=colour((0, 0, 0)))
            )
        if self.caption:
            left = (self.look.width - self.caption.width()) / 2
            canvas.drawImage(self.caption, left, self.look.height * 0.96 - self.look.bars - self.caption.height())

    def _camera(self, progress: float) -> tuple[float, float, float]:
        """Where the camera looks (in frame widths and heights from the middle) and how near it is."""
        eased = progress * progress * (3 - 2 * progress)
        way = eased * 2 - 1
        return (
            (0.045 * way, 0.0, 1.03),
            (0.0, 0.0, 1.02 + 0.09 * eased),
            (-0.045 * way, 0.0, 1.03),
            (0.012 * way, 0.0, 1.11 - 0.09 * eased),
            (0.02 * way, -0.035 * way, 1.05),
        )[self.look.take]

    def _seen_from(self, canvas: skia.Canvas, camera: tuple[float, float, float], depth: float) -> Any:
        x, y, zoom = camera
        near = 1 + (zoom - 1) * depth
        restored = skia.AutoCanvasRestore(canvas)
        canvas.translate(self.look.width * (0.5 - x * depth), self.look.height * (0.5 - y * depth))
        canvas.scale(near, near)
        canvas.translate(-self.look.width / 2, -self.look.height / 2)
        return restored

    def _draw_clouds(self, canvas: skia.Canvas, time: float) -> None:
        for image, x, y, wide, speed in self.clouds:
            canvas.drawImageRect(image, skia.Rect.MakeXYWH(x + speed * time, y - wide * 0.25, wide, wide / 2), LINEAR)

    def _draw_glints(self, canvas: skia.Canvas, time: float) -> None:
        bright = mix(self.look.light.glow, self.look.light.sky[2], 0.4)
        dice = random.Random(self.number)
        for place in range(80):
            near = (place / 80) ** 1.6
            y = self.look.horizon + self.look.height * 0.01 + near * (self.look.height - self.look.horizon)
            path = self.look.disc[0] if self.look.disc and place % 2 else dice.random() * self.look.width
            x = path + dice.gauss(0, 1) * self.look.width * (0.02 + 0.08 * near)
            x += math.sin(time * 1.6 + place) * self.look.unit * 0.01
            wide = self.look.unit * (0.012 + 0.06 * near) * dice.uniform(0.4, 1.2)
            thick = self.look.unit * (0.0012 + 0.0028 * near)
            alpha = 70 + 50 * math.sin(time * 2.1 + place * 1.7)
            canvas.drawOval(
                skia.Rect.MakeXYWH(x - wide, y, wide * 2, thick),
                skia.Paint(AntiAlias=True, Color=colour(bright, alpha)),
            )

    def _draw_actor(self, canvas: skia.Canvas, actor: Actor, time: float) -> None:
        dx, dy, angle = self._moved(actor, time)
        if actor.shadow:
            shrink = 1 + dy / max(1.0, actor.height)
            wide = actor.width * 0.98 * shrink
            shade = skia.Rect.MakeXYWH(
                actor.x + dx - wide / 2, actor.base - actor.height * 0.055, wide, actor.height * 0.11
            )
            canvas.drawImageRect(self.shade, shade, LINEAR, skia.Paint(Alphaf=actor.shadow))
        canvas.save()
        canvas.translate(actor.x + dx, actor.base + dy)
        if angle:
            canvas.translate(0, -actor.height * (0 if actor.motion == "sway" else 0.5))
            canvas.rotate(angle)
            canvas.translate(0, actor.height * (0 if actor.motion == "sway" else 0.5))
        if actor.flip:
            canvas.scale(-1, 1)
        area = skia.Rect.MakeXYWH(-actor.width / 2, -actor.height, actor.width, actor.height).makeOutset(EDGE, EDGE)
        canvas.drawImageRect(actor.image, area, LINEAR)
        canvas.restore()
        if actor.motion == "float":
            self._draw_wave(canvas, actor, time)

    def _moved(self, actor: Actor, time: float) -> tuple[float, float, float]:
        """How far an actor has moved from its place, in pixels, and by how many degrees it leans."""
        phase = actor.phase
        if actor.motion == "hop":
            return 0.0, -abs(math.sin(time * 2.4 + phase)) * actor.height * 0.045, 0.0
        if actor.motion == "sway":
            return 0.0, 0.0, 1.6 * math.sin(time * 1.3 + phase)
        if actor.motion == "float":
            return (
                math.sin(time * 0.5 + phase) * self.look.unit * 0.012,
                math.sin(time * 1.5 + phase) * self.look.unit * 0.008,
                2.4 * math.sin(time * 1.1 + phase),
            )
        if actor.motion == "swim":
            way = 1 if actor.flip else -1
            return (
                way * time * self.look.unit * 0.018,
                math.sin(time * 1.4 + phase) * self.look.unit * 0.014,
                3 * math.sin(time * 1.4 + phase + 1),
            )
        if actor.motion == "drift":
            return (
                math.sin(time * 0.7 + phase) * self.look.unit * 0.02,
                math.sin(time * 1.2 + phase) * self.look.unit * 0.016,
                2.5 * math.sin(time * 0.9 + phase),
            )
        return 0.0, 0.0, 0.0

    def _draw_wave(self, canvas: skia.Canvas, actor: Actor, time: float) -> None:
        """A little swell before a thing that floats, so that it lies in the water and not on it."""
        level = actor.base - actor.height * 0.05
        path = skia.Path()
        left, right = actor.x - actor.width * 0.85, actor.x + actor.width * 0.85
        share = (level - self.look.horizon) / max(1.0, self.look.height - self.look.horizon)
        water = self.look.lit(self.look.setting.colour)
        rgb = mix(mix(self.look.light.sky[1], water, 0.7), scaled(water, 0.62), share)
        path.moveTo(left, level)
        for step in range(25):
            x = left + (right - left) * step / 24
            edge = math.sin(math.pi * step / 24)
            path.lineTo(x, level + math.sin(step * 0.9 + time * 2 + actor.phase) * self.look.unit * 0.006 * edge)
        path.quadTo(actor.x, level + actor.height * 0.22, left, level)
        path.close()
        canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(rgb, 235)))

    def _draw_weather(self, canvas: skia.Canvas, time: float) -> None:
        if self.look.setting.ground == "deep":
            self._draw_bubbles(canvas, time)
        elif self.look.setting.ground in ("indoor", "space"):
            return
        elif self.look.plan.weather == "snow":
            self._draw_snow(canvas, time)
        elif self.look.plan.weather in ("rain", "storm"):
            self._draw_rain(canvas, time)

    def _draw_bubbles(self, canvas: skia.Canvas, time: float) -> None:
        paint = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=max(1.0, self.look.unit * 0.002),
            Color=colour((224, 250, 255), 150),
        )
        for x, y, size, phase in _scattered(self.number * 1000 + 3, 36):
            level = (y - time * (0.04 + 0.05 * size)) % 1.1
            canvas.drawCircle(
                x * self.look.width + math.sin(time * 2 + phase) * self.look.unit * 0.006,
                level * self.look.height,
                self.look.unit * (0.003 + 0.008 * size),
                paint,
            )

    def _draw_snow(self, canvas: skia.Canvas, time: float) -> None:
        look = self.look
        for many, size, speed, alpha in ((150, 0.0032, 0.05, 190), (70, 0.0058, 0.09, 225), (22, 0.02, 0.15, 205)):
            places = [
                (
                    ((x + time * speed * 0.15 + math.sin(time * 1.2 + phase) * 0.008) % 1.04 - 0.02) * look.width,
                    ((y + time * speed * (0.8 + 0.4 * own)) % 1.06 - 0.03) * look.height,
                )
                for x, y, own, phase in _scattered(self.number * 1000 + many, many)
            ]
            if size < 0.01:  # as dots in one call: each bitmap costs as much as all of them
                white = colour((255, 255, 255), alpha)
                paint = skia.Paint(AntiAlias=True, Color=white, StrokeCap=skia.Paint.kRound_Cap)
                for part, share in ((places[::2], 0.8), (places[1::2], 1.25)):
                    paint.setStrokeWidth(max(1.0, look.unit * size * share))
                    canvas.drawPoints(skia.Canvas.kPoints_PointMode, [skia.Point(*place) for place in part], paint)
                continue
            side = look.unit * size
            for x, y in places:
                canvas.drawImageRect(self.flake, skia.Rect.MakeXYWH(x, y, side, side), LINEAR, skia.Paint(Alphaf=0.8))

    def _draw_rain(self, canvas: skia.Canvas, time: float) -> None:
        slant = 0.25 if self.look.plan.weather == "storm" else 0.1
        for many, long, speed, alpha in ((160, 0.035, 1.1, 80), (80, 0.06, 1.6, 120)):
            path = skia.Path()
            for x, y, own, _ in _scattered(self.number * 1000 + many + 1, many):
                level = (y + time * speed * (0.85 + 0.3 * own)) % 1.15 - 0.1
                across = ((x - time * speed * slant * 0.5) % 1.1 - 0.05) * self.look.width
                path.moveTo(across, level * self.look.height)
                path.lineTo(across - slant * long * self.look.height, (level + long) * self.look.height)
            paint = skia.Paint(
                AntiAlias=True,
                Style=skia.Paint.kStroke_Style,
                StrokeWidth=max(1.0, self.look.unit * 0.0018),
                Color=colour((214, 226, 246), alpha),
            )
            canvas.drawPath(path, paint)


@lru_cache(maxsize=32)
def _scattered(seed: int, many: int) -> tuple[tuple[float, float, float, float], ...]:
    """The same random places in every frame of an item's scene: x and y, a size of its own, a phase."""
    dice = random.Random(seed)
    return tuple((dice.random(), dice.random(), dice.random(), dice.random() * math.tau) for _ in range(many))
