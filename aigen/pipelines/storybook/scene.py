"""A scene and its frames: the packages brought together.

A frame only places the layers, figures and flakes that were made beforehand. A still is one frame of the same scene.
"""

from dataclasses import replace

import skia

from aigen.pipelines.storybook.composing.from_photo import ON_POSTS, make_spots, place_seen, seen_from
from aigen.pipelines.storybook.composing.places import Actor, place_actors, shares_seen
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.colours import colour, soft_disc
from aigen.pipelines.storybook.drawing.figures import Figure
from aigen.pipelines.storybook.drawing.layers import Layer, View
from aigen.pipelines.storybook.drawing.lettering import set_caption
from aigen.pipelines.storybook.drawing.look import make_look
from aigen.pipelines.storybook.drawing.styles import make_overlay
from aigen.pipelines.storybook.drawing.surroundings import DRIFT, make_front, make_layers, make_screen
from aigen.pipelines.storybook.drawing.tinting import Tones, tinted
from aigen.pipelines.storybook.moving.acting import Player, make_player
from aigen.pipelines.storybook.moving.camera import view_at
from aigen.pipelines.storybook.moving.weather import draw_before, draw_behind
from aigen.pipelines.storybook.understanding.from_photo import PhotoPlan
from aigen.pipelines.storybook.understanding.plan import Plan
from aigen.types.request import Size

# The moment of a take that stills show.
STILL_AT = 0.4


