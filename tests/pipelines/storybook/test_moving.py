"""What moves: every rig without a jump, every take without a frozen stretch or a frame that stands out."""

import math
from itertools import pairwise
from pathlib import Path

import av
import numpy
import pytest

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.items import make_item
from aigen.pipelines.storybook.moving import casting
from aigen.pipelines.storybook.moving.camera import MOVES, view_at
from aigen.pipelines.storybook.moving.casting import rig_for
from aigen.pipelines.storybook.moving.rigs import RIGS, Moment, wing_angle
from aigen.pipelines.storybook.scene import Scene
from aigen.pipelines.storybook.takes import TAKES
from aigen.pipelines.storybook.understanding.plan import make_plan
from aigen.types.pipeline import Task
from aigen.types.request import Size

U, V = (part.ravel() for part in numpy.meshgrid(numpy.linspace(0, 1, 7), numpy.linspace(0, 1, 7)))


def moments(phase: float = 0.7) -> list[Moment]:
    return [Moment(frame / 24, frame / 24 - 2, phase) for frame in range(96)]


@pytest.mark.parametrize("name", RIGS)
def test_a_rig_never_jumps(name: str) -> None:
    for phase in (0.0, 0.7, 3.0, 5.9):
        poses = [RIGS[name].pose(moment) for moment in moments(phase)]
        for before, after in pairwise(poses):
            assert math.hypot(after.x - before.x, after.y - before.y) < 0.075
            assert abs(after.turn - before.turn) < 5
            assert abs(after.wide - before.wide) < 0.06
            assert abs(after.tall - before.tall) < 0.06
        if bend := RIGS[name].bend:
            shifts = [
                numpy.hypot(*(numpy.broadcast_to(part, U.shape) for part in bend(moment, U, V)))
                for moment in moments(phase)
            ]
            assert max(shift.max() for shift in shifts) < 0.5
            assert max(numpy.abs(after - before).max() for before, after in pairwise(shifts)) < 0.17


def test_in_a_long_take_things_travel_as_far_as_in_a_usual_one_and_in_a_short_one_as_fast() -> None:
    (player, *_) = Scene(make_plan("a ship on the sea"), "plain", 1, 7, Size(320, 180)).players
    for share in (0.0, 0.3, 1.0):
        usual = player.moment(share * 4, 4).passed
        assert usual == share * 4 - 2
        assert player.moment(share * 40, 40).passed == pytest.approx(usual)
        assert player.moment(share * 2, 2).passed == share * 2 - 1


@pytest.mark.parametrize("name", sorted(set(RIGS) - {"still"}))
def test_a_rig_moves(name: str) -> None:
    rig = RIGS[name]
    poses = {rig.pose(moment) for moment in moments()}
    bends = {tuple(float(part.sum()) for part in rig.bend(moment, U, V)) for moment in moments()} if rig.bend else set()
    assert max(len(poses), len(bends)) > 40


def test_every_picture_has_a_rig_everywhere_and_every_rig_a_picture() -> None:
    verbs = [None, *casting.VERBS]
    given = {
        rig_for(name, action, where, free)
        for name in artwork.index()
        for where in ("ground", "water", "air", "deep")
        for action in (
            None,
            "run",
            "race",
            "fly",
            "sleep",
            "spin",
            "roll",
            "sail",
            "jump",
            "dance",
            "eat",
            "fall",
            "climb",
            "sit",
        )
        for free in (True, False)
    }
    assert given == set(RIGS)
    assert {rig_for("dog", verb, "ground") for verb in verbs} <= set(RIGS)
    assert set(casting.BY_NAME) <= set(artwork.index())


@pytest.mark.parametrize(
    ("name", "action", "where", "rig"),
    [
        ("dog", None, "ground", "walk"), ("dog", "run", "ground", "run"), ("dog", "sleep", "ground", "sleep"),
        ("cat", "jump", "ground", "jump"),
        ("fox", None, "ground", "stand"), ("automobile", None, "ground", "drive"),
        ("automobile", "race", "ground", "race"),
        ("sailboat", None, "water", "float"), ("fish", None, "deep", "swim"), ("octopus", None, "deep", "pulse"),
        ("bird", None, "air", "fly"),
        ("butterfly", None, "air", "flutter"), ("honeybee", None, "air", "buzz"), ("eagle", None, "air", "beat"),
        ("balloon", None, "air", "drift"),
        ("rocket", None, "air", "launch"), ("deciduous-tree", None, "ground", "plant"),
        ("fire", None, "ground", "flame"),
        ("man-walking", None, "ground", "walk"), ("girl", "dance", "ground", "dance"),
        ("soccer-ball", "roll", "ground", "roll"),
        ("trophy", None, "ground", "still"), ("helicopter", None, "air", "hover"), ("horse", "eat", "ground", "eat"),
    ],
)  # fmt: skip
def test_motion_goes_by_kind_and_action(name: str, action: str | None, where: str, rig: str) -> None:
    assert rig_for(name, action, where) == rig


