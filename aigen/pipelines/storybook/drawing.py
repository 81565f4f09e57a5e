"""Drawing and moving a planned scene with skia.

Whatever does not change from frame to frame (sky, hills, scattered things, tinted artwork) is drawn once, as layers and
bitmaps; a frame then only places them. A still is one frame of the same scene.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import skia

from aigen.pipelines.storybook import artwork, scenery
from aigen.pipelines.storybook.plan import Plan
from aigen.pipelines.storybook.scenery import Colour, Light
from aigen.types import Size

LINEAR = skia.SamplingOptions(skia.FilterMode.kLinear)
MIPMAPS = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
# How much wider than the frame the layers are on each side, for the camera to move over.
MARGIN = 0.07
ARTWORK_PIXELS = 512


def colour(rgb: Colour, alpha: float = 255) -> int:
    return int(skia.ColorSetARGB(int(alpha), *(max(0, min(255, int(part))) for part in rgb)))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def scaled(rgb: Colour, *factors: float) -> Colour:
    red, green, blue = (part * factor for part, factor in zip(rgb, factors * (3 // len(factors)), strict=True))
    return int(red), int(green), int(blue)


def vertical(top: float, bottom: float, colours: list[int], stops: list[float] | None = None) -> skia.Paint:
    shader = skia.GradientShader.MakeLinear([(0, top), (0, bottom)], colours, stops)
    return skia.Paint(AntiAlias=True, Shader=shader)


def radial(x: float, y: float, radius: float, colours: list[int], stops: list[float] | None = None) -> skia.Paint:
    return skia.Paint(AntiAlias=True, Shader=skia.GradientShader.MakeRadial((x, y), radius, colours, stops))


@dataclass(frozen=True)
class Layer:
    """A bitmap of part of the scene. `depth` 0 is infinitely far away, 1 moves with the camera."""

    image: skia.Image
    left: int
    top: int
    depth: float


@dataclass(frozen=True)
class Actor:
    """A thing of the plan, standing on (`x`, `base`)."""

    image: skia.Image
    x: float
    base: float
    width: float
    height: float
    depth: float
    motion: str
    phase: float
    flip: bool
    shadow: float


class Scene:
    """A scene of a given size. `number` (1, 2, …) chooses composition and camera, `seed` the small differences."""

    def __init__(self, plan: Plan, style: str, number: int, seed: int, size: Size) -> None:
        self.plan, self.number = plan, number
        self.width, self.height = float(size.width), float(size.height)
        self.unit = min(self.width, self.height * 1.2)
        self.random = random.Random(f"{seed} {number}")
        self.setting = scenery.SETTINGS[plan.setting]
        self.light = self._light(scenery.LIGHTS["night" if style == "night" else plan.time])
        self.dark = style == "night" or plan.time == "night"
        self.saturation, self.contrast = scenery.GRADES[style]
        self.bars = self.height * 0.09 if style == "cinematic" else 0.0
        take = (number - 1) % 5
        self.horizon = self.height * min(1.0, self.setting.horizon + (0.0, 0.05, -0.05, 0.03, -0.03)[take])
        self.mirrored = take % 2 == 1
        self.disc = self._disc(take)
        self.layers = self._layers()
        self.actors = self._place_actors(take)
        self.flake = self._soft_disc(32, (255, 255, 255))
        self.shade = self._soft_disc(64, (8, 12, 36))
        self.clouds = self._make_clouds()

    # Composition

    def _light(self, light: Light) -> Light:
        """The light under this weather: rain and storm take the colour out of the sky."""
        grey = {"storm": 0.72, "rain": 0.5, "fog": 0.45, "cloudy": 0.3, "snow": 0.2}.get(self.plan.weather, 0.0)
        if not grey:
            return light
        dull = (46, 52, 70) if self.plan.weather == "storm" else (150, 160, 176)
        dull = scaled(dull, *light.tint)
        shade = 1 - grey * 0.3
        top, middle, low = (mix(part, dull, grey) for part in light.sky)
        red, green, blue = light.tint
        cloud = mix(light.cloud, dull, grey)
        return Light(
            (top, middle, low),
            (red * shade, green * shade, blue * shade),
            light.disc,
            light.glow,
            cloud,
            light.vignette,
        )

    def _disc(self, take: int) -> tuple[float, float, float] | None:
        """Where the sun or moon stands and how large it is; None when it is not to be seen."""
        names = {thing.name for thing in self.plan.objects}
        asked = bool(names & (scenery.MOONS | scenery.SUNS))
        hidden = self.plan.weather in ("storm", "rain", "fog", "cloudy") or self.setting.ground in (
            "indoor",
            "deep",
            "space",
        )
        if hidden and not asked:
            return None
        side = (0.74, 0.27, 0.62, 0.36, 0.8)[take]
        low = self.plan.time in ("sunrise", "sunset") and not self.dark
        horizon = self.horizon if self.horizon < self.height else self.height * 0.8
        height = horizon * (0.86 if low else (0.3, 0.24, 0.36, 0.28, 0.22)[take]) + (0 if low else self.bars * 0.6)
        return self.width * side, height, self.unit * (0.075 if not asked else 0.095)

    def _place_actors(self, take: int) -> list[Actor]:
        """The things of the plan in their places, those further away first."""
        index = artwork.index()
        skyward = scenery.MOONS | scenery.SUNS
        names = [thing.name for thing in self.plan.objects for _ in range(thing.count) if thing.name not in skyward][
            :24
        ]
        flying = [name for name in names if self._flies(name)]
        standing = [name for name in names if not self._flies(name)]
        actors = []
        for group, airborne in ((standing, False), (flying, True)):
            count = len(group)
            order = list(range(count))
            if self.mirrored:
                order.reverse()
            for place, position in enumerate(order):
                entry = index[group[position]]
                scale = scenery.SCALES.get(group[position]) or scenery.SCALES.get(entry["subgroup"], 1.0)
                x, base, depth, reach = self._spot(place, count, airborne, take)
                side = self.unit * reach * scale
                side = min(side, self.height * 0.62, self.width * 0.7)
                if airborne:
                    base = max(base, side + self.height * 0.07 + self.bars)
                x = min(max(x, side * 0.5), self.width - side * 0.5)
                actors.append(self._actor(group[position], x, base, side, depth, airborne, place))
        return sorted(actors, key=lambda actor: actor.base if actor.shadow else -1)

    def _flies(self, name: str) -> bool:
        floating = self.setting.ground in ("air", "space", "deep") and self.plan.setting != "planet surface"
        subgroup = artwork.index()[name]["subgroup"]
        if self.setting.ground == "deep":
            return subgroup == "animal-marine" and name not in ("coral", "crab", "spiral-shell", "oyster", "lobster")
        return (
            floating or (name in scenery.FLYING and self.setting.ground != "indoor") or name in ("fireworks", "rainbow")
        )

    def _spot(self, place: int, count: int, airborne: bool, take: int) -> tuple[float, float, float, float]:
        """Where the n-th of `count` things is: x, base, depth and size before its own scale."""
        jitter = self.random.uniform
        rows = 1 if count <= 3 else 2 if count <= 10 else 3
        in_row = math.ceil(count / rows)
        row, column = divmod(place, in_row)
        here = min(in_row, count - row * in_row)
        lean = (0.0, -0.1, 0.1, -0.05, 0.06)[take] if count == 1 else 0.0
        share = (column + 0.5) / here + lean
        x = self.width * (0.1 + 0.8 * share) + jitter(-0.02, 0.02) * self.width
        reach = {1: 0.5, 2: 0.38, 3: 0.29}.get(count, 0.62 / max(3.2, in_row * 0.9))
        nearness = 1.0 if rows == 1 else (row + 1) / rows
        reach *= jitter(0.94, 1.08) * (0.72 + 0.28 * nearness) * (1.0, 0.9, 1.12, 0.96, 1.04)[take]
        if airborne:
            top, bottom = 0.22, (0.52 if self.setting.ground not in ("air", "space", "deep") else 0.72)
            level = jitter(top, bottom) if count > 1 else (top + bottom) / 2 + (0.0, -0.05, 0.04, -0.03, 0.02)[take]
            return x, self.height * level + self.unit * reach * 0.5, 0.6 + 0.3 * nearness, reach
        ground = self.horizon + (self.height - self.horizon) * (0.3 + 0.42 * nearness)
        if count in (2, 3):
            ground += (self.height - self.horizon) * (0.16 if (column + take) % 2 else -0.04)
        return x, min(ground, self.height * 0.93 - self.bars), 0.85 + 0.1 * nearness, reach

    def _actor(self, name: str, x: float, base: float, side: float, depth: float, airborne: bool, place: int) -> Actor:
        picture = self._cut(name)
        longest = max(picture.width(), picture.height())
        width, height = picture.width() * side / longest, picture.height() * side / longest
        entry = artwork.index()[name]
        afloat = self.setting.ground == "water" and (entry["subgroup"] in scenery.IN_WATER or name in scenery.AFLOAT)
        if self.setting.ground == "deep":
            motion = "swim" if airborne else "still"
        elif airborne:
            motion = "drift"
        elif afloat:
            motion = "float"
        else:
            motion = {"animals-nature": "hop", "travel-places": "still", "people-body": "hop"}.get(
                entry["group"], "still"
            )
            motion = "sway" if entry["subgroup"] in ("plant-other", "plant-flower") else motion
        return Actor(
            image=self._tinted(name, width, height, 0.0),
            x=x,
            base=base,
            width=width,
            height=height,
            depth=depth,
            motion=motion,
            phase=self.random.uniform(0, math.tau) + place,
            flip=(self.mirrored + place) % 2 == 1,
            shadow=0.0 if airborne or afloat else 0.5 if not self.dark else 0.7,
        )

    # Bitmaps

    def _cut(self, name: str) -> skia.Image:
        picture = artwork.picture(name, ARTWORK_PIXELS)
        kept = scenery.KEPT.get(name, 1.0)
        return picture.makeSubset(skia.IRect(0, 0, picture.width(), int(picture.height() * kept)))

    def _tinted(self, name: str, width: float, height: float, haze: float) -> skia.Image:
        """The artwork at its size in the scene, in the scene's light and, further away, in its haze."""
        surface = skia.Surface(max(1, round(width)), max(1, round(height)))
        red, green, blue = (part * (1 - haze) for part in self.light.tint)
        if self.setting.ground == "deep":
            red, green, blue = red * 0.78, green * 0.94, blue * 1.0
        add = [part / 255 * haze for part in self.light.sky[2]]
        matrix = [red, 0, 0, 0, add[0], 0, green, 0, 0, add[1], 0, 0, blue, 0, add[2], 0, 0, 0, 1, 0]
        paint = skia.Paint(AntiAlias=True, ColorFilter=skia.ColorFilters.Matrix(matrix))
        target = skia.Rect.MakeWH(surface.width(), surface.height())
        surface.getCanvas().drawImageRect(self._cut(name), target, MIPMAPS, paint)
        return surface.makeImageSnapshot()

    def _soft_disc(self, pixels: int, rgb: Colour) -> skia.Image:
        surface = skia.Surface(pixels, pixels)
        half = pixels / 2
        colours = [colour(rgb), colour(rgb, 200), colour(rgb, 0)]
        surface.getCanvas().drawCircle(half, half, half, radial(half, half, half, colours, [0, 0.45, 1]))
        return surface.makeImageSnapshot()

    def _make_clouds(self) -> list[tuple[skia.Image, float, float, float, float]]:
        """Soft clouds: bitmap, x, y, width and speed."""
        if self.setting.ground in ("indoor", "deep", "space"):
            return []
        many = {"clear": 4, "cloudy": 9, "storm": 11, "rain": 9, "snow": 6, "wind": 7, "fog": 3}[self.plan.weather]
        many += 5 if self.setting.ground == "air" else 0
        many = 2 if self.dark and self.plan.weather == "clear" else many
        bitmaps = [self._cloud() for _ in range(3)]
        reach = min(self.horizon, self.height) * (0.95 if self.setting.ground == "air" else 0.6)
        clouds = []
        for _ in range(many):
            wide = self.unit * self.random.uniform(0.2, 0.5)
            speed = wide * self.random.uniform(0.02, 0.06) * (3 if self.plan.weather in ("wind", "storm") else 1)
            x, y = self.random.uniform(-0.2, 1.0) * self.width, self.random.uniform(0.02, 1) * reach + self.bars * 0.5
            if (
                self.disc
                and abs(y - self.disc[1]) < self.disc[2] + wide * 0.25
                and x < self.disc[0] + self.disc[2] < x + wide * 1.6
            ):
                continue  # it would pass before the sun or moon
            clouds.append((self.random.choice(bitmaps), x, y, wide, speed))
        return sorted(clouds, key=lambda cloud: cloud[3])

    def _cloud(self) -> skia.Image:
        surface = skia.Surface(384, 192)
        canvas = surface.getCanvas()
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 9)
        for shade, lift in ((0.86, 8), (1.0, 0)):
            paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour(scaled(self.light.cloud, shade), 170))
            for _ in range(9):
                x = self.random.gauss(192, 62)
                size = 52 * math.exp(-(((x - 192) / 120) ** 2)) + 14
                canvas.drawOval(skia.Rect.MakeXYWH(x - size, 112 - size + lift, size * 2, size * 1.35), paint)
        return surface.makeImageSnapshot()

    def _layer(
        self, depth: float, draw: Callable[[skia.Canvas], None], top: float = -1.0, bottom: float = 2.0
    ) -> Layer:
        """Draw, in frame coordinates, a bitmap that reaches over the frame's sides, from `top` down to `bottom`.

        The less of the frame a layer covers, the faster are the frames.
        """
        margin = MARGIN if depth else 0.0
        side, beyond = math.ceil(self.width * margin), self.height * margin
        top = math.floor(max(top * self.height, -beyond))
        height = max(1, math.ceil(min(bottom * self.height, self.height + beyond)) - top)
        # At depth 0 it never moves; where it is opaque too, skia copies it a hundred times faster than it can move it.
        alpha = skia.kPremul_AlphaType if depth else skia.kOpaque_AlphaType
        info = skia.ImageInfo.Make(int(self.width) + 2 * side, height, skia.kRGBA_8888_ColorType, alpha)
        surface = skia.Surface.MakeRaster(info)
        canvas = surface.getCanvas()
        canvas.translate(side, -top)
        draw(canvas)
        self._dim_corners(canvas)
        return Layer(surface.makeImageSnapshot(), -side, top, depth)

    def _dim_corners(self, canvas: skia.Canvas) -> None:
        clear, dim = colour(self.light.vignette, 0), colour(self.light.vignette, 120 * self.contrast**2)
        reach = math.hypot(self.width, self.height) * 0.56
        paint = radial(self.width / 2, self.height * 0.48, reach, [clear, clear, dim], [0, 0.6, 1])
        paint.setBlendMode(skia.BlendMode.kSrcATop)
        canvas.drawPaint(paint)

    # Backgrounds

    def _layers(self) -> list[Layer]:
        """What does not move by itself, the furthest first."""
        ground, horizon = self.setting.ground, self.horizon / self.height
        if ground == "indoor":
            return [self._layer(0.5, self._draw_interior)]
        if ground == "deep":
            return [self._layer(0.3, self._draw_deep), self._layer(0.8, self._draw_land, top=horizon - 0.1)]
        layers = [self._layer(0.0, self._draw_sky)]
        if self.setting.backdrop:
            tall = {"hills": 0.14, "peaks": 0.5, "towers": 0.52}.get(self.setting.backdrop, 0.34)
            tall = max(tall, 0.42 if self.plan.weather == "fog" else 0.22)
            layers.append(self._layer(0.4, self._draw_backdrop, top=horizon - tall, bottom=horizon + 0.1))
        if ground in ("water", "shore"):
            layers.append(self._layer(0.5, self._draw_water, top=horizon))
        if ground in ("land", "street", "shore") or self.plan.setting == "planet surface":
            layers.append(self._layer(0.8, self._draw_land, top=horizon - 0.1))
        return layers

    def _draw_sky(self, canvas: skia.Canvas) -> None:
        frame = skia.Rect.MakeLTRB(-self.width, -self.height, 2 * self.width, 2 * self.height)
        if self.setting.ground == "space":
            canvas.drawRect(
                frame, vertical(0, self.height, [colour((6, 6, 26)), colour((26, 16, 66)), colour((10, 8, 40))])
            )
            for _ in range(5):
                x, y = self.random.uniform(0, self.width), self.random.uniform(0, self.height)
                radius = self.unit * self.random.uniform(0.2, 0.5)
                nebula = self.random.choice([(120, 60, 190), (40, 90, 200), (200, 70, 140)])
                canvas.drawCircle(x, y, radius, radial(x, y, radius, [colour(nebula, 90), colour(nebula, 0)]))
        else:
            bottom = min(self.horizon * 1.06, self.height)
            canvas.drawRect(frame, vertical(0, bottom, [colour(part) for part in self.light.sky]))
        if self.setting.ground == "space" or (self.dark and self.plan.weather in ("clear", "snow", "wind")):
            self._draw_stars(canvas)
        if self.disc:
            x, y, radius = self.disc
            glow = [colour(self.light.glow, 130), colour(self.light.glow, 40), colour(self.light.glow, 0)]
            canvas.drawCircle(x, y, radius * 4.5, radial(x, y, radius * 4.5, glow, [0.15, 0.45, 1]))
            edge = mix(self.light.disc, (226, 206, 160) if self.dark else (255, 214, 120), 0.75)
            canvas.drawCircle(
                x,
                y,
                radius,
                radial(x - radius * 0.3, y - radius * 0.3, radius * 1.6, [colour(self.light.disc), colour(edge)]),
            )

    def _draw_stars(self, canvas: skia.Canvas) -> None:
        for _ in range(220):
            x, y = (
                self.random.uniform(-0.07, 1.07) * self.width,
                self.random.uniform(-0.07, 0.95) * min(self.horizon, self.height),
            )
            size = self.unit * self.random.choice([0.0008, 0.0011, 0.0016, 0.0022])
            paint = skia.Paint(AntiAlias=True, Color=colour((255, 252, 232), self.random.uniform(90, 235)))
            canvas.drawCircle(x, y, size, paint)

    def _draw_backdrop(self, canvas: skia.Canvas) -> None:
        kind = self.setting.backdrop
        far = self._lit(mix(self.setting.colour, self.light.sky[2], 0.5))
        if kind == "hills":
            self._hill(
                canvas, self.horizon - self.height * 0.05, self.height * 0.05, 5, mix(far, self.light.sky[2], 0.35), far
            )
        elif kind == "peaks":
            self._draw_peaks(canvas)
        elif kind == "towers":
            self._draw_towers(canvas)
        else:
            self._hill(
                canvas, self.horizon - self.height * 0.02, self.height * 0.02, 4, mix(far, self.light.sky[2], 0.3), far
            )
            self._draw_row(canvas, kind.split())
        haze = self.light.sky[2]
        strength = 225 if self.plan.weather == "fog" else 80
        band = [colour(haze, 0), colour(haze, strength), colour(haze, strength * 0.9)]
        top = self.horizon - self.height * (0.4 if self.plan.weather == "fog" else 0.2)
        area = skia.Rect.MakeLTRB(-self.width, top, 2 * self.width, self.height * 1.1)
        canvas.drawRect(area, vertical(top, self.horizon, band))

    def _draw_row(self, canvas: skia.Canvas, names: list[str]) -> None:
        """A row of trees or houses along the horizon, the further ones smaller and hazier."""
        wooded = self.plan.setting in ("forest", "jungle", "snow")
        for row, (many, low, high) in enumerate(((13, 0.13, 0.2), (9, 0.19, 0.28)) if wooded else ((9, 0.12, 0.19),)):
            for place in range(many):
                x = self.width * ((place + 0.5) / many * 1.16 - 0.08) + self.random.uniform(-0.03, 0.03) * self.width
                side = self.height * self.random.uniform(low, high)
                base = self.horizon + self.height * (0.012 + 0.02 * row) + self.random.uniform(0, 0.01) * self.height
                self._stamp(canvas, self.random.choice(names), x, base, side, haze=0.34 - 0.16 * row, shadow=0)

    def _draw_peaks(self, canvas: skia.Canvas) -> None:
        for distance in (0.62, 0.34):
            for _ in range(4):
                x = self.random.uniform(-0.05, 1.05) * self.width
                tall = self.height * self.random.uniform(0.22, 0.4) * (1.15 - distance * 0.5)
                half = tall * self.random.uniform(0.75, 1.1)
                rock = mix(self._lit((104, 112, 146)), self.light.sky[2], distance)
                snow = mix(self._lit((246, 250, 255)), self.light.sky[2], distance * 0.6)
                foot = self.horizon + self.height * 0.03
                for shape, rgb in (((-1, 0, 1), rock), ((0, 0, 1), scaled(rock, 0.88))):
                    path = skia.Path()
                    path.moveTo(x + shape[0] * half, foot)
                    path.lineTo(x, foot - tall)
                    path.lineTo(x + half, foot)
                    path.close()
                    canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(rgb)))
                cap = skia.Path()
                cap.moveTo(x, foot - tall)
                for dx, dy in ((0.3, 0.3), (0.16, 0.25), (0.05, 0.34), (-0.09, 0.26), (-0.3, 0.3)):
                    cap.lineTo(x + dx * half, foot - tall + dy * tall)
                cap.close()
                canvas.drawPath(cap, skia.Paint(AntiAlias=True, Color=colour(snow)))

    def _draw_towers(self, canvas: skia.Canvas) -> None:
        for distance in (0.55, 0.2):
            x = -self.width * MARGIN
            while x < self.width * (1 + MARGIN):
                wide = self.unit * self.random.uniform(0.06, 0.13)
                tall = self.height * self.random.uniform(0.16, 0.44) * (1.1 - distance * 0.4)
                body = self._lit(
                    self.random.choice([(146, 156, 180), (170, 150, 150), (126, 140, 170), (184, 176, 160)])
                )
                body = mix(body, self.light.sky[2], distance)
                top = self.horizon - tall
                tower = skia.Rect.MakeLTRB(x, top, x + wide, self.horizon + self.height * 0.05)
                canvas.drawRect(
                    tower, vertical(top, self.horizon, [colour(scaled(body, 1.06)), colour(scaled(body, 0.9))])
                )
                self._draw_windows(canvas, x, top, wide, tall, distance)
                x += wide * self.random.uniform(1.0, 1.12)

    def _draw_windows(
        self, canvas: skia.Canvas, x: float, top: float, wide: float, tall: float, distance: float
    ) -> None:
        step = self.unit * 0.021
        for row in range(1, int(tall / step / 1.3)):
            for column in range(int(wide / step) - 1):
                lit = self.dark and self.random.random() < 0.5
                pane = (255, 222, 130) if lit else mix(self.light.sky[1], (30, 40, 70), 0.35 if self.dark else 0.15)
                alpha = (230 if lit else 110) * (1 - distance * 0.5)
                left, up = x + step * (column + 0.75), top + row * step * 1.3
                canvas.drawRect(
                    skia.Rect.MakeXYWH(left, up, step * 0.5, step * 0.7), skia.Paint(Color=colour(pane, alpha))
                )

    def _draw_land(self, canvas: skia.Canvas) -> None:
        near = self._lit(self.setting.colour)
        if self.setting.ground == "deep":
            near = mix(near, (20, 90, 150), 0.45)
        top = self.horizon + (self.height * 0.12 if self.setting.ground == "shore" else 0)
        if self.setting.ground == "street":
            self._draw_street(canvas, near)
            return
        swell = self.height * (0.02 if self.setting.ground != "deep" else 0.012)
        light = mix(near, self.light.sky[2], 0.28)
        self._hill(canvas, top, swell, 4, light, mix(near, light, 0.3))
        self._hill(canvas, top + (self.height - top) * 0.3, swell * 1.2, 3, mix(near, light, 0.45), scaled(near, 0.72))
        for _ in range(14 if self.setting.scatter else 0):
            name = self.random.choice(self.setting.scatter)
            near_by = self.random.random()
            base = top + swell + (self.height - top) * (0.08 + 0.95 * near_by)
            tall = 2.6 if name.endswith("tree") or name == "umbrella-on-ground" else 1.0
            x = self.width * self.random.choice(
                [self.random.uniform(0, 0.26), self.random.uniform(0.74, 1), self.random.random()]
            )
            if tall > 1 and 0.3 < x / self.width < 0.7:
                x = self.width * self.random.choice([0.08, 0.93])
            self._stamp(
                canvas,
                name,
                x,
                base,
                self.unit * (0.035 + 0.06 * near_by) * tall,
                haze=0.12 * (1 - near_by),
                shadow=0.35,
            )

    def _draw_street(self, canvas: skia.Canvas, near: Colour) -> None:
        bottom = self.height * (1 + MARGIN)
        walk = self.horizon + self.height * 0.06
        wide = skia.Rect.MakeLTRB(-self.width, self.horizon, 2 * self.width, bottom)
        verge = self._lit((120, 184, 96)) if self.plan.setting == "road" else mix(near, self._lit((210, 206, 200)), 0.7)
        canvas.drawRect(wide, skia.Paint(Color=colour(verge)))
        road = skia.Rect.MakeLTRB(-self.width, walk, 2 * self.width, bottom)
        canvas.drawRect(
            road, vertical(walk, bottom, [colour(mix(near, self.light.sky[2], 0.15)), colour(scaled(near, 0.7))])
        )
        line = self.height * 0.9
        for place in range(-2, 9):
            x = self.width * place / 6
            dash = skia.Path()
            for dx, dy in ((0.0, 0.0), (0.09, 0.0), (0.1, 0.016), (-0.01, 0.016)):
                point = x + dx * self.width, line + dy * self.height
                dash.lineTo(*point) if not dash.isEmpty() else dash.moveTo(*point)
            dash.close()
            canvas.drawPath(dash, skia.Paint(AntiAlias=True, Color=colour(self._lit((244, 236, 210)), 190)))

    def _draw_water(self, canvas: skia.Canvas) -> None:
        water = self._lit(self.setting.colour)
        bottom = self.height * (1 + MARGIN)
        shades = [mix(self.light.sky[2], water, 0.25), mix(self.light.sky[1], water, 0.7), scaled(water, 0.62)]
        area = skia.Rect.MakeLTRB(-self.width, self.horizon, 2 * self.width, bottom)
        canvas.drawRect(area, vertical(self.horizon, bottom, [colour(shade) for shade in shades]))

    def _draw_deep(self, canvas: skia.Canvas) -> None:
        frame = skia.Rect.MakeLTRB(-self.width, -self.height, 2 * self.width, 2 * self.height)
        shades = [scaled(shade, *self.light.tint) for shade in ((96, 204, 234), (24, 116, 190), (8, 50, 116))]
        canvas.drawRect(frame, vertical(0, self.height, [colour(shade) for shade in shades]))
        for _ in range(6):
            x, wide = self.random.uniform(-0.1, 1.0) * self.width, self.unit * self.random.uniform(0.05, 0.14)
            ray = skia.Path()
            ray.moveTo(x, -self.height * MARGIN)
            for dx, dy in ((wide, 0.0), (wide * 2.6 - self.unit * 0.2, 0.9), (-self.unit * 0.25, 0.9)):
                ray.lineTo(x + dx, self.height * dy)
            ray.close()
            canvas.drawPath(
                ray, vertical(0, self.height * 0.9, [colour((230, 255, 255), 60), colour((230, 255, 255), 0)])
            )

    def _draw_interior(self, canvas: skia.Canvas) -> None:
        wall, floor = self._lit(scenery.WALLS[self.plan.setting]), self._lit(self.setting.colour)
        frame = skia.Rect.MakeLTRB(-self.width, -self.height, 2 * self.width, 2 * self.height)
        canvas.drawRect(frame, vertical(0, self.horizon, [colour(scaled(wall, 0.86)), colour(wall)]))
        if self.setting.backdrop == "window":
            self._draw_window(canvas)
        bottom = self.height * (1 + MARGIN)
        area = skia.Rect.MakeLTRB(-self.width, self.horizon, 2 * self.width, bottom)
        canvas.drawRect(
            area, vertical(self.horizon, bottom, [colour(scaled(floor, 1.12)), colour(scaled(floor, 0.72))])
        )
        if self.plan.setting != "studio":
            seam = skia.Paint(
                AntiAlias=True, Color=colour(scaled(floor, 0.55), 110), StrokeWidth=max(1.0, self.unit * 0.002)
            )
            for place in range(1, 6):
                y = self.horizon + (self.height - self.horizon) * (place / 5) ** 1.6
                canvas.drawLine(-self.width, y, 2 * self.width, y, seam)
        if self.setting.backdrop == "curtains":
            self._draw_curtains(canvas)
        for name in self.setting.scatter:
            self._stamp(
                canvas,
                name,
                self.width * (0.1 if self.mirrored else 0.9),
                self.horizon + self.height * 0.06,
                self.unit * 0.22,
                0,
                0.4,
            )

    def _draw_window(self, canvas: skia.Canvas) -> None:
        wide, tall = self.unit * 0.34, self.unit * 0.36
        left, top = self.width * (0.56 if self.mirrored else 0.12), self.horizon - tall * 1.25
        pane = skia.Rect.MakeXYWH(left, top, wide, tall)
        canvas.drawRect(pane, vertical(top, top + tall, [colour(part) for part in self.light.sky]))
        wood = skia.Paint(
            AntiAlias=True,
            Color=colour(self._lit((250, 246, 238))),
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=self.unit * 0.014,
        )
        canvas.drawRect(pane, wood)
        canvas.drawLine(left + wide / 2, top, left + wide / 2, top + tall, wood)
        canvas.drawLine(left, top + tall / 2, left + wide, top + tall / 2, wood)

    def _draw_curtains(self, canvas: skia.Canvas) -> None:
        for place in range(-1, 5):
            for x in (self.width * place * 0.045, self.width * (1 - (place + 1) * 0.045)):
                fold = skia.Rect.MakeXYWH(x, -self.height, self.width * 0.05, self.horizon + self.height * 1.03)
                shader = skia.GradientShader.MakeLinear(
                    [(x, 0), (x + self.width * 0.05, 0)],
                    [colour((118, 14, 34)), colour((196, 38, 60)), colour((110, 10, 30))],
                )
                canvas.drawRect(fold, skia.Paint(Shader=shader))
        for x in (0.3, 0.5, 0.7):
            beam = skia.Path()
            beam.moveTo(self.width * x, -self.height * 0.05)
            beam.lineTo(self.width * (x - 0.16), self.height * 0.94)
            beam.lineTo(self.width * (x + 0.16), self.height * 0.94)
            beam.close()
            canvas.drawPath(
                beam, vertical(0, self.height * 0.94, [colour((255, 240, 200), 90), colour((255, 240, 200), 6)])
            )

    def _lit(self, rgb: Colour) -> Colour:
        return scaled(rgb, *self.light.tint)

    def _hill(self, canvas: skia.Canvas, y: float, swell: float, waves: float, top: Colour, bottom: Colour) -> None:
        phase = self.random.uniform(0, math.tau)
        path = skia.Path()
        path.moveTo(-self.width * 0.1, self.height * 1.2)
        for step in range(81):
            share = step / 80 * 1.2 - 0.1
            level = (
                y + swell * math.sin(phase + share * waves) + swell * 0.4 * math.sin(2.3 * phase + share * waves * 2.7)
            )
            path.lineTo(share * self.width, level)
        path.lineTo(self.width * 1.1, self.height * 1.2)
        path.close()
        canvas.drawPath(path, vertical(y - swell, self.height, [colour(top), colour(bottom)]))

    def _stamp(
        self, canvas: skia.Canvas, name: str, x: float, base: float, side: float, haze: float, shadow: float
    ) -> None:
        """Draw a thing into a layer for good."""
        picture = self._cut(name)
        longest = max(picture.width(), picture.height())
        width, height = picture.width() * side / longest, picture.height() * side / longest
        if shadow:
            blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.5, height * 0.025))
            paint = skia.Paint(AntiAlias=True, MaskFilter=blur, Color=colour((8, 12, 36), 255 * shadow))
            canvas.drawOval(
                skia.Rect.MakeXYWH(x - width * 0.42, base - height * 0.05, width * 0.84, height * 0.1), paint
            )
        image = self._tinted(name, width, height, haze)
        canvas.drawImageRect(image, skia.Rect.MakeXYWH(x - width / 2, base - height, width, height), LINEAR)

    # Frames

    def draw(self, canvas: skia.Canvas, time: float, duration: float) -> None:
        """Draw the frame at `time` seconds of a take that lasts `duration`."""
        camera = self._camera(time / duration if duration else 0.5)
        for place, layer in enumerate(self.layers):
            with self._seen_from(canvas, camera, layer.depth):
                canvas.drawImage(layer.image, layer.left, layer.top, LINEAR)
            if place == 0 and self.clouds:
                with self._seen_from(canvas, camera, 0.25):
                    self._draw_clouds(canvas, time)
        if self.setting.ground in ("water", "shore"):
            with self._seen_from(canvas, camera, 0.5):
                self._draw_glints(canvas, time)
        for actor in self.actors:
            with self._seen_from(canvas, camera, actor.depth):
                self._draw_actor(canvas, actor, time)
        with self._seen_from(canvas, camera, 1.0):
            self._draw_weather(canvas, time)
        for top in (0.0, self.height - self.bars):
            canvas.drawRect(skia.Rect.MakeXYWH(0, top, self.width, self.bars), skia.Paint(Color=colour((0, 0, 0))))

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
        )[(self.number - 1) % 5]

    def _seen_from(self, canvas: skia.Canvas, camera: tuple[float, float, float], depth: float) -> Any:
        x, y, zoom = camera
        near = 1 + (zoom - 1) * depth
        restored = skia.AutoCanvasRestore(canvas)
        canvas.translate(self.width * (0.5 - x * depth), self.height * (0.5 - y * depth))
        canvas.scale(near, near)
        canvas.translate(-self.width / 2, -self.height / 2)
        return restored

    def _draw_clouds(self, canvas: skia.Canvas, time: float) -> None:
        for image, x, y, wide, speed in self.clouds:
            canvas.drawImageRect(image, skia.Rect.MakeXYWH(x + speed * time, y - wide * 0.25, wide, wide / 2), LINEAR)

    def _draw_glints(self, canvas: skia.Canvas, time: float) -> None:
        bright = mix(self.light.glow, self.light.sky[2], 0.4)
        dice = random.Random(self.number)
        for place in range(80):
            near = (place / 80) ** 1.6
            y = self.horizon + self.height * 0.01 + near * (self.height - self.horizon)
            path = self.disc[0] if self.disc and place % 2 else dice.random() * self.width
            x = path + dice.gauss(0, 1) * self.width * (0.02 + 0.08 * near)
            x += math.sin(time * 1.6 + place) * self.unit * 0.01
            wide = self.unit * (0.012 + 0.06 * near) * dice.uniform(0.4, 1.2)
            thick = self.unit * (0.0012 + 0.0028 * near)
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
        area = skia.Rect.MakeXYWH(-actor.width / 2, -actor.height, actor.width, actor.height)
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
                math.sin(time * 0.5 + phase) * self.unit * 0.012,
                math.sin(time * 1.5 + phase) * self.unit * 0.008,
                2.4 * math.sin(time * 1.1 + phase),
            )
        if actor.motion == "swim":
            way = 1 if actor.flip else -1
            return (
                way * time * self.unit * 0.018,
                math.sin(time * 1.4 + phase) * self.unit * 0.014,
                3 * math.sin(time * 1.4 + phase + 1),
            )
        if actor.motion == "drift":
            return (
                math.sin(time * 0.7 + phase) * self.unit * 0.02,
                math.sin(time * 1.2 + phase) * self.unit * 0.016,
                2.5 * math.sin(time * 0.9 + phase),
            )
        return 0.0, 0.0, 0.0

    def _draw_wave(self, canvas: skia.Canvas, actor: Actor, time: float) -> None:
        """A little swell before a thing that floats, so that it lies in the water and not on it."""
        level = actor.base - actor.height * 0.05
        path = skia.Path()
        left, right = actor.x - actor.width * 0.85, actor.x + actor.width * 0.85
        share = (level - self.horizon) / max(1.0, self.height - self.horizon)
        water = self._lit(self.setting.colour)
        rgb = mix(mix(self.light.sky[1], water, 0.7), scaled(water, 0.62), share)
        path.moveTo(left, level)
        for step in range(25):
            x = left + (right - left) * step / 24
            edge = math.sin(math.pi * step / 24)
            path.lineTo(x, level + math.sin(step * 0.9 + time * 2 + actor.phase) * self.unit * 0.006 * edge)
        path.quadTo(actor.x, level + actor.height * 0.22, left, level)
        path.close()
        canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(rgb, 235)))

    def _draw_weather(self, canvas: skia.Canvas, time: float) -> None:
        if self.setting.ground == "deep":
            self._draw_bubbles(canvas, time)
        elif self.setting.ground in ("indoor", "space"):
            return
        elif self.plan.weather == "snow":
            self._draw_snow(canvas, time)
        elif self.plan.weather in ("rain", "storm"):
            self._draw_rain(canvas, time)

    def _draw_bubbles(self, canvas: skia.Canvas, time: float) -> None:
        paint = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=max(1.0, self.unit * 0.002),
            Color=colour((224, 250, 255), 150),
        )
        for x, y, size, phase in self._scattered(36, 3):
            level = (y - time * (0.04 + 0.05 * size)) % 1.1
            canvas.drawCircle(
                x * self.width + math.sin(time * 2 + phase) * self.unit * 0.006,
                level * self.height,
                self.unit * (0.003 + 0.008 * size),
                paint,
            )

    def _draw_snow(self, canvas: skia.Canvas, time: float) -> None:
        for many, size, speed, alpha in ((150, 0.004, 0.05, 0.75), (70, 0.008, 0.09, 0.9), (22, 0.02, 0.15, 0.8)):
            paint = skia.Paint(Alphaf=alpha)
            for x, y, own, phase in self._scattered(many, many):
                level = (y + time * speed * (0.8 + 0.4 * own)) % 1.06 - 0.03
                across = (x + time * speed * 0.15 + math.sin(time * 1.2 + phase) * 0.008) % 1.04 - 0.02
                side = self.unit * size * (0.7 + 0.6 * own)
                canvas.drawImageRect(
                    self.flake, skia.Rect.MakeXYWH(across * self.width, level * self.height, side, side), LINEAR, paint
                )

    def _draw_rain(self, canvas: skia.Canvas, time: float) -> None:
        slant = 0.25 if self.plan.weather == "storm" else 0.1
        for many, long, speed, alpha in ((160, 0.035, 1.1, 80), (80, 0.06, 1.6, 120)):
            path = skia.Path()
            for x, y, own, _ in self._scattered(many, many + 1):
                level = (y + time * speed * (0.85 + 0.3 * own)) % 1.15 - 0.1
                across = ((x - time * speed * slant * 0.5) % 1.1 - 0.05) * self.width
                path.moveTo(across, level * self.height)
                path.lineTo(across - slant * long * self.height, (level + long) * self.height)
            paint = skia.Paint(
                AntiAlias=True,
                Style=skia.Paint.kStroke_Style,
                StrokeWidth=max(1.0, self.unit * 0.0018),
                Color=colour((214, 226, 246), alpha),
            )
            canvas.drawPath(path, paint)

    def _scattered(self, many: int, salt: int) -> Iterator[tuple[float, float, float, float]]:
        """The same random places at every time: x and y, a size of its own, a phase."""
        dice = random.Random(self.number * 1000 + salt)
        for _ in range(many):
            yield dice.random(), dice.random(), dice.random(), dice.random() * math.tau