class Scene:
    """A scene of a given size. `number` (1, 2, …) chooses the take, `seed` the small differences.

    Where the plan is a `photo_plan`, of what is in a photograph, things are as they are there, in light of its `tones`.
    """

    def __init__(
        self,
        plan: Plan,
        style: str,
        number: int,
        seed: int,
        size: Size,
        photo_plan: PhotoPlan | None = None,
        tones: Tones | None = None,
    ) -> None:
        self.look = make_look(plan, style, number, seed, size)
        spots = make_spots(self.look, photo_plan) if photo_plan and photo_plan.places else []
        if spots:
            self.look = seen_from(self.look, spots)
        if tones:
            self.look = tinted(self.look, tones)
        self.layers = make_layers(self.look)
        self.front = make_front(self.look)
        actors = place_seen(self.look, spots) if spots else place_actors(self.look)
        self.players = [make_player(self.look, actor) for actor in actors]
        self.screens = self._make_screens()
        self.overlay = make_overlay(self.look)
        on_band = style == "poster"  # which sets it as its title
        self.caption = (
            None if on_band or not plan.caption else set_caption(plan.caption, self.look.width, self.look.height)
        )

    def _make_screens(self) -> dict[int, Layer]:
        """By thing: the trees or houses of the setting that it stands behind."""
        names = {thing.name for thing in self.look.plan.objects}
        return {
            player.actor.thing: make_screen(self.look, player.actor.base)
            for player in self.players
            if self.look.setting.rows
            and (relation := self.look.plan.objects[player.actor.thing].relation)
            and relation["kind"] == "behind"
            and relation["to"] not in names
        }

    def draw(self, canvas: skia.Canvas, time: float, duration: float) -> None:
        """Draw the frame at `time` seconds of a take that lasts `duration`; a still is one of duration 0."""
        look = self.look
        view = view_at(look.take.camera, time / duration if duration else 0.5, look.width, look.height)
        drifted = time * min(1.0, DRIFT / duration) if duration else time  # in a long take clouds drift more slowly
        for layer in self.layers:
            layer.draw(canvas, view, look.middle, drifted)
        draw_behind(look, canvas, time)
        for player in self.players:
            self._look_from(canvas, view, player.actor.depth)
            if player.actor.where == "deck" and player.actor.name in ON_POSTS:
                self._draw_post(canvas, player.actor)
            player.draw(canvas, time, duration)
            canvas.restore()
            if player.actor.thing in self.screens:
                self.screens[player.actor.thing].draw(canvas, view, look.middle, time)
        for layer in self.front:
            layer.draw(canvas, view, look.middle, time)
        draw_before(look, canvas, time, duration)
        for top in (0.0, look.height - look.bars) if look.bars else ():
            canvas.drawRect(skia.Rect.MakeXYWH(0, top, look.width, look.bars), skia.Paint(Color=colour((0, 0, 0))))
        if self.overlay:
            canvas.drawImage(self.overlay, 0, 0)
        if self.caption:
            left = (look.width - self.caption.width()) / 2
            above = any(player.actor.name in scenery.PINNED for player in self.players)
            low = look.height * 0.96 - look.bars - self.caption.height()
            canvas.drawImage(self.caption, left, look.height * 0.05 + look.bars if above else low)

    def _look_from(self, canvas: skia.Canvas, view: View, depth: float) -> None:
        x, y = view.offset(depth)
        near = view.near(depth)
        middle = self.look.middle
        canvas.save()
        canvas.translate(middle[0] + x, middle[1] + y)
        canvas.scale(near, near)
        canvas.translate(-middle[0], -middle[1])

    def _draw_post(self, canvas: skia.Canvas, actor: Actor) -> None:
        """What a traffic light or a sign is upon, down to the ground."""
        look = self.look
        foot = max(actor.base, look.horizon + look.height * 0.09)
        wide = max(1.5, actor.width * 0.09)
        post = skia.Rect.MakeLTRB(actor.x - wide / 2, actor.base - actor.height * 0.5, actor.x + wide / 2, foot)
        canvas.drawRect(post, skia.Paint(AntiAlias=True, Color=colour(look.lit((92, 96, 112)))))

    def boxes(self, duration: float = 0.0) -> list[list[list[float]]]:
        """For each object of the plan, a box for each of its things that is drawn and can be seen.

        In shares of width and height: left, top, right, bottom; as seen in the middle of a take, or in a still.
        """
        look = self.look
        found: list[list[list[float]]] = [[] for _ in look.plan.objects]
        view = view_at(look.take.camera, 0.5, look.width, look.height)
        seen = [self._as_seen(player, view, duration) for player in self.players]
        if look.disc:  # the sun or moon stands behind everything
            places = [place for place, thing in enumerate(look.plan.objects) if scenery.is_sky(look.plan, thing)]
            seen = [*(_sky_actor(place, *look.disc, view) for place in places[:1]), *seen]
        for actor, share in zip(seen, shares_seen(seen, look), strict=True):
            if share > 1 / 3:
                found[actor.thing].append(self._share(actor.box))
        return found

    def _as_seen(self, player: Player, view: View, duration: float) -> Actor:
        actor, (middle_x, middle_y) = player.actor, self.look.middle
        right, down = player.moved(duration / 2 if duration else STILL_AT, duration)
        x, y = view.offset(actor.depth)
        near = view.near(actor.depth)
        figure = replace(actor.figure, width=actor.width * near, height=actor.height * near)
        return replace(
            actor,
            figure=figure,
            x=middle_x + x + (actor.x + right - middle_x) * near,
            base=middle_y + y + (actor.base + down - middle_y) * near,
        )

    def _share(self, box: tuple[float, float, float, float]) -> list[float]:
        left, top, right, bottom = box
        parts = left / self.look.width, top / self.look.height, right / self.look.width, bottom / self.look.height
        return [round(min(1.0, max(0.0, part)), 4) for part in parts]


def _sky_actor(place: int, x: float, y: float, radius: float, view: View) -> Actor:
    right, down = view.offset(0.0)
    figure = Figure(soft_disc(32, (255, 255, 255)), 2 * radius, 2 * radius)
    foot = x + right, y + down + radius
    return Actor(place, "sun", figure, *foot, 0.0, "air", "sun", None, None, 0.0, False, foot, 2 * radius, False)