def test_wings_beat_along_an_arc() -> None:
    angles = [wing_angle("wing", moment) for moment in moments()]
    assert max(angles) - min(angles) > 50
    assert max(abs(after - before) for before, after in pairwise(angles)) < 15


def parts_of(prompt: str) -> list[str]:
    scene = Scene(make_plan(prompt), "plain", 1, 7, Size(320, 180))
    return [part.kind for player in scene.players for part in player.actor.figure.parts]


def test_rigs_have_joints() -> None:
    assert parts_of("a car on a road") == ["wheel", "wheel"]
    assert parts_of("a bird flying in the sky") == ["far wing", "wing"]
    assert parts_of("a bird in a meadow beside a cat") in ([], ["far wing", "wing"])
    assert parts_of("a helicopter in the sky") == ["rotor"]
    assert set(parts_of("fireworks over a city at night")) == {"burst"}
    assert set(anatomy.SPOKED) <= set(anatomy.WHEELS)


@pytest.mark.parametrize("move", MOVES)
def test_a_camera_moves_all_the_time_and_evenly(move: str) -> None:
    views = [view_at(move, frame / 95, 1280, 720) for frame in range(96)]
    steps = [
        math.hypot(after.x - before.x, after.y - before.y) + 700 * abs(after.zoom - before.zoom)
        for before, after in pairwise(views)
    ]
    assert min(steps) > 0.1
    assert max(abs(after - before) for before, after in pairwise(steps)) < 0.1
    assert {take.camera for take in TAKES} == set(MOVES)


@pytest.mark.parametrize(
    "prompt", ["a dog running", "a car racing on a road", "a fish swimming", "a bird flying over a lake"]
)
def test_what_travels_stays_in_the_picture(prompt: str) -> None:
    for number in range(1, 6):
        scene = Scene(make_plan(prompt), "plain", number, 7, Size(640, 360))
        for time in (0.0, 2.0, 4.0):
            for player in scene.players:
                right, _ = player.moved(time, 4.0)
                assert player.actor.width * 0.3 < player.actor.x + right < 640 - player.actor.width * 0.3
        (player,) = scene.players[:1]
        ahead = player.moved(4.0, 4.0)[0] - player.moved(0.0, 4.0)[0]
        assert (ahead > 0) == player.actor.flip, "it goes backwards"


def test_wheels_turn_as_fast_as_the_car_goes() -> None:
    scene = Scene(make_plan("a truck next to a house"), "plain", 1, 7, Size(640, 360))
    (truck,) = (player for player in scene.players if "truck" in player.actor.name)
    assert 0 < truck.speed <= RIGS["drive"].speed * scene.look.unit


def test_riders_move_with_what_they_ride() -> None:
    scene = Scene(make_plan("an astronaut riding a horse"), "plain", 2, 7, Size(640, 360))
    places = {player.actor.name: [player.moved(time, 4.0) for time in (0.0, 1.3, 3.7)] for player in scene.players}
    assert places["astronaut"] == places["horse"]


@pytest.mark.parametrize(
    ("prompt", "number"),
    [
        ("a sailboat on the sea at sunset", 1), ("two cats under a full moon in the snow", 2),
        ("a bird flying over a storm at sea", 3),
        ("a red car driving in the rain", 4), ("three fish and an octopus underwater", 5),
        ("a girl dancing on a stage", 2),
        ("fireworks above the skyline at night", 3),
    ],
)  # fmt: skip
def test_no_video_freezes_or_stutters(tmp_path: Path, prompt: str, number: int) -> None:
    task = Task(
        kind="video", prompt=prompt, style="plain", numbers=(number,), seeds=(7,), size=Size(320, 180), work=tmp_path,
        frames=96
    )  # fmt: skip
    output = make_item(task, lambda *_: None)
    with av.open(str(output.path)) as container:
        frames = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
    assert len(frames) == 96
    changes = [float(numpy.abs(after - before).mean()) for before, after in pairwise(frames)]
    frozen = longest = 0
    for change in changes:
        frozen = frozen + 1 if change < 0.03 else 0
        longest = max(longest, frozen)
    assert longest < 3, f"frozen for {longest} frames"
    for place in range(1, 95):
        across = float(numpy.abs(frames[place + 1] - frames[place - 1]).mean())
        apart = min(changes[place - 1], changes[place])
        assert apart < 1.4 * across + 0.25, (
            f"frame {place} stands out: {apart:.2f} from its neighbours, they {across:.2f}"
        )
